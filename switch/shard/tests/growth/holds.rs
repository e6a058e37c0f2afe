//! Holds that lived their life, over a real PostgreSQL and by a clock that the tests move: found in
//! the tables though memory forgot them, ended once, whoever owns their account by then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use switch_domain::{Categories, HoldLives, HoldRule, Timestamp};
use switch_shard::{HoldSweep, ShardSettings, SweepError, SweepSettings, Swept, WallClock};
use switch_store::Keep;

use crate::estate::{Estate, HOLDERS, shards};
use crate::world::{Holder, Serving, World, settings};

const DAY_S: i64 = 86_400;
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// Lodging.
const HOTEL: u16 = 7011;
const SHOP: u16 = 5411;

/// How far the clock of each test is ahead, in seconds.
static AHEAD: [AtomicI64; 8] = [const { AtomicI64::new(0) }; 8];

fn now<const TEST: usize>() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let ahead = AHEAD[TEST].load(Ordering::SeqCst) * 1_000_000;
    Timestamp(i64::try_from(since.as_micros()).expect("in range") + ahead)
}

/// Moves the clock of a test.
fn pass<const TEST: usize>(seconds: i64) {
    AHEAD[TEST].fetch_add(seconds, Ordering::SeqCst);
}

/// A node by the clock of a test; a forgetful one has to look everything up.
fn by_clock<const TEST: usize>(forgetful: bool, of: ShardSettings) -> ShardSettings {
    let repeat_window = if forgetful { Duration::ZERO } else { of.repeat_window };
    ShardSettings { clock: WallClock::reading(now::<TEST>), repeat_window, ..of }
}

/// Hotels hold for a month, all others for a week.
fn lives() -> HoldLives {
    let hotels =
        HoldRule { links: Vec::new(), categories: vec![Categories::one(HOTEL)], life: MONTH };
    HoldLives::new(WEEK, vec![hotels])
}

fn sweep_by(world: &World, serving: &Serving, lives: HoldLives) -> HoldSweep {
    let every = Duration::from_secs(60);
    let settings = SweepSettings { lives, every, piece: 2, at_a_time: 2 };
    HoldSweep::new(world.store.clone(), serving.node.clone(), settings)
}

fn sweep(world: &World, serving: &Serving) -> HoldSweep {
    sweep_by(world, serving, lives())
}

/// One round: how many holds were given back.
async fn given_back(sweep: &mut HoldSweep) -> u64 {
    let swept = sweep.round().await.expect("a round");
    assert_eq!(swept.not_there, 0, "{swept:?}");
    swept.given_back
}

/// What is held on the account, in memory, once the tables have everything.
async fn held(serving: &Serving, holder: Holder) -> i64 {
    serving.node.balance(holder.balance).await.expect("an account").held.0
}

/// Waits for rows of the projector: they follow within milliseconds.
async fn until_tables_have(world: &World, expired: i64) {
    const ENDS: &str = "SELECT count(*) FROM authorization_event
        WHERE kind = 'expired' AND reason IS NULL AND link IS NULL AND closes AND reversed = 0";
    while world.count(ENDS).await < expired {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_ends_after_its_life_once_and_a_restart_changes_nothing() {
    const T: usize = 0;
    let world = World::new().await;
    let mut serving = world.serve_with(by_clock::<T>(false, settings())).await;
    let holder = serving.issue(&world.store).await;
    serving.buy(holder, 1, 100).await;
    serving.buy_at(holder, 2, 200, HOTEL).await;
    serving.buy(holder, 3, 400).await;
    serving.reverse(11, 3).await;
    until_rows(&world, 3).await;
    pass::<T>(7 * DAY_S - 60);
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 0, "a minute before");
    pass::<T>(60);
    let mut round = sweep(&world, &serving);
    assert_eq!(given_back(&mut round).await, 1);
    assert_eq!(held(&serving, holder).await, 200, "the hotel holds on");
    assert_eq!(given_back(&mut round).await, 0, "once");
    serving.buy(holder, 4, 999_800).await;
    serving.reverse(12, 1).await;
    assert_eq!(held(&serving, holder).await, 1_000_000, "its reversal gives nothing back");
    serving.stop().await;
    world.expect_balanced().await;

    let mut serving = world.serve_with(by_clock::<T>(false, settings())).await;
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 0);
    pass::<T>(23 * DAY_S);
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 2, "the hotel, and the last week's");
    assert_eq!(held(&serving, holder).await, 0);
    serving.buy(holder, 5, 1_000_000).await;
    serving.stop().await;
    let totals = "SELECT count(*) FROM card_authorization
        WHERE closed AND reversed = 0 AND reason = 'approved' AND approval_code IS NOT NULL";
    assert_eq!(world.count(totals).await, 3, "what was never cleared can be told");
    let link = "SELECT count(*) FROM card_authorization WHERE link = 1";
    assert_eq!(world.count(link).await, 5);
    world.expect_balanced().await;
    world.close().await;
}

