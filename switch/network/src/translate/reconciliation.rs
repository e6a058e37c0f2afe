//! x500 and x520: which day and currency a peer reconciles, and what it says was settled. It owns
//! the fields of each edition (ISO 8583:1987 and 1993: 74 to 77, 86 to 89, 97; 2003: 97 alone, for
//! its 74 and 75 have all of it in a form of their own, which is not read). What is told stands in
//! `said`; the totals are known elsewhere.

use codecs::iso8583::{FieldType, Message, ValueError, Version};
use switch_domain::{
    AsciiText, AskedDay, Currency, ReconciliationAnswer, ReconciliationAsk, ReconciliationClaim,
    ReconciliationTotals,
};

use super::fault::optional_number;
use super::key::{local_time, stan, transmitted};
use super::{FieldFault, Surroundings};

const SETTLEMENT_DATE: u8 = 15;
const RECONCILIATION_DATE: u8 = 28;
const CURRENCY: u8 = 50;
const SETTLEMENT_CODE: u8 = 66;
const NUMBERS: [u8; 4] = [74, 75, 76, 77];
const AMOUNTS: [u8; 4] = [86, 87, 88, 89];
const NET: u8 = 97;

/// Digits of the amount in field 97.
const NET_DIGITS: usize = 16;

/// Reads it.
pub(crate) fn reconciliation(
    message: &Message<'_>,
    around: &dyn Surroundings,
) -> Result<ReconciliationAsk, FieldFault> {
    let net = net(message)?;
    let mut claim = ReconciliationClaim { net: net.map(|net| net.0), ..Default::default() };
    if message.dialect().version() != Version::V2003 {
        for (claimed, field) in claim.numbers.iter_mut().zip(NUMBERS) {
            *claimed = optional_number(message, field, "a number of messages")?;
        }
        for (claimed, field) in claim.amounts.iter_mut().zip(AMOUNTS) {
            *claimed = optional_number(message, field, "an amount in minor units")?;
        }
    }
    let key = format!("{} {} {}", stan(message)?, local_time(message)?, transmitted(message)?);
    Ok(ReconciliationAsk {
        link: around.link(),
        key: AsciiText::new(key.as_bytes()).unwrap_or_default(),
        day: day(message)?,
        currency: net.and_then(|net| net.1).or(currency(message)?),
        claim,
    })
}

/// DE15 of 1987, MMDD; DE28 of the later editions, with the year.
fn day(message: &Message<'_>) -> Result<AskedDay, FieldFault> {
    let version = message.dialect().version();
    let field = if version == Version::V1987 { SETTLEMENT_DATE } else { RECONCILIATION_DATE };
    let wanted = "a date";
    let Some(date) = optional_number(message, field, wanted)? else {
        return Ok(AskedDay::Current);
    };
    let wrong = FieldFault::Invalid { field, wanted };
    let two = |digits: u64| u8::try_from(digits).map_err(|_| wrong);
    let (month, day) = (two(date / 100 % 100)?, two(date % 100)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(wrong);
    }
    let year = u16::try_from(date / 10_000).map_err(|_| wrong)?;
    Ok(match version {
        Version::V1987 => AskedDay::MonthDay(month, day),
        Version::V1993 => AskedDay::Date(year.saturating_add(2_000), month, day),
        Version::V2003 => AskedDay::Date(year, month, day),
    })
}

/// DE50 of 1987 and 1993.
fn currency(message: &Message<'_>) -> Result<Option<Currency>, FieldFault> {
    if message.dialect().version() == Version::V2003 {
        return Ok(None);
    }
    let wanted = "a numeric currency code of ISO 4217";
    let Some(code) = optional_number(message, CURRENCY, wanted)? else { return Ok(None) };
    let code = u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok());
    code.map(Some).ok_or(FieldFault::Invalid { field: CURRENCY, wanted })
}

/// DE97: C or D, in 2003 currency and exponent, and the amount; D is below zero.
fn net(message: &Message<'_>) -> Result<Option<(i64, Option<Currency>)>, FieldFault> {
    let wrong = FieldFault::Invalid { field: NET, wanted: "a net amount, C or D in front" };
    let text = match message.text(NET) {
        Ok(text) => text,
        Err(ValueError::Absent(_)) => return Ok(None),
        Err(_) => return Err(wrong),
    };
    let with_currency = message.dialect().version() == Version::V2003;
    parse_net(text.as_str(), with_currency).map(Some).ok_or(wrong)
}

