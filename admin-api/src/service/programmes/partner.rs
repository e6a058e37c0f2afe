//! Partners, as operators make, read and change them (SR-001, SR-263). It owns the table
//! `partner_profile`; name, state and thresholds of a partner are its shard's, what it chose is
//! `users::kyc`'s and `partners`'s. Whom to call is told to who reads a partner, and not to its
//! history.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Amount, AsciiText, MinorUnits, Partner, PartnerId, PartnerState};

use super::changes::{Subject, note};
use super::{Programmes, SetUp, SetUpBy, alone, drawn, of_version, version_of};
use crate::operation::decimal;
use crate::service::users::kyc::{Mode, PartnerSettings, SettingsChange};
use crate::service::users::rules::{is_email, is_phone, is_text, optional};
use crate::{Personal, Problem};

/// The longest name of whom to call.
const NAME_MOST: usize = 100;
/// Currencies in which a part of a purchase may be approved.
const MINIMUMS_MOST: usize = 32;

/// Whom to call at a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// A person or a desk.
    pub name: Option<Personal>,
    /// By mail.
    pub email: Option<Personal>,
    /// By telephone.
    pub phone: Option<Personal>,
}

impl Contact {
    /// Reads one.
    ///
    /// # Errors
    /// `INVALID_REQUEST` of a member of `contact`.
    pub fn new(
        name: Option<String>,
        email: Option<String>,
        phone: Option<String>,
    ) -> Result<Self, Problem> {
        let words = format!("1 to {NAME_MOST} characters on one line");
        let number = "+, and 7 to 15 digits";
        Ok(Self {
            name: optional("contact.name", &words, name, |text| is_text(text, NAME_MOST))?,
            email: optional("contact.email", "an address as desk@acme.example", email, is_email)?,
            phone: optional("contact.phone", number, phone, is_phone)?,
        })
    }

    fn texts(&self) -> [&str; 3] {
        [&self.name, &self.email, &self.phone].map(|one| one.as_ref().map_or("", Personal::expose))
    }
}

/// A partner as it is now.
#[derive(Clone, Debug)]
pub struct PartnerNow {
    /// As the shards have it.
    pub partner: Partner,
    /// What it chose.
    pub settings: PartnerSettings,
    /// Whom to call.
    pub contact: Contact,
}

/// What a partner is to be.
#[derive(Clone, Debug)]
pub struct PartnerWanted {
    /// Its name.
    pub name: AsciiText<40>,
    /// Whether its cards are served; where it is not said, as before, and else they are.
    pub state: Option<PartnerState>,
    /// Whom to call.
    pub contact: Contact,
    /// Who verifies its customers; where it is not said, as before.
    pub kyc_mode: Option<Mode>,
    /// Whether answers are encrypted to its registered keys alone; as before.
    pub registered_keys_only: Option<bool>,
    /// From which amount on a part of a purchase is approved, by currency.
    pub partial_minimums: Vec<Amount>,
}

/// Which partners.
#[derive(Clone, Debug, Default)]
pub struct PartnersWanted {
    /// Those in this state.
    pub state: Option<PartnerState>,
    /// Those in whose name this stands, in whatever case.
    pub name: Option<String>,
    /// Those after this one.
    pub behind: Option<PartnerId>,
    /// At most so many.
    pub most: u32,
}

impl PartnerNow {
    /// As its history has it.
    pub(crate) fn noted(&self) -> Value {
        let minimums = self.partner.partial_minimums.iter();
        let minimums: Map<_, _> = minimums
            .map(|one| (one.currency.to_string(), decimal(one.minor, one.currency).into()))
            .collect();
        json!({
            "name": self.partner.name.as_str(),
            "state": match self.partner.state {
                PartnerState::Active => "ACTIVE",
                PartnerState::Suspended => "SUSPENDED",
            },
            "kycMode": self.settings.kyc_mode.name(),
            "registeredKeysOnly": self.settings.registered_keys_only,
            "partialMinimums": minimums,
        })
    }

    /// What tells it from what it was before, and will be.
    #[must_use]
    pub fn version(&self) -> i64 {
        version_of(&self.noted(), &self.contact.texts())
    }
}

impl PartnerWanted {
    /// What a partner is already.
    #[must_use]
    pub fn as_before(now: &PartnerNow) -> Self {
        Self {
            name: now.partner.name,
            state: None,
            contact: now.contact.clone(),
            kyc_mode: None,
            registered_keys_only: None,
            partial_minimums: now.partner.partial_minimums.clone(),
        }
    }
}

const PUT: &str = "\
    INSERT INTO partner_profile (partner_id, contact_name, contact_email, contact_phone)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (partner_id) DO UPDATE SET contact_name = excluded.contact_name,
        contact_email = excluded.contact_email, contact_phone = excluded.contact_phone";

