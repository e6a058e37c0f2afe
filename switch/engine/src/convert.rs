//! What a request is worth in the currency of its account: by the network's own conversion, else by
//! the rate in force. It owns which of the two is taken, which mark-up and margin apply, and when a
//! rate is too old. The formula is the domain's; everything after this works on its result.

use switch_domain::{
    Amount, Balance, BasisPoints, Conversion, Direction, ForeignTerms, MinorUnits, Programme,
    RateSource, Reason, Timestamp,
};

use crate::{Authorize, State};

/// How old a rate may be where nobody says otherwise: over a weekend.
pub(crate) const RATE_LIFE_MICROS: i64 = 72 * 3_600 * 1_000_000;

/// What a request is worth.
pub(crate) struct Worth {
    /// What is asked of the account; as the message has it where that could not be converted.
    pub(crate) amount: Amount,
    /// How it was converted, where it was.
    pub(crate) conversion: Option<Box<Conversion>>,
    /// Why it could not be.
    pub(crate) refused: Option<Reason>,
}

impl Worth {
    pub(crate) fn of(
        state: &State,
        request: &Authorize,
        of: Option<(&Programme, &Balance)>,
        now: Timestamp,
    ) -> Self {
        let plain = Self { amount: request.amount, conversion: None, refused: None };
        let Some((programme, balance)) = of else { return plain };
        if request.amount.currency == balance.currency && request.network.is_none() {
            return plain;
        }
        match convert(state, request, programme, balance, now) {
            Ok(None) => plain,
            Ok(Some(done)) => {
                let amount = Amount { minor: done.held, currency: done.currency };
                Self { amount, conversion: Some(Box::new(done)), refused: None }
            }
            Err(reason) => Self { refused: Some(reason), ..plain },
        }
    }

    /// What an amount of the message's currency is of the account's.
    pub(crate) fn of_part(&self, part: MinorUnits) -> MinorUnits {
        self.conversion.as_ref().map_or(part, |conversion| conversion.of_part(part))
    }
}

/// `None` where the amount is of the account's currency, and settled in it.
fn convert(
    state: &State,
    request: &Authorize,
    programme: &Programme,
    balance: &Balance,
    now: Timestamp,
) -> Result<Option<Conversion>, Reason> {
    let (asked, ours) = (request.amount, balance.currency);
    let network = request.network.as_deref().copied().unwrap_or_default();
    let mut done = if asked.currency == ours {
        let abroad = network.settlement.is_some_and(|settled| settled.currency != ours);
        if !abroad {
            return Ok(None);
        }
        Conversion::not_needed(asked, ours)
    } else {
        let terms = programme.foreign.ok_or(Reason::CurrencyUnacceptable)?;
        let [markup, margin] = on_top(request, terms);
        let billing = network.billing.filter(|one| one.currency == ours && one.minor.is_positive());
        if !asked.minor.is_positive() {
            let none = MinorUnits::ZERO;
            Conversion { billing: none, held: none, ..Conversion::not_needed(asked, ours) }
        } else if let Some(billing) = billing {
            let markup = if terms.marks_up_network { markup } else { BasisPoints::ZERO };
            Conversion::by_network(asked, billing, network.billing_rate, [markup, margin])
                .map_err(|_| Reason::InvalidAmount)?
        } else {
            let quoted = state.control().rate(asked.currency, ours).ok_or(Reason::RateMissing)?;
            if now.0.saturating_sub(quoted.at.0) > state.rate_life() {
                return Err(Reason::RateTooOld);
            }
            let source = RateSource::Table { name: quoted.source, at: quoted.at };
            Conversion::by_rate(asked, ours, quoted.rate, source, [markup, margin])
                .map_err(|_| Reason::InvalidAmount)?
        }
    };
    done.settlement = network.settlement;
    done.settlement_rate = network.settlement_rate;
    Ok(Some(done))
}

/// Mark-up and margin of a request: neither goes on top of what the customer gets, and nothing is
/// held of what is settled at once.
fn on_top(request: &Authorize, terms: ForeignTerms) -> [BasisPoints; 2] {
    match request.facts.kind.direction() {
        Direction::Debit if request.facts.key.class.is_financial() => {
            [terms.markup, BasisPoints::ZERO]
        }
        Direction::Debit => [terms.markup, terms.margin],
        Direction::Credit | Direction::None => [BasisPoints::ZERO; 2],
    }
}
