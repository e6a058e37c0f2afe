//! What decided and what each check said, as it is stored: in records, and as the numbers of one
//! column of `card_authorization`. It owns those shapes both ways.

use prost::Message;
use switch_domain::{CheckSet, Compared, DecidedBy, DecisionTrace, MinorUnits};

use super::RecordFault;
use super::read::{Read, illegal};

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Trace {
    /// The number of a check, or of what decides without one.
    #[prost(uint32, tag = "1")]
    decided_by: u32,
    /// Bit n is that of check n.
    #[prost(uint64, tag = "2")]
    passed: u64,
    #[prost(uint64, tag = "3")]
    failed: u64,
    /// What was compared: both or neither.
    #[prost(sint64, optional, tag = "4")]
    needed: Option<i64>,
    #[prost(sint64, optional, tag = "5")]
    there: Option<i64>,
}

pub(super) fn write(trace: &DecisionTrace) -> Trace {
    Trace {
        decided_by: u32::from(trace.decided_by.code()),
        passed: trace.passed.bits(),
        failed: trace.failed.bits(),
        needed: trace.compared.map(|one| one.needed.0),
        there: trace.compared.map(|one| one.there.0),
    }
}

pub(super) fn read(stored: Trace) -> Read<Box<DecisionTrace>> {
    let compared = match (stored.needed, stored.there) {
        (Some(needed), Some(there)) => {
            Some(Compared { needed: MinorUnits(needed), there: MinorUnits(there) })
        }
        (None, None) => None,
        _ => return Err(RecordFault::MissingAmount("compared")),
    };
    let decided_by = u8::try_from(stored.decided_by).ok().and_then(DecidedBy::from_code);
    Ok(Box::new(DecisionTrace {
        decided_by: decided_by.ok_or_else(|| illegal("decider", stored.decided_by))?,
        passed: CheckSet::from_bits(stored.passed),
        failed: CheckSet::from_bits(stored.failed),
        compared,
    }))
}

/// As numbers of a column: decider, passed, failed, and behind them what was compared.
pub(crate) fn trace_numbers(trace: &DecisionTrace) -> Vec<i64> {
    let sets = [trace.passed, trace.failed].map(|set| set.bits().cast_signed());
    let mut numbers = vec![i64::from(trace.decided_by.code()), sets[0], sets[1]];
    numbers.extend(trace.compared.iter().flat_map(|one| [one.needed.0, one.there.0]));
    numbers
}

/// From the numbers of the column; `None` where they are none of a trace.
pub(crate) fn trace_from_numbers(numbers: &[i64]) -> Option<DecisionTrace> {
    let (decided_by, passed, failed, compared) = match *numbers {
        [decided_by, passed, failed] => (decided_by, passed, failed, None),
        [decided_by, passed, failed, needed, there] => {
            let (needed, there) = (MinorUnits(needed), MinorUnits(there));
            (decided_by, passed, failed, Some(Compared { needed, there }))
        }
        _ => return None,
    };
    Some(DecisionTrace {
        decided_by: u8::try_from(decided_by).ok().and_then(DecidedBy::from_code)?,
        passed: CheckSet::from_bits(passed.cast_unsigned()),
        failed: CheckSet::from_bits(failed.cast_unsigned()),
        compared,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> impl Iterator<Item = DecisionTrace> {
        let sets = [0, 1 << 1 | 1 << 18, 1 << 63, u64::MAX].map(CheckSet::from_bits);
        let compared = [None, Some((0, 0)), Some((i64::MAX, i64::MIN))].map(|both| {
            both.map(|(needed, there)| Compared {
                needed: MinorUnits(needed),
                there: MinorUnits(there),
            })
        });
        let deciders =
            DecidedBy::WITHOUT_CHECK.into_iter().chain([1, 17, 63].map(DecidedBy::Check));
        deciders.flat_map(move |decided_by| {
            sets.into_iter().flat_map(move |passed| {
                compared.into_iter().map(move |compared| DecisionTrace {
                    decided_by,
                    passed,
                    failed: CheckSet::from_bits(!passed.bits()),
                    compared,
                })
            })
        })
    }

    #[test]
    fn a_trace_comes_back_from_its_message_and_from_its_numbers() {
        let mut count = 0;
        for one in traces() {
            assert_eq!(read(write(&one)), Ok(Box::new(one)));
            assert_eq!(trace_from_numbers(&trace_numbers(&one)), Some(one));
            count += 1;
        }
        assert_eq!(count, 96);
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        let whole = write(&traces().next().expect("one"));
        for code in [0, 64, 100, 106, 256] {
            assert!(read(Trace { decided_by: code, ..whole }).is_err(), "{code}");
        }
        assert!(read(Trace { needed: Some(1), there: None, ..whole }).is_err());
        for numbers in [&[][..], &[1, 2], &[1, 2, 3, 4], &[0, 2, 3], &[-1, 2, 3], &[257, 2, 3]] {
            assert_eq!(trace_from_numbers(numbers), None, "{numbers:?}");
        }
    }
}
