//! Schedules of fees as data: what comes over the control socket, and what a file of fees has. It
//! owns the names and shapes of their members; what of it is a schedule is for the domain to say.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{
    BasisPoints, CardForm, ChargedBy, Country, Currency, FeeEvent, FeeRule, FeeSchedule,
    MinorUnits, Price, PriceTerms, ProgrammeId, Surroundings, Taken,
};

use crate::http::now;
use crate::operation::{Caller, amount_of, decimal};
use crate::programmes::{Programmes, SetUpBy};
use crate::{Problem, Services};

/// One operation on fees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum FeeOperation {
    FeesShow { programme: i64 },
    FeesSet { programme: i64, schedule: ScheduleSpec },
    FeesClear { programme: i64 },
}

/// The fees of a programme, in its currency.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// `platform`, or `partner`: then nothing is charged here.
    #[serde(default)]
    pub charged_by: ChargedBySpec,
    /// The country that is at home, as `ES`; without one, every country is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// The other countries of its region.
    #[serde(default)]
    pub region: Vec<String>,
    /// From so much spent in a month on a card pays no monthly fee: major units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_waived_from: Option<String>,
    /// Its rules.
    #[serde(default)]
    pub fee: Vec<RuleSpec>,
}

/// One rule; amounts are major units as text, and what is left out is nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// For what, as `pos_world_authorized`.
    pub event: String,
    /// For cards of this form alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FormSpec>,
    /// Whatever the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// A share of the amount on top, in basis points.
    #[serde(default)]
    pub rate: u16,
    /// It is never less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<String>,
    /// It is never more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
    /// How.
    #[serde(default)]
    pub taken: TakenSpec,
}

/// Who charges.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ChargedBySpec {
    #[default]
    Platform,
    Partner,
}

/// What a card is made of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum FormSpec {
    Virtual,
    Physical,
}

/// How a fee is taken.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum TakenSpec {
    #[default]
    AtOnce,
    Invoiced,
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    (services, programmes): (&Services, &Programmes),
    caller: Caller,
    operation: FeeOperation,
) -> Result<Value, Problem> {
    let by = SetUpBy { key: caller.key, actor: caller.actor, now: now() };
    let control = services.node().control();
    let (programme, schedule) = match operation {
        FeeOperation::FeesShow { programme } => {
            let currency = currency_of(services, programme)?;
            let schedule = control.fees_of(ProgrammeId(programme));
            let said = schedule.map(|schedule| told(schedule, currency));
            return Ok(json!({ "programme": programme, "currency": currency.alphabetic(),
                "schedule": said }));
        }
        FeeOperation::FeesSet { programme, schedule } => {
            let schedule = schedule.schedule(currency_of(services, programme)?)?;
            (programme, Some(schedule))
        }
        FeeOperation::FeesClear { programme } => (programme, None),
    };
    // As at the panel, with its history.
    let id = ProgrammeId(programme);
    let seen = programmes.fees(id, None)?.version();
    programmes.set_fees(id, schedule, (seen, by)).await?;
    Ok(json!({ "done": true }))
}

fn currency_of(services: &Services, programme: i64) -> Result<Currency, Problem> {
    let control = services.node().control();
    let found = control.programmes.get(&ProgrammeId(programme)).map(|one| one.currency);
    found.ok_or_else(|| Problem::new("NOT_FOUND", "there is no such programme"))
}

impl ScheduleSpec {
    /// The schedule that it is, in a currency.
    ///
    /// # Errors
    /// It is none; the problem names the rule.
    pub fn schedule(&self, currency: Currency) -> Result<FeeSchedule, Problem> {
        let rules = self.fee.iter().enumerate().map(|(number, rule)| {
            let wrong =
                |what: String| Problem::invalid(format!("rule {number}, {:?}: {what}", rule.event));
            rule.rule(currency).map_err(|problem| wrong(problem.to_string()))
        });
        let rules: Vec<FeeRule> = rules.collect::<Result<_, _>>()?;
        let country = |code: &String| {
            Country::from_code(code).map_err(|error| Problem::invalid(error.to_string()))
        };
        let around = Surroundings {
            home: self.home.as_ref().map(country).transpose()?,
            region: self.region.iter().map(country).collect::<Result<_, _>>()?,
        };
        let charged_by = match self.charged_by {
            ChargedBySpec::Platform => ChargedBy::Platform,
            ChargedBySpec::Partner => ChargedBy::Partner,
        };
        let schedule = FeeSchedule::new(currency, charged_by, rules);
        let text = self.monthly_waived_from.as_ref();
        let waived_from = text.map(|text| amount_of(text, currency)).transpose()?;
        let placed = schedule.and_then(|schedule| schedule.within(around));
        let waiving = placed.and_then(|schedule| match waived_from {
            Some(from) => schedule.waiving_monthly_from(from),
            None => Ok(schedule),
        });
        waiving.map_err(|error| Problem::invalid(error.to_string()))
    }
}

