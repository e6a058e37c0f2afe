//! The tables against the model, once they have everything: accounts, deposit, every message by its
//! name, and what was posted. It owns the questions; books and chain are for the audit.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::reference::commands::Names;
use crate::reference::model::Model;
use crate::world::World;

pub(super) async fn expect_equal(world: &World, names: &Names, model: &Model) {
    accounts(world, names, model).await;
    messages(world, names, model).await;
    let deposit = numbers(
        world,
        "SELECT pool_id, sum(level)::int8, sum(held)::int8
        FROM pool_share GROUP BY pool_id",
    )
    .await;
    assert_eq!(deposit[&names.pool.0], (model.deposit, model.deposit_held()), "the deposit");
    let network = world
        .count(
            "SELECT coalesce(sum(amount), 0)::int8 FROM posting
        WHERE account = 'network_settlement'",
        )
        .await;
    assert_eq!(network, model.network, "what the networks are owed");
    let all = world.count("SELECT coalesce(sum(amount), 0)::int8 FROM posting").await;
    assert_eq!(all, 0, "double entry");
}

/// Two numbers of each row by its key.
async fn numbers(world: &World, sql: &'static str) -> BTreeMap<i64, (i64, i64)> {
    let rows = sqlx::query_as(sql).fetch_all(world.store.pool()).await.expect("rows");
    rows.into_iter().map(|(id, one, other): (i64, i64, i64)| (id, (one, other))).collect()
}

async fn accounts(world: &World, names: &Names, model: &Model) {
    let rows = numbers(world, "SELECT id, ledger, held FROM balance").await;
    let locked = numbers(world, "SELECT id, coalesce(lock_code, 0)::int8, 0::int8 FROM card").await;
    for (number, holder) in names.holders.iter().enumerate() {
        let account = &model.accounts[number];
        let expected = (account.ledger, model.held(number));
        assert_eq!(rows[&holder.balance.0], expected, "account {number}");
        assert_eq!(locked[&holder.card.0].0 != 0, account.locked, "card {number}");
    }
}

/// Every message that the model answered, and no other: what it asked for, what it was answered,
/// what it holds and what is settled of it.
async fn messages(world: &World, names: &Names, model: &Model) {
    let rows = sqlx::query(
        "SELECT id, requested, reason, cleared, card_id, CASE WHEN closed THEN 0 ELSE
            greatest(0, authorized + incremented - reversed - cleared) END AS held
        FROM card_authorization",
    );
    let rows = rows.fetch_all(world.store.pool()).await.expect("rows");
    let ours = rows.iter().filter(|row| {
        let card: Option<i64> = row.get("card_id");
        names.holders.iter().any(|holder| Some(holder.card.0) == card)
    });
    let mut rows: BTreeMap<i64, (i64, String, i64, i64)> = ours
        .map(|row| {
            let figures =
                (row.get("requested"), row.get("reason"), row.get("held"), row.get("cleared"));
            (row.get("id"), figures)
        })
        .collect();
    assert_eq!(model.messages.len(), names.messages.len());
    for (message, id) in model.messages.iter().zip(&names.messages) {
        let financial = message.key.class.is_financial();
        let cleared = if financial { message.settled } else { message.settled_by_others };
        let expected = (message.minor, message.reason.name().to_owned(), message.held, cleared);
        assert_eq!(rows.remove(&id.0), Some(expected), "{id}: {message:?}");
    }
    assert_eq!(rows, BTreeMap::new(), "nobody knows of these");
}
