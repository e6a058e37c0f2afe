//! What the network converted before the message came: the cardholder's billing amount (DE6 with
//! DE51, by the rate of DE10) and the amount of settlement (DE5 with DE50, by that of DE9), the
//! currency within the amount where the edition is that of 2003. It owns that a billing amount is
//! read only where the link's network converts, and that there an unreadable one is a format error:
//! money depends on it. Settlement is noted, and nothing depends on it.

use codecs::iso8583::{Message, Version};
use switch_domain::{Amount, MinorUnits, NetworkAmounts, Rate};

use super::amount::{currency, whole};
use super::fault::number;
use super::{FieldFault, Surroundings};

/// Amount, currency and rate of one conversion.
#[derive(Clone, Copy)]
struct Fields {
    amount: u8,
    currency: u8,
    rate: u8,
}

const SETTLEMENT: Fields = Fields { amount: 5, currency: 50, rate: 9 };
const BILLING: Fields = Fields { amount: 6, currency: 51, rate: 10 };

/// Reads both; `None` where there is neither.
pub(super) fn converted(
    message: &Message<'_>,
    around: &dyn Surroundings,
) -> Result<Option<Box<NetworkAmounts>>, FieldFault> {
    let bills = message.has(BILLING.amount) && around.network_converts();
    if !bills && !message.has(SETTLEMENT.amount) {
        return Ok(None);
    }
    let billing = if bills { Some(amount(message, BILLING)?) } else { None };
    let settlement = match message.has(SETTLEMENT.amount) {
        true => amount(message, SETTLEMENT).ok(),
        false => None,
    };
    let amounts = NetworkAmounts {
        billing,
        billing_rate: billing.and_then(|_| rate(message, BILLING)),
        settlement,
        settlement_rate: settlement.and_then(|_| rate(message, SETTLEMENT)),
    };
    let any = amounts.billing.is_some() || amounts.settlement.is_some();
    Ok(any.then(|| Box::new(amounts)))
}

fn amount(message: &Message<'_>, fields: Fields) -> Result<Amount, FieldFault> {
    if message.dialect().version() == Version::V2003 {
        return whole(message, fields.amount);
    }
    let wanted = "an amount of up to 12 digits";
    let minor = i64::try_from(number(message, fields.amount, wanted)?);
    let minor = minor.map_err(|_| FieldFault::Invalid { field: fields.amount, wanted })?;
    let wanted = "a numeric currency code of ISO 4217";
    let code = number(message, fields.currency, wanted)?;
    let wrong = FieldFault::Invalid { field: fields.currency, wanted };
    let currency = currency(code).ok_or(wrong)?;
    Ok(Amount { minor: MinorUnits(minor), currency })
}

/// A rate is for people who look at it later: one that cannot be read is not kept.
fn rate(message: &Message<'_>, fields: Fields) -> Option<Rate> {
    let field = u32::try_from(message.number(fields.rate).ok()?).ok()?;
    Rate::from_field(field).ok()
}

#[cfg(test)]
mod tests {
    use super::super::around::Around;
    use super::*;
    use bytes::BytesMut;
    use codecs::iso8583::{Dialect, Encoder, Mti};

    const SHIPPED: [&str; 8] = [
        "iso87-ascii",
        "iso87-bcd",
        "iso87-ebcdic-037",
        "base1-like",
        "mip-like",
        "iso93-ascii",
        "iso93-binary",
        "iso2003-binary",
    ];

    /// What is read of a message of a shipped dialect with these fields.
    fn told(
        name: &str,
        converts: bool,
        fields: &[(u8, &str)],
    ) -> Result<Option<Box<NetworkAmounts>>, FieldFault> {
        let dialect = Dialect::shipped(name).expect("shipped");
        let mti = Mti::from_digits([dialect.version().mti_digit(), 1, 0, 0]).expect("a type");
        let mut encoder = Encoder::new();
        let mut draft = encoder.start(&dialect, mti);
        for (field, text) in fields {
            draft.text(*field, text).expect("a text that fits");
        }
        let mut out = BytesMut::new();
        draft.finish(&mut out).expect("a message");
        let mut read = codecs::iso8583::Fields::new();
        let _ = dialect.decode(&out, &mut read);
        converted(&dialect.view(&out, &read), &Around { converts })
    }

    fn shown(amount: Option<Amount>) -> String {
        amount.map_or_else(|| "nothing".into(), |amount| amount.to_string())
    }

    #[test]
    fn every_edition_says_what_its_network_converted() {
        for name in SHIPPED {
            let version = Dialect::shipped(name).expect("shipped").version();
            let fields: &[(u8, &str)] = if version == Version::V2003 {
                &[(5, "8402000000010000"), (6, "4143000000030715"), (9, "1"), (10, "50030715")]
            } else {
                &[
                    (5, "000000010000"),
                    (6, "000000030715"),
                    (9, "00000001"),
                    (10, "50030715"),
                    (50, "840"),
                    (51, "414"),
                ]
            };
            let read = told(name, true, fields).expect("readable").expect("amounts");
            assert_eq!(shown(read.billing), "30.715 KWD", "{name}");
            assert_eq!(shown(read.settlement), "100.00 USD", "{name}");
            let rates = [read.billing_rate, read.settlement_rate].map(|rate| rate.expect("one"));
            assert_eq!(rates.map(|rate| rate.to_string()), ["0.30715", "1"], "{name}");
            // Nobody said that it converts: what it settles is noted all the same.
            let read = told(name, false, fields).expect("readable").expect("amounts");
            assert_eq!((read.billing, read.billing_rate), (None, None), "{name}");
            assert_eq!(shown(read.settlement), "100.00 USD", "{name}");
            assert_eq!(told(name, true, &[]), Ok(None), "{name}");
            assert_eq!(told(name, false, &fields[1..2]), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_billing_amount_that_cannot_be_read_is_a_fault_of_its_field() {
        let wrong = |field| told("iso87-ascii", true, field).expect_err("a fault").to_string();
        assert_eq!(
            wrong(&[(6, "000000009100")]),
            "field 51 is absent, and this message type needs it"
        );
        let unknown = [(6, "000000009100"), (51, "999")];
        assert_eq!(wrong(&unknown), "field 51 is not a numeric currency code of ISO 4217");
        assert_eq!(told("iso87-ascii", false, &unknown), Ok(None));
        // An exponent that is not the currency's own.
        let scaled = told("iso2003-binary", true, &[(6, "4142000000030715")]);
        assert!(matches!(scaled, Err(FieldFault::Invalid { field: 6, .. })), "{scaled:?}");
        // Of settlement nothing is needed.
        assert_eq!(told("iso87-ascii", true, &[(5, "000000010000"), (50, "999")]), Ok(None));
        let rate = [(6, "000000009100"), (51, "978"), (10, "00000000")];
        let read = told("iso87-ascii", true, &rate).expect("readable").expect("amounts");
        assert_eq!((shown(read.billing), read.billing_rate), ("91.00 EUR".into(), None));
    }
}