fn parse_net(text: &str, with_currency: bool) -> Option<(i64, Option<Currency>)> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (currency, amount) = if with_currency {
        let (code, rest) = rest.split_at_checked(3)?;
        let (exponent, amount) = rest.split_at_checked(1)?;
        let currency = Currency::from_numeric(code.parse().ok()?).ok()?;
        let own = exponent.parse::<u8>().ok()? == currency.exponent();
        (own.then_some(Some(currency))?, amount)
    } else {
        (None, rest)
    };
    let digits = amount.bytes().all(|byte| byte.is_ascii_digit());
    let amount: i64 = amount.parse().ok().filter(|_| digits)?;
    match sign {
        "C" => Some((amount, currency)),
        "D" => Some((amount.checked_neg()?, currency)),
        _ => None,
    }
}

/// Fields that an answer has besides what every answer has, in ascending order: those of the
/// request that it takes over have no value here.
pub(crate) fn said(
    message: &Message<'_>,
    answer: &ReconciliationAnswer,
) -> Vec<(u8, Option<String>)> {
    let version = message.dialect().version();
    let date = if version == Version::V1987 { SETTLEMENT_DATE } else { RECONCILIATION_DATE };
    let mut fields = vec![(date, None)];
    let ReconciliationAnswer::Totals { ours, currency, agrees } = answer else { return fields };
    if version != Version::V2003 {
        let code = currency.map(|currency| format!("{:03}", currency.numeric()));
        fields.push((CURRENCY, code));
        if version == Version::V1987
            && let Some(agrees) = agrees
        {
            fields.push((SETTLEMENT_CODE, Some(if *agrees { "1" } else { "2" }.to_owned())));
        }
        let numbers = NUMBERS.into_iter().zip(ours.numbers);
        let amounts = AMOUNTS.into_iter().zip(ours.amounts);
        fields.extend(numbers.chain(amounts).map(|(field, sum)| (field, Some(sum.to_string()))));
    }
    fields.extend(net_said(ours, *currency, version).map(|net| (NET, Some(net))));
    // A dialect of one's own may lack some, or have them in another form.
    fields.retain(|(field, _)| {
        let spec = message.dialect().spec(*field);
        spec.is_some_and(|spec| spec.kind != FieldType::Binary)
    });
    fields
}

fn net_said(
    ours: &ReconciliationTotals,
    currency: Option<Currency>,
    version: Version,
) -> Option<String> {
    let net = ours.net()?;
    let sign = if net < 0 { 'D' } else { 'C' };
    let amount = format!("{:0width$}", net.unsigned_abs(), width = NET_DIGITS);
    match (version, currency) {
        (Version::V2003, None) => None,
        (Version::V2003, Some(currency)) => {
            Some(format!("{sign}{:03}{}{amount}", currency.numeric(), currency.exponent()))
        }
        _ => Some(format!("{sign}{amount}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_amount_has_its_sign_in_front() {
        let rows = [
            ("C0000000000001234", false, Some((1_234, None))),
            ("D0000000000001234", false, Some((-1_234, None))),
            ("D0000000000000000", false, Some((0, None))),
            ("00000000000001234", false, None),
            ("C000000000000123A", false, None),
            ("C", false, None),
            ("D97820000000000001234", true, Some((-1_234, Some(978)))),
            ("C39200000000000001234", true, Some((1_234, Some(392)))),
            ("C39220000000000001234", true, None),
            ("C00020000000000001234", true, None),
        ];
        for (text, with_currency, expected) in rows {
            let read = parse_net(text, with_currency);
            let read = read.map(|(net, currency)| (net, currency.map(Currency::numeric)));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn ours_is_written_as_it_is_read() {
        let euro = Currency::from_numeric(978).expect("listed");
        for amount in [0, 1_234] {
            let mut ours = ReconciliationTotals::default();
            ours.add(switch_domain::Settled::Debits, 1, amount);
            let net = ours.net().expect("small");
            let plain = net_said(&ours, Some(euro), Version::V1993).expect("a net amount");
            assert_eq!(parse_net(&plain, false), Some((net, None)));
            let whole = net_said(&ours, Some(euro), Version::V2003).expect("a net amount");
            assert_eq!(parse_net(&whole, true), Some((net, Some(euro))));
        }
    }
}
