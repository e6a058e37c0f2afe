//! The schedules of fees of programmes, as operators read and set them (SR-250, SR-251). It owns
//! that one is said whole and of one version, and that its history is the programme's; what a
//! schedule may be is the domain's to say, and when it counts is the shards'.

use serde_json::{Value, json};
use switch_domain::{
    CardForm, ChargedBy, Country, FeeRule, FeeSchedule, MinorUnits, PartnerId, Programme,
    ProgrammeId, Surroundings, Taken,
};

use super::changes::{Subject, note};
use super::{Programmes, ProgrammesWanted, SetUp, SetUpBy, alone, of_version, version_of};
use crate::Problem;
use crate::operation::decimal;

/// The fees of a programme as they are now.
#[derive(Clone, Debug)]
pub struct FeesNow {
    /// The programme.
    pub programme: Programme,
    /// Its schedule; none where nothing is charged.
    pub schedule: Option<FeeSchedule>,
}

impl FeesNow {
    /// As the history of the programme has it.
    pub(crate) fn noted(&self) -> Value {
        let Some(schedule) = &self.schedule else { return json!({ "fees": null }) };
        let Surroundings { home, region } = schedule.around();
        let rule = |rule: &FeeRule| noted_rule(rule, |minor| decimal(minor, schedule.currency()));
        json!({ "fees": {
            "currency": schedule.currency().alphabetic(),
            "chargedBy": match schedule.charged_by() {
                ChargedBy::Platform => "PLATFORM",
                ChargedBy::Partner => "PARTNER",
            },
            "homeCountry": home.map(Country::alpha2),
            "region": region.iter().map(|one| one.alpha2()).collect::<Vec<_>>(),
            "monthlyWaivedFrom": schedule
                .monthly_waived_from()
                .map(|from| decimal(from, schedule.currency())),
            "rules": schedule.rules().iter().map(rule).collect::<Vec<_>>(),
        } })
    }

    /// What tells them from what they were before, and will be.
    #[must_use]
    pub fn version(&self) -> i64 {
        version_of(&self.noted(), &[])
    }
}

fn noted_rule(rule: &FeeRule, major: impl Fn(MinorUnits) -> String) -> Value {
    let terms = rule.price.terms();
    json!({
        "event": rule.event.name(),
        "form": rule.form.map(|form| match form {
            CardForm::Virtual => "VIRTUAL",
            CardForm::Physical => "PHYSICAL",
        }),
        "fixed": major(terms.fixed),
        "rate": terms.rate.points(),
        "least": major(terms.least),
        "most": terms.most.map(&major),
        "taken": match rule.taken {
            Taken::AtOnce => "AT_ONCE",
            Taken::Invoiced => "INVOICED",
        },
    })
}

impl Programmes {
    /// The fees of a programme.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not there, or is another's than this partner's.
    pub fn fees(&self, id: ProgrammeId, of: Option<PartnerId>) -> Result<FeesNow, Problem> {
        let control = self.services.node.control();
        let found = control.programmes.get(&id).cloned();
        let its = found.filter(|one| of.is_none_or(|of| one.partner == of));
        let programme = its.ok_or_else(|| Problem::not_found("there is no such programme"))?;
        Ok(FeesNow { programme, schedule: control.fees_of(id).cloned() })
    }

    /// The fees of programmes, in the order of their numbers; one more than asked for, where there
    /// are more.
    #[must_use]
    pub fn all_fees(&self, wanted: ProgrammesWanted) -> Vec<FeesNow> {
        let fits = |one: &&Programme| {
            wanted.behind.is_none_or(|behind| one.id > behind)
                && wanted.partner.is_none_or(|partner| one.partner == partner)
        };
        let most = usize::try_from(wanted.most).unwrap_or(usize::MAX).saturating_add(1);
        let control = self.services.node.control();
        let found = control.programmes.values().filter(fits).take(most);
        let now = |programme: &Programme| FeesNow {
            programme: programme.clone(),
            schedule: control.fees_of(programme.id).cloned(),
        };
        found.map(now).collect()
    }

    /// Sets the fees of a programme, of which this version was seen: in force for the next act, the
    /// next authorization, and the next period that is over.
    ///
    /// # Errors
    /// `NOT_FOUND`. `PRECONDITION_FAILED`: they were changed since. `INVALID_REQUEST`: they are in
    /// another currency. Else as [`Problem`] says.
    pub async fn set_fees(
        &self,
        id: ProgrammeId,
        wanted: Option<FeeSchedule>,
        (seen, by): (i64, SetUpBy),
    ) -> Result<SetUp<FeesNow>, Problem> {
        let _turn = self.turn.lock().await;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction).await?;
        let before = self.fees(id, None)?;
        of_version(before.version(), Some(seen))?;
        // Who charges nothing, and says nothing of who does, has no schedule.
        let says = |one: &FeeSchedule| {
            let said = !one.rules().is_empty() || *one.around() != Surroundings::default();
            let waives = one.monthly_waived_from().is_some();
            said || waives || one.charged_by() == ChargedBy::Partner
        };
        let wanted = wanted.filter(says);
        if wanted != before.schedule {
            self.services.put_fees_in_force(by.key, by.actor, id, wanted).await?;
        }
        let now = self.fees(id, None)?;
        let (about, most) = (Subject::Programme(id), self.settings.changes_most);
        let (before, after) = (before.noted(), now.noted());
        let said = (Some(&before), &after);
        let noted = note(&mut transaction, about, (by.actor, by.now), said, most).await?;
        transaction.commit().await?;
        Ok((now, noted))
    }
}
