//! The leak search (P-02): after a mixed run of chips, stripes, printed codes and PINs, right,
//! wrong and broken, none of what was sent lies in PostgreSQL's files, its WAL, its rows, the
//! switch's own files, log and metrics, or its memory. One planted value in each place shows that
//! the search finds what is there.
//!
//! Three and four digits stand everywhere by chance: a CVV2 and a clear PIN are searched for with
//! what would stand beside them.

pub(crate) mod forms;
pub(crate) mod places;
mod traffic;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use simulators::chip::CardKind;
use sqlx::{ConnectOptions, Connection, PgConnection};
use switch_store::private_postgres::{Options, PrivatePostgres, fresh_database};

use self::forms::{Search, Wanted};
use self::places::Found;
use crate::http::get;
use crate::issuer::{self, KEYED, Plan};
use crate::stage::Served;

/// Three dialects, cards of three kinds: the last has no chip on its stripe.
const PLAN: Plan<'_> = Plan {
    configuration: "\
        [links.test]\npin = { key = 'zpk', formats = [0] }\n\
        [links.bcd]\nid = 2\nlisten = '127.0.0.1:0'\ndialect = 'iso87-bcd'\n\
        pin = { key = 'zpk', formats = [0] }\n\
        [links.ebcdic]\nid = 3\nlisten = '127.0.0.1:0'\ndialect = 'iso87-ebcdic-037'\n\
        pin = { key = 'zpk', formats = [0] }\n",
    terms: "\
        cvk = 'cvk'\ncvk2 = ['cvk2']\npvk = 'pvk'\nimk_ac = 'imk'\npin = { method = 'pvv' }\n\
        profiles = ['visa-18', 'mchip-10', 'visa-10']\npin_limit = 15\n",
    cards: &[
        ("8264", "201", CardKind::Visa18),
        ("739105", "201", CardKind::MChip10),
        ("504987", "101", CardKind::Visa10),
    ],
};

/// Where something is planted. The last is a process besides the switch.
const PLANTED: [&str; 7] =
    ["database", "WAL", "rows", "log", "files", "metrics", "memory of another process"];

/// A track of nobody's, another for each place.
fn plant(place: &str) -> String {
    let at = PLANTED.iter().position(|one| *one == place).expect("a place");
    format!("99999999000000{at:02}=4912201987650{at:03}")
}

/// A process that holds what it was given in its memory.
fn holder(value: &str) -> std::process::Child {
    let mut command = Command::new("sh");
    command.args(["-c", "read -r held; echo ready; read -r end; : \"$held\""]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let input = child.stdin.as_mut().expect("piped");
    writeln!(input, "{value}").expect("it reads");
    let mut line = String::new();
    let output = child.stdout.as_mut().expect("piped");
    BufReader::new(output).read_line(&mut line).expect("it says so");
    child
}

/// Plants a value in every place that is on the disk.
async fn plant_on_disk(session: &mut PgConnection, directory: &Path) {
    let make = "CREATE TABLE planted (held text)";
    sqlx::query(make).execute(&mut *session).await.expect("a table");
    // In a row of the table, as digits of bytes in another, and in the WAL alone.
    let insert = "INSERT INTO planted VALUES ($1), ($2)";
    let packed = hex::encode(plant("rows"));
    let planted = sqlx::query(insert).bind(plant("database")).bind(packed);
    planted.execute(&mut *session).await.expect("two rows");
    let message = "SELECT pg_logical_emit_message(true, 'planted', $1)::text";
    let message = sqlx::query(message).bind(plant("WAL"));
    message.execute(&mut *session).await.expect("a message");
    std::fs::write(directory.join("planted"), plant("files")).expect("a file");
}

/// Every row of every table as text: what PostgreSQL has compressed is whole in it.
pub(crate) async fn rows(session: &mut PgConnection) -> String {
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
                  WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let tables = sqlx::query_scalar::<_, String>(tables).fetch_all(&mut *session).await;
    let mut all = String::new();
    for table in tables.expect("tables") {
        let rows = format!("SELECT t::text FROM {table} t");
        let rows = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(rows));
        let rows = rows.fetch_all(&mut *session).await.expect("rows");
        rows.iter().for_each(|row| {
            all.push_str(row);
            all.push('\n');
        });
    }
    all
}

/// Metrics and memory, while the switch serves and its peers are there; whether memory could be
/// read.
fn search_living(search: &Search, served: &Served, found: &mut Found) -> bool {
    let mut metrics = get(served.http(), "/metrics");
    assert!(metrics.contains("cardswitch_verified_total"), "{metrics}");
    metrics.push_str(&plant("metrics"));
    places::bytes(search, "metrics", metrics.as_bytes(), found);
    let read = places::memory(search, "memory", served.child.id(), found);
    assert!(read.is_none_or(|read| read > 1 << 20), "{read:?} bytes of memory");
    let mut holder = holder(&plant("memory of another process"));
    places::memory(search, "memory of another process", holder.id(), found);
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    read.is_some()
}

