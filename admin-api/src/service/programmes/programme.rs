//! Programmes, as operators make, read and change them (SR-025, SR-039, SR-040, SR-263). It owns
//! what may be changed of one: its name, where and by whom its cards are made, what it is called,
//! where it is at home, and which keys verify its cards. Never its numbers, its currency and its
//! funding: cards and accounts rest on them from the first day.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use switch_domain::{
    AsciiText, BinRange, CardSecurityTerms, Country, Currency, Funding, PartnerId, PoolId,
    PoolKind, Programme, ProgrammeId, SecurityKeys,
};

use super::changes::{Subject, note};
use super::keys::{self, NamedKey};
use super::profile::{self, ConfigurationId, ProgrammeProfile, Terminal};
use super::{Programmes, SetUp, SetUpBy, alone, drawn, of_version, version_of};
use crate::cards::processor::IN_PROCESS;
use crate::service::cards::processor::choose;
use crate::{NewProgramme, Problem};

/// A programme as it is now.
#[derive(Clone, Debug)]
pub struct ProgrammeNow {
    /// As the shards have it.
    pub programme: Programme,
    /// What else is known of it.
    pub profile: ProgrammeProfile,
    /// Who makes its cards, and whether the configuration has them.
    pub processor: (String, bool),
    /// By which keys its cards are verified; none where they are not.
    pub keys: Option<Vec<NamedKey>>,
}

/// What may be changed of a programme.
#[derive(Clone, Debug)]
pub struct ProgrammeWanted {
    /// Its name.
    pub name: AsciiText<40>,
    /// What else is known of it.
    pub profile: ProgrammeProfile,
    /// Who makes its cards from now on, the switch itself by its name too; where it is not said, as
    /// before.
    pub processor: Option<String>,
    /// By which keys its cards are verified; where it is not said, as before.
    pub keys: Option<SecurityKeys>,
}

/// A programme to be made.
#[derive(Clone, Debug)]
pub struct ProgrammeToMake {
    /// Whose.
    pub partner: PartnerId,
    /// Its card numbers.
    pub bins: BinRange,
    /// Its currency.
    pub currency: Currency,
    /// The pool that funds it; what that is for says how.
    pub pool: PoolId,
    /// What may be changed later.
    pub wanted: ProgrammeWanted,
}

/// Which programmes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgrammesWanted {
    /// Those of this partner.
    pub partner: Option<PartnerId>,
    /// Those in this currency.
    pub currency: Option<Currency>,
    /// Those after this one.
    pub behind: Option<ProgrammeId>,
    /// At most so many.
    pub most: u32,
}

impl ProgrammeNow {
    /// What its partner calls it where it orders cards.
    #[must_use]
    pub fn configuration_id(&self) -> String {
        let own = self.profile.configuration_id.as_ref().map(ConfigurationId::as_str);
        own.map_or_else(|| self.programme.id.0.to_string(), str::to_owned)
    }

    /// As its history has it.
    pub(crate) fn noted(&self) -> Value {
        let Programme { partner, bins, currency, funding, name, .. } = &self.programme;
        let named = |keys: &Vec<NamedKey>| -> Map<String, Value> {
            let mut members: Map<String, Value> = Map::new();
            for key in keys {
                let member = members.entry(key.role.name()).or_insert_with(|| json!([]));
                member.as_array_mut().into_iter().for_each(|all| all.push(json!(key.name)));
            }
            members
        };
        json!({
            "partnerId": partner.0,
            "name": name.as_str(),
            "bins": {
                "low": format!("{:08}", bins.low.0), "high": format!("{:08}", bins.high.0),
                "panLength": bins.pan_length,
            },
            "currency": currency.alphabetic(),
            "poolId": funding.pool().0.to_string(),
            "terminal": self.profile.terminal.as_ref().map(Terminal::as_str),
            "configurationId": self.configuration_id(),
            "homeCountry": self.profile.home_country.map(Country::alpha2),
            "processor": self.processor.0,
            "keys": self.keys.as_ref().map(named),
        })
    }

    /// What tells it from what it was before, and will be.
    #[must_use]
    pub fn version(&self) -> i64 {
        version_of(&self.noted(), &[])
    }
}

impl ProgrammeWanted {
    /// What a programme is already.
    #[must_use]
    pub fn as_before(now: &ProgrammeNow) -> Self {
        Self { name: now.programme.name, profile: now.profile.clone(), processor: None, keys: None }
    }
}

