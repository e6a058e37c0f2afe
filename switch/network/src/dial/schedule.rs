//! Which address is dialled next, and after what wait. It owns the order and the back-off; it reads
//! no clock and throws no dice: chance is handed in.

use std::time::Duration;

use super::settings::Dialling;

/// Failures so far, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    addresses: usize,
    first: Duration,
    longest: Duration,
    /// Since the last connection that was of use.
    failures: usize,
}

impl Schedule {
    pub(super) fn new(dialling: &Dialling) -> Self {
        let Dialling { addresses, first_wait, longest_wait, .. } = dialling;
        let addresses = addresses.len().max(1);
        Self { addresses, first: *first_wait, longest: *longest_wait, failures: 0 }
    }

    /// The place of the address to dial now: the first one after a success, and one further with
    /// every failure, round and round.
    pub(super) fn next(&self) -> usize {
        self.failures.checked_rem(self.addresses).unwrap_or(0)
    }

    pub(super) const fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The longest wait now: the first for as long as there are addresses that were not tried, then
    /// twice that for every round, up to the longest of all.
    pub(super) fn most(&self) -> Duration {
        let rounds = self.failures.checked_div(self.addresses).unwrap_or(0);
        let doublings = u32::try_from(rounds.min(31)).unwrap_or(31);
        let times = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(times).min(self.longest)
    }

    /// The wait before the next attempt: any part of the longest one ("full jitter"), so that the
    /// peers of a network that comes back do not all come in the same moment. `chance` is 0 to 1.
    pub(super) fn wait(&self, chance: f64) -> Duration {
        self.most().mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(addresses: &[&str]) -> Schedule {
        let mut dialling = Dialling::new(addresses.iter().copied());
        dialling.first_wait = Duration::from_millis(200);
        dialling.longest_wait = Duration::from_secs(3);
        Schedule::new(&dialling)
    }

    #[test]
    fn every_failure_moves_on_and_every_round_doubles_the_wait() {
        let mut schedule = schedule(&["a:1", "b:1"]);
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push((schedule.next(), schedule.most().as_millis()));
            schedule.failed();
        }
        let expected = [
            (0, 200),
            (1, 200),
            (0, 400),
            (1, 400),
            (0, 800),
            (1, 800),
            (0, 1600),
            (1, 1600),
            (0, 3000),
            (1, 3000),
            (0, 3000),
            (1, 3000),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_success_begins_again_at_the_first_address() {
        let mut schedule = schedule(&["a:1", "b:1", "c:1"]);
        for _ in 0..10 {
            schedule.failed();
        }
        schedule.succeeded();
        assert_eq!((schedule.next(), schedule.most().as_millis()), (0, 200));
    }

    #[test]
    fn it_never_gives_up_and_never_waits_longer_than_allowed() {
        let mut schedule = schedule(&["a:1"]);
        schedule.failures = usize::MAX - 1;
        for _ in 0..3 {
            schedule.failed();
            assert_eq!(schedule.next(), 0);
            assert_eq!(schedule.wait(1.0), Duration::from_secs(3));
        }
    }

    #[test]
    fn chance_takes_any_part_of_the_wait() {
        let mut schedule = schedule(&["a:1"]);
        schedule.failed();
        for (chance, millis) in [(0.0, 0), (0.25, 100), (1.0, 400), (-1.0, 0), (2.0, 400)] {
            assert_eq!(schedule.wait(chance).as_millis(), millis, "{chance}");
        }
    }
}
