//! Conversion of an amount into the currency of an account. It owns the one formula of
//! `docs/currency.md`, and what of a hold belongs to a part of its amount; it never chooses a rate
//! and never uses a float. Each result is rounded once, from its exact value, half away from zero.

use crate::{Amount, AsciiText, Currency, MinorUnits, Rate, Timestamp};

/// Ten thousand basis points are the whole.
const WHOLE: u16 = 10_000;

/// Hundredths of a percent, up to the whole again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Nothing on top.
    pub const ZERO: Self = Self(0);

    /// From their number; `None` above ten thousand.
    #[must_use]
    pub const fn new(points: u16) -> Option<Self> {
        if points > WHOLE { None } else { Some(Self(points)) }
    }

    /// Their number.
    #[must_use]
    pub const fn points(self) -> u16 {
        self.0
    }

    /// The whole and so much on top, in basis points.
    const fn on_top(self) -> u128 {
        (WHOLE as u128).saturating_add(self.0 as u128)
    }
}

/// How a programme takes amounts in other currencies than its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ForeignTerms {
    /// What is added to what a purchase is worth.
    pub markup: BasisPoints,
    /// What is held above that, for the rate may be another when it is cleared.
    pub margin: BasisPoints,
    /// Whether the mark-up goes on top of what the network converted as well.
    pub marks_up_network: bool,
}

/// Where the rate of a conversion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateSource {
    /// None was needed: the amount is zero, or of the account's own currency.
    NotNeeded,
    /// The network converted: its billing amount is used as it is.
    Network,
    /// Our table.
    Table {
        /// Who quoted it.
        name: AsciiText<20>,
        /// When.
        at: Timestamp,
    },
}

/// What a message says was converted by the network before it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkAmounts {
    /// What the cardholder is billed (DE6 with DE51).
    pub billing: Option<Amount>,
    /// By which rate (DE10).
    pub billing_rate: Option<Rate>,
    /// What is settled between us and the network (DE5 with DE50).
    pub settlement: Option<Amount>,
    /// By which rate (DE9).
    pub settlement_rate: Option<Rate>,
}

/// What an amount was converted to, and how: enough to compute it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// What the message asks for.
    pub transaction: Amount,
    /// What the cardholder is billed, mark-up included, in minor units of the account's currency.
    pub billing: MinorUnits,
    /// That with the margin: what a hold is of.
    pub held: MinorUnits,
    /// Of the account; all above but `transaction` is of it.
    pub currency: Currency,
    /// Where the rate comes from.
    pub source: RateSource,
    /// By which rate: of ours always, of the network's where it says so.
    pub rate: Option<Rate>,
    /// The mark-up that was used.
    pub markup: BasisPoints,
    /// The margin that was used; none of what is settled at once.
    pub margin: BasisPoints,
    /// What is settled with the network, where the message says so.
    pub settlement: Option<Amount>,
    /// By which rate.
    pub settlement_rate: Option<Rate>,
}

/// The result does not fit an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the converted amount is past the range of amounts")]
pub struct OutOfRange;

/// What is put on top of a converted amount: mark-up, and margin.
type OnTop = [BasisPoints; 2];

impl Conversion {
    /// Of something that needs no rate: zero, or an amount of the account's own currency.
    #[must_use]
    pub const fn not_needed(transaction: Amount, currency: Currency) -> Self {
        Self {
            transaction,
            billing: transaction.minor,
            held: transaction.minor,
            currency,
            source: RateSource::NotNeeded,
            rate: None,
            markup: BasisPoints::ZERO,
            margin: BasisPoints::ZERO,
            settlement: None,
            settlement_rate: None,
        }
    }

