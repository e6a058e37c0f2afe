//! What the demo says at its end: a table for people, one JSON object for programs, and an exit
//! code that is 0 only if nothing was unexpected, nothing unanswered, and the books balance.

use std::collections::BTreeMap;
use std::process::ExitCode;

use admin_api::Services;
use serde_json::json;
use switch_domain::{Amount, Currency, MinorUnits, Reason};

use super::seed::SetUp;
use super::traffic::{Audit, Report, Verified};
use crate::telemetry;

/// One amount of the money.
type Part = fn(&Money) -> MinorUnits;

/// Deposit and holds at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money {
    currency: Currency,
    deposit_level: MinorUnits,
    deposit_held: MinorUnits,
    users_ledger: MinorUnits,
    users_held: MinorUnits,
}

impl Money {
    /// From the shards, once what they show is committed.
    pub(super) async fn now(services: &Services, set_up: &SetUp) -> Self {
        let pool = services.node().pool(set_up.deposit).await;
        let mut money = Self {
            currency: set_up.currency,
            deposit_level: pool.level,
            deposit_held: pool.held,
            users_ledger: MinorUnits::ZERO,
            users_held: MinorUnits::ZERO,
        };
        for id in &set_up.balances {
            if let Some(balance) = services.node().balance(*id).await {
                money.users_ledger.0 += balance.ledger.0;
                money.users_held.0 += balance.held.0;
            }
        }
        money
    }
}

/// Declines by recorded reason, from the switch's own metrics.
pub(super) fn declined_by_reason() -> BTreeMap<Reason, u64> {
    let text = telemetry::metrics_handle().render();
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("cardswitch_decisions_total{")) {
        let label = line.split("reason=\"").nth(1).and_then(|rest| rest.split('"').next());
        let count = line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
        let (Some(reason), Some(count)) = (label.and_then(Reason::from_name), count) else {
            continue;
        };
        let accepted = reason.is_approval()
            || matches!(
                reason,
                Reason::ReversalAccepted | Reason::AdviceAccepted | Reason::FileActionDone
            );
        if count > 0 && !accepted {
            *counts.entry(reason).or_default() += count;
        }
    }
    counts
}

