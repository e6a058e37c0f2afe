//! Look-ups of what memory has let go, over many days (W-21): whatever day and part of the index an
//! authorization stands in, its key finds it. That both databases tell the same story is `parity`.

use switch_domain::{Forgotten, Seq, Timestamp};
use switch_store::Tables;

use crate::life::{SHARD, START};
use crate::projection::{journalled, project_all};
use crate::stage::Stage;

const DAY: i64 = 86_400_000_000;

/// The same message again, far away: identifiers beyond those before by so many parts, so many days
/// later. The last day has no partition of its own.
const COPIES: [(i64, i64); 6] = [(1, 0), (7, 0), (8, 1), (90, 1), (91, 2), (140, 40)];

#[tokio::test]
async fn what_was_let_go_is_found_in_every_day_and_in_every_part_of_its_index() {
    let stage = Stage::new().await;
    stage.store.make_days(Timestamp(START), 2).await.expect("days");
    journalled(&stage).await;
    project_all(&stage).await;
    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    let first = image.authorizations.first().expect("an authorization");
    for (parts, days) in COPIES {
        stage
            .run(&format!(
                "CREATE TEMP TABLE copied AS SELECT * FROM card_authorization WHERE id = {};
                UPDATE copied SET id = id + ({parts}::int8 << 22),
                    decided_at = decided_at + {days} * interval '1 day';
                INSERT INTO card_authorization SELECT * FROM copied;
                DROP TABLE copied",
                first.id.0
            ))
            .await;
    }
    assert_eq!(stage.count("SELECT count(*) FROM card_authorization_rest").await, 1);
    let original = first.facts.key.as_original();
    let what = Forgotten::Message { original, answered: None, traces: Default::default() };
    // As a switch that serves: under a role that reaches partitions by their table alone.
    let apart = stage.store.set_projector_apart().await.expect("roles");
    let found = apart.tables().recall(SHARD, Seq::NONE, &what).await.expect("a look-up");
    let found = found.expect("late enough").authorizations;
    let mut wanted = vec![(first.id.0, first.decided_at.0)];
    wanted.extend(
        COPIES.map(|(parts, days)| (first.id.0 + (parts << 22), first.decided_at.0 + days * DAY)),
    );
    let found: Vec<_> = found.iter().map(|one| (one.id.0, one.decided_at.0)).collect();
    assert_eq!(found, wanted);
    stage.close().await;
}
