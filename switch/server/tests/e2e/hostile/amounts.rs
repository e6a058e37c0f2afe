//! Amounts that are negative, odd or too great (T-10), sums at the edge of numbers (T-11), and
//! currencies that are mistaken for each other (T-12).

use codecs::iso8583::{Dialect, Version};
use simulators::network::{Draft, Value};

use super::{APPROVED, Codes, FORMAT_ERROR, ascii, held, of, speaker, stage_of_dialects};
use crate::stage::Stage;

const INVALID_AMOUNT: Codes = ["13", "110", "1010"];
const NOT_ITS_CURRENCY: Codes = ["57", "119", "1030"];
const SHORT_OF_FUNDS: Codes = ["51", "116", "1016"];

/// A purchase of twelve digits in a currency, as the edition has them.
fn amount(draft: &Draft, version: Version, minor: &str, currency: &str, exponent: &str) -> Draft {
    let mut draft = draft.clone();
    draft.retain(|(field, _)| ![4, 49].contains(field));
    match version {
        Version::V2003 => {
            draft.push((4, Value::Text([currency, exponent, minor].concat())));
        }
        Version::V1987 | Version::V1993 => {
            draft.push((4, Value::Text(minor.to_owned())));
            draft.push((49, Value::Text(currency.to_owned())));
        }
    }
    draft
}

/// T-10, negative and odd amounts: none, one, all that there is, one more, and the greatest that
/// the field can say, in every dialect.
#[tokio::test(flavor = "multi_thread")]
async fn the_edges_of_an_amount_are_answered_alike_in_every_dialect() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000_000, 100_000).await;
    for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, dialect).await;
        let version = peer.version();
        let rows: [(u64, Codes); 5] = [
            (0, APPROVED), // nothing is held: the card is verified
            (1, APPROVED),
            (100_001 - u64::from(index), SHORT_OF_FUNDS),
            (99_999_999_999, SHORT_OF_FUNDS),
            (999_999_999_999, SHORT_OF_FUNDS),
        ];
        for (stan, (minor, codes)) in (index * 100..).zip(rows) {
            let draft = peer.purchase(&issued.pan, stan, minor);
            let said = peer.ask("100", &draft).await;
            assert_eq!(said.action, of(version, codes), "{dialect}: {minor}");
        }
        let nothing = peer.financial(&issued.pan, index * 100 + 50, 0, "000000");
        let said = peer.ask("200", &nothing).await;
        assert_eq!(said.action, of(version, INVALID_AMOUNT), "{dialect}: nothing is paid");
        assert_eq!(held(&stage, issued.balance).await, i64::from(index), "{dialect}");
    }
    stage.end().await;
}

/// T-10: a sign in an amount is no amount. By text in ASCII, by its last half byte where digits are
/// packed.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_is_no_digit_of_an_amount() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000_000, 100_000).await;
    for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, dialect).await;
        let draft = peer.purchase(&issued.pan, index, 1_000);
        let good = peer.bytes(peer.mti("100"), &draft);
        let at = peer.content_offset(&good, 4);
        let packed = peer.is_packed(4);
        let length = if packed { 6 } else { 12 };
        let last = at + if peer.version() == Version::V2003 { length + 2 } else { length } - 1;
        let signs: Vec<(usize, u8)> = if packed {
            (0xA..=0xF).map(|sign| (last, sign)).chain([(at, 0xD0), (at, 0xC1)]).collect()
        } else {
            // Of ASCII and of EBCDIC: minus, plus, and the zoned signs of the last digit.
            [b'-', b'+', b' ', b'}', b'p', 0x60, 0x4E, 0xD0, 0xC0].map(|sign| (at, sign)).into()
        };
        for (place, sign) in signs {
            let mut bytes = good.clone();
            bytes[place] = sign;
            peer.send(&bytes).await;
            let said = peer.answer().await;
            assert_eq!(said.action, of(peer.version(), FORMAT_ERROR), "{dialect}: {sign:02X}");
        }
    }
    assert_eq!(held(&stage, issued.balance).await, 0);
    stage.end().await;
}