/// What a spend control in shadow would have declined, from the same.
pub(super) fn would_decline() -> u64 {
    let text = telemetry::metrics_handle().render();
    let counts = text.lines().filter(|line| line.starts_with("cardswitch_shadow_declines_total"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// The table.
pub(super) fn print(
    report: &Report,
    audit: &Audit,
    declined: &BTreeMap<Reason, u64>,
    before: Money,
    after: Money,
) {
    println!("\n{:<36} {:>6} {:>6} {:>9}", "answers", "1987", "2003", "count");
    println!("{:<36} {:>6} {:>6} {:>9}", "approved", "00", "0000", report.approved);
    for (reason, count) in declined {
        let (v1987, v2003) = (reason.action_code_1987(), reason.action_code_2003());
        println!("{:<36} {v1987:>6} {v2003:>6} {count:>9}", reason.name());
    }
    println!("{:<36} {:>6} {:>6} {:>9}", "reversals accepted", "00", "4000", report.reversed);
    println!("{:<36} {:>6} {:>6} {:>9}", "increments approved", "00", "0000", report.incremented);
    println!("{:<36} {:>6} {:>6} {:>9}", "completions accepted", "00", "9001", report.completed);
    for (kind, count) in &report.others {
        println!("{kind:<36} {:>6} {:>6} {count:>9}", "", "");
    }
    println!("{:<36} {:>6} {:>6} {:>9}", "repeats, answered the same", "", "", report.repeated);
    let wire: Vec<String> =
        report.declined_by_de39.iter().map(|(code, count)| format!("{code}: {count}")).collect();
    println!("declines by DE39 as received          {}", wire.join(", "));
    println!(
        "\nlatency ms from intended sending      p50 {:.2}   p99 {:.2}   p99.9 {:.2}",
        report.p50_ms, report.p99_ms, report.p999_ms
    );
    println!("approvals per second                  {:.0}", report.approvals_per_second);
    println!("\n{:<28} {:>20} {:>20}", "", "before", "after");
    let rows: [(&str, Part); 4] = [
        ("partner deposit", |money| money.deposit_level),
        ("partner deposit, held", |money| money.deposit_held),
        ("customers' balances", |money| money.users_ledger),
        ("customers' balances, held", |money| money.users_held),
    ];
    for (name, of) in rows {
        let show =
            |money: &Money| Amount { minor: of(money), currency: money.currency }.to_string();
        println!("{name:<28} {:>20} {:>20}", show(&before), show(&after));
    }
    println!(
        "\naudit: {} journal rows, {} records replayed, {} open holds: {}",
        audit.journal_rows, audit.records, audit.open_authorizations, audit.books
    );
    for finding in audit.findings.iter().take(20) {
        println!("  FINDING: {finding}");
    }
    for sample in &report.unexpected_samples {
        println!("  UNEXPECTED: {sample}");
    }
    println!();
}

/// What was answered to a network besides the traffic, by DE39.
pub(super) struct Outside {
    /// Its lock of a card, and the end of that.
    pub(super) locked: Vec<String>,
    /// Its reconciliation.
    pub(super) reconciled: String,
    /// What a spend control in shadow would have declined; no answer says so.
    pub(super) shadowed: u64,
    /// The cards that are verified.
    pub(super) verified: Verified,
}

/// What is wrong on purpose with cards that are verified, and the reason that the switch has for
/// it. Where two have one reason, its count is of both.
const WRONG: [(&str, Reason); 8] = [
    ("wrong PIN", Reason::IncorrectPin),
    ("PIN tries exceeded", Reason::PinTriesExceeded),
    ("wrong CVV2", Reason::CardCodeIncorrect),
    ("wrong cryptogram", Reason::CryptogramIncorrect),
    ("altered amount", Reason::CryptogramIncorrect),
    ("replayed counter", Reason::CryptogramReplayed),
    ("another amount than signed", Reason::ChipDataDiffer),
    ("wrong value of the track", Reason::CardValueIncorrect),
];

/// After so many messages every kind has come.
const ALL_CAME: u64 = 100;

/// Prints what became of them, and says whether the switch's own records agree with what was sent:
/// every kind came, and each was declined for its own reason as often as it was sent.
fn told_of_verified(verified: &Verified, declined: &BTreeMap<Reason, u64>) -> bool {
    let Verified { sent, approved, chip_approved, chip_declined, .. } = verified;
    println!(
        "cards verified: {sent} sent, {approved} approved; chips found {chip_approved} approvals \
         and {chip_declined} declines of their issuer in the answers"
    );
    let count = |what: &str| verified.declined.get(what).copied().unwrap_or_default();
    let mut agree = true;
    for (what, reason) in WRONG {
        let (v1987, v2003) = (reason.action_code_1987(), reason.action_code_2003());
        let name = reason.name();
        println!("  {what:<34} {v1987:>6} {v2003:>6} {:>9}   {name}", count(what));
        let alike = WRONG.iter().filter(|(_, other)| *other == reason);
        let was_sent: u64 = alike.map(|(what, _)| count(what)).sum();
        let recorded = declined.get(&reason).copied().unwrap_or_default();
        if recorded != was_sent {
            println!("  DIFFERENCE: {name}: {recorded} recorded, {was_sent} sent");
            agree = false;
        } else if count(what) == 0 {
            // A short run ends before everything has had its turn.
            println!("  never came: {what}");
            agree &= *sent < ALL_CAME;
        }
    }
    for sample in &verified.samples {
        println!("  UNEXPECTED: {sample}");
    }
    agree
}

/// The last line and the exit code.
pub(super) fn conclude(
    report: &Report,
    audit: &Audit,
    declined: &BTreeMap<Reason, u64>,
    outside: &Outside,
) -> ExitCode {
    let Outside { locked, reconciled, shadowed, verified } = outside;
    let agree = told_of_verified(verified, declined);
    let in_balance = *reconciled == Reason::ReconciledInBalance.action_code_1987();
    let balance = if in_balance { "in balance" } else { "out of balance" };
    println!("reconciliation with the network       {balance} ({reconciled})");
    println!("declined by a control in shadow       {shadowed}, none of them answered so");

    let mut by_code: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, count) in declined {
        *by_code.entry(reason.action_code_2003()).or_default() += count;
    }
    println!(
        "{}",
        json!({
            "sent": report.sent,
            "approved": report.approved,
            "declined": by_code,
            "reversed": report.reversed,
            "incremented": report.incremented,
            "completed": report.completed,
            "others": report.others.values().sum::<u64>(),
            "repeated": report.repeated,
            "file_actions": locked,
            "reconciliation": balance,
            "would_decline": shadowed,
            "verified": {
                "sent": verified.sent,
                "approved": verified.approved,
                "declined": verified.declined,
                "chip_approved": verified.chip_approved,
                "chip_declined": verified.chip_declined,
                "unexpected": verified.unexpected,
                "unanswered": verified.unanswered,
            },
            "unexpected": report.unexpected,
            "unanswered": report.unanswered,
            "p50_ms": report.p50_ms,
            "p99_ms": report.p99_ms,
            "books": audit.books,
        })
    );
    let done = Reason::FileActionDone.action_code_1987();
    let clean = report.unexpected == 0
        && report.unanswered == 0
        && audit.books == "balanced"
        && in_balance
        && verified.unexpected == 0
        && verified.unanswered == 0
        && agree
        && locked.iter().all(|said| said == done);
    if clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Of every flaw that is sent on purpose, where nothing went wrong; the switch counts the same.
    const EACH: u64 = 9;

    fn report() -> Report {
        let report = json!({
            "sent": 900, "approved": 800, "declined_by_de39": {}, "reversed": 1, "incremented": 1,
            "completed": 1, "others": {}, "repeated": 1, "unexpected": 0, "unanswered": 0,
            "unexpected_samples": [], "p50_ms": 1.0, "p99_ms": 2.0, "p999_ms": 3.0,
            "approvals_per_second": 100.0,
        });
        serde_json::from_value(report).expect("a report")
    }

    fn verified(change: impl FnOnce(&mut Value)) -> Verified {
        let declined: BTreeMap<&str, u64> = WRONG.iter().map(|(what, _)| (*what, EACH)).collect();
        let mut verified = json!({
            "sent": 200, "approved": 100, "declined": declined, "chip_approved": 60,
            "chip_declined": 30, "unexpected": 0, "unanswered": 0, "samples": [],
        });
        change(&mut verified);
        serde_json::from_value(verified).expect("a report")
    }

    /// What the switch counted: two flaws have one reason.
    fn counted() -> BTreeMap<Reason, u64> {
        let mut counted = BTreeMap::new();
        WRONG.iter().for_each(|(_, reason)| *counted.entry(*reason).or_default() += EACH);
        counted
    }

    fn ends_well(verified: Verified, counted: &BTreeMap<Reason, u64>) -> bool {
        let audit = json!({
            "books": "balanced", "journal_rows": 1, "records": 1, "open_authorizations": 0,
            "findings": [],
        });
        let audit = serde_json::from_value(audit).expect("an audit");
        let outside = Outside {
            locked: vec![Reason::FileActionDone.action_code_1987().to_owned(); 2],
            reconciled: Reason::ReconciledInBalance.action_code_1987().to_owned(),
            shadowed: 3,
            verified,
        };
        conclude(&report(), &audit, counted, &outside) == ExitCode::SUCCESS
    }

    #[test]
    fn a_run_whose_two_sides_agree_ends_well() {
        assert!(ends_well(verified(|_| ()), &counted()));
        // Other declines are of other traffic.
        let mut with_others = counted();
        with_others.insert(Reason::InsufficientFunds, 77);
        assert!(ends_well(verified(|_| ()), &with_others));
    }

    /// One more, one less, and none, on either side, of every flaw.
    #[test]
    fn whatever_the_simulator_and_the_switch_count_differently_ends_badly() {
        for (what, reason) in WRONG {
            for other in [EACH + 1, EACH - 1, 0] {
                let sent = verified(|report| report["declined"][what] = other.into());
                assert!(!ends_well(sent, &counted()), "{other} {what} sent");
                let mut recorded = counted();
                recorded.insert(reason, other);
                assert!(!ends_well(verified(|_| ()), &recorded), "{other} {what} recorded");
            }
            let mut unknown = counted();
            unknown.remove(&reason);
            assert!(!ends_well(verified(|_| ()), &unknown), "{what} is in no metric");
        }
    }

    /// Where nothing of a kind was sent and nothing recorded, both sides agree: only a short run
    /// may end so.
    #[test]
    fn a_kind_that_never_came_is_excused_in_a_short_run_alone() {
        let mut recorded = counted();
        recorded.remove(&Reason::CardCodeIncorrect);
        for (sent, good) in [(ALL_CAME - 1, true), (ALL_CAME, false)] {
            let without = verified(|report| {
                report["declined"]["wrong CVV2"] = 0.into();
                report["sent"] = sent.into();
            });
            assert_eq!(ends_well(without, &recorded), good, "of {sent}");
        }
    }

    #[test]
    fn whatever_a_simulated_card_did_not_expect_ends_badly() {
        for member in ["unexpected", "unanswered"] {
            assert!(!ends_well(verified(|report| report[member] = 1.into()), &counted()));
        }
    }
}
