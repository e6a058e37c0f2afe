//! Resharding (W-12): nothing is lost or doubled by any number of them, one that is cut off changes
//! nothing and is done by the next run, and the audit follows the chain across generations.

use std::time::Duration;

use switch_domain::{CustomerState, Seq, ShardId};
use switch_shard::{ShardSettings, StartError, TakeoverMode, start};
use switch_store::TakeoverError;

use crate::estate::{Estate, HOLDERS, reshard_to, shards};
use crate::world::{World, open};

/// All shards that ever were, counted by their journals.
const JOURNALS: &str = "SELECT count(DISTINCT shard) FROM journal";

async fn set_up(world: &World, data_shards: u16) -> Estate {
    let mut serving = world.serve_with(shards(data_shards)).await;
    let mut estate = Estate::new(&mut serving, &world.store).await;
    for holder in 0..usize::from(HOLDERS) {
        for minor in [100, 250, 1_000_000] {
            estate.buy(&mut serving, holder, minor).await;
        }
    }
    estate.repeat_messages(&mut serving).await;
    estate.expect_intact(&serving).await;
    serving.stop().await;
    estate
}

/// One life between two reshardings: what was before is there, and more happens.
async fn live(world: &World, estate: &mut Estate, settings: ShardSettings, round: u32) {
    let mut serving = world.serve_with(settings).await;
    estate.expect_intact(&serving).await;
    estate.repeat_messages(&mut serving).await;
    estate.repeat_commands(&serving, Estate::FIRST_OPENED).await;
    let last = usize::from(HOLDERS) - 1;
    // The first purchase of each holder is reversed in some round, and its reversal is repeated.
    let (holder, original) = (round as usize, round * 3 + 1);
    let first = estate.reverse(&mut serving, holder, original, 100).await;
    let again = estate.reverse(&mut serving, holder, original, 0).await;
    assert_eq!((first.reason, first.authorization), (again.reason, again.authorization));
    if round > 0 {
        let before = original - 3;
        estate.reverse(&mut serving, holder - 1, before, 0).await;
        // Its reversal came before it, in the life before.
        estate.come_after_reversal(&mut serving, last, 800_000 + round - 1).await;
    }
    estate.reverse(&mut serving, last, 800_000 + round, 0).await;
    estate.open(&serving, &world.store).await;
    let newest = estate.holders.len() - 1;
    estate.buy(&mut serving, newest, 40).await;
    estate.buy(&mut serving, holder, 30).await;
    estate.expect_intact(&serving).await;
    serving.stop().await;
    world.expect_balanced().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_by_any_number_of_reshardings() {
    let world = World::empty().await;
    let mut estate = set_up(&world, 2).await;
    let mut journals = 3;
    for (round, n) in [(0, 3), (1, 1), (2, 4), (3, 2)] {
        let report = world.reshard(n).await;
        journals += i64::from(n);
        assert_eq!(world.count(JOURNALS).await, journals, "numbers are never used again");
        assert_eq!((report.balances, report.cards), (estate.holders.len(), estate.holders.len()));
        world.expect_balanced().await;
        live(&world, &mut estate, shards(n), round).await;
    }
    let again = world.reshard(2).await;
    assert_eq!((again.done, world.count(JOURNALS).await), (None, journals), "nothing to do");
    world.close().await;
}

/// Memory remembers nothing: every repeat, reversal and key is looked up in the tables.
#[tokio::test(flavor = "multi_thread")]
async fn what_sealed_shards_answered_is_looked_up_by_their_heirs() {
    let world = World::empty().await;
    let mut estate = set_up(&world, 3).await;
    for (round, n) in [(0, 2), (1, 5)] {
        world.reshard(n).await;
        let forgetful = ShardSettings { repeat_window: Duration::ZERO, ..shards(n) };
        let mut serving = world.serve_with(forgetful).await;
        estate.expect_intact(&serving).await;
        estate.repeat_messages(&mut serving).await;
        estate.repeat_commands(&serving, Estate::FIRST_OPENED).await;
        let first = estate.reverse(&mut serving, round, round as u32 * 3 + 1, 100).await;
        let again = estate.reverse(&mut serving, round, round as u32 * 3 + 1, 0).await;
        assert_eq!((first.reason, first.authorization), (again.reason, again.authorization));
        estate.expect_intact(&serving).await;
        serving.stop().await;
        world.expect_balanced().await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_customer_stays_blocked_in_every_heir() {
    let world = World::empty().await;
    let mut estate = set_up(&world, 2).await;
    let mut serving = world.serve_with(shards(2)).await;
    estate.set_customer(&mut serving, 1, CustomerState::Blocked).await;
    serving.stop().await;
    world.reshard(3).await;
    let mut serving = world.serve_with(shards(3)).await;
    estate.buy(&mut serving, 1, 10).await;
    assert!(!estate.last_reason().is_approval());
    estate.set_customer(&mut serving, 1, CustomerState::Active).await;
    estate.buy(&mut serving, 1, 10).await;
    assert!(estate.last_reason().is_approval());
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

/// Each makes the transaction fail at another step, as a kill there does: PostgreSQL takes back
/// what an unfinished transaction did, whoever ends it.
const CUTS: [&str; 8] = [
    "BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.shard = 2)",
    "BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.shard = 3)",
    "BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.shard = 5)",
    "BEFORE UPDATE ON balance FOR EACH ROW WHEN (NEW.shard = 5)",
    "BEFORE UPDATE ON card FOR EACH ROW WHEN (NEW.shard = 5)",
    "BEFORE DELETE ON pool_share FOR EACH ROW",
    "BEFORE INSERT ON pool_share FOR EACH ROW WHEN (NEW.shard = 5)",
    "BEFORE UPDATE ON shard_group FOR EACH ROW",
];

const REFUSING: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'cut off here'; END $$";

#[tokio::test(flavor = "multi_thread")]
async fn a_resharding_cut_off_anywhere_changes_nothing_and_the_next_does_it() {
    let world = World::empty().await;
    let mut estate = set_up(&world, 2).await;
    world.run(REFUSING).await;
    for cut in CUTS {
        let (when, what) = cut.split_once(" FOR ").expect("two parts");
        let table = when.rsplit(' ').next().expect("a table");
        let trigger = format!("CREATE TRIGGER cut {when} FOR {what} EXECUTE FUNCTION refuse()");
        world.run_text(&trigger).await;
        let failed = reshard_to(&world.store, 3).await.expect_err(cut).to_string();
        assert!(failed.contains("cut off here"), "{cut}: {failed}");
        world.run_text(&format!("DROP TRIGGER cut ON {table}")).await;
        assert_eq!(world.count(JOURNALS).await, 3, "{cut}");
        world.expect_balanced().await;
    }
    // The old shards serve on, as if nothing had been.
    let mut serving = world.serve_with(shards(2)).await;
    estate.repeat_messages(&mut serving).await;
    estate.buy(&mut serving, 0, 5).await;
    serving.stop().await;
    world.reshard(3).await;
    live(&world, &mut estate, shards(3), 0).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_number_is_refused_and_the_command_is_named() {
    let world = World::empty().await;
    set_up(&world, 2).await;
    world.reshard(3).await;
    let rows = world.count("SELECT count(*) FROM journal").await;
    for wrong in [2, 4] {
        let refused = start(&world.store, shards(wrong), TakeoverMode::RefuseIfOwned).await;
        let Err(error @ StartError::Takeover(TakeoverError::ShardCount { .. })) = refused else {
            panic!("{wrong} data shards are refused")
        };
        let said = error.to_string();
        let named = format!("cardswitch journal reshard --data-shards {wrong}`");
        assert!(said.contains(&named) && said.contains("back to 3"), "{said}");
    }
    assert_eq!(world.count("SELECT count(*) FROM journal").await, rows);
    let serving = world.serve_with(shards(3)).await;
    let other = open(&world.database).await;
    let refused = reshard_to(&other, 2).await.expect_err("somebody serves").to_string();
    assert!(refused.contains("another switch owns these shards"), "{refused}");
    other.pool().close().await;
    serving.stop().await;
    // Whoever has read the shards before the resharding finds them sealed, and adds nothing.
    world.run("UPDATE shard_group SET first_shard = 1, shards = 3").await;
    let sealed = world.store.take_over(3, TakeoverMode::RefuseIfOwned).await;
    let sealed = sealed.expect_err("sealed for ever");
    assert!(matches!(sealed, TakeoverError::Sealed { shard: ShardId(1) }), "{sealed}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_are_audited_through_their_archives() {
    let world = World::empty().await;
    world
        .run(
            "SELECT make_journal_part(shard, piece * 3 - 1, 3)
            FROM generate_series(1, 6) AS shard, generate_series(1, 30) AS piece",
        )
        .await;
    let mut estate = set_up(&world, 2).await;
    world.reshard(3).await;
    let archived = world.archive().await.expect("archived");
    assert!(archived.iter().any(|one| one.range.shard == ShardId(1)), "{archived:?}");
    let [_, whole] = world.expect_balanced().await;
    assert!(whole.archived_rows > 0);
    live(&world, &mut estate, shards(3), 0).await;
    world.reshard(1).await;
    let archived = world.archive().await.expect("archived");
    let founding = |one: &&switch_shard::ArchivedRange| one.range.first == Seq(0);
    let founded = archived.iter().filter(founding).filter(|one| one.range.shard.0 > 2);
    assert!(founded.count() > 0, "first rows of heirs are archived too: {archived:?}");
    world.expect_balanced().await;
    live(&world, &mut estate, shards(1), 1).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_that_names_other_heads_is_found_out() {
    let world = World::empty().await;
    set_up(&world, 2).await;
    world.reshard(3).await;
    // The last row of shard 1 goes, and the chain of what is left is whole.
    world
        .run(
            "DELETE FROM journal WHERE shard = 1
                AND seq = (SELECT max(seq) FROM journal WHERE shard = 1)",
        )
        .await;
    world.run("UPDATE projection SET seq = seq - 1, flushed = seq - 1 WHERE shard = 1").await;
    let [short, _] = world.audits().await;
    let heads = short.findings.iter().filter(|one| one.contains("names other sealed shards"));
    assert_eq!(heads.count(), 3, "{:?}", short.findings);
    world.close().await;
}
