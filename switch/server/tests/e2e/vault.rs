//! The keys of card numbers, rotated by the real binary beside a switch that issues cards: killed
//! again and again, resumed, and every number still there; rows that were swapped; keys that were
//! in clear; and what a copy of the database tells without the keys.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use admin_api::NewCard;
use switch_domain::{BalanceId, Expiry, Fingerprint, Pan};
use switch_security::exit::reveal_test_pan;
use switch_security::{PanKeys, PanVault};
use switch_server::config::Config;

use crate::keys::{ceremony, kill_until_done, run};
use crate::stage::{Stage, cardswitch, key, text};

/// The binary over the same database and keys, one row a batch.
fn binary(config: &Config, arguments: &[&str]) -> Command {
    let mut command = cardswitch(Path::new("."));
    let security = &config.security;
    command
        .args(arguments)
        .env("DATABASE_URL", config.database.url.as_deref().expect("a server"))
        .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", &security.pan_key_file)
        .env("CARDSWITCH_SECURITY__MAC_KEY_FILE", &security.mac_key_file)
        .env("CARDSWITCH_SECURITY__KEY_FILE", &security.key_file)
        .env("CARDSWITCH_SECURITY__REENCRYPT_BATCH_ROWS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !security.lmk_components.is_empty() {
        let components = format!("{:?}", security.lmk_components);
        command.env("CARDSWITCH_SECURITY__LMK_COMPONENTS", components);
    }
    command
}

fn vault(config: &Config, arguments: &[&str]) -> (bool, String) {
    run(binary(config, &[&["vault"][..], arguments].concat()), "")
}

fn good(config: &Config, arguments: &[&str]) -> String {
    let (good, said) = vault(config, arguments);
    assert!(good, "{arguments:?}: {said}");
    said
}

/// Issues a card, or tells the number of one that was issued with this key: read from the vault.
async fn card(stage: &Stage, balance: BalanceId, name: &str) -> Result<String, String> {
    let expiry = Expiry::from_yymm(4_912).expect("a month");
    let new = NewCard { balance, expiry, active: true };
    let issued = stage.services().issue_card(key(name), text("test"), new).await;
    let issued = issued.map_err(|problem| format!("{problem:?}"))?;
    Ok(reveal_test_pan(&issued.pan).expect("a test number"))
}

async fn cards(stage: &Stage, balance: BalanceId, names: std::ops::Range<u32>) -> Vec<String> {
    let mut pans = Vec::new();
    for name in names {
        pans.push(card(stage, balance, &format!("card {name}")).await.expect("a card"));
    }
    pans
}

async fn rows(stage: &Stage, sql: &'static str) -> Vec<String> {
    let pool = sqlx::PgPool::connect_with(stage.database.url().connect_options()).await;
    let pool = pool.expect("a connection");
    let rows = sqlx::query_scalar(sql).fetch_all(&pool).await.expect("rows");
    pool.close().await;
    rows
}

/// The id of the active key, and how many numbers are left for it.
fn status(config: &Config) -> (String, i64, serde_json::Value) {
    let said: serde_json::Value =
        serde_json::from_str(&good(config, &["status", "--json"])).expect("JSON");
    let keys = said["keys"].as_array().expect("keys");
    let active = keys.iter().find(|key| key["state"] == "active").expect("an active key");
    let id = active["key"].as_str().expect("an id").to_owned();
    (id, said["left"].as_i64().expect("a number"), said)
}