    /// Whether the message asks in another currency than the account's.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.transaction.currency != self.currency
    }

    /// By a rate of our table.
    ///
    /// # Errors
    /// The result is past the range of amounts.
    pub fn by_rate(
        transaction: Amount,
        currency: Currency,
        rate: Rate,
        source: RateSource,
        on_top: OnTop,
    ) -> Result<Self, OutOfRange> {
        let [markup, margin] = on_top;
        let at = |on_top| by_rate(transaction, currency, rate, on_top).ok_or(OutOfRange);
        Ok(Self {
            billing: at([markup, BasisPoints::ZERO])?,
            held: at(on_top)?,
            source,
            rate: Some(rate),
            markup,
            margin,
            ..Self::not_needed(transaction, currency)
        })
    }

    /// By the network: its billing amount, with its rate where it says which.
    ///
    /// # Errors
    /// The result is past the range of amounts.
    pub fn by_network(
        transaction: Amount,
        billing: Amount,
        rate: Option<Rate>,
        on_top: OnTop,
    ) -> Result<Self, OutOfRange> {
        let [markup, margin] = on_top;
        let at = |on_top| raised(billing.minor, on_top).ok_or(OutOfRange);
        Ok(Self {
            billing: at([markup, BasisPoints::ZERO])?,
            held: at(on_top)?,
            source: RateSource::Network,
            rate,
            markup,
            margin,
            ..Self::not_needed(transaction, billing.currency)
        })
    }

    /// What is held of a part of the amount, given in its own currency, or of more than it: what
    /// would have been held for that alone at the same rate. Where no rate of ours is known, in
    /// proportion. Of nothing it is nothing, of the whole all that is held.
    #[must_use]
    pub fn of_part(&self, part: MinorUnits) -> MinorUnits {
        if !part.is_positive() {
            return MinorUnits::ZERO;
        }
        let ours = matches!(self.source, RateSource::Table { .. });
        let of_part = match self.rate.filter(|_| ours) {
            Some(rate) => {
                let part = Amount { minor: part, ..self.transaction };
                by_rate(part, self.currency, rate, [self.markup, self.margin])
            }
            None => in_proportion(self.held, part, self.transaction.minor),
        };
        of_part.unwrap_or(MinorUnits(i64::MAX))
    }
}

/// `amount * rate * (1 + markup) * (1 + margin)`, from the minor units of one currency to those of
/// another. Nothing on the way leaves a u128: the largest product is below 4 * 10^37.
fn by_rate(amount: Amount, currency: Currency, rate: Rate, on_top: OnTop) -> Option<MinorUnits> {
    let magnitude = u128::from(amount.minor.0.unsigned_abs());
    let [markup, margin] = on_top.map(BasisPoints::on_top);
    let product = magnitude
        .checked_mul(u128::from(rate.digits()))?
        .checked_mul(markup)?
        .checked_mul(margin)?;
    // Ten thousand twice, the decimals of the rate, and the difference of the two exponents, which
    // is four at most.
    let places = 8_u32
        .checked_add(u32::from(rate.decimals()))?
        .checked_add(u32::from(amount.currency.exponent()))?
        .checked_sub(u32::from(currency.exponent()))?;
    signed(amount.minor, half_away(product, 10_u128.checked_pow(places)?)?)
}

/// `amount * (1 + markup) * (1 + margin)`.
fn raised(amount: MinorUnits, on_top: OnTop) -> Option<MinorUnits> {
    let magnitude = u128::from(amount.0.unsigned_abs());
    let [markup, margin] = on_top.map(BasisPoints::on_top);
    let product = magnitude.checked_mul(markup)?.checked_mul(margin)?;
    signed(amount, half_away(product, u128::from(WHOLE).checked_pow(2)?)?)
}

/// `whole * part / of`.
fn in_proportion(whole: MinorUnits, part: MinorUnits, of: MinorUnits) -> Option<MinorUnits> {
    let product =
        u128::from(whole.0.unsigned_abs()).checked_mul(u128::from(part.0.unsigned_abs()))?;
    signed(whole, half_away(product, u128::from(of.0.unsigned_abs()))?)
}

/// The quotient, rounded to the nearest; the half goes up, which with the sign is away from zero.
pub(crate) fn half_away(product: u128, divisor: u128) -> Option<u128> {
    let quotient = product.checked_div(divisor)?;
    let rest = product.checked_rem(divisor)?;
    let up = rest >= divisor.checked_sub(rest)?;
    quotient.checked_add(u128::from(up))
}

/// A magnitude with the sign of what it comes from; `None` past the range of amounts.
fn signed(of: MinorUnits, magnitude: u128) -> Option<MinorUnits> {
    let magnitude = MinorUnits(i64::try_from(magnitude).ok()?);
    if of.is_negative() { magnitude.checked_neg() } else { Some(magnitude) }
}
