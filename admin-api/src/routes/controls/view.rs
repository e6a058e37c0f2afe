//! The JSON of spend controls: what somebody asks for, and what is shown. It owns its members; how
//! windows, hours and categories are written is the same as for commands.

use serde::{Deserialize, Serialize};
use switch_domain::{
    CardUse, ControlRule, ControlSubject, ControlTerms, Country, Currency, Timestamp, Window,
};
use switch_shard::used_now;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::control_operation::{ControlSpec, hours_name, range_name, window_name};
use crate::routes::amounts::Money;
use crate::{ListedControl, Problem};

/// What a control says of what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum Rule {
    /// It is declined.
    Forbid,
    /// All else is declined.
    AllowOnly,
    /// Declined at all merchants but the first that one was granted at.
    OneMerchant,
    /// No more than `amount` in `window`.
    Amount,
    /// No more than `count` in `window`.
    Count,
}

impl Rule {
    const fn word(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::AllowOnly => "allow-only",
            Self::OneMerchant => "one-merchant",
            Self::Amount => "amount",
            Self::Count => "count",
        }
    }
}

/// A way to use a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum Use {
    /// At a cash machine or a counter of a bank.
    Atm,
    /// At a terminal of a merchant.
    Pos,
    /// Without the card being present.
    Ecommerce,
    /// Held to the terminal.
    Contactless,
    /// By its magnetic stripe.
    Stripe,
    /// Goods with cash back.
    CashBack,
}

impl Use {
    const fn of(one: CardUse) -> Self {
        match one {
            CardUse::Atm => Self::Atm,
            CardUse::Pos => Self::Pos,
            CardUse::Ecommerce => Self::Ecommerce,
            CardUse::Contactless => Self::Contactless,
            CardUse::Stripe => Self::Stripe,
            CardUse::CashBack => Self::CashBack,
        }
    }

    const fn meant(self) -> CardUse {
        match self {
            Self::Atm => CardUse::Atm,
            Self::Pos => CardUse::Pos,
            Self::Ecommerce => CardUse::Ecommerce,
            Self::Contactless => CardUse::Contactless,
            Self::Stripe => CardUse::Stripe,
            Self::CashBack => CardUse::CashBack,
        }
    }
}

/// A spend control in words: its rule, and which purchases it is about. What is left out stands for
/// any.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "cash a day", "rule": "AMOUNT", "amount": { "value": "200.00", "currency": "EUR" },
    "window": "day", "zone": "Europe/Madrid", "uses": ["ATM"]
}))]
pub(in crate::routes) struct NewControl {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 40, pattern = "^[ -~]{1,40}$")]
    name: String,
    /// True: it declines nothing, and what it would have declined is noted.
    #[serde(default)]
    shadow: bool,
    rule: Rule,
    /// Of `AMOUNT`: the most in the window, above zero.
    amount: Option<Money>,
    /// Of `COUNT`: how many in the window.
    count: Option<u32>,
    /// Of `AMOUNT` and `COUNT`: `transaction`, `day`, `week`, `month`, `year`, `lifetime`, or
    /// `rolling:24` for so many hours; `transaction` where it is not said.
    #[schema(pattern = "^(transaction|day|week|month|year|lifetime|rolling:[1-9][0-9]{0,3})$")]
    window: Option<String>,
    /// The time zone of the window's calendar and of `hours`, by its IANA name; UTC where it is not
    /// said.
    #[schema(max_length = 40)]
    zone: Option<String>,
    /// Ways to use the card.
    #[serde(default)]
    #[schema(max_items = 6)]
    uses: Vec<Use>,
    /// Merchant category codes: `5411`, or `3000-3299`.
    #[serde(default)]
    #[schema(max_items = 1000)]
    categories: Vec<String>,
    /// Countries of merchants, as `ES`.
    #[serde(default)]
    #[schema(max_items = 1000)]
    countries: Vec<String>,
    /// Merchants in any other country than this.
    abroad_of: Option<String>,
    /// Merchants by their number (DE42).
    #[serde(default)]
    #[schema(max_items = 1000)]
    merchants: Vec<String>,
    /// As `mon-fri 09:00-17:00`, or `sat,sun 22:00-06:00`.
    hours: Option<String>,
}

