//! Random attempts over moved time against a plain list of them: a count is never below what came
//! within a window, and never above what came within one and a sixth.

use proptest::prelude::{Strategy, any, prop, proptest};
use switch_attacks::{Kind, Kinds, Settings, Subject, Watch};
use switch_domain::{Bin, Timestamp};

use super::{WINDOW_S, at, pair, settings};

const MICROS: i64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Attempt {
    after_s: i64,
    bin: u32,
    merchant: u32,
    kind: Kind,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let gap = prop::sample::select(vec![0, 0, 0, 1, 7, 99, 100, 101, 599, 600, 601, 700, 5_000]);
    let one = (gap, 0..3_u32, 0..4_u32, any::<u8>()).prop_map(|(after_s, bin, merchant, kind)| {
        let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
        Attempt { after_s, bin, merchant, kind }
    });
    prop::collection::vec(one, 0..200)
}

fn matches(subject: &Subject, attempt: &Attempt) -> bool {
    let pair = pair(Bin(attempt.bin), attempt.merchant);
    match subject {
        Subject::Pair(one) => *one == pair,
        Subject::Bin(bin) => *bin == pair.bin,
        Subject::Merchant(_, merchant) => *merchant == pair.merchant,
        Subject::Acquirer(acquirer) => *acquirer == pair.acquirer,
    }
}

proptest! {
    #[test]
    fn counts_are_those_of_a_plain_list(attempts in attempts()) {
        let watch = Watch::new(Settings { limits: Default::default(), ..settings() });
        let mut list: Vec<(Timestamp, Attempt)> = Vec::new();
        let mut seconds = 0;
        for attempt in attempts {
            seconds += attempt.after_s;
            let now = at(seconds);
            let one = pair(Bin(attempt.bin), attempt.merchant);
            watch.count(&one, Kinds::NONE.with(attempt.kind), now);
            list.push((now, attempt));
            if seconds % 3 == 0 {
                let _ = watch.tidy(now);
            }
            for subject in [
                Subject::Pair(one),
                Subject::Bin(one.bin),
                Subject::Merchant(one.acquirer, one.merchant),
                Subject::Acquirer(one.acquirer),
            ] {
                let within = |span: i64| {
                    let since = Timestamp(now.0 - span);
                    let counts = |(moment, other): &&(Timestamp, Attempt)| {
                        *moment > since && other.kind == attempt.kind && matches(&subject, other)
                    };
                    list.iter().filter(counts).count()
                };
                let window = WINDOW_S * MICROS;
                let (least, most) = (within(window), within(window + window / 6));
                let found = watch.counted(&subject, attempt.kind, now) as usize;
                assert!((least..=most).contains(&found), "{subject:?}: {least} {found} {most}");
            }
        }
    }
}
