//! Terms of verification and references of cards as data: what comes over the control socket, one
//! JSON object each. It owns the names and shapes of their members. The digits of a PIN reference
//! go in and never come out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{
    AsciiText, CardId, CardSecurityTerms, ChipFact, ChipFacts, Circumstances, CounterRules,
    Currency, ExpiryOrder, KeyLabel, LowerCounter, MinorUnits, NeededChecks, PinMethod,
    PinReference, ProgrammeId, SecurityKeys, ServiceCode,
};

use crate::operation::{Caller, amount_of, decimal};
use crate::{Problem, Services};

/// One operation on verification.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum SecurityOperation {
    SecurityTerms { programme: i64, terms: Option<Box<TermsSpec>> },
    SecurityShow { programme: i64 },
    SecurityCard { card: i64 },
    SecurityCardData { card: i64, service_code: Option<u16>, sequence: u8 },
    SecurityPinReference { card: i64, key_index: Option<u8>, digits: String },
    SecurityCodeReset { card: i64 },
}

/// How a programme's cards are verified: a file of terms is one. What is left out is as it is for
/// who asks for everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // docs/card-security.md
pub struct TermsSpec {
    pub cvk: String,
    pub cvk2: Vec<String>,
    pub pvk: String,
    pub imk_ac: String,
    pub imk_smi: String,
    pub imk_smc: String,
    pub pin: Option<PinSpec>,
    pub profiles: Vec<String>,
    pub expiry_month_first: bool,
    pub needed: NeededSpec,
    pub pin_limit: u8,
    pub code_limit: u8,
    pub takes_lower_counters: bool,
    pub counter_jump: u16,
    pub declines_counter_jump: bool,
    /// In major units; none where no stripe of a chip card is taken.
    pub fallback_floor: Option<String>,
    pub refused_reports: Vec<String>,
    pub answers_alike: bool,
}

/// How PINs are verified.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // docs/card-security.md
pub enum PinSpec {
    Pvv,
    Offset { decimalisation: String, length: u8 },
}

/// What is needed where, as `channel/entry`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // docs/card-security.md
pub struct NeededSpec {
    pub pin: Vec<String>,
    pub stripe: Vec<String>,
    pub chip_value: Vec<String>,
    pub code: Vec<String>,
    pub cryptogram: Vec<String>,
}

impl Default for NeededSpec {
    fn default() -> Self {
        Self::of(NeededChecks::default())
    }
}

impl Default for TermsSpec {
    fn default() -> Self {
        Self::of(&CardSecurityTerms::default(), None)
    }
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    services: &Services,
    caller: Caller,
    operation: SecurityOperation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match operation {
        SecurityOperation::SecurityTerms { programme, terms } => {
            let programme = ProgrammeId(programme);
            let currency = currency_of(services, programme)?;
            let terms = terms.map(|spec| spec.terms(currency)).transpose()?;
            services.set_card_security(key, actor, programme, terms).await?;
        }
        SecurityOperation::SecurityShow { programme } => {
            let id = ProgrammeId(programme);
            let currency = currency_of(services, id)?;
            let control = services.node().control();
            let security = control.programmes.get(&id).and_then(|one| one.security.as_deref());
            let terms = security.map(|terms| TermsSpec::of(terms, Some(currency)));
            return Ok(json!({ "programme": programme, "terms": terms }));
        }
        SecurityOperation::SecurityCard { card } => return card_shown(services, card).await,
        SecurityOperation::SecurityCardData { card, service_code, sequence } => {
            let code = service_code.map(ServiceCode::new).transpose();
            let code = code.map_err(|error| Problem::invalid(error.to_string()))?;
            services.set_card_data(key, actor, CardId(card), (code, sequence)).await?;
        }
        SecurityOperation::SecurityPinReference { card, key_index, digits } => {
            let digits = zeroize::Zeroizing::new(digits);
            let reference = match key_index {
                Some(index) => PinReference::pvv(index, digits.as_bytes()),
                None => PinReference::offset(digits.as_bytes()),
            };
            let reference = reference.map_err(|error| Problem::invalid(error.to_string()))?;
            services.set_pin_reference(key, actor, CardId(card), reference).await?;
        }
        SecurityOperation::SecurityCodeReset { card } => {
            services.reset_card_code(key, actor, CardId(card)).await?;
        }
    }
    Ok(json!({ "done": true }))
}