/// T-10, T-12: yen have no minor unit and dinars have three digits of it. What is asked for in a
/// card's own currency is held to the unit.
#[tokio::test(flavor = "multi_thread")]
async fn a_currency_without_minor_units_and_one_with_three_are_held_to_the_unit() {
    let stage = stage_of_dialects().await;
    for (currency, number, exponent, bin) in
        [("JPY", "392", "0", 99_999_913), ("KWD", "414", "3", 99_999_914)]
    {
        let issued = stage.issue_in(currency, bin, 1_000_000, 100_000).await;
        for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
            let mut peer = speaker(&stage, dialect).await;
            let version = peer.version();
            let draft = peer.purchase(&issued.pan, index * 100, 1);
            let draft = amount(&draft, version, "000000001250", number, exponent);
            let said = peer.ask("100", &draft).await;
            assert_eq!(said.action, of(version, APPROVED), "{dialect} {currency}");
            let sum = i64::from(index) * 1_250;
            assert_eq!(held(&stage, issued.balance).await, sum, "{dialect} {currency}");
        }
    }
    stage.end().await;
}

/// T-12, confused currencies: an amount in yen as if they had two decimals, a currency that the
/// card has not, one that is history, and one that never was.
#[tokio::test(flavor = "multi_thread")]
async fn an_amount_in_another_currency_or_with_its_decimals_moved_takes_nothing() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000_000, 100_000).await;
    for (index, dialect) in (1..).zip(Dialect::shipped_names()) {
        let mut peer = speaker(&stage, dialect).await;
        let version = peer.version();
        let mut rows = vec![
            ("392", "0", NOT_ITS_CURRENCY),
            ("840", "2", NOT_ITS_CURRENCY),
            ("276", "2", FORMAT_ERROR), // the Mark of Germany
            ("000", "2", FORMAT_ERROR),
            ("998", "2", FORMAT_ERROR),
        ];
        if version == Version::V2003 {
            rows.extend([
                ("392", "2", FORMAT_ERROR), // yen as if they had cents
                ("978", "0", FORMAT_ERROR),
                ("978", "3", FORMAT_ERROR),
                ("414", "2", FORMAT_ERROR),
            ]);
        }
        for (stan, (currency, exponent, codes)) in (index * 100..).zip(rows) {
            let draft = peer.purchase(&issued.pan, stan, 1);
            let draft = amount(&draft, version, "000000001250", currency, exponent);
            let said = peer.ask("100", &draft).await;
            assert_eq!(said.action, of(version, codes), "{dialect}: {currency} {exponent}");
        }
    }
    assert_eq!(held(&stage, issued.balance).await, 0);
    stage.end().await;
}

/// T-11, overflow: the greatest amounts, one after the other, until the greatest balance that there
/// may be is spent to the cent; one cent more is declined, and everything can be given back.
#[tokio::test(flavor = "multi_thread")]
async fn the_greatest_amounts_add_up_to_the_greatest_balance_and_not_beyond() {
    const MOST: i64 = 1_000_000_000_000_000; // minor units of a balance
    const GREATEST: i64 = 999_999_999_999;
    let stage = Stage::start().await;
    let issued = stage.issue(MOST, MOST).await;
    let mut peer = ascii(&stage).await;
    let whole = u32::try_from(MOST / GREATEST).expect("a thousand");
    let ask = async |stan, minor: i64| {
        let minor = u64::try_from(minor).expect("above zero");
        peer.purchase(&issued.pan, stan, minor)
    };
    let mut drafts = Vec::new();
    for stan in 1..=whole {
        drafts.push(ask(stan, GREATEST).await);
    }
    for draft in &drafts {
        assert_eq!(peer.ask("100", draft).await.action, "00");
    }
    let rest = MOST - GREATEST * i64::from(whole);
    let over = peer.purchase(&issued.pan, whole + 1, rest.unsigned_abs() + 1);
    assert_eq!(peer.ask("100", &over).await.action, "51");
    let last = peer.purchase(&issued.pan, whole + 2, rest.unsigned_abs());
    assert_eq!(peer.ask("100", &last).await.action, "00");
    assert_eq!(held(&stage, issued.balance).await, MOST);
    let cent = peer.purchase(&issued.pan, whole + 3, 1);
    assert_eq!(peer.ask("100", &cent).await.action, "51");
    for stan in 1..=10 {
        let back = peer.reversal(&issued.pan, whole + 10 + stan, stan, GREATEST.unsigned_abs());
        assert_eq!(peer.ask("400", &back).await.action, "00");
    }
    assert_eq!(held(&stage, issued.balance).await, MOST - 10 * GREATEST);
    stage.end().await;
}
