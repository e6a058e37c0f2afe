//! What is asked for of fees, as JSON: a schedule, and what something would cost. It owns the names
//! of members and the form of each; what a schedule may be is the domain's to say.

use serde::{Deserialize, Serialize};
use switch_domain::{
    BasisPoints, CardForm, Channel, ChargedBy, Country, Currency, FeeEvent, FeeRule, FeeSchedule,
    InvalidSchedule, MOST_FEE_RULES, MinorUnits, Price, PriceTerms, Surroundings, Taken,
};
use utoipa::ToSchema;

use crate::Problem;
use crate::operation::amount_of;
use crate::service::fees::WhatFor;

/// Who charges (SR-250).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum ChargedByName {
    /// The platform, by the rules.
    Platform,
    /// The partner, by means of its own: nothing is charged here.
    Partner,
}

/// How a fee is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum TakenName {
    /// Out of the account.
    AtOnce,
    /// From the partner, by the invoice of the month.
    Invoiced,
}

impl From<Taken> for TakenName {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::AtOnce => Self::AtOnce,
            Taken::Invoiced => Self::Invoiced,
        }
    }
}

/// What a card is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum CardFormName {
    /// A number alone.
    Virtual,
    /// A plastic card.
    Physical,
}

impl From<CardFormName> for CardForm {
    fn from(name: CardFormName) -> Self {
        match name {
            CardFormName::Virtual => Self::Virtual,
            CardFormName::Physical => Self::Physical,
        }
    }
}

impl From<CardForm> for CardFormName {
    fn from(form: CardForm) -> Self {
        match form {
            CardForm::Virtual => Self::Virtual,
            CardForm::Physical => Self::Physical,
        }
    }
}

/// A rule: what something costs. Amounts are decimal text in major units of the programme's
/// currency.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct FeeRuleBody {
    /// For what: `account_created`, `card_created`, `card_replaced`, `card_daily`, `card_weekly`,
    /// `card_monthly`, `card_dormant`, `transfer`, `conversion_authorized`, `conversion_cleared`,
    /// uses as `atm_region_cleared`, or `other:name`.
    #[schema(pattern = "^[a-z0-9_:]{1,40}$")]
    pub(super) event: String,
    /// For cards of this form alone; for all where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) form: Option<CardFormName>,
    /// Whatever the amount; nothing where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$")]
    pub(super) fixed: Option<String>,
    /// A share of the amount in basis points, on top of that; nothing where it is not said.
    #[serde(default)]
    #[schema(maximum = 10_000)]
    pub(super) rate: u16,
    /// It is never less.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$")]
    pub(super) least: Option<String>,
    /// It is never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$")]
    pub(super) most: Option<String>,
    pub(super) taken: TakenName,
}

/// The fees of a programme: all of them anew. Without rules, and charged by the platform, it has
/// none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "chargedBy": "PLATFORM", "homeCountry": "AT", "region": ["DE", "IT"],
    "monthlyWaivedFrom": "1000.00",
    "rules": [
        { "event": "card_monthly", "fixed": "1.99", "taken": "AT_ONCE" },
        { "event": "atm_world_authorized", "rate": 250, "least": "5.00", "taken": "AT_ONCE" }
    ]
}))]
pub(in crate::routes) struct FeesBody {
    charged_by: ChargedByName,
    /// Where its cards are at home, ISO 3166-1 alpha-2; where it is not said, everywhere.
    #[schema(pattern = "^[A-Z]{2}$")]
    home_country: Option<String>,
    /// The other countries of its region.
    #[serde(default)]
    #[schema(max_items = 64)]
    region: Vec<String>,
    /// From so much spent in a month on a card pays no monthly fee: major units.
    #[schema(max_length = 20, pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$")]
    monthly_waived_from: Option<String>,
    #[schema(max_items = 128)]
    rules: Vec<FeeRuleBody>,
}

impl FeesBody {
    /// In the programme's currency.
    pub(in crate::routes) fn schedule(&self, currency: Currency) -> Result<FeeSchedule, Problem> {
        let charged_by = match self.charged_by {
            ChargedByName::Platform => ChargedBy::Platform,
            ChargedByName::Partner => ChargedBy::Partner,
        };
        if self.rules.len() > MOST_FEE_RULES {
            return Err(Problem::field("rules", format!("{MOST_FEE_RULES} at most")));
        }
        let rules = self.rules.iter().enumerate();
        let rules = rules.map(|(number, rule)| rule.rule(number, currency));
        let home = self.home_country.as_ref().map(|code| country("homeCountry", code));
        let region = self.region.iter().map(|code| country("region", code));
        let around =
            Surroundings { home: home.transpose()?, region: region.collect::<Result<_, _>>()? };
        let wrong = |error: InvalidSchedule| {
            let field = match error {
                InvalidSchedule::Region => "region".to_owned(),
                InvalidSchedule::Waived => "monthlyWaivedFrom".to_owned(),
                InvalidSchedule::Twice(_, number) => format!("rules[{number}]"),
                InvalidSchedule::TooMany => "rules".to_owned(),
            };
            Problem::field(field, error.to_string())
        };
        let text = self.monthly_waived_from.as_ref();
        let waived_from =
            text.map(|text| amount_of(text, currency)).transpose().map_err(|problem| Problem {
                field: Some("monthlyWaivedFrom".to_owned()),
                ..problem
            })?;
        FeeSchedule::new(currency, charged_by, rules.collect::<Result<_, _>>()?)
            .and_then(|schedule| schedule.within(around))
            .and_then(|schedule| match waived_from {
                Some(from) => schedule.waiving_monthly_from(from),
                None => Ok(schedule),
            })
            .map_err(wrong)
    }
}

