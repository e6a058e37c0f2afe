//! Cards verified by a hardware module behind real sockets: what is right is approved and the chip
//! takes the answer; whatever the module does wrong ends in a decline of its own reason, holds up
//! nothing else on the connection, and is over when the module is well again.

use std::time::{Duration, Instant};

use simulators::chip::{CardKind, Flaw, IssuerAnswer};
use simulators::hsm::{Fault, HsmUnit, Plan};
use switch_domain::MinorUnits;
use switch_server::config::{Config, Mode};

use crate::chips::{Chips, by_unit, unit};
use crate::keys::ceremony;
use crate::speaker::Draft;
use crate::stage::{key, text};

/// Answered where nobody can tell (9120), and the name of that reason.
const UNAVAILABLE: (&str, &str) = ("96", "verification_unavailable");
const DIALECT: &str = "iso87-ascii";
/// What the module may take for all of a message.
const WAIT: Duration = Duration::from_millis(600);

/// A unit that is given up soon, and asked again soon.
fn impatient(config: &mut Config, unit: &HsmUnit) {
    by_unit(config, unit);
    config.hsm.deadline_ms = 400;
    config.hsm.wait_ms = u64::try_from(WAIT.as_millis()).expect("short");
    config.hsm.breaker_open_ms = 100;
    config.hsm.reconnect_first_ms = 10;
    config.hsm.reconnect_longest_ms = 50;
}

/// Buys until that is approved again.
async fn recovered(chips: &mut Chips) {
    let began = Instant::now();
    while chips.buy(None).await.0 != "00" {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come back");
    }
}

async fn send(chips: &mut Chips, draft: &Draft) {
    let bytes = chips.speaker.bytes(chips.speaker.mti("100"), draft);
    chips.speaker.send(&bytes).await;
}

/// The next answer, whatever it is to: its trace number and code.
async fn answer(chips: &mut Chips) -> (u32, String) {
    let said = chips.speaker.answer().await;
    let number = chips.speaker.text(&said, 11).expect("a number");
    (number.parse().expect("digits"), said.action)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_switch_has_chip_and_pin_verified_by_the_module() {
    for kind in CardKind::ALL {
        let unit = unit().await;
        let mut chips = Chips::start(kind, DIALECT, |config| {
            by_unit(config, &unit);
            config.mode = Mode::Production;
            let directory = config.security.key_file.parent().expect("a directory").to_owned();
            config.security.lmk_components = ceremony(&directory);
        })
        .await;
        let right = ("00".to_owned(), IssuerAnswer::Right { approved: true });
        assert_eq!(chips.buy(None).await, right, "{kind:?}");
        let (code, judged) = chips.buy(Some(Flaw::Pin)).await;
        assert_eq!(code, "55", "{kind:?}");
        assert_ne!(judged, IssuerAnswer::Right { approved: true }, "{kind:?}");
        let (code, judged) = chips.buy(Some(Flaw::Cryptogram)).await;
        assert_eq!(judged, IssuerAnswer::Absent, "{kind:?}");
        let wrong = chips.buy(Some(Flaw::TrackValue)).await.0;
        let tally = unit.tally();
        assert_eq!(tally.commands_of("EC"), 4, "{kind:?}: PINs are the unit's to verify");
        assert_eq!(tally.commands_of("CY"), 4, "{kind:?}");
        // Two answers of a right one; of a wrong one the second is not waited for.
        assert!(tally.commands_of("KQ") + tally.commands_of("KW") >= 7, "{kind:?}");
        let reasons = chips.reasons().await;
        let expected =
            ["approved", "incorrect_pin", "cryptogram_incorrect", "card_value_incorrect"];
        assert_eq!(reasons, expected, "{kind:?}: {code} {wrong}");
        chips.stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_module_does_wrong_declines_and_holds_up_nobody() {
    let unit = unit().await;
    let mut chips =
        Chips::start(CardKind::Visa18, DIALECT, |config| impatient(config, &unit)).await;
    let other = chips.stage.issue_in("EUR", 99_999_913, 10_000_000, 1_000_000).await;
    assert_eq!(chips.buy(None).await.0, "00");
    let late = Fault::Late(Duration::from_millis(900));
    let faults = [
        Fault::Hang,
        late,
        Fault::Half,
        Fault::WrongHeader,
        Fault::HeaderOfNext,
        Fault::WrongLetters,
        Fault::Code(*b"41"),
        Fault::Reset,
        Fault::TooShort,
        Fault::MoreThanAsked,
    ];
    for fault in faults {
        unit.fail(Some(Plan::always(fault)));
        let (stuck, _) = chips.message("000000", 100, None);
        let number = chips.next();
        let plain = chips.speaker.purchase(&other.pan, number, 100);
        let began = Instant::now();
        send(&mut chips, &stuck).await;
        send(&mut chips, &plain).await;
        let (first, second) = (answer(&mut chips).await, answer(&mut chips).await);
        let mut answers = [first.clone(), second];
        answers.sort_unstable();
        let declined = (number - 1, UNAVAILABLE.0.to_owned());
        assert_eq!(answers, [declined, (number, "00".to_owned())], "{fault:?}");
        if matches!(fault, Fault::Hang | Fault::Late(_) | Fault::Half) {
            assert_eq!(first.0, number, "{fault:?}: it was not held up");
            // What runs late here is the machine, not the link.
            assert!(began.elapsed() < WAIT * 10, "{fault:?}: {:?}", began.elapsed());
        }
        let reasons = chips.reasons().await;
        assert!(reasons.iter().any(|reason| reason == UNAVAILABLE.1), "{fault:?}: {reasons:?}");
        unit.fail(None);
        recovered(&mut chips).await;
    }
    unit.die();
    assert_eq!(chips.buy(None).await.0, UNAVAILABLE.0, "nobody is there");
    unit.revive().await.expect("the port is free");
    recovered(&mut chips).await;
    // Nothing of a decline is held.
    let held = chips.stage.services().node().balance(chips.issued.balance).await.expect("there");
    let approved = chips.reasons().await.iter().filter(|reason| *reason == "approved").count();
    assert!(held.held.0 >= 0 && held.held.0 <= i64::try_from(approved).expect("few") * 100);
    chips.stage.end().await;
}

/// One more than may wait is told at once that nobody can tell.
#[tokio::test(flavor = "multi_thread")]
async fn messages_beyond_the_limit_do_not_wait() {
    let unit = unit().await;
    let mut chips = Chips::start(CardKind::Visa18, DIALECT, |config| {
        by_unit(config, &unit);
        config.hsm.waiting_limit = 2;
        config.hsm.deadline_ms = 3_000;
        config.hsm.wait_ms = 3_000;
    })
    .await;
    unit.fail(Some(Plan::always(Fault::Hang)));
    let began = Instant::now();
    for _ in 0..3 {
        let (message, _) = chips.message("000000", 100, None);
        send(&mut chips, &message).await;
    }
    assert_eq!(answer(&mut chips).await, (3, UNAVAILABLE.0.to_owned()));
    assert!(began.elapsed() < Duration::from_millis(2_500), "it did not wait");
    for _ in 0..2 {
        assert_eq!(answer(&mut chips).await.1, UNAVAILABLE.0);
    }
    let credit = chips.stage.services().credit_balance(
        key("still there"),
        text("test"),
        chips.issued.balance,
        MinorUnits(1),
        text("one"),
    );
    credit.await.expect("the shard has not waited");
    chips.stage.end().await;
}