const CONTACTS: &str = "\
    SELECT partner_id, contact_name, contact_email, contact_phone FROM partner_profile
    WHERE partner_id = ANY ($1)";

impl Programmes {
    /// Partners in the order of their numbers; one more than asked for, where there are more.
    ///
    /// # Errors
    /// The database.
    pub async fn partners(&self, wanted: &PartnersWanted) -> Result<Vec<PartnerNow>, Problem> {
        let part = wanted.name.as_deref().map(str::to_lowercase);
        let fits = |one: &&Partner| {
            let named = |part: &String| one.name.as_str().to_lowercase().contains(part.as_str());
            wanted.behind.is_none_or(|behind| one.id > behind)
                && wanted.state.is_none_or(|state| one.state == state)
                && part.as_ref().is_none_or(named)
        };
        let control = self.services.node.control();
        let most = usize::try_from(wanted.most).unwrap_or(usize::MAX).saturating_add(1);
        let found: Vec<_> = control.partners.values().filter(fits).take(most).cloned().collect();
        drop(control);
        let mut connection = self.pool().acquire().await?;
        self.whole(&mut connection, found).await
    }

    /// A partner.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn partner(&self, id: PartnerId) -> Result<PartnerNow, Problem> {
        let mut connection = self.pool().acquire().await?;
        self.partner_now(&mut connection, id).await
    }

    /// Makes a partner; under the same key the same one again.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: a member. `CONFLICT`: there is no provider, or no key, for what it
    /// chooses. `EXHAUSTED`: there are as many as may be. Else as [`Problem`] says.
    pub async fn create_partner(
        &self,
        wanted: &PartnerWanted,
        by: SetUpBy,
    ) -> Result<SetUp<PartnerNow>, Problem> {
        self.check_partner_wanted(wanted)?;
        if wanted.registered_keys_only == Some(true) {
            let what = "no key is registered for the partner yet: add one, and change it then";
            return Err(Problem::new("CONFLICT", what));
        }
        let _turn = self.turn.lock().await;
        let made_before = self.services.was_made(by.key).await?;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction).await?;
        let there = self.services.node.control().partners.len();
        let is_full = there >= usize::try_from(self.settings.partners_most).unwrap_or(usize::MAX);
        if is_full && !made_before {
            return Err(Problem::new("EXHAUSTED", "there are as many partners as may be"));
        }
        let id = self.services.define_partner(by.key, by.actor, wanted.name).await?;
        if is_put(&mut transaction, id).await? {
            // It was made, and may have been changed since: that is not undone by asking again.
            return Ok((self.partner_now(&mut transaction, id).await?, None));
        }
        let made = self.put_partner(&mut transaction, id, (None, wanted), by).await?;
        transaction.commit().await?;
        self.partner_keys.forget(id);
        self.count();
        Ok(made)
    }

    /// Changes a partner, of which this version was seen: in force for the next authorization.
    ///
    /// # Errors
    /// `NOT_FOUND`. `PRECONDITION_FAILED`: it was changed since. As [`Programmes::create_partner`].
    pub async fn change_partner(
        &self,
        id: PartnerId,
        wanted: &PartnerWanted,
        (seen, by): (i64, SetUpBy),
    ) -> Result<SetUp<PartnerNow>, Problem> {
        self.check_partner_wanted(wanted)?;
        let _turn = self.turn.lock().await;
        if wanted.registered_keys_only == Some(true)
            && !self.users.partner_settings(id).await?.registered_keys_only
        {
            self.partner_keys.check_some(id).await?;
        }
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction).await?;
        let before = self.partner_now(&mut transaction, id).await?;
        of_version(before.version(), Some(seen))?;
        let changed = self.put_partner(&mut transaction, id, (Some(before), wanted), by).await?;
        transaction.commit().await?;
        self.partner_keys.forget(id);
        Ok(changed)
    }

    fn check_partner_wanted(&self, wanted: &PartnerWanted) -> Result<(), Problem> {
        wanted.kyc_mode.map(|mode| self.users.check_mode(mode)).transpose()?;
        let minimums = &wanted.partial_minimums;
        if minimums.len() > MINIMUMS_MOST {
            return Err(Problem::field("partialMinimums", format!("at most {MINIMUMS_MOST}")));
        }
        let twice = |(at, one): (usize, &Amount)| {
            minimums.iter().take(at).any(|other| other.currency == one.currency)
        };
        if minimums.iter().enumerate().any(twice) {
            return Err(Problem::field("partialMinimums", "each currency once"));
        }
        Ok(())
    }

    /// Brings it to what is wanted, and notes that: first what the shards have, then all of the
    /// rest in one transaction with the note.
    async fn put_partner(
        &self,
        transaction: &mut PgConnection,
        id: PartnerId,
        (before, wanted): (Option<PartnerNow>, &PartnerWanted),
        by: SetUpBy,
    ) -> Result<SetUp<PartnerNow>, Problem> {
        self.command_partner(id, wanted, by).await?;
        let change = SettingsChange {
            kyc_mode: wanted.kyc_mode,
            registered_keys_only: wanted.registered_keys_only,
        };
        if change != SettingsChange::default() {
            let by = (by.actor, by.now);
            self.users.change_settings_within(&mut *transaction, id, change, by).await?;
        }
        let Contact { name, email, phone } = &wanted.contact;
        let put = sqlx::query(PUT).bind(id.0).bind(name.as_ref().map(Personal::expose));
        let put = put.bind(email.as_ref().map(Personal::expose));
        let put = put.bind(phone.as_ref().map(Personal::expose));
        put.execute(&mut *transaction).await?;
        let now = self.partner_now(&mut *transaction, id).await?;
        let mut after = now.noted();
        if before.as_ref().is_some_and(|before| before.contact != now.contact) {
            after["contactChanged"] = true.into();
        }
        let before = before.map(|before| before.noted());
        let (about, most) = (Subject::Partner(id), self.settings.changes_most);
        let noted =
            note(transaction, about, (by.actor, by.now), (before.as_ref(), &after), most).await?;
        Ok((now, noted))
    }

    /// What of it is the shard's.
    async fn command_partner(
        &self,
        id: PartnerId,
        wanted: &PartnerWanted,
        by: SetUpBy,
    ) -> Result<(), Problem> {
        let none = || Problem::not_found("there is no such partner");
        let now = self.services.node.control().partners.get(&id).cloned().ok_or_else(none)?;
        if now.name != wanted.name {
            self.services.rename_partner(drawn(), by.actor, id, wanted.name).await?;
        }
        if let Some(state) = wanted.state.filter(|state| *state != now.state) {
            self.services.set_partner_state(drawn(), by.actor, id, state).await?;
        }
        let gone = now.partial_minimums.iter().map(|one| one.currency);
        let said = wanted.partial_minimums.iter().map(|one| one.currency);
        for currency in gone.chain(said) {
            let of = |one: &&Amount| one.currency == currency;
            let to: Option<MinorUnits> =
                wanted.partial_minimums.iter().find(of).map(|one| one.minor);
            if now.partial_minimum(currency) != to {
                let (services, actor) = (&self.services, by.actor);
                services.set_partial_minimum(drawn(), actor, id, currency, to).await?;
            }
        }
        Ok(())
    }

    async fn partner_now(
        &self,
        connection: &mut PgConnection,
        id: PartnerId,
    ) -> Result<PartnerNow, Problem> {
        let none = || Problem::not_found("there is no such partner");
        let found = self.services.node.control().partners.get(&id).cloned().ok_or_else(none)?;
        let mut whole = self.whole(connection, vec![found]).await?;
        whole.pop().ok_or_else(none)
    }

    /// With what is in tables.
    async fn whole(
        &self,
        connection: &mut PgConnection,
        partners: Vec<Partner>,
    ) -> Result<Vec<PartnerNow>, Problem> {
        let ids: Vec<_> = partners.iter().map(|one| one.id.0).collect();
        let mut settings = self.users.settings_of_partners(&mut *connection, &ids).await?;
        let rows = sqlx::query(CONTACTS).bind(&ids).fetch_all(connection).await?;
        let mut contacts: BTreeMap<PartnerId, Contact> =
            rows.iter().map(contact).collect::<Result<_, Problem>>()?;
        let whole = |partner: Partner| PartnerNow {
            settings: settings.remove(&partner.id).unwrap_or_else(|| self.users.usual_settings()),
            contact: contacts.remove(&partner.id).unwrap_or_default(),
            partner,
        };
        Ok(partners.into_iter().map(whole).collect())
    }
}

/// Whether a partner was put down whole once.
async fn is_put(connection: &mut PgConnection, id: PartnerId) -> Result<bool, Problem> {
    let sql = "SELECT EXISTS (SELECT FROM partner_profile WHERE partner_id = $1)";
    Ok(sqlx::query_scalar(sql).bind(id.0).fetch_one(connection).await?)
}

fn contact(row: &PgRow) -> Result<(PartnerId, Contact), Problem> {
    let text = |column: &str| -> Result<_, sqlx::Error> {
        Ok(row.try_get::<Option<String>, _>(column)?.map(Personal::new))
    };
    let contact = Contact {
        name: text("contact_name")?,
        email: text("contact_email")?,
        phone: text("contact_phone")?,
    };
    Ok((PartnerId(row.try_get("partner_id")?), contact))
}