/// Starts it, and kills it when it has told of so many lines.
fn kill_after(config: &Config, lines: usize) {
    let mut child = binary(config, &["vault", "reencrypt"]).spawn().expect("the binary starts");
    let told = BufReader::new(child.stdout.take().expect("piped")).lines().take(lines);
    let told: Vec<String> = told.map(|line| line.expect("text")).collect();
    assert_eq!(told.len(), lines, "{told:?}");
    child.kill().expect("SIGKILL");
    let status = child.wait().expect("it ended");
    assert!(!status.success(), "it was done before it was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_goes_on_beside_a_switch_that_issues_cards() {
    let mut stage = Stage::start().await;
    let issued = stage.issue(1_000, 1_000).await;
    let mut pans = cards(&stage, issued.balance, 0..150).await;
    let (first, left, _) = status(&stage.config);
    assert_eq!(left, 0);
    let said = good(&stage.config, &["rotate"]);
    let (second, left, _) = status(&stage.config);
    assert!(said.contains(&second) && second != first && left == 151, "{said}: {left}");

    // The switch that runs takes the new key with the next card; it was told nothing.
    pans.extend(cards(&stage, issued.balance, 150..151).await);
    let newest = "SELECT key_id FROM pan_vault ORDER BY id DESC LIMIT 1";
    assert_eq!(rows(&stage, newest).await, [second.as_str()]);

    let (refused, said) = vault(&stage.config, &["retire", &first]);
    assert!(!refused && said.contains("151 card number(s) are under key"), "{said}");
    let (refused, said) = vault(&stage.config, &["retire", &second]);
    assert!(!refused && said.contains("is the active one"), "{said}");

    let mut before = 151;
    for round in 0..5u32 {
        kill_after(&stage.config, 2);
        let names = 151 + round * 2..153 + round * 2;
        pans.extend(cards(&stage, issued.balance, names).await);
        let (_, left, _) = status(&stage.config);
        assert!(0 < left && left < before, "round {round}: {left} of {before}");
        before = left;
    }
    let (good_end, said) = vault(&stage.config, &["reencrypt", "--batches", "1"]);
    assert!(!good_end && said.contains("1 card number(s) encrypted again"), "{said}");
    // And issued while it runs.
    let config = stage.config.clone();
    let running = tokio::task::spawn_blocking(move || good(&config, &["reencrypt"]));
    pans.extend(cards(&stage, issued.balance, 161..181).await);
    let said = running.await.expect("it ended");
    assert!(said.trim_end().ends_with(", 0 left"), "{said}");

    assert!(good(&stage.config, &["retire", &first]).contains("destroyed"));
    let (_, left, said) = status(&stage.config);
    let states: Vec<_> = said["keys"].as_array().expect("keys").iter().collect();
    assert!(left == 0 && states.len() == 2, "{said}");
    assert_eq!((&states[0]["rows"], &states[1]["state"]), (&182.into(), &"retired".into()));
    let again = cards(&stage, issued.balance, 0..181).await;
    assert!(again == pans, "every number is what it was");
    // Each act is in the audit; one that was killed has a beginning alone.
    let acts = "SELECT act || ' ' || outcome FROM audit_chain WHERE origin = 'command line' \
                AND act <> 'command vault-reencrypt' ORDER BY number";
    let ended =
        [("rotate", "done"), ("retire", "failed"), ("retire", "failed"), ("retire", "done")];
    let both = |(act, end): (&str, &str)| {
        [format!("command vault-{act} begun"), format!("command vault-{act} {end}")]
    };
    assert_eq!(rows(&stage, acts).await, ended.map(both).concat());
    let cut_off = "SELECT outcome FROM audit_chain WHERE act = 'command vault-reencrypt'";
    let outcomes = rows(&stage, cut_off).await;
    let count = |of: &str| outcomes.iter().filter(|outcome| *outcome == of).count();
    assert_eq!((count("begun"), count("done")), (7, 2), "{outcomes:?}");
    // What was only tried out comes under a local master key that people hold.
    let directory = tempfile::tempdir().expect("a directory");
    stage.config.security.lmk_components = ceremony(directory.path());
    let (moved, said) = run(binary(&stage.config, &["keys", "rewrap"]), "");
    assert!(moved && said.contains("2 key(s) of card numbers are under it\n"), "{said}");
    let stage = stage.restart().await;
    assert!(cards(&stage, issued.balance, 0..181).await == pans);
    stage.end().await;
}

const SWAP: &str = "
    UPDATE pan_vault SET key_id = other.key_id, nonce = other.nonce, ciphertext = other.ciphertext
    FROM pan_vault other
    WHERE (pan_vault.id, other.id) IN ((:one, :two), (:two, :one)) RETURNING pan_vault.id::text";
const SWAP_FOUND_TOO: &str = "
    WITH taken AS (DELETE FROM pan_vault WHERE id IN (:one, :two) RETURNING *)
    INSERT INTO pan_vault (id, fingerprint, key_id, nonce, ciphertext, last_four)
    OVERRIDING SYSTEM VALUE
    SELECT :one + :two - id, fingerprint, key_id, nonce, ciphertext, last_four
    FROM taken ORDER BY id RETURNING id::text";

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_were_moved_between_rows_do_not_open_and_are_not_written_over() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000, 1_000).await;
    let pans = cards(&stage, issued.balance, 0..3).await;
    let pool = sqlx::PgPool::connect_with(stage.database.url().connect_options()).await;
    let pool = pool.expect("a connection");
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM pan_vault ORDER BY id DESC LIMIT 2")
        .fetch_all(&pool)
        .await
        .expect("two rows");
    // Ciphertexts alone; and whole rows with what finds them, which only the row's id tells.
    for swap in [SWAP, SWAP_FOUND_TOO] {
        let swap = swap.replace(":one", &ids[0].to_string()).replace(":two", &ids[1].to_string());
        let swapped = || async {
            let swap = sqlx::AssertSqlSafe(swap.as_str());
            let rows = sqlx::query(swap).fetch_all(&pool).await.expect("swapped");
            assert_eq!(rows.len(), 2);
        };
        swapped().await;
        for name in ["card 1", "card 2"] {
            let said = card(&stage, issued.balance, name).await.expect_err("does not open");
            assert!(!pans.iter().any(|pan| said.contains(pan)), "{name}");
        }
        let (old, _, _) = status(&stage.config);
        good(&stage.config, &["rotate"]);
        let (good_end, said) = vault(&stage.config, &["reencrypt"]);
        assert!(!good_end && said.contains("2 do not open and stay as they are"), "{said}");
        assert!(ids.iter().all(|id| said.contains(&id.to_string())), "{said}");
        assert!(!pans.iter().any(|pan| said.contains(pan)), "no number is told");
        let (refused, said) = vault(&stage.config, &["retire", &old]);
        assert!(!refused && said.contains("2 card number(s) are under key"), "{said}");
        swapped().await;
        assert!(
            good(&stage.config, &["reencrypt"]).contains("2 card number(s) encrypted again, 0")
        );
        assert!(cards(&stage, issued.balance, 0..3).await == pans);
    }
    pool.close().await;
    stage.end().await;
}

