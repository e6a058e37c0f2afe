//! Those who watch are watched: for every defect that the database can be given, some seed shows a
//! violation, and it names the seed.

use std::panic::catch_unwind;

use switch_store::Defect;

use crate::run::run;

/// A defect is found within so many seeds.
const WITHIN: u64 = 200;

fn is_found(defect: Defect, says: &[&str]) {
    for seed in 1..=WITHIN {
        // A database that is that broken may not let any process start: then there is no verdict.
        let Ok(ran) = catch_unwind(|| run(seed, defect, false)) else { continue };
        let Some(violation) = ran.violation else { continue };
        assert!(violation.contains(&format!("seed {seed}, ")), "{violation}");
        let first = violation.lines().next().unwrap_or_default();
        assert!(says.iter().any(|says| first.contains(says)), "{first}");
        return;
    }
    panic!("{WITHIN} seeds with the defect {defect:?}, and nobody noticed");
}

#[test]
fn a_journal_that_keeps_nothing_is_found() {
    is_found(Defect::KeepsNothing, &["(I1)", "went back in time"]);
}

#[test]
fn an_answer_before_the_commit_is_found() {
    is_found(Defect::AnswersEarly, &["(I1)", "went back in time"]);
}

#[test]
fn a_fence_that_is_off_is_found() {
    is_found(Defect::FenceOff, &["follow on the row before", "(I9)"]);
}

#[test]
fn a_projector_that_skips_a_record_is_found() {
    is_found(Defect::SkipsRecord, &["(I6)", "(I1)", "(I2)", "not fit", "do not balance"]);
}

#[test]
fn a_flush_that_counts_twice_is_found() {
    is_found(Defect::FlushesTwice, &["(I6)", "do not balance"]);
}