/// A cluster of its own, whose WAL can be read: no pages compressed.
async fn cluster(directory: &Path) -> PrivatePostgres {
    // For the account that PostgreSQL runs as where we are root.
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o755)).expect("set");
    let options = Options { temporary: true, ..Options::new(directory.join("cluster")) };
    let cluster = PrivatePostgres::start(&options).await.expect("a cluster");
    let url = cluster.create_database("leaks").await.expect("a database");
    let mut session = url.connect_options().connect().await.expect("a session");
    let plain = "ALTER ROLE CURRENT_USER SET wal_compression = off";
    sqlx::query(plain).execute(&mut session).await.expect("set");
    session.close().await.expect("closed");
    cluster
}

// covers: SR-004, SR-265, API-13
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_sent_of_a_card_lies_anywhere() {
    let place = tempfile::tempdir().expect("a directory");
    let cluster = cluster(place.path()).await;
    let url = cluster.url("leaks").expect("a URL");
    let state = tempfile::tempdir().expect("a directory");
    let log = state.path().join("switch.log");
    let issued = issuer::set_up(state.path(), url.expose(), &PLAN).await;
    let issued = issued.into_iter().map(|issued| issued.card).collect();

    let file = File::create(&log).expect("a file");
    let in_memory = plant_in_memory();
    let settings = settings(&in_memory);
    let served = Served::start_logging(state.path(), url.expose(), &settings, file);
    let mut wanted = Wanted::default();
    let connections = traffic::mixed_run(&served, issued, &mut wanted).await;
    PLANTED.iter().for_each(|place| wanted.text(&format!("planted: {place}"), &plant(place)));
    wanted.text("planted: memory", &in_memory);
    let search = wanted.search();

    let mut found = Found::new();
    let read_memory = search_living(&search, &served, &mut found);
    drop(connections);
    places::memory(&search, "memory", served.child.id(), &mut found);
    served.terminate();

    let mut session = url.connect_options().connect().await.expect("a session");
    plant_on_disk(&mut session, state.path()).await;
    writeln!(File::options().append(true).open(&log).expect("a log"), "{}", plant("log"))
        .expect("one");
    sqlx::query("CHECKPOINT").execute(&mut session).await.expect("a checkpoint");
    places::bytes(&search, "rows", rows(&mut session).await.as_bytes(), &mut found);
    let text = std::fs::read(&log).expect("a log");
    assert!(text.windows(5).any(|word| word == b"TRACE"), "the most that it can say");
    places::bytes(&search, "log", &text, &mut found);
    std::fs::remove_file(&log).expect("it was searched");
    let files = places::directory(&search, "files", state.path(), &mut found);
    let pages = places::directory(&search, "database", cluster.data_dir(), &mut found);
    assert!(files >= 5 && pages > 500, "{files} files, {pages} of PostgreSQL");
    session.close().await.expect("closed");
    cluster.stop().await.expect("stopped");

    let planted = |place: &str, of: &str| (place.to_owned(), format!("planted: {of}"));
    let mut expected: Found = PLANTED.iter().map(|place| planted(place, place)).collect();
    if read_memory {
        expected.insert(planted("memory", "memory"));
    }
    // What stands in a row stands in a file and the WAL as well.
    expected.extend([planted("database", "rows"), planted("rows", "database")]);
    expected.extend([planted("WAL", "rows"), planted("WAL", "database")]);
    let missed: Vec<_> = expected.difference(&found).collect();
    let leaked: Vec<_> = found.difference(&expected).collect();
    assert!(missed.is_empty() && leaked.is_empty(), "leaked {leaked:#?}, not found {missed:#?}");
}

/// The most that the log can say; and one value is in the environment to be found there.
fn settings(planted: &str) -> Vec<(&str, &str)> {
    let most = ("CARDSWITCH_LOG__FILTER", "trace");
    let shards = ("CARDSWITCH_SHARDS__DATA_SHARDS", "2");
    [&KEYED[..], &[most, shards, ("PLANTED", planted)]].concat()
}

/// What stands in the environment of the switch and so in its memory.
fn plant_in_memory() -> String {
    "9999999900000099=4912201987650999".to_owned()
}

/// No core file, whatever ends the switch.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_crashes_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt;
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let mut served = Served::start(directory.path(), database.url().expose(), &[]);
    let pid = served.child.id();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let core: Vec<_> = core.expect("a limit").split_ascii_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    let sent = Command::new("kill").args(["-ABRT", &pid.to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let status = served.child.wait().expect("it ends");
    assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
    let files = std::fs::read_dir(directory.path()).expect("a directory");
    let mut names = files.map(|file| file.expect("readable").file_name());
    assert!(!names.any(|name| name.to_string_lossy().starts_with("core")));
    database.close().await;
}
