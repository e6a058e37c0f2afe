//! Holds are looked for in pieces of a shard's rows, in the order in which they were decided, over
//! any number of days, behind a watermark that never goes back.

use std::time::Duration;

use switch_domain::{AuthorizationId, LinkId, ShardId, Timestamp};
use switch_store::{HoldMark, HoldWatermark};

use crate::life::{SHARD, START};
use crate::projection::{journalled, project_all};
use crate::stage::Stage;

const HOUR: i64 = 3_600_000_000;
const COPIES: i64 = 120;
const FAR: Timestamp = Timestamp(START + 1_000 * HOUR);

/// The purchase of the story that is open, once an hour for five days; every third is closed, and
/// every fifth came when links were not noted. The last days have no partition of their own.
async fn five_days(stage: &Stage) {
    stage.store.make_days(Timestamp(START), 3).await.expect("days");
    journalled(stage).await;
    project_all(stage).await;
    stage
        .run(&format!(
            "CREATE TEMP TABLE copied AS SELECT * FROM card_authorization
                WHERE id = (SELECT max(id) FROM card_authorization) AND NOT closed;
            INSERT INTO card_authorization
                SELECT more.* FROM copied AS one, generate_series(1, {COPIES}) AS n,
                LATERAL jsonb_populate_record(NULL::card_authorization, to_jsonb(one) ||
                    jsonb_build_object('id', one.id + n, 'decided_at',
                        one.decided_at + n * interval '1 hour', 'closed', n % 3 = 0,
                        'link', CASE WHEN n % 5 > 0 THEN 4 END)) AS more;
            DROP TABLE copied"
        ))
        .await;
}

#[tokio::test]
async fn every_hold_is_found_once_whatever_the_pieces() {
    let stage = Stage::new().await;
    five_days(&stage).await;
    let open = stage.count("SELECT count(*) FROM card_authorization WHERE NOT closed").await;
    let rows = stage.count("SELECT count(*) FROM card_authorization").await;
    for most in [1, 7, 50, 1_000] {
        let (mut at, mut seen, mut found) = (HoldMark::start(SHARD), 0, Vec::new());
        loop {
            let piece = stage.store.open_holds(SHARD, at, FAR, most).await.expect("a piece");
            assert!(piece.rows <= u64::from(most));
            let Some(last) = piece.last else { break };
            assert!(last.id > at.id && last.decided_at >= at.decided_at);
            let within = |id: AuthorizationId| at.id < id && id <= last.id;
            assert!(piece.holds.iter().all(|one| within(one.hold.authorization)));
            seen += piece.rows;
            found.extend(piece.holds);
            at = last;
        }
        assert_eq!((i64::try_from(seen).expect("few"), found.len() as i64), (rows, open), "{most}");
        assert!(found.is_sorted_by_key(|one| one.hold.authorization));
        let links: Vec<_> = found.iter().map(|one| one.link).collect();
        assert!(links.contains(&Some(LinkId(4))) && links.contains(&None));
        assert!(found.iter().all(|one| one.category == 5_411));
    }
    stage.close().await;
}

#[tokio::test]
async fn what_is_young_and_what_others_minted_is_left_alone() {
    let stage = Stage::new().await;
    five_days(&stage).await;
    let start = HoldMark::start(SHARD);
    let day = Timestamp(START + 24 * HOUR);
    let piece = stage.store.open_holds(SHARD, start, day, 1_000).await.expect("a piece");
    assert!(piece.holds.iter().all(|one| one.hold.decided_at <= day));
    assert_eq!(piece.rows, 6 + 23, "the story, and a copy an hour");
    let other = ShardId(2);
    let none = stage.store.open_holds(other, HoldMark::start(other), FAR, 9).await;
    assert_eq!(none.expect("a piece"), switch_store::HoldPiece::default());
    stage.close().await;
}

#[tokio::test]
async fn a_watermark_never_goes_back() {
    let stage = Stage::new().await;
    let mark = |counter, seconds| HoldWatermark {
        shard: SHARD,
        life: Duration::from_secs(seconds),
        at: HoldMark {
            id: AuthorizationId::mint(SHARD, counter),
            decided_at: Timestamp(START + i64::try_from(counter).expect("small")),
        },
    };
    for to in [mark(5, 7), mark(9, 7), mark(6, 7), mark(2, 30)] {
        stage.store.move_hold_watermark(to).await.expect("moved, or left");
    }
    let mut noted = stage.store.hold_watermarks().await.expect("watermarks");
    noted.sort_by_key(|one| one.life);
    assert_eq!(noted, [mark(9, 7), mark(2, 30)]);
    stage.close().await;
}