/// What is known of a card's verification, without a digit of what its PIN is compared with.
async fn card_shown(services: &Services, id: i64) -> Result<Value, Problem> {
    let node = services.node();
    let card = node.card(CardId(id)).await;
    let card = card.ok_or_else(|| Problem::invalid("there is no such card"))?;
    let references = card.references.map(|references| *references).unwrap_or_default();
    let counters = node.card_counters(card.id).await.unwrap_or_default();
    let script = counters.script.map(|script| {
        json!({
            "command": script.kind.name(), "sequence": script.sequence, "atc": script.atc,
            "standing": script.standing.name(),
        })
    });
    Ok(json!({
        "card": id,
        "service_code": references.service_code.map(ServiceCode::number),
        "sequence": references.sequence,
        "has_pin": references.pin.is_some(),
        "code_generation": references.code_generation,
        "pin_tries": counters.pin_tries(),
        "script": script,
    }))
}

fn currency_of(services: &Services, programme: ProgrammeId) -> Result<Currency, Problem> {
    let control = services.node().control();
    let found = control.programmes.get(&programme).map(|one| one.currency);
    found.ok_or_else(|| Problem::invalid("there is no such programme"))
}

impl NeededSpec {
    fn of(needed: NeededChecks) -> Self {
        Self {
            pin: needed.pin.patterns(),
            stripe: needed.stripe.patterns(),
            chip_value: needed.chip_value.patterns(),
            code: needed.code.patterns(),
            cryptogram: needed.cryptogram.patterns(),
        }
    }

    fn needed(&self) -> Result<NeededChecks, Problem> {
        let all = |patterns: &[String]| -> Result<Circumstances, Problem> {
            let mut all = Circumstances::NONE;
            for pattern in patterns {
                let one = Circumstances::from_pattern(pattern);
                all = all.or(one.ok_or_else(|| {
                    let form = "channel/entry, as atm/* or pos/chip";
                    Problem::invalid(format!("`{pattern}` is not {form}"))
                })?);
            }
            Ok(all)
        };
        Ok(NeededChecks {
            pin: all(&self.pin)?,
            stripe: all(&self.stripe)?,
            chip_value: all(&self.chip_value)?,
            code: all(&self.code)?,
            cryptogram: all(&self.cryptogram)?,
        })
    }
}

fn label<const N: usize>(member: &str, name: &str) -> Result<AsciiText<N>, Problem> {
    AsciiText::new(name.as_bytes()).map_err(|error| Problem::invalid(format!("{member}: {error}")))
}

impl PinSpec {
    fn of(method: PinMethod) -> Self {
        match method {
            PinMethod::Pvv => Self::Pvv,
            PinMethod::Offset { decimalisation, length } => Self::Offset {
                decimalisation: String::from_utf8_lossy(&decimalisation).into_owned(),
                length,
            },
        }
    }

    fn method(&self) -> Result<PinMethod, Problem> {
        let Self::Offset { decimalisation, length } = self else { return Ok(PinMethod::Pvv) };
        let digits = decimalisation.as_bytes().try_into();
        let decimalisation =
            digits.map_err(|_| Problem::invalid("a decimalisation table has 16 digits"))?;
        Ok(PinMethod::Offset { decimalisation, length: *length })
    }
}

impl TermsSpec {
    fn of(terms: &CardSecurityTerms, currency: Option<Currency>) -> Self {
        let keys = &terms.keys;
        let floor = currency.filter(|_| !terms.fallback_floor.is_negative());
        Self {
            cvk: keys.cvk.to_string(),
            cvk2: keys.cvk2.iter().map(ToString::to_string).collect(),
            pvk: keys.pvk.to_string(),
            imk_ac: keys.imk_ac.to_string(),
            imk_smi: keys.imk_smi.to_string(),
            imk_smc: keys.imk_smc.to_string(),
            pin: terms.pin.map(PinSpec::of),
            profiles: terms.profiles.iter().map(ToString::to_string).collect(),
            expiry_month_first: terms.code_expiry == ExpiryOrder::MonthYear,
            needed: NeededSpec::of(terms.needed),
            pin_limit: terms.pin_limit,
            code_limit: terms.code_limit,
            takes_lower_counters: terms.counter.lower == LowerCounter::Take,
            counter_jump: terms.counter.jump,
            declines_counter_jump: terms.counter.declines_jump,
            fallback_floor: floor.map(|currency| decimal(terms.fallback_floor, currency)),
            refused_reports: terms.refused_facts.iter().map(|one| one.name().to_owned()).collect(),
            answers_alike: terms.answers_alike,
        }
    }

