//! An order as a record of the bureau's file. It owns where each element comes from: the number
//! from the vault, values from the security module under the programme's keys, the rest from the
//! order. A programme without a key has no such value; a key that is missing stops the run.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{
    BalanceId, CardId, CardSecurityTerms, CardStatus, Expiry, ExpiryOrder, LockCode, Pan,
    ServiceCode, Timestamp, VaultRef,
};
use switch_security::{
    CardValue, CardValueKind, Delivery, DeliveryWay, GenerateCardValue, KeyName, KeyUsage,
    PersoRecord, PersoText,
};
use uuid::Uuid;

use super::Plastic;
use super::order::WayName;
use super::pin::OrderPin;
use crate::Problem;
use crate::service::users::Personal;
use crate::service::vault::open_pan;

/// An order that goes into a file.
pub(super) struct Going {
    pub(super) reference: Uuid,
    balance: BalanceId,
    physical_of: Option<CardId>,
    pub(super) expiry: Expiry,
    service_code: ServiceCode,
    sequence: u8,
    way: WayName,
    pub(super) holder_name: Personal,
    to: [Personal; 5],
    phone: Option<Personal>,
    pin: Option<OrderPin>,
}

/// Where the number of an order is, and which printed code is in force.
struct Numbered {
    vault: VaultRef,
    code_generation: u8,
}

impl Going {
    /// Those of a run that are not in its file yet.
    pub(super) const OF_RUN: &'static str = "\
        SELECT reference, balance_id, physical_of, expiry, service_code, sequence, way,
            holder_name, addressee, street, city, postal_code, country, phone, zone_key, format,
            block
        FROM card_order LEFT JOIN card_order_pin USING (reference)
        WHERE run_id = $1 AND state = 'ORDERED' ORDER BY reference";

    pub(super) fn read(row: &PgRow) -> Result<Self, Problem> {
        let text =
            |column: &str| -> Result<Personal, Problem> { Ok(Personal::new(row.try_get(column)?)) };
        let wrong = || Problem::internal("reading an order", &"a member of it is out of range");
        let number = |column: &str| -> Result<u16, Problem> {
            u16::try_from(row.try_get::<i16, _>(column)?).map_err(|_| wrong())
        };
        let way: String = row.try_get("way")?;
        Ok(Self {
            reference: row.try_get("reference")?,
            balance: BalanceId(row.try_get("balance_id")?),
            physical_of: row.try_get::<Option<i64>, _>("physical_of")?.map(CardId),
            expiry: Expiry::from_yymm(number("expiry")?).map_err(|_| wrong())?,
            service_code: ServiceCode::new(number("service_code")?).map_err(|_| wrong())?,
            sequence: u8::try_from(number("sequence")?).map_err(|_| wrong())?,
            way: WayName::named(&way).ok_or_else(wrong)?,
            holder_name: text("holder_name")?,
            to: [
                text("addressee")?,
                text("street")?,
                text("city")?,
                text("postal_code")?,
                text("country")?,
            ],
            phone: row.try_get::<Option<String>, _>("phone")?.map(Personal::new),
            pin: OrderPin::read(row)?,
        })
    }

    /// The zone key that its PIN is under, where it has one.
    pub(super) fn zone_key(&self) -> Option<&KeyName> {
        self.pin.as_ref().map(|pin| &pin.zone_key)
    }
}

/// Why there will be no plastic: the card that it is to be of is not in use any more.
pub(super) const CARD_REMOVED: &str = "CARD_REMOVED";
/// The same: who makes its number will not.
pub(super) const PROCESSOR_REFUSED: &str = "PROCESSOR_REFUSED";