const CLEAR: &str = "\
key_id = 0102030405060708
encryption = 5ac1025ac3045ac5065ac7085ac90a5acb0c5acd0e5acf105ad1125ad3145ad5
fingerprint = a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e90
";

fn write_clear(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, CLEAR).expect("written");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("chmod");
}

/// A number as it was stored before rows had their id in it, by that key.
async fn store_as_before(stage: &Stage, pan: &str) {
    let pan = Pan::from_digits(pan.as_bytes()).expect("a card number");
    let keys = PanVault::new(&PanKeys::parse(CLEAR).expect("keys")).expect("a vault");
    let Fingerprint(card) = keys.fingerprint(&pan);
    let sealed = keys.seal(&pan, b"pan_vault").expect("sealed");
    let pool = sqlx::PgPool::connect_with(stage.database.url().connect_options()).await;
    let pool = pool.expect("a connection");
    let update = "UPDATE pan_vault SET nonce = $2, ciphertext = $3 WHERE fingerprint = $1";
    let update = sqlx::query(update).bind(&card[..]).bind(&sealed.nonce[..]);
    let done = update.bind(sealed.ciphertext).execute(&pool).await.expect("stored");
    assert_eq!(done.rows_affected(), 1);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_clear_come_under_the_local_master_key_and_their_numbers_with_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let components = ceremony(directory.path());
    let stage = Stage::configured(|config| {
        write_clear(&config.security.pan_key_file);
        config.security.lmk_components = components;
    })
    .await;
    let issued = stage.issue(1_000, 1_000).await;
    let pans = cards(&stage, issued.balance, 0..2).await;
    store_as_before(&stage, &pans[0]).await;
    assert!(cards(&stage, issued.balance, 0..2).await == pans);

    let (refused, said) = vault(&stage.config, &["rotate"]);
    assert!(!refused && said.contains("`cardswitch keys migrate` first"), "{said}");
    let mut serve = binary(&stage.config, &["serve"]);
    serve.env("CARDSWITCH_MODE", "production");
    let (served, said) = run(serve, "");
    assert!(!served && said.contains("keys of card numbers lie in clear"), "{said}");

    let path = stage.config.security.pan_key_file.clone();
    let kills = kill_until_done(
        || binary(&stage.config, &["keys", "migrate"]),
        || {
            let text = std::fs::read_to_string(&path).expect("there is a file at any moment");
            if !text.contains("5ac1025ac3045ac5") && !path.with_extension("key.clear").exists() {
                // It was done before it was killed: once more.
                write_clear(&path);
            }
        },
    );
    println!("killed {kills} times");
    for entry in std::fs::read_dir(path.parent().expect("a directory")).expect("listed") {
        let entry = entry.expect("an entry").path();
        let text = std::fs::read(&entry).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).to_lowercase();
        assert!(!text.contains("5ac1025ac3045ac5"), "{}", entry.display());
    }
    let (moved, said) = run(binary(&stage.config, &["keys", "migrate"]), "");
    assert!(!moved && said.contains("nothing to move"), "{said}");
    let stage = stage.restart().await;
    assert!(cards(&stage, issued.balance, 0..2).await == pans);
    good(&stage.config, &["rotate"]);
    assert!(good(&stage.config, &["reencrypt"]).contains("3 card number(s) encrypted again, 0"));
    good(&stage.config, &["retire", "0102030405060708"]);
    assert!(cards(&stage, issued.balance, 0..2).await == pans);
    stage.end().await;
}