impl RuleSpec {
    fn rule(&self, currency: Currency) -> Result<FeeRule, Problem> {
        let amount = |text: &Option<String>| -> Result<Option<MinorUnits>, Problem> {
            text.as_ref().map(|text| amount_of(text, currency)).transpose()
        };
        let event = FeeEvent::from_name(&self.event)
            .ok_or_else(|| Problem::invalid("nothing is charged for that"))?;
        let rate = BasisPoints::new(self.rate)
            .ok_or_else(|| Problem::invalid("a rate is 10000 basis points at most"))?;
        let terms = PriceTerms {
            fixed: amount(&self.fixed)?.unwrap_or_default(),
            rate,
            least: amount(&self.least)?.unwrap_or_default(),
            most: amount(&self.most)?,
        };
        Ok(FeeRule {
            event,
            form: self.form.map(|form| match form {
                FormSpec::Virtual => CardForm::Virtual,
                FormSpec::Physical => CardForm::Physical,
            }),
            price: Price::new(terms).map_err(|error| Problem::invalid(error.to_string()))?,
            taken: match self.taken {
                TakenSpec::AtOnce => Taken::AtOnce,
                TakenSpec::Invoiced => Taken::Invoiced,
            },
        })
    }
}

/// A schedule in the form in which it is set.
fn told(schedule: &FeeSchedule, currency: Currency) -> ScheduleSpec {
    let shown = |minor: MinorUnits| decimal(minor, currency);
    let around = schedule.around();
    let rule = |rule: &FeeRule| {
        let terms = rule.price.terms();
        RuleSpec {
            event: rule.event.name(),
            form: rule.form.map(|form| match form {
                CardForm::Virtual => FormSpec::Virtual,
                CardForm::Physical => FormSpec::Physical,
            }),
            fixed: Some(shown(terms.fixed)),
            rate: terms.rate.points(),
            least: Some(shown(terms.least)),
            most: terms.most.map(shown),
            taken: match rule.taken {
                Taken::AtOnce => TakenSpec::AtOnce,
                Taken::Invoiced => TakenSpec::Invoiced,
            },
        }
    };
    ScheduleSpec {
        charged_by: match schedule.charged_by() {
            ChargedBy::Platform => ChargedBySpec::Platform,
            ChargedBy::Partner => ChargedBySpec::Partner,
        },
        home: around.home.map(|home| home.alpha2().to_owned()),
        region: around.region.iter().map(|one| one.alpha2().to_owned()).collect(),
        monthly_waived_from: schedule.monthly_waived_from().map(shown),
        fee: schedule.rules().iter().map(rule).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_and_told_alike_or_refused_with_its_rule() {
        let text = r#"{"home": "ES", "region": ["FR"], "monthly_waived_from": "300", "fee": [
            {"event": "pos_world_authorized", "form": "physical", "fixed": "0.30", "rate": 150,
             "most": "7.50"},
            {"event": "other:paper", "fixed": "3", "taken": "invoiced"}]}"#;
        let spec: ScheduleSpec = serde_json::from_str(text).expect("a schedule");
        let euro = Currency::from_alphabetic("EUR").expect("listed");
        let schedule = spec.schedule(euro).expect("a schedule");
        assert_eq!(schedule.rules()[0].price.terms().fixed, MinorUnits(30));
        assert_eq!(told(&schedule, euro).schedule(euro).expect("again"), schedule);
        for (from, to, said) in [
            ("pos_world_authorized", "pos_moon_authorized", "rule 0"),
            ("0.30", "0.301", "decimals"),
            ("150", "10001", "basis points"),
            ("7.50", "-1", "below zero"),
            ("\"FR\"", "\"ES\"", "region"),
            ("other:paper", "pos_world_authorized\", \"form\": \"physical", "rules 0 and 1"),
        ] {
            let spec: ScheduleSpec = serde_json::from_str(&text.replace(from, to)).expect("JSON");
            let problem = spec.schedule(euro).expect_err(said).to_string();
            assert!(problem.contains(said), "{problem}: {said}");
        }
    }
}