impl Plastic {
    /// The record of an order. Its number is drawn and sealed once, whenever it is asked for.
    pub(super) async fn record(
        &self,
        going: &Going,
        now: Timestamp,
    ) -> Result<PersoRecord, Problem> {
        let no_balance = || Problem::internal("putting a card into a file", &"it has no account");
        let balance = self.services.node.balance(going.balance).await.ok_or_else(no_balance)?;
        let control = self.services.node.control();
        let programme = control.programmes.get(&balance.programme).ok_or_else(no_balance)?;
        let numbered = match going.physical_of {
            Some(card) => self.number_of_card(card).await?,
            None => {
                Numbered { vault: self.drawn(going, programme, now).await?, code_generation: 0 }
            }
        };
        let pan = self.number(numbered.vault).await?;
        let none = CardSecurityTerms::default();
        let terms = programme.security.as_deref().unwrap_or(&none);
        let of = (&pan, going.expiry);
        let stripe = CardValueKind::Cvv { service_code: going.service_code };
        let order: ExpiryOrder = terms.code_expiry;
        let code = terms.keys.code_key(numbered.code_generation);
        let code = code.map_or("", |label| label.as_str());
        let cvk = terms.keys.cvk.as_str();
        let text = |text: &Personal| PersoText::new(text.expose().to_owned());
        let [addressee, street, city, postal_code, country] = going.to.each_ref().map(text);
        Ok(PersoRecord {
            reference: *going.reference.as_bytes(),
            cvv: self.value(cvk, of, stripe).await?,
            icvv: self.value(cvk, of, CardValueKind::Icvv).await?,
            cvv2: self.value(code, of, CardValueKind::Cvv2 { order }).await?,
            pan,
            expiry: going.expiry,
            service_code: going.service_code,
            sequence: going.sequence,
            holder: text(&going.holder_name),
            pin: going.pin.as_ref().and_then(OrderPin::for_record),
            delivery: Delivery {
                way: match going.way {
                    WayName::Post => DeliveryWay::Post,
                    WayName::Courier => DeliveryWay::Courier,
                },
                addressee,
                street,
                city,
                postal_code,
                country,
                phone: going.phone.as_ref().map(text),
            },
        })
    }

    async fn value(
        &self,
        key: &str,
        (pan, expiry): (&Pan, Expiry),
        kind: CardValueKind<'_>,
    ) -> Result<Option<CardValue>, Problem> {
        if key.is_empty() {
            return Ok(None);
        }
        let missing = || Problem::internal("finding a key", &format!("{key} is not there"));
        let key = self.modules.values.keys.key(key, KeyUsage::C0).ok_or_else(missing)?;
        let command = GenerateCardValue { key, pan, expiry, kind };
        let made = self.modules.values.module.generate_card_value(command).await;
        made.map(Some).map_err(|error| Problem::internal("computing a card value", &error))
    }

    /// Where the number of a card is that gets plastic.
    async fn number_of_card(&self, card: CardId) -> Result<Numbered, Problem> {
        let gone = || Problem::new(CARD_REMOVED, "the card is not in use any more");
        let card = self.services.node.card(card).await.ok_or_else(gone)?;
        if card.status != CardStatus::Active || card.lock.is_some_and(LockCode::is_irreversible) {
            return Err(gone());
        }
        let code_generation = card.references.map_or(0, |references| references.code_generation);
        Ok(Numbered { vault: card.vault, code_generation })
    }

    /// A row of the vault as it is now.
    pub(super) async fn row_of_vault(&self, row: i64) -> Result<Option<VaultRef>, Problem> {
        let version = sqlx::query_scalar("SELECT version FROM pan_vault WHERE id = $1").bind(row);
        let version: Option<i32> = version.fetch_optional(self.pool()).await?;
        Ok(version.map(|version| VaultRef { row, version }))
    }

    pub(super) async fn number(&self, vault: VaultRef) -> Result<Pan, Problem> {
        let sealed = self.services.store.vault().fetch(vault).await;
        let sealed = sealed.map_err(|error| Problem::internal("reading a card number", &error))?;
        open_pan(&*self.services.security, vault.row, &sealed)
            .map_err(|error| Problem::internal("opening the vault", &error))
    }
}
