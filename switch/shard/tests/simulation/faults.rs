//! The schedule of a run: step by step, traffic and what goes wrong meanwhile. It owns how likely
//! each is; every choice follows from the seed.

use std::time::Duration;

use switch_store::Weather;

use crate::driver::Driver;
use crate::world::move_clock;

impl Driver {
    /// One step.
    pub(crate) async fn act(&mut self) {
        self.time_of_outage();
        match self.dice.below(100) {
            0..32 => self.wait().await,
            32..39 => self.order(),
            39..44 => self.change_weather(),
            44..47 => self.database_fault(),
            47..49 => self.crash().await,
            49 => self.restart().await,
            50..55 => self.stand_still().await,
            55..57 => self.jump(),
            _ => self.traffic(),
        }
        self.must_be_well();
    }

    fn traffic(&mut self) {
        // A process that stands still takes nothing.
        if self.frozen {
            return;
        }
        match self.dice.below(20) {
            0..10 => self.messages(),
            10 => self.end_hold(),
            11..15 => self.repeat(),
            15..18 => self.reverse(),
            18 => self.reverse_early(),
            _ => self.alter(),
        }
    }

    async fn wait(&mut self) {
        let longest = match self.dice.below(10) {
            0..5 => 3,
            5..8 => 60,
            8 => 1_000,
            _ => 12_000,
        };
        let time = Duration::from_millis(self.dice.below(longest));
        tokio::time::sleep(time).await;
    }

    fn change_weather(&mut self) {
        let dice = &mut self.dice;
        let millis = |number| Duration::from_millis(number);
        let weather = Weather {
            delay: millis(dice.below(8)),
            commit: millis(dice.below(20)),
            failures: if dice.in_thousand(500) { dice.below(200) } else { 0 },
            lost_answers: if dice.in_thousand(500) { dice.below(200) } else { 0 },
            stalls: if dice.in_thousand(300) { dice.below(300) } else { 0 },
            stall: millis(dice.below(15_000)),
        };
        self.store.set_weather(weather);
    }

    fn database_fault(&mut self) {
        if self.outage.is_some() {
            return;
        }
        match self.dice.below(4) {
            0 => {
                self.step("database hangs");
                self.store.hang();
            }
            1 => {
                self.step("database refuses");
                self.store.refuse();
            }
            _ => {
                self.step("database crashes");
                self.store.crash();
                self.forgot = true;
            }
        }
        self.outage = Some(1 + self.dice.below(8));
    }

    fn time_of_outage(&mut self) {
        match self.outage {
            Some(0) => self.recover(),
            Some(steps) => self.outage = Some(steps - 1),
            None => {}
        }
    }

    /// A process stands still; later it goes on, or another has taken over meanwhile.
    async fn stand_still(&mut self) {
        if self.old.is_some() {
            return self.wake_old().await;
        }
        if !self.frozen {
            self.traffic();
            return self.freeze();
        }
        if self.dice.in_thousand(600) { self.take_over().await } else { self.thaw() }
    }

    /// The wall clock is set.
    fn jump(&mut self) {
        self.step("wall clock is set");
        let ahead = i64::try_from(self.dice.below(4_000_000)).expect("small");
        move_clock(ahead - 2_000_000);
    }
}
