//! One run from a seed to its verdict. It owns the end of a run: all is well again, everything that
//! has no definite answer is asked for until it has one, and then everything must agree.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use switch_domain::ShardId;
use switch_shard::{Admission, State, both_states};
use switch_store::{Defect, Dice, SimulatedStore, Tables};
use tokio::runtime::Builder;

use crate::driver::{CALM, Driver, first};
use crate::history::Entry;
use crate::judge::{Counts, Judge};
use crate::messages::{Heard, Kind, keys_of};
use crate::world::{Room, begin_clock, set_up, settings};

/// What a run was.
pub(crate) struct Ran {
    pub(crate) counts: Counts,
    /// What happened, as text.
    pub(crate) history: String,
    /// What was wrong, with what is needed to look at it.
    pub(crate) violation: Option<String>,
}

/// Steps of a run, before its end.
const STEPS: u64 = 40;
/// How often the end of a run asks again.
const ROUNDS: usize = 400;

/// Runs a seed. With `tell`, the history is written out whatever happens.
pub(crate) fn run(seed: u64, defect: Defect, tell: bool) -> Ran {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        begin_clock();
        let mut dice = Dice::new(seed);
        let room = if dice.in_thousand(500) { Room::Ample } else { Room::Scarce };
        let settings = settings(&mut dice, room);
        let store = SimulatedStore::new(dice.roll());
        store.set_weather(CALM);
        let judge = Arc::new(Mutex::new(Judge::new(store.clone())));
        let process = first(&store, &judge, &settings).await;
        let world = set_up(&process.node, &store, &mut dice).await;
        store.set_defect(defect);
        let parts = (dice, store, judge);
        let mut driver = Driver::new(parts, (settings, room), (world, process));
        let steps = STEPS / 2 + driver.dice.below(STEPS);
        for _ in 0..steps {
            driver.act().await;
            if driver.judge().violation.is_some() {
                break;
            }
        }
        driver.end().await;
        driver.verdict(seed, tell)
    })
}

impl Driver {
    async fn end(&mut self) {
        self.recover();
        self.thaw();
        self.store.set_weather(CALM);
        self.wake_old().await;
        self.quiesce().await;
        if self.judge().violation.is_some() {
            return;
        }
        self.judge().follow();
        self.answers_agree();
        self.memory_agrees().await;
        if self.dice.in_thousand(300) && self.judge().violation.is_none() {
            self.restart().await;
            self.memory_agrees().await;
        }
    }

    /// Everything gets its definite answer (I14).
    async fn quiesce(&mut self) {
        for _ in 0..ROUNDS {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.must_be_well();
            if self.judge().violation.is_some() {
                return;
            }
            let commands = self.order_again();
            let requests = self.ask_again();
            self.judge().follow();
            let on_their_way = !self.judge().oracle.transfers.is_empty();
            let ends = self.judge().ends_pending > 0;
            if !commands && !requests && !on_their_way && !ends {
                return;
            }
        }
        self.judge().blame("something never gets a definite answer (I14)".into(), None);
    }

    /// What the acquirer heard is what the journal holds.
    fn answers_agree(&self) {
        let mut judge = self.judge();
        let mut wrong = Vec::new();
        for (index, request) in judge.requests.iter().enumerate() {
            let (key, heard) = (request.key(), request.heard);
            if heard == Some(Heard::Declined) && judge.stands(&key) != 0 {
                wrong.push((index, "declined, and it stands (W-20)"));
            }
            if let Kind::Reversal { original } = request.kind
                && heard == Some(Heard::ReversalAccepted)
                && keys_of(request.holder, original).iter().any(|key| judge.stands(key) != 0)
            {
                wrong.push((index, "what was reversed stands (I7)"));
            }
        }
        for (request, what) in wrong {
            judge.blame(what.to_owned(), Some(request));
        }
        drop(judge);
        self.every_copy_was_answered();
    }

    /// Each copy that the current process took got one reply, if only to say that it stays silent.
    pub(crate) fn every_copy_was_answered(&self) {
        let mut judge = self.judge();
        let number = self.current.number;
        let wrong = judge.copies.iter().find(|copy| {
            let accepted = copy.admission == Some(Admission::Accepted);
            accepted && copy.process == number && copy.replies != 1
        });
        if let Some(request) = wrong.map(|copy| copy.request) {
            judge.blame("not one reply to a copy (I5)".into(), Some(request));
        }
    }

    /// Memory, tables with the tail, and a rebuild from the journal are one and the same (I6).
    async fn memory_agrees(&self) {
        let process = self.store.process(self.current.owner);
        for shard in (0..=self.settings.data_shards).map(ShardId) {
            let Some(memory) = self.current.node.read(shard, State::clone).await else {
                return self.judge().blame(format!("shard {shard} does not answer"), None);
            };
            let (tables, journal) = match both_states(&process, shard).await {
                Ok(both) => both,
                Err(error) => return self.judge().blame(error.to_string(), None),
            };
            // The control snapshot of a data shard is the control shard's: replay has none.
            let named = [("memory", &memory), ("tables", &tables)];
            for (name, state) in named {
                let mut journal = journal.clone();
                journal.install_control(Arc::clone(state.control()));
                let found = journal.differences(state);
                let books = state.books();
                if let Some(first) = found.first() {
                    let what = format!("journal against {name} of shard {shard} (I6): {first}");
                    self.judge().blame(what, None);
                }
                if let Some(first) = books.first() {
                    self.judge().blame(format!("books of {name}: {first}"), None);
                }
            }
            self.amounts_agree(&journal);
        }
    }

    /// The engine's sums are those of the oracle.
    fn amounts_agree(&self, state: &State) {
        let mut judge = self.judge();
        for balance in state.balances() {
            let truth = judge.oracle.balances.get(&balance.id).copied().unwrap_or_default();
            if (truth.ledger, truth.held) != (balance.ledger.0, balance.held.0) {
                let what = format!("{truth:?} by the records, {balance:?} by the engine (I3)");
                judge.blame(what, None);
            }
        }
    }

    /// A clean stop leaves nothing undone (W-25).
    pub(crate) async fn tables_are_at_the_head(&self, when: &str) {
        let mut tables = self.store.process(self.current.owner).tables();
        for shard in (0..=self.settings.data_shards).map(ShardId) {
            let position = tables.position(shard).await.expect("all is well");
            let mut judge = self.judge();
            judge.follow();
            let head = judge.oracle.head(shard);
            if position.history != head {
                let what = format!("{when}, shard {shard} is projected to {position:?} of {head}");
                judge.blame(what, None);
            }
        }
    }

    fn verdict(&self, seed: u64, tell: bool) -> Ran {
        let mut judge = self.judge();
        judge.note(Entry::Step("end".to_owned()));
        let rows = judge.oracle.rows;
        *judge.counts.entry("rows").or_default() += rows;
        let violation = judge.violation.as_ref().map(|(what, request)| {
            let request = request.map(|index| {
                let one = &judge.requests[index];
                format!("{one:?}\n{}", judge.history.of_request(index))
            });
            format!(
                "seed {seed}, {:?}: {what}\n{}\nschedule:\n{}",
                self.room,
                request.unwrap_or_default(),
                judge.history.text()
            )
        });
        let history = if tell { judge.history.text() } else { String::new() };
        Ran { counts: judge.counts.clone(), history, violation }
    }
}