    fn keys(&self) -> Result<SecurityKeys, Problem> {
        let all: Result<Vec<KeyLabel>, _> =
            self.cvk2.iter().map(|one| label("cvk2", one)).collect();
        Ok(SecurityKeys {
            cvk: label("cvk", &self.cvk)?,
            cvk2: all?,
            pvk: label("pvk", &self.pvk)?,
            imk_ac: label("imk_ac", &self.imk_ac)?,
            imk_smi: label("imk_smi", &self.imk_smi)?,
            imk_smc: label("imk_smc", &self.imk_smc)?,
        })
    }

    fn terms(&self, currency: Currency) -> Result<CardSecurityTerms, Problem> {
        let fact = |name: &String| {
            let no_such = || Problem::invalid(format!("`{name}` is nothing that is reported"));
            ChipFact::from_name(name).ok_or_else(no_such)
        };
        let facts: Result<ChipFacts, _> = self.refused_reports.iter().map(fact).collect();
        let floor = self.fallback_floor.as_deref();
        let floor = floor.map(|amount| amount_of(amount, currency)).transpose()?;
        let profiles: Result<_, _> =
            self.profiles.iter().map(|one| label("profile", one)).collect();
        let lower = self.takes_lower_counters;
        Ok(CardSecurityTerms {
            keys: self.keys()?,
            pin: self.pin.as_ref().map(PinSpec::method).transpose()?,
            profiles: profiles?,
            code_expiry: match self.expiry_month_first {
                true => ExpiryOrder::MonthYear,
                false => ExpiryOrder::YearMonth,
            },
            needed: self.needed.needed()?,
            pin_limit: self.pin_limit,
            code_limit: self.code_limit,
            counter: CounterRules {
                lower: if lower { LowerCounter::Take } else { LowerCounter::Decline },
                jump: self.counter_jump,
                declines_jump: self.declines_counter_jump,
            },
            fallback_floor: floor.unwrap_or(MinorUnits(-1)),
            refused_facts: facts?,
            answers_alike: self.answers_alike,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro() -> Currency {
        Currency::from_alphabetic("EUR").expect("listed")
    }

    #[test]
    fn terms_come_back_as_they_were_written_and_gaps_are_the_defaults() {
        let none: TermsSpec = serde_json::from_str("{}").expect("terms");
        assert_eq!(none.terms(euro()).expect("terms"), CardSecurityTerms::default());
        let written = json!({
            "cvk": "gold-cvk", "cvk2": ["gold-cvk2-a", "gold-cvk2-b"], "pvk": "gold-pvk",
            "pin": { "method": "offset", "decimalisation": "0123456789012345", "length": 4 },
            "profiles": ["visa-18"], "needed": { "pin": ["atm/*", "pos/chip"] }, "pin_limit": 5,
            "fallback_floor": "20.00", "refused_reports": ["script_failed"], "answers_alike": true,
        });
        let spec: TermsSpec = serde_json::from_value(written).expect("terms");
        let terms = spec.terms(euro()).expect("terms");
        assert_eq!((terms.pin_limit, terms.code_limit), (5, 10));
        assert_eq!(terms.fallback_floor, MinorUnits(20_00));
        let again = TermsSpec::of(&terms, Some(euro())).terms(euro()).expect("terms");
        assert_eq!(again, terms);
    }

    #[test]
    fn what_means_nothing_is_refused_with_its_name() {
        for (written, said) in [
            (json!({ "needed": { "pin": ["atm"] } }), "atm"),
            (json!({ "refused_reports": ["smoke"] }), "smoke"),
            (json!({ "cvk": "x".repeat(33) }), "cvk"),
            (json!({ "pin": { "method": "offset", "decimalisation": "1", "length": 4 } }), "16"),
            (json!({ "fallback_floor": "2.001" }), "2.001"),
        ] {
            let spec: TermsSpec = serde_json::from_value(written).expect("the members are known");
            let problem = spec.terms(euro()).expect_err(said);
            assert!(problem.to_string().contains(said), "{problem}: {said}");
        }
        assert!(serde_json::from_str::<TermsSpec>("{\"cvv\": \"123\"}").is_err());
    }
}
