//! The check of the books finds each single broken figure and names its row.

use switch_store::books;

use crate::life::{
    CONTROL, SHARD, authorization, balance, control_rows, keep_cards, pool, shard_rows,
};
use crate::stage::{Projecting, Stage, Writer};

struct Broken {
    break_it: String,
    mend_it: String,
    /// Table, row, figure, stated, computed; of each fault found.
    faults: Vec<(&'static str, String, &'static str, &'static str, &'static str)>,
}

/// A figure changed by so much, and back.
fn changed(table: &str, column: &str, by: i64, row: &str) -> (String, String) {
    let set = |by: i64| format!("UPDATE {table} SET {column} = {column} + {by} WHERE {row}");
    (set(by), set(-by))
}

fn table() -> Vec<Broken> {
    let (one, other) = (balance(1).to_string(), balance(2).to_string());
    let shares = format!("of pool {}", pool());
    let single_share = format!("of pool {}, shard 1", pool());
    let of = |table, column, by, row: String, faults| {
        let (break_it, mend_it) = changed(table, column, by, &row);
        Broken { break_it, mend_it, faults }
    };
    let record = |row: &str| row.to_owned();
    vec![
        of(
            "balance",
            "held",
            1,
            format!("id = {one}"),
            vec![("balance", one.clone(), "held", "1901", "1900")],
        ),
        of(
            "balance",
            "ledger",
            -7,
            format!("id = {one}"),
            vec![("balance", one.clone(), "ledger", "49993", "50000")],
        ),
        of(
            "balance",
            "held",
            -5,
            format!("id = {other}"),
            vec![
                ("balance", other.clone(), "held", "-5", "0"),
                ("balance", other.clone(), "held", "-5", "0"),
            ],
        ),
        of(
            "pool_share",
            "held",
            3,
            "shard = 1".into(),
            vec![("pool_share", shares.clone(), "held", "1903", "1900")],
        ),
        of(
            "pool_share",
            "level",
            9,
            "shard = 0".into(),
            vec![("pool_share", shares.clone(), "level", "100009", "100000")],
        ),
        of(
            "pool_share",
            "held",
            -2_000,
            "shard = 1".into(),
            vec![
                ("pool_share", shares.clone(), "held", "-100", "1900"),
                ("pool_share", single_share, "held", "-100", "0"),
            ],
        ),
        of(
            "card_authorization",
            "authorized",
            50,
            format!("id = {}", authorization(5)),
            vec![
                ("balance", one.clone(), "held", "1900", "1950"),
                ("pool_share", shares.clone(), "held", "1900", "1950"),
            ],
        ),
        of(
            "card_authorization",
            "cleared",
            -1,
            format!("id = {}", authorization(1)),
            vec![(
                "card_authorization",
                authorization(1).to_string(),
                "the least of its totals",
                "-1",
                "0",
            )],
        ),
        of(
            "posting",
            "amount",
            4,
            "account = 'memorandum' AND seq = 1".into(),
            vec![
                ("posting", record("currency 978"), "the sum", "4", "0"),
                ("posting", record("shard 1, seq 1, record 1, currency 978"), "the sum", "4", "0"),
            ],
        ),
        Broken {
            break_it: format!(
                "UPDATE card_authorization SET closed = true WHERE id = {}",
                authorization(6)
            ),
            mend_it: format!(
                "UPDATE card_authorization SET closed = false WHERE id = {}",
                authorization(6)
            ),
            faults: vec![
                ("balance", one.clone(), "held", "1900", "700"),
                ("pool_share", shares, "held", "1900", "700"),
            ],
        },
        Broken {
            break_it: format!("UPDATE balance SET id = 5 WHERE id = {one}"),
            mend_it: format!("UPDATE balance SET id = {one} WHERE id = 5"),
            faults: vec![
                ("balance", "5".into(), "held", "1900", "0"),
                ("balance", one.clone(), "held", "0", "1900"),
                ("balance", "5".into(), "ledger", "50000", "0"),
                ("balance", one, "ledger", "0", "50000"),
            ],
        },
    ]
}

#[tokio::test]
async fn each_broken_figure_is_found_and_named_with_both_sides() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    for (shard, rows) in [(CONTROL, control_rows()), (SHARD, shard_rows(vault))] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(&records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    for Broken { break_it, mend_it, faults } in table() {
        stage.run(&break_it).await;
        let found = books(&stage.store).await.expect("a check");
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.table, one.row.clone(), one.figure, &*one.stated, &*one.computed))
            .collect();
        assert_eq!(found, faults, "{break_it}");
        stage.run(&mend_it).await;
    }
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    stage.close().await;
}
