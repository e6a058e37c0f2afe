//! Commands to a running switch through its control socket: in force for the next authorization,
//! done once for their key, refused with words, and open to the switch's own user alone.

use std::os::unix::fs::PermissionsExt;

use crate::stage::{Served, peer, purchase};
use switch_store::private_postgres::fresh_database;

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_in_force_for_the_next_authorization() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), database.url().expose(), &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    let mut stan = 0;
    let mut buy = async |expected: &str| {
        stan += 1;
        let answer = acquirer.exchange(0, &purchase(&pan, stan, 1_000)).await.expect("an answer");
        assert_eq!(answer.text(39), Some(expected), "purchase {stan}");
    };
    let status = served.command(&["status"]).expect("status");
    assert_eq!(status["cards"], 1);
    let pool = status["pools"][0].as_i64().expect("a pool").to_string();
    buy("00").await;

    // Which card, balance and so on: the second of what one key made.
    let partner = served.command(&["partner", "create", "--name", "Other", "--key", "k1"]);
    let again = served.command(&["partner", "create", "--name", "Other", "--key", "k1"]);
    assert_eq!(partner, again, "the same key is done once");

    let shown = served.command(&["pool", "show", &pool]).expect("a pool");
    assert_eq!(shown["held"], "10.00");
    let card = first_card(database.url().expose()).await;
    let balance = first_balance(database.url().expose()).await;
    served.command(&["card", "lock", &card, "--code", "3"]).expect("locked");
    buy("05").await;
    let other = served.command(&["card", "lock", &card, "--code", "7"]).expect_err("refused");
    assert!(other.contains("locked with another code"), "{other}");
    served.command(&["card", "unlock", &card]).expect("unlocked");
    buy("00").await;
    served.command(&["balance", "block", &balance]).expect("blocked");
    buy("57").await;
    served.command(&["balance", "unblock", &balance]).expect("unblocked");
    buy("00").await;
    served.command(&["card", "lock", &card, "--code", "1"]).expect("locked");
    buy("41").await;
    let error = served.command(&["card", "unlock", &card]).expect_err("final");
    assert!(error.contains("cannot be taken back") && error.contains("CONFLICT"), "{error}");
    let error = served.command(&["card", "lock", &card, "--code", "9"]).expect_err("reserved");
    assert!(error.contains("lock codes are 1 to 8 and 11"), "{error}");
    let error = served.command(&["balance", "show", "77"]).expect_err("unknown");
    assert!(error.contains("no such balance"), "{error}");

    let mode = std::fs::metadata(&served.socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let audited = audited_actors(database.url().expose()).await;
    assert!(audited.iter().all(|actor| actor.starts_with("uid:") || actor == "switch"));
    assert!(audited.len() > 10, "every command leaves an entry with its actor: {audited:?}");
    acts_are_in_the_audit_and_what_only_shows_is_not(database.url().expose(), &card).await;
    served.terminate();
    database.close().await;
}

/// P-21: who did what by command, with its end, beside the acts over the API.
async fn acts_are_in_the_audit_and_what_only_shows_is_not(url: &str, card: &str) {
    let told = "SELECT act || ' | ' || object || ' | ' || outcome || ' ' || coalesce(code, '')
        FROM audit_chain WHERE origin = 'control socket' ORDER BY number";
    let told = query::<String>(url, told).await;
    let of = |act: &str, object: &str| {
        let begins = format!("command {act} | {object} | ");
        let ends = told.iter().filter_map(|told| told.strip_prefix(&begins));
        ends.map(str::trim_end).collect::<Vec<_>>()
    };
    let card = format!("card {card}");
    let (locked, refused) = (["begun", "done"], ["begun", "refused CONFLICT"]);
    let refused_code = ["begun", "refused INVALID_REQUEST"];
    let all = [&locked[..], &refused, &locked, &refused_code].concat();
    assert_eq!(of("card-lock", &card), all, "{told:?}");
    assert_eq!(of("card-unlock", &card), [&locked[..], &refused].concat(), "{told:?}");
    assert!(told.iter().all(|told| !told.contains("-show") && !told.contains("status")));
    let who = query::<String>(url, "SELECT DISTINCT actor FROM audit_chain").await;
    assert!(who.iter().all(|actor| actor.starts_with("uid:") || actor == "switch"), "{who:?}");
}

async fn query<T>(url: &str, sql: &'static str) -> Vec<T>
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let parsed = switch_store::private_postgres::DatabaseUrl::parse(url).expect("a URL");
    let pool = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let rows = sqlx::query_scalar::<_, T>(sql).fetch_all(&pool).await.expect("rows");
    pool.close().await;
    rows
}

async fn first_card(url: &str) -> String {
    query::<i64>(url, "SELECT id FROM card").await[0].to_string()
}

async fn first_balance(url: &str) -> String {
    query::<i64>(url, "SELECT id FROM balance").await[0].to_string()
}

async fn audited_actors(url: &str) -> Vec<String> {
    query::<String>(url, "SELECT actor FROM audit_entry").await
}
