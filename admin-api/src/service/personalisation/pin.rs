//! PINs with orders of plastic (SR-136, A-06). It owns the table `card_order_pin`: a PIN is there
//! encrypted for the bureau, and as what it will be compared with, from the order until its card is
//! linked or refused. Both are bound to the card number, so that it is drawn with the order.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Pan, PartnerId, PinReference, ProgrammeId, VaultRef};
use switch_security::{EncryptedPinBlock, KeyName, PersoPin, PinBlockFormat};
use uuid::Uuid;

use super::Plastic;
use super::order::{NewPlastic, OrderedBy, PlasticOrder};
use crate::Problem;
use crate::service::cards::processor::IN_PROCESS;
use crate::service::cards::{ChosenOfCard, DRAWS, SealedPin, range_full};

const KEEP: &str = "\
    WITH numbered AS (UPDATE card_order SET vault_row = $2 WHERE reference = $1)
    INSERT INTO card_order_pin (reference, zone_key, format, block, digits, key_index)
    VALUES ($1, $3, $4, $5, $6, $7)";

/// The PIN of an order for the bureau.
pub(super) struct OrderPin {
    /// The zone key that it is under.
    pub(super) zone_key: KeyName,
    format: PinBlockFormat,
    block: EncryptedPinBlock,
}

/// The number of an order, and its PIN.
pub(super) struct NumberedPin {
    vault: VaultRef,
    pin: SealedPin,
}

impl OrderPin {
    /// Of a row of an order, beside which its PIN stands where it has one.
    pub(super) fn read(row: &PgRow) -> Result<Option<Self>, Problem> {
        let Some(block) = row.try_get::<Option<Vec<u8>>, _>("block")? else { return Ok(None) };
        let block = EncryptedPinBlock::new(&block);
        let format = u8::try_from(row.try_get::<i16, _>("format")?).ok();
        let format = format.and_then(PinBlockFormat::from_number);
        let zone_key = KeyName::new(&row.try_get::<String, _>("zone_key")?);
        let read = block.zip(format).zip(zone_key);
        let read = read.map(|((block, format), zone_key)| Self { zone_key, format, block });
        read.map(Some).ok_or_else(wrong)
    }

    /// As the record of its card has it.
    pub(super) fn for_record(&self) -> Option<PersoPin> {
        let block = EncryptedPinBlock::new(self.block.bytes())?;
        Some(PersoPin { format: self.format, block })
    }
}

/// What the PIN of an order will be compared with, of a row as before.
pub(super) fn reference_of(row: &PgRow) -> Result<Option<PinReference>, Problem> {
    let Some(digits) = row.try_get::<Option<String>, _>("digits")? else { return Ok(None) };
    let reference = match row.try_get::<Option<i16>, _>("key_index")? {
        Some(index) => PinReference::pvv(u8::try_from(index).unwrap_or(u8::MAX), digits.as_bytes()),
        None => PinReference::offset(digits.as_bytes()),
    };
    reference.map(Some).map_err(|_| wrong())
}

fn wrong() -> Problem {
    Problem::internal("reading the PIN of an order", &"it is none")
}

impl Plastic {
    /// Orders a plastic card that has a PIN from the beginning; under the same key the same order
    /// again, whatever its PIN.
    ///
    /// # Errors
    /// As `order`. `INVALID_REQUEST`: the PIN. `CONFLICT`: cards of the programme have no PIN, or
    /// get their numbers elsewhere. `SECURITY_MODULE_UNAVAILABLE`.
    pub async fn order_with_pin(
        &self,
        whose: (PartnerId, Uuid),
        new: &NewPlastic,
        pin: &str,
        by: OrderedBy,
    ) -> Result<PlasticOrder, Problem> {
        if let Some(earlier) = self.earlier(whose, by).await? {
            return Ok(earlier);
        }
        let checked = self.checked(whose, new, by.now).await?;
        let programme = checked.balance.programme;
        let terms = self.services.node.directory().terms(programme);
        let chosen = ChosenOfCard::fitting(pin, &self.settings.pins, terms.as_deref())?;
        self.has_own_numbers(programme).await?;
        let (vault, pan) = self.drawn_now(programme).await?;
        let pin = match chosen.sealed(&self.modules.values, &pan, None).await {
            Ok(pin) => pin,
            Err(problem) => {
                self.services.give_up(vault).await;
                return Err(problem);
            }
        };
        drop(pan);
        let numbered = NumberedPin { vault, pin };
        let mut transaction = self.pool().begin().await?;
        match self.place(&mut transaction, whose.0, &checked, new, by, Some(&numbered)).await {
            Ok((order, true)) => {
                // Where nobody knows whether this came about, the number stays.
                transaction.commit().await?;
                Ok(order)
            }
            other => {
                transaction.rollback().await?;
                self.services.give_up(vault).await;
                other.map(|(order, _)| order)
            }
        }
    }

    /// Puts number and PIN to an order.
    pub(super) async fn keep_pin(
        &self,
        connection: &mut PgConnection,
        order: Uuid,
        NumberedPin { vault, pin: SealedPin { block, reference } }: &NumberedPin,
    ) -> Result<(), Problem> {
        let digits = std::str::from_utf8(reference.ascii()).map_err(|_| wrong())?;
        let keeping = sqlx::query(KEEP).bind(order).bind(vault.row);
        let keeping = keeping.bind(self.settings.pins.key.as_str());
        let keeping = keeping.bind(i16::from(ChosenOfCard::FORMAT.number())).bind(block.bytes());
        let keeping = keeping.bind(digits).bind(reference.key_index().map(i16::from));
        keeping.execute(connection).await?;
        Ok(())
    }

    /// That the numbers of a programme are drawn here: of others there is none with an order.
    async fn has_own_numbers(&self, programme: ProgrammeId) -> Result<(), Problem> {
        let sql = "SELECT EXISTS (SELECT FROM programme_processor \
                   WHERE programme_id = $1 AND processor <> $2)";
        let elsewhere = sqlx::query_scalar::<_, bool>(sql).bind(programme.0).bind(IN_PROCESS);
        if elsewhere.fetch_one(self.pool()).await? {
            let what = "cards of this programme get their numbers elsewhere: set the PIN later";
            return Err(Problem::new("CONFLICT", what));
        }
        Ok(())
    }

    /// A number that is nobody else's, sealed.
    async fn drawn_now(&self, programme: ProgrammeId) -> Result<(VaultRef, Pan), Problem> {
        let none = || Problem::not_found("there is no such account");
        let control = self.services.node.control();
        let programme = control.programmes.get(&programme).ok_or_else(none)?;
        for _ in 0..DRAWS {
            let pan = self.services.security.generate_pan(&programme.bins);
            let pan = pan.map_err(|error| Problem::internal("drawing a card number", &error))?;
            if let Some(vault) = self.services.keep_number(&pan).await? {
                return Ok((vault, pan));
            }
        }
        Err(range_full())
    }
}
