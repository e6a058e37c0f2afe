//! What seeds have found, each once more by itself and without chance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use switch_domain::MinorUnits;
use switch_shard::{Act, Manage};
use switch_store::{Dice, SimulatedStore};

use crate::driver::{CALM, first};
use crate::judge::Judge;
use crate::messages::text;
use crate::world::{Room, begin_clock, key, set_up, settings};

/// Once memory has let go of anything, each command is looked up first, in rows that have all that
/// this process replayed. A database that crashed may have forgotten those rows, and where nothing
/// else happens in the shard only the look-up itself can show it.
#[tokio::test(start_paused = true)]
async fn a_quiet_shard_answers_commands_after_the_database_forgot_its_last_rows() {
    begin_clock();
    let mut dice = Dice::new(1);
    let store = SimulatedStore::new(1);
    store.set_weather(CALM);
    let judge = Arc::new(Mutex::new(Judge::new(store.clone())));
    let mut settings = settings(&mut dice, Room::Ample);
    settings.repeat_limit = 1;
    settings.projection.pace = Duration::ZERO;
    let mut before = first(&store, &judge, &settings).await;
    let world = set_up(&before.node, &store, &mut dice).await;
    before.kill();
    let process = first(&store, &judge, &settings).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    store.crash_keeping(0);
    store.recover();
    let holder = world.holders[0];
    let (amount, reference) = (MinorUnits(1), text("MORE"));
    let act = Act::CreditBalance { balance: holder.balance, amount, reference };
    let manage = Manage { key: key(2_000), actor: text("operator:1"), act };
    assert_eq!(process.node.manage(manage, None).await, Ok(None));
}