impl NewControl {
    /// What it says for a subject whose limits are in this currency.
    pub(super) fn terms(
        self,
        subject: ControlSubject,
        currency: Currency,
    ) -> Result<ControlTerms, Problem> {
        let amount = self.amount.map(|amount| {
            amount.positive_in("amount", currency)?;
            Ok::<_, Problem>(amount.value)
        });
        let stray = |name: &str, is_there: bool| match is_there {
            true => Err(Problem::field(name, "this rule has none")),
            false => Ok(()),
        };
        stray("amount", amount.is_some() && self.rule != Rule::Amount)?;
        stray("count", self.count.is_some() && self.rule != Rule::Count)?;
        if self.name.trim().is_empty() {
            return Err(Problem::field("name", "1 to 40 printable characters"));
        }
        let limited = matches!(self.rule, Rule::Amount | Rule::Count);
        stray("window", self.window.is_some() && !limited)?;
        let spec = ControlSpec {
            name: self.name,
            shadow: self.shadow,
            rule: self.rule.word().to_owned(),
            amount: amount.transpose()?,
            count: self.count,
            window: self.window,
            zone: self.zone,
            uses: self.uses.iter().map(|one| one.meant().name().to_owned()).collect(),
            categories: self.categories,
            countries: self.countries,
            abroad_of: self.abroad_of,
            merchants: self.merchants,
            hours: self.hours,
        };
        spec.terms(subject, currency)
    }
}

/// Whom a control is for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum For {
    /// One card.
    Card,
    /// All cards of one account together.
    Balance,
    /// Every card of a programme, each by itself.
    Programme,
}

/// What counts of a limit at present.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct UsedView {
    amount: Money,
    count: i32,
}

/// A spend control.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct ControlView {
    /// Its name, as paths have it.
    control_id: Uuid,
    /// Whom it is for. A card has those of its account and its programme, too.
    of: For,
    name: String,
    /// True: it declines nothing.
    shadow: bool,
    rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// Of the window's calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    uses: Vec<Use>,
    categories: Vec<String>,
    countries: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abroad_of: Option<String>,
    merchants: Vec<String>,
    /// With their time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<String>,
    /// What counts at present towards the limit, of the card or account that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<UsedView>,
}

impl ControlView {
    /// As paths have it.
    pub(super) const fn name(&self) -> Uuid {
        self.control_id
    }

    /// As it is at a moment.
    pub(super) fn of(one: &ListedControl, name: Uuid, currency: Currency, now: Timestamp) -> Self {
        let (control, terms) = (&one.control, &one.control.terms);
        let money = |amount| Money::of(amount, currency);
        let (rule, amount, count, window) = match &terms.rule {
            ControlRule::Forbid => (Rule::Forbid, None, None, None),
            ControlRule::AllowOnly => (Rule::AllowOnly, None, None, None),
            ControlRule::OneMerchant => (Rule::OneMerchant, None, None, None),
            ControlRule::Amount(most, window) => {
                (Rule::Amount, Some(money(*most)), None, Some(window))
            }
            ControlRule::Count(most, window) => (Rule::Count, None, Some(*most), Some(window)),
        };
        let selects = &terms.selects;
        let used = one.usage.as_ref().filter(|_| window.is_some()).map(|usage| {
            let used = used_now(control, usage, now);
            UsedView { amount: money(used.amount), count: used.count }
        });
        Self {
            control_id: name,
            of: match terms.subject {
                ControlSubject::Card(_) => For::Card,
                ControlSubject::Balance(_) => For::Balance,
                ControlSubject::Programme(_) => For::Programme,
            },
            name: terms.name.as_str().to_owned(),
            shadow: terms.shadow,
            rule,
            amount,
            count,
            window: window.map(window_name),
            zone: window.and_then(Window::zone).map(|zone| zone.as_str().to_owned()),
            uses: selects.uses.iter().map(Use::of).collect(),
            categories: selects.categories.iter().map(range_name).collect(),
            countries: selects.countries.iter().map(|one| one.alpha2().to_owned()).collect(),
            abroad_of: selects.abroad_of.map(|one: Country| one.alpha2().to_owned()),
            merchants: selects.merchants.iter().map(|one| one.as_str().to_owned()).collect(),
            hours: selects.hours.as_ref().map(hours_name),
            used,
        }
    }
}
