//! Exchange rates and terms for other currencies as data: what comes over the control socket, one
//! JSON object each. It owns the names and shapes of their members, and how times are written.

use jiff::Timestamp as Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{
    AsciiText, BasisPoints, Currency, ExchangeRate, ForeignTerms, ProgrammeId, Timestamp,
};

use crate::operation::{Caller, currency_of};
use crate::{Problem, Services};

/// One operation on rates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum RateOperation {
    RateSet(RateSpec),
    RateRemove { from: String, to: String },
    RateList,
    RateTerms { programme: i64, terms: Option<TermsSpec> },
}

/// A rate: a line of a file of rates is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSpec {
    /// What is converted, by three letters.
    pub from: String,
    /// Into what.
    pub to: String,
    /// What one major unit of it is worth, as `0.9234`: text, for numbers of JSON are inexact.
    pub rate: String,
    /// Who quoted it.
    pub source: String,
    /// When, as `2026-11-27T16:00Z`.
    pub at: String,
}

/// On which terms a programme takes other currencies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsSpec {
    /// What is added to what a purchase is worth, in basis points.
    pub markup: u16,
    /// What is held above that.
    pub margin: u16,
    /// Whether the mark-up goes on top of what the network converted as well.
    pub marks_up_network: bool,
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    services: &Services,
    caller: Caller,
    operation: RateOperation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match operation {
        RateOperation::RateSet(spec) => services.set_rate(key, actor, spec.rate()?).await?,
        RateOperation::RateRemove { from, to } => {
            let (from, to) = (currency_of(&from)?, currency_of(&to)?);
            services.remove_rate(key, actor, from, to).await?;
        }
        RateOperation::RateTerms { programme, terms } => {
            let terms = terms.map(TermsSpec::terms).transpose()?;
            services.set_foreign_terms(key, actor, ProgrammeId(programme), terms).await?;
        }
        RateOperation::RateList => {
            let control = services.node().control();
            let rates: Vec<Value> = control.rates().map(listed).collect();
            let terms: Vec<Value> = control
                .programmes
                .values()
                .filter_map(|one| Some(terms_of(one.id, one.currency, one.foreign?)))
                .collect();
            return Ok(json!({ "rates": rates, "programmes": terms }));
        }
    }
    Ok(json!({ "done": true }))
}

impl RateSpec {
    fn rate(&self) -> Result<ExchangeRate, Problem> {
        let source = AsciiText::new(self.source.as_bytes())
            .map_err(|error| Problem::invalid(format!("source: {error}")))?;
        let rate = self.rate.parse();
        let rate = rate.map_err(|error| Problem::invalid(format!("`{}`: {error}", self.rate)))?;
        let at: Moment = self.at.parse().map_err(|_| {
            let (found, form) = (&self.at, "2026-11-27T16:00Z");
            Problem::invalid(format!("`{found}` is no time; write it as {form}"))
        })?;
        let (from, to) = (currency_of(&self.from)?, currency_of(&self.to)?);
        Ok(ExchangeRate { from, to, rate, source, at: Timestamp(at.as_microsecond()) })
    }
}

impl TermsSpec {
    fn terms(self) -> Result<ForeignTerms, Problem> {
        let points = |name: &str, points| {
            let most = "basis points go from 0 to 10000";
            BasisPoints::new(points).ok_or_else(|| Problem::invalid(format!("{name}: {most}")))
        };
        Ok(ForeignTerms {
            markup: points("mark-up", self.markup)?,
            margin: points("margin", self.margin)?,
            marks_up_network: self.marks_up_network,
        })
    }
}

fn listed(rate: &ExchangeRate) -> Value {
    json!({
        "from": rate.from.alphabetic(),
        "to": rate.to.alphabetic(),
        "rate": rate.rate.to_string(),
        "source": rate.source.as_str(),
        "at": moment(rate.at),
    })
}

fn terms_of(programme: ProgrammeId, currency: Currency, terms: ForeignTerms) -> Value {
    json!({
        "programme": programme.0,
        "currency": currency.alphabetic(),
        "markup_bp": terms.markup.points(),
        "margin_bp": terms.margin.points(),
        "marks_up_network": terms.marks_up_network,
    })
}

fn moment(at: Timestamp) -> String {
    Moment::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_exactly_or_refused_with_what_to_write() {
        let spec = RateSpec {
            from: "USD".into(),
            to: "EUR".into(),
            rate: "0.9234".into(),
            source: "ECB".into(),
            at: "2026-11-27T16:00Z".into(),
        };
        let rate = spec.rate().expect("a rate");
        assert_eq!((rate.rate.digits(), rate.rate.decimals()), (9_234, 4));
        assert_eq!(rate.at, Timestamp::from_unix_seconds(1_795_795_200));
        assert_eq!(listed(&rate)["at"], "2026-11-27T16:00:00Z");
        let wrong = [
            (RateSpec { from: "XXX".into(), ..spec.clone() }, "currency"),
            (RateSpec { rate: "0.92e1".into(), ..spec.clone() }, "decimal number"),
            (RateSpec { rate: "0".into(), ..spec.clone() }, "above zero"),
            (RateSpec { at: "yesterday".into(), ..spec.clone() }, "is no time"),
            (RateSpec { source: "x".repeat(21), ..spec }, "source"),
        ];
        for (spec, said) in wrong {
            let problem = spec.rate().expect_err(said);
            assert!(problem.to_string().contains(said), "{problem}: {said}");
        }
        let terms = TermsSpec { markup: 10_001, margin: 0, marks_up_network: false };
        assert!(terms.terms().is_err());
    }
}