/// Memory remembers nothing: each end is looked up by its name, reversed holds among them.
#[tokio::test(flavor = "multi_thread")]
async fn what_memory_forgot_ends_too() {
    const T: usize = 1;
    let world = World::new().await;
    let mut serving = world.serve_with(by_clock::<T>(true, settings())).await;
    let holder = serving.issue(&world.store).await;
    serving.buy_many(holder, 1..8).await;
    serving.stop().await;
    let mut serving = world.serve_with(by_clock::<T>(true, settings())).await;
    pass::<T>(7 * DAY_S);
    serving.reverse(21, 2).await;
    let swept = sweep(&world, &serving).round().await.expect("a round");
    let Swept { rows, given_back, held_nothing, begun_again, not_there } = swept;
    assert_eq!(begun_again, 0);
    assert_eq!((given_back, not_there), (6, 0));
    assert!(held_nothing <= 1, "the one that was reversed, if its row does not say so yet");
    assert_eq!(rows, 7, "each row once");
    assert_eq!(held(&serving, holder).await, 0);
    until_tables_have(&world, 6).await;
    serving.reverse(22, 3).await;
    assert_eq!(held(&serving, holder).await, 0);
    // Its watermark lost, a sweep goes through all of it again and finds nothing to end.
    world.run("DELETE FROM hold_sweep").await;
    let again = sweep(&world, &serving).round().await.expect("a round");
    assert_eq!((again.given_back, again.rows), (0, rows));
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

/// The database fails in the middle of a round: late, not lost, and nothing is released twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_cut_off_is_finished_by_the_next() {
    const T: usize = 2;
    let world = World::new().await;
    let mut serving = world.serve_with(by_clock::<T>(false, settings())).await;
    let holder = serving.issue(&world.store).await;
    serving.buy_many(holder, 1..8).await;
    until_rows(&world, 7).await;
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 0);
    pass::<T>(7 * DAY_S);
    // The first piece is ended and not noted.
    world.run("ALTER TABLE hold_sweep ADD CONSTRAINT cut CHECK (id < 0) NOT VALID").await;
    let cut = sweep(&world, &serving).round().await;
    assert!(matches!(cut, Err(SweepError::Store(_))), "{cut:?}");
    assert_eq!(held(&serving, holder).await, 5, "two of a piece");
    world.run("ALTER TABLE hold_sweep DROP CONSTRAINT cut").await;
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 5);
    assert_eq!(held(&serving, holder).await, 0);
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

async fn until_rows(world: &World, rows: i64) {
    while world.count("SELECT count(*) FROM card_authorization").await < rows {
        tokio::task::yield_now().await;
    }
}

/// Holds follow their accounts to heirs; rows keep the identifiers that sealed shards minted.
#[tokio::test(flavor = "multi_thread")]
async fn holds_of_sealed_shards_end_in_their_heirs() {
    const T: usize = 3;
    for forgetful in [false, true] {
        AHEAD[T].store(0, Ordering::SeqCst);
        let world = World::empty().await;
        let mut serving = world.serve_with(by_clock::<T>(forgetful, shards(2))).await;
        let mut estate = Estate::new(&mut serving, &world.store).await;
        for holder in 0..usize::from(HOLDERS) {
            estate.buy(&mut serving, holder, 100).await;
            estate.buy(&mut serving, holder, 250).await;
        }
        serving.stop().await;
        world.reshard(3).await;
        let mut serving = world.serve_with(by_clock::<T>(forgetful, shards(3))).await;
        estate.buy(&mut serving, 0, 40).await;
        estate.reverse(&mut serving, 1, 3, 100).await;
        pass::<T>(7 * DAY_S);
        estate.buy(&mut serving, 0, 7).await;
        until_rows(&world, 18).await;
        let ended = given_back(&mut sweep(&world, &serving)).await;
        assert_eq!(ended, 2 * u64::from(HOLDERS));
        estate.held = vec![0; usize::from(HOLDERS)];
        estate.held[0] = 7;
        estate.open = vec![0; usize::from(HOLDERS)];
        estate.open[0] = 1;
        estate.expect_intact(&serving).await;
        estate.repeat_messages(&mut serving).await;
        estate.reverse(&mut serving, 2, 5, 0).await;
        serving.stop().await;
        world.expect_balanced().await;
        world.close().await;
    }
}

