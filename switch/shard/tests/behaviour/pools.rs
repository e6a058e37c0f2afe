//! One pool, two shards (W-15): together they never take more than there is.

use crate::harness::{FIRST, SECOND, World, approved, two_shards};
use switch_shard::Admission;

#[tokio::test(start_paused = true)]
async fn two_shards_never_take_more_than_the_deposit_and_a_reversal_gives_back_at_its_commit() {
    let mut world = World::with(two_shards(), 1_000).await;
    let holders = [world.holder(FIRST, 1, 90_000).await, world.holder(SECOND, 2, 90_000).await];
    world.journal.hang_before_commit();
    for stan in 0..100 {
        let holder = holders[usize::from(stan % 2 == 1)];
        assert_eq!(world.authorize(holder, 100 + stan, 30), Admission::Accepted);
    }
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let replies = world.replies().await;
    let granted: Vec<_> = replies.iter().filter(|(_, outcome)| approved(*outcome)).collect();
    assert_eq!((replies.len(), granted.len()), (100, 33));
    assert_eq!(world.node.pool_headroom(world.deposit).0, 10);
    let books = world.node.pool(world.deposit).await;
    assert_eq!((books.level.0, books.held.0), (1_000, 990));
    let stan = granted[0].0;
    let holder = holders[usize::from(stan % 2 == 1)];
    world.journal.hang_before_commit();
    assert_eq!(world.reverse(holder, 300, stan), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 10, "not before the commit");
    world.journal.resume();
    assert_eq!(world.replies().await.len(), 1);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 40);
    world.audit().await;
}