impl Programmes {
    /// Programmes in the order of their numbers; one more than asked for, where there are more.
    ///
    /// # Errors
    /// The database.
    pub async fn programmes(&self, wanted: ProgrammesWanted) -> Result<Vec<ProgrammeNow>, Problem> {
        let fits = |one: &&Programme| {
            wanted.behind.is_none_or(|behind| one.id > behind)
                && wanted.partner.is_none_or(|partner| one.partner == partner)
                && wanted.currency.is_none_or(|currency| one.currency == currency)
        };
        let control = self.services.node.control();
        let most = usize::try_from(wanted.most).unwrap_or(usize::MAX).saturating_add(1);
        let found: Vec<_> = control.programmes.values().filter(fits).take(most).cloned().collect();
        drop(control);
        let mut connection = self.pool().acquire().await?;
        self.with_profiles(&mut connection, found).await
    }

    /// A programme.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not there, or is another's than this partner's.
    pub async fn programme(
        &self,
        id: ProgrammeId,
        of: Option<PartnerId>,
    ) -> Result<ProgrammeNow, Problem> {
        let mut connection = self.pool().acquire().await?;
        let now = self.programme_now(&mut connection, id).await?;
        let its = of.is_none_or(|of| now.programme.partner == of);
        if its { Ok(now) } else { Err(no_programme()) }
    }

