//! The seeds: ten thousand by default, split so that several tests share them out; `SIM_SEEDS` says
//! how many instead, `SIM_FIRST` from where. One that fails prints all that is needed.

use switch_store::Defect;

use crate::judge::Counts;
use crate::run::run;

/// Tests that share the seeds.
const PARTS: u64 = 8;
const SEEDS: u64 = 10_000;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs one part of the seeds and says what they did.
fn part(number: u64) -> Counts {
    let first = from_environment("SIM_FIRST").unwrap_or(1);
    let seeds = from_environment("SIM_SEEDS").unwrap_or(SEEDS);
    let mut counts = Counts::new();
    let mut failed = Vec::new();
    for seed in (first..first + seeds).filter(|seed| seed % PARTS == number) {
        let ran = run(seed, Defect::None, false);
        for (what, times) in ran.counts {
            *counts.entry(what).or_default() += times;
        }
        if let Some(violation) = ran.violation {
            println!("{violation}");
            failed.push(seed);
        }
        assert!(failed.len() < 5, "seeds {failed:?} fail");
    }
    println!("{counts:#?}");
    assert!(failed.is_empty(), "seeds {failed:?} fail: SIM_FIRST={} SIM_SEEDS=1", failed[0]);
    counts
}

macro_rules! parts {
    ($($name:ident $number:expr;)*) => {
        $(#[test]
        fn $name() {
            part($number);
        })*
    };
}

parts! {
    seeds_0_of_8 0;
    seeds_1_of_8 1;
    seeds_2_of_8 2;
    seeds_3_of_8 3;
    seeds_4_of_8 4;
    seeds_5_of_8 5;
    seeds_6_of_8 6;
    seeds_7_of_8 7;
}

#[test]
fn a_seed_gives_the_same_history_byte_for_byte() {
    for seed in 1..=60 {
        let (first, again) = (run(seed, Defect::None, true), run(seed, Defect::None, true));
        assert!(!first.history.is_empty());
        let differs = first.history.lines().zip(again.history.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.history.len(), again.history.len(), "seed {seed}");
    }
}

/// What the runs are for happens in them.
#[test]
fn every_kind_of_trouble_is_met() {
    let mut counts = Counts::new();
    for seed in 1..=600 {
        for (what, times) in run(seed, Defect::None, false).counts {
            *counts.entry(what).or_default() += times;
        }
    }
    for what in [
        "purchase",
        "increment",
        "financial request",
        "refund",
        "authorization advice",
        "completion",
        "financial advice",
        "refund advice",
        "reversal",
        "file action",
        "holds added to",
        "completed",
        "refunded",
        "advices forced",
        "advices of what was known",
        "advices reversed before",
        "advices of declines",
        "postings taken back",
        "fees held",
        "fees charged",
        "fees given back",
        "locks refused",
        "wrong values counted",
        "counters moved",
        "cards locked by a PIN",
        "approvals",
        "acceptances",
        "declines",
        "declined without record",
        "repeats",
        "reversals",
        "reversed before",
        "altered copy",
        "silences",
        "shed",
        "voids",
        "commands done",
        "holds ended",
        "holds that had ended",
        "holds that live on",
        "ends without result",
        "transfers",
        "carried on",
        "commands without result",
        "calls failed",
        "answers lost",
        "rows rolled back",
        "crashes that forgot",
        "database hangs",
        "database refuses",
        "database crashes",
        "process killed",
        "clean stop",
        "process stands still",
        "takeover",
        "fenced",
        "failed starts",
        "wall clock is set",
    ] {
        assert!(counts.contains_key(what), "no run had any of: {what}\n{counts:#?}");
    }
}