/// PCI DSS 3.5.1.1: what a dump of the database has of a number cannot be joined to it by who can
/// compute everything but what needs the key.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_database_without_the_keys_has_nothing_that_finds_a_number() {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000, 1_000).await;
    let pan = card(&stage, issued.balance, "card").await.expect("a card");
    let pool = sqlx::PgPool::connect_with(stage.database.url().connect_options()).await;
    let pool = pool.expect("a connection");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('SELECT %L || t::text FROM %I t', tablename, tablename) FROM pg_tables
         WHERE schemaname = 'public' ORDER BY tablename",
    )
    .fetch_all(&pool)
    .await
    .expect("the tables");
    let mut dump = String::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(table)).fetch_all(&pool).await.expect("rows");
        dump.extend(rows);
    }
    assert!(dump.contains("pan_vault(") && dump.contains(&pan[12..]), "the dump has the rows");
    let digests: Vec<String> = sqlx::query_scalar(
        "SELECT left(digest, 24) FROM unnest(ARRAY[$1, $1 || E'\\n']) form, LATERAL (VALUES
            (encode(form::bytea, 'hex')), (md5(form)), (encode(sha224(form::bytea), 'hex')),
            (encode(sha256(form::bytea), 'hex')), (encode(sha384(form::bytea), 'hex')),
            (encode(sha512(form::bytea), 'hex')), (encode(form::bytea, 'base64'))) of (digest)",
    )
    .bind(&pan)
    .fetch_all(&pool)
    .await
    .expect("digests");
    assert_eq!(digests.len(), 14);
    for unkeyed in digests.iter().chain([&pan]) {
        assert!(!dump.contains(unkeyed.as_str()), "{unkeyed} is in the dump");
    }
    // The same number in another installation is found by another value.
    let number = Pan::from_digits(pan.as_bytes()).expect("a card number");
    let other = PanVault::new(&PanKeys::generate().expect("keys")).expect("a vault");
    assert!(!dump.contains(&hex::encode(other.fingerprint(&number).0)));
    pool.close().await;
    stage.end().await;
}