/// The sweep of a life that is gone from the configuration goes on, for shorter ones are past what
/// was decided under it.
#[tokio::test(flavor = "multi_thread")]
async fn lives_that_change_leave_no_hold_behind() {
    const T: usize = 4;
    let world = World::new().await;
    let mut serving = world.serve_with(by_clock::<T>(false, settings())).await;
    let holder = serving.issue(&world.store).await;
    serving.buy_at(holder, 1, 100, HOTEL).await;
    serving.buy_at(holder, 2, 200, SHOP).await;
    until_rows(&world, 2).await;
    pass::<T>(7 * DAY_S);
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 1);
    let all_a_week = || HoldLives::new(WEEK, Vec::new());
    assert_eq!(given_back(&mut sweep_by(&world, &serving, all_a_week())).await, 0);
    pass::<T>(23 * DAY_S);
    assert_eq!(given_back(&mut sweep_by(&world, &serving, all_a_week())).await, 1);
    serving.buy_at(holder, 3, 300, HOTEL).await;
    until_rows(&world, 3).await;
    // A life that is new begins with the first row.
    pass::<T>(DAY_S);
    let a_day = HoldLives::new(Duration::from_secs(86_400), Vec::new());
    assert_eq!(given_back(&mut sweep_by(&world, &serving, a_day)).await, 1);
    assert_eq!(held(&serving, holder).await, 0);
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

/// The life of a hold begins again with each increment, whether memory has what it is of or not;
/// and the days of the increments stay as long as the hold does.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_was_added_to_lives_from_the_last_increment_on() {
    const T: usize = 6;
    for forgetful in [false, true] {
        AHEAD[T].store(0, Ordering::SeqCst);
        let world = World::new().await;
        let mut serving = world.serve_with(by_clock::<T>(forgetful, settings())).await;
        let holder = serving.issue(&world.store).await;
        serving.buy(holder, 1, 100).await;
        serving.buy(holder, 2, 7).await;
        until_rows(&world, 2).await;
        pass::<T>(5 * DAY_S);
        world.store.make_days(now::<T>(), 1).await.expect("a day");
        serving.add(holder, 3, 1, 50).await;
        until_rows(&world, 3).await;
        pass::<T>(2 * DAY_S);
        assert_eq!(given_back(&mut sweep(&world, &serving)).await, 1, "the other one");
        assert_eq!(held(&serving, holder).await, 150);
        pass::<T>(4 * DAY_S);
        world.store.make_days(now::<T>(), 1).await.expect("a day");
        serving.add(holder, 4, 3, 20).await;
        until_rows(&world, 4).await;
        let keep = Keep { table: "card_authorization", days: 1 };
        let window = Duration::from_secs(60);
        let old = world.store.drop_old_days(keep, window, now::<T>()).await.expect("a run");
        assert!(old.open.len() >= 2, "the first's day and the increment's: {old:?}");
        pass::<T>(7 * DAY_S - 60);
        assert_eq!(given_back(&mut sweep(&world, &serving)).await, 0, "a minute before");
        assert_eq!(held(&serving, holder).await, 170);
        pass::<T>(60);
        let mut round = sweep(&world, &serving);
        assert_eq!(given_back(&mut round).await, 1);
        assert_eq!(held(&serving, holder).await, 0);
        assert_eq!(given_back(&mut round).await, 0, "once");
        serving.reverse(21, 3).await;
        assert_eq!(held(&serving, holder).await, 0, "late: nothing is held");
        serving.stop().await;
        let events = "SELECT count(*) FROM authorization_event WHERE kind = 'incremented'";
        assert_eq!(world.count(events).await, 2);
        world.expect_balanced().await;
        world.close().await;
    }
}

/// A day goes once nothing in it is open, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_kept_until_its_holds_have_ended() {
    const T: usize = 5;
    let world = World::new().await;
    let mut serving = world.serve_with(by_clock::<T>(true, settings())).await;
    let holder = serving.issue(&world.store).await;
    serving.buy_many(holder, 1..4).await;
    until_rows(&world, 3).await;
    pass::<T>(9 * DAY_S);
    serving.buy(holder, 9, 1).await;
    until_rows(&world, 4).await;
    let keep = Keep { table: "card_authorization", days: 2 };
    let window = Duration::from_secs(60);
    let old = world.store.drop_old_days(keep, window, now::<T>()).await.expect("a run");
    assert!(!old.open.is_empty(), "{old:?}");
    let kept = old.open;
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 3);
    until_tables_have(&world, 3).await;
    // The time of the last record has to be in the tables too.
    serving.buy(holder, 10, 1).await;
    until_rows(&world, 5).await;
    let old = world.store.drop_old_days(keep, window, now::<T>()).await.expect("a run");
    assert!(old.open.is_empty() && kept.iter().all(|day| old.dropped.contains(day)), "{old:?}");
    assert_eq!(held(&serving, holder).await, 2);
    assert_eq!(given_back(&mut sweep(&world, &serving)).await, 0);
    serving.stop().await;
    world.close().await;
}
