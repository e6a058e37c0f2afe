//! Games with the clock (T-23): a peer's times are compared with each other and never believed.

use codecs::iso8583::Version;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use simulators::network::{Draft, Value};
use switch_domain::Expiry;

use super::{APPROVED, Codes, held, of, speaker, stage_of_dialects};
use crate::stage::{Stage, key, text};

const EXPIRED: Codes = ["54", "101", "1001"];

fn with(draft: &Draft, fields: &[(u8, &str)]) -> Draft {
    let mut draft = draft.clone();
    draft.retain(|(number, _)| fields.iter().all(|(field, _)| field != number));
    draft.extend(fields.iter().map(|(field, value)| (*field, Value::Text((*value).to_owned()))));
    draft
}

/// Field 7, field 13 and field 12 of days that are in the future, long ago, at a turn of the year,
/// in a leap year, and on no calendar.
const DAYS: [(&str, &str, &str); 8] = [
    ("1231235959", "1231", "235959"),
    ("0101000000", "0101", "000000"),
    ("0228235959", "0228", "235959"),
    ("0229120000", "0229", "120000"),
    ("0230120000", "0230", "120000"),
    ("1332256199", "1332", "256199"),
    ("0000000000", "0000", "000000"),
    ("9999999999", "9999", "999999"),
];

/// T-23, clock games: whatever time a peer says it is, the switch decides by its own. Each is a
/// purchase of its own, approved once, the same when it comes again, and it can be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_peers_time_decides_nothing() {
    let stage = stage_of_dialects().await;
    let issued = stage.issue(1_000_000_000, 100_000_000).await;
    let mut sum = 0;
    for (index, dialect) in (1..).zip(["iso87-ascii", "iso93-ascii", "iso2003-binary"]) {
        let mut peer = speaker(&stage, dialect).await;
        let version = peer.version();
        for (stan, (sent, day, time)) in (index * 100..).zip(DAYS) {
            let draft = peer.purchase(&issued.pan, stan, 1_000);
            let (short, long) = (format!("26{day}{time}"), format!("2026{day}{time}"));
            let draft = match version {
                Version::V1987 => with(&draft, &[(7, sent), (13, day), (12, time)]),
                Version::V1993 => with(&draft, &[(7, sent), (12, &short)]),
                Version::V2003 => with(&draft, &[(7, sent), (12, &long)]),
            };
            let first = peer.ask("100", &draft).await;
            assert_eq!(first.action, of(version, APPROVED), "{dialect}: {sent}");
            assert_eq!(peer.ask("101", &draft).await.body, first.body, "{dialect}: {sent}");
            sum += 1_000;
            assert_eq!(held(&stage, issued.balance).await, sum, "{dialect}: {sent}");
        }
    }
    stage.end().await;
}

/// The month of now, so many months on, as YYMM.
fn month(ahead: i64) -> u16 {
    let now = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let then = now.first_of_month().saturating_add(jiff::Span::new().months(ahead));
    let yymm = i32::from(then.year()).rem_euclid(100) * 100 + i32::from(then.month());
    u16::try_from(yymm).expect("four digits")
}

/// T-23: a card is good to the end of its month, in UTC, by the switch's own clock, whatever the
/// message says its time is.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_good_to_the_end_of_its_month_by_our_own_clock() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000_000, 100_000).await;
    let mut peer = super::ascii(&stage).await;
    let (last, this) = (month(-1), month(0));
    for (stan, expiry, codes) in [(1, last, EXPIRED), (2, this, APPROVED)] {
        let new = admin_api::NewCard {
            balance: issued.balance,
            expiry: Expiry::from_yymm(expiry).expect("a month"),
            active: true,
        };
        let name = format!("card {stan}");
        let card = stage.services().issue_card(key(&name), text("test"), new).await;
        let pan = switch_security::exit::reveal_test_pan(&card.expect("issued").pan);
        let draft = peer.purchase(&pan.expect("a test number"), stan, 1_000);
        let long_ago = with(&draft, &[(14, &format!("{expiry:04}")), (13, "0101")]);
        let said = peer.ask("100", &long_ago).await;
        let turned = this != month(0); // it is a new month since we looked
        assert!(turned || said.action == of(Version::V1987, codes), "{expiry}: {}", said.action);
    }
    stage.end().await;
}