    /// Makes a programme; under the same key the same one again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner or the pool. `CONFLICT`: another programme has one of the numbers
    /// or the configuration id, the pool is not for it, or the configuration has no such
    /// processor. `INVALID_REQUEST`: a member. `EXHAUSTED`: the partner has as many as may be. Else
    /// as [`Problem`] says.
    pub async fn create_programme(
        &self,
        new: &ProgrammeToMake,
        by: SetUpBy,
    ) -> Result<SetUp<ProgrammeNow>, Problem> {
        let _turn = self.turn.lock().await;
        let made_before = self.services.was_made(by.key).await?;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction).await?;
        let ProgrammeToMake { partner, bins, currency, pool, wanted } = new;
        let (funding, there) = self.room(*partner, *pool)?;
        let most = usize::try_from(self.settings.programmes_most).unwrap_or(usize::MAX);
        if there >= most && !made_before {
            return Err(Problem::new("EXHAUSTED", "the partner has as many programmes as may be"));
        }
        self.check(wanted, None)?;
        if !made_before {
            profile::is_free(&mut transaction, (None, *partner), &wanted.profile).await?;
        }
        let (partner, bins, currency) = (*partner, *bins, *currency);
        let define = NewProgramme { partner, name: wanted.name, bins, currency, funding };
        let id = self.services.define_programme(by.key, by.actor, define).await?;
        if profile::is_put(&mut transaction, id).await? {
            // It was made, and may have been changed since: that is not undone by asking again.
            return Ok((self.programme_now(&mut transaction, id).await?, None));
        }
        // Of one that was cut off, another may have the name by now.
        profile::is_free(&mut transaction, (Some(id), partner), &wanted.profile).await?;
        let made = self.put_programme(&mut transaction, id, (None, wanted), by).await?;
        transaction.commit().await?;
        self.count();
        Ok(made)
    }

    /// Changes a programme, of which this version was seen: in force for the next card that is
    /// ordered, and for the next authorization.
    ///
    /// # Errors
    /// `NOT_FOUND`. `PRECONDITION_FAILED`: it was changed since. As
    /// [`Programmes::create_programme`].
    pub async fn change_programme(
        &self,
        id: ProgrammeId,
        wanted: &ProgrammeWanted,
        (seen, by): (i64, SetUpBy),
    ) -> Result<SetUp<ProgrammeNow>, Problem> {
        let _turn = self.turn.lock().await;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction).await?;
        let before = self.programme_now(&mut transaction, id).await?;
        of_version(before.version(), Some(seen))?;
        self.check(wanted, Some(&before))?;
        let whose = (Some(id), before.programme.partner);
        profile::is_free(&mut transaction, whose, &wanted.profile).await?;
        let changed = self.put_programme(&mut transaction, id, (Some(before), wanted), by).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// How a pool funds, and how many programmes the partner has.
    fn room(&self, partner: PartnerId, pool: PoolId) -> Result<(Funding, usize), Problem> {
        let control = self.services.node.control();
        if !control.partners.contains_key(&partner) {
            return Err(Problem::not_found("there is no such partner"));
        }
        let found = control.pools.get(&pool).filter(|pool| pool.partner == partner);
        let funding = match found.map(|pool| pool.kind) {
            Some(PoolKind::Credit) => Funding::Credit(pool),
            Some(PoolKind::Deposit) => Funding::Deposit(pool),
            None => return Err(Problem::not_found("the partner has no such pool")),
        };
        let its = control.programmes.values().filter(|one| one.partner == partner).count();
        Ok((funding, its))
    }

    fn check(&self, wanted: &ProgrammeWanted, now: Option<&ProgrammeNow>) -> Result<(), Problem> {
        // One that is not configured any more is no reason to refuse another name.
        let stays = |name: &str| now.is_some_and(|now| now.processor.0 == name);
        let chosen = wanted.processor.as_deref().filter(|name| *name != IN_PROCESS);
        let chosen = chosen.filter(|name| !stays(name));
        chosen.map(|name| self.cards.check_processor(name)).transpose()?;
        let terms = now.and_then(|now| now.programme.security.as_ref());
        let names = self.cards.key_names();
        wanted.keys.as_ref().map_or(Ok(()), |wanted| keys::check(names, wanted, terms))
    }

    /// Brings it to what is wanted, and notes that.
    async fn put_programme(
        &self,
        transaction: &mut PgConnection,
        id: ProgrammeId,
        (before, wanted): (Option<ProgrammeNow>, &ProgrammeWanted),
        by: SetUpBy,
    ) -> Result<SetUp<ProgrammeNow>, Problem> {
        let control = self.services.node.control();
        let now = control.programmes.get(&id).cloned().ok_or_else(no_programme)?;
        drop(control);
        if now.name != wanted.name {
            self.services.rename_programme(drawn(), by.actor, id, wanted.name).await?;
        }
        // As they are now: somebody may have set other terms while it was renamed.
        let control = self.services.node.control();
        let present = control.programmes.get(&id).cloned().ok_or_else(no_programme)?;
        drop(control);
        if let Some(terms) = terms_with(&present, wanted.keys.as_ref()) {
            self.services.set_card_security(drawn(), by.actor, id, Some(terms)).await?;
        }
        if let Some(processor) = wanted.processor.as_deref() {
            let processor = Some(processor).filter(|name| *name != IN_PROCESS);
            choose(&mut *transaction, id, processor, (by.actor, by.now)).await?;
        }
        profile::put(&mut *transaction, (id, now.partner), &wanted.profile).await?;
        let now = self.programme_now(&mut *transaction, id).await?;
        let (before, after) = (before.map(|before| before.noted()), now.noted());
        let (about, most) = (Subject::Programme(id), self.settings.changes_most);
        let noted =
            note(transaction, about, (by.actor, by.now), (before.as_ref(), &after), most).await?;
        Ok((now, noted))
    }

    async fn programme_now(
        &self,
        connection: &mut PgConnection,
        id: ProgrammeId,
    ) -> Result<ProgrammeNow, Problem> {
        let control = self.services.node.control();
        let found = control.programmes.get(&id).cloned().ok_or_else(no_programme)?;
        drop(control);
        let mut whole = self.with_profiles(connection, vec![found]).await?;
        whole.pop().ok_or_else(no_programme)
    }

    /// With what is in tables.
    async fn with_profiles(
        &self,
        connection: &mut PgConnection,
        programmes: Vec<Programme>,
    ) -> Result<Vec<ProgrammeNow>, Problem> {
        let ids: Vec<_> = programmes.iter().map(|one| one.id.0).collect();
        let mut profiles = profile::of(connection, &ids).await?;
        let mut processors = self.cards.processors_of(&mut *connection, &ids).await?;
        let names = self.cards.key_names();
        let whole = |programme: Programme| ProgrammeNow {
            profile: profiles.remove(&programme.id).unwrap_or_default(),
            processor: processors
                .remove(&programme.id)
                .unwrap_or_else(|| (IN_PROCESS.to_owned(), true)),
            keys: programme.security.as_deref().map(|terms| keys::shown(names, terms)),
            programme,
        };
        Ok(programmes.into_iter().map(whole).collect())
    }
}

/// The terms of a programme with these keys; none where they have them already.
fn terms_with(now: &Programme, keys: Option<&SecurityKeys>) -> Option<CardSecurityTerms> {
    let keys = keys?;
    let terms = now.security.as_ref().map(Arc::as_ref).cloned();
    if terms.as_ref().is_some_and(|terms| terms.keys == *keys) {
        return None;
    }
    let terms = terms.unwrap_or_else(|| keys::first_terms(keys));
    Some(CardSecurityTerms { keys: keys.clone(), ..terms })
}

/// What is not there, and what is another tenant's: the same words for both.
fn no_programme() -> Problem {
    Problem::not_found("there is no such programme")
}