impl FeeRuleBody {
    fn rule(&self, number: usize, currency: Currency) -> Result<FeeRule, Problem> {
        let field = |name: &str| format!("rules[{number}].{name}");
        let amount = |name: &str, text: &Option<String>| -> Result<Option<MinorUnits>, Problem> {
            let read = text.as_ref().map(|text| amount_of(text, currency)).transpose();
            read.map_err(|problem| Problem { field: Some(field(name)), ..problem })
        };
        let rate = BasisPoints::new(self.rate);
        let terms = PriceTerms {
            fixed: amount("fixed", &self.fixed)?.unwrap_or_default(),
            rate: rate
                .ok_or_else(|| Problem::field(field("rate"), "10000 basis points at most"))?,
            least: amount("least", &self.least)?.unwrap_or_default(),
            most: amount("most", &self.most)?,
        };
        let wrong = |error: switch_domain::InvalidPrice| {
            Problem::field(format!("rules[{number}]"), error.to_string())
        };
        Ok(FeeRule {
            event: event(&field("event"), &self.event)?,
            form: self.form.map(CardForm::from),
            price: Price::new(terms).map_err(wrong)?,
            taken: match self.taken {
                TakenName::AtOnce => Taken::AtOnce,
                TakenName::Invoiced => Taken::Invoiced,
            },
        })
    }
}

fn event(field: &str, name: &str) -> Result<FeeEvent, Problem> {
    let unknown = || Problem::field(field, "this is nothing that may be charged for");
    FeeEvent::from_name(name).ok_or_else(unknown)
}

fn country(field: &str, code: &str) -> Result<Country, Problem> {
    let letters = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let country = Country::from_code(code).ok().filter(|_| letters);
    country.ok_or_else(|| Problem::field(field, "there is no such country"))
}

/// Where a card is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ChannelName {
    Pos,
    Ecommerce,
    Atm,
}

/// The use of a card.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UseBody {
    channel: ChannelName,
    /// Where the merchant is, ISO 3166-1 alpha-2; at home where it is not said.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
    /// Whether the merchant asks in another currency than the account's.
    #[serde(default)]
    converted: bool,
}

/// What is asked about: `events`, or the `use` of a card.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "use": { "channel": "ATM", "country": "US", "converted": true },
    "form": "PHYSICAL", "amount": "120.00"
}))]
pub(in crate::routes) struct PreviewBody {
    /// As fees are named.
    #[schema(min_items = 1, max_items = 16)]
    events: Option<Vec<String>>,
    #[serde(rename = "use")]
    usage: Option<UseBody>,
    form: CardFormName,
    /// Major units of the account's currency, mark-up included; of what has no amount it is left
    /// out. The use of a card has one.
    #[schema(max_length = 20, pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$")]
    amount: Option<String>,
}

/// The most that is asked about at once.
const MOST_EVENTS: usize = 16;

/// What is asked about, once it was read.
pub(super) struct Asked {
    pub(super) what: WhatFor,
    pub(super) form: CardForm,
    pub(super) amount: Option<MinorUnits>,
}

impl PreviewBody {
    pub(super) fn asked(&self, currency: Currency) -> Result<Asked, Problem> {
        let amount = self.amount.as_ref().map(|text| amount_of(text, currency)).transpose();
        let named = |problem| Problem { field: Some("amount".to_owned()), ..problem };
        let amount = amount.map_err(named)?;
        if amount.is_some_and(|amount| !(0..=999_999_999_999).contains(&amount.0)) {
            return Err(Problem::field("amount", "from zero to twelve digits in minor units"));
        }
        let what = match (&self.events, &self.usage) {
            (Some(events), None) => WhatFor::Events(self.named(events)?),
            (None, Some(usage)) if amount.is_some() => usage.what()?,
            (None, Some(_)) => {
                return Err(Problem::field("amount", "the use of a card has an amount"));
            }
            _ => return Err(Problem::field("events", "say either `events` or `use`")),
        };
        Ok(Asked { what, form: self.form.into(), amount })
    }

    fn named(&self, names: &[String]) -> Result<Vec<FeeEvent>, Problem> {
        if !(1..=MOST_EVENTS).contains(&names.len()) {
            return Err(Problem::field("events", format!("1 to {MOST_EVENTS}")));
        }
        let read = |(number, name): (usize, &String)| event(&format!("events[{number}]"), name);
        names.iter().enumerate().map(read).collect()
    }
}

impl UseBody {
    fn what(&self) -> Result<WhatFor, Problem> {
        let country = self.country.as_ref().map(|code| country("use.country", code));
        Ok(WhatFor::Use {
            channel: match self.channel {
                ChannelName::Pos => Channel::Pos,
                ChannelName::Ecommerce => Channel::Ecommerce,
                ChannelName::Atm => Channel::Atm,
            },
            country: country.transpose()?,
            is_converted: self.converted,
        })
    }
}
