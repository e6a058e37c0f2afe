//! A private PostgreSQL over its life: made, used, stopped, orphaned, adopted. Real servers, each
//! in a directory of its own.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::{ConnectOptions, Connection, PgConnection};
use switch_store::private_postgres::{
    DatabaseUrl, Options, PrivatePostgres, PrivatePostgresError, TEST_DATABASE_VARIABLE,
    fresh_database, reachable_data_dir, run_with_cluster, url_beside_owner,
};
use tempfile::TempDir;

/// A directory that the account of a server started by root can reach.
fn scratch() -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).unwrap();
    scratch
}

fn options(scratch: &TempDir) -> Options {
    Options {
        shared_buffers_mb: 16,
        max_connections: 10,
        ..Options::new(scratch.path().join("private"))
    }
}

async fn connect(url: &DatabaseUrl) -> PgConnection {
    url.connect_options().connect().await.unwrap()
}

async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

fn server_process(data_dir: &Path) -> u32 {
    let text = std::fs::read_to_string(data_dir.join("pgdata/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

fn kill(pid: u32, signal: &str) {
    let killed = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

fn alive(pid: u32) -> bool {
    // A zombie has no command line.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| !command.is_empty())
}

#[tokio::test]
async fn data_survives_a_stop_and_the_settings_keep_it_durable() {
    let scratch = scratch();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    assert!(!postgres.adopted());
    let url = postgres.create_database("cards").await.unwrap();
    let again = postgres.create_database("cards").await.unwrap();
    assert_eq!(url.expose(), again.expose());

    let mut connection = connect(&url).await;
    for (setting, expected) in [
        ("SHOW fsync", "on"),
        ("SHOW synchronous_commit", "on"),
        ("SHOW full_page_writes", "on"),
        ("SHOW data_checksums", "on"),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW lc_collate", "C"),
        ("SHOW listen_addresses", "127.0.0.1"),
        ("SHOW unix_socket_directories", ""),
        ("SHOW password_encryption", "scram-sha-256"),
    ] {
        // lc_collate is no setting from 16 on; there the database's own says it.
        let query = if setting == "SHOW lc_collate" {
            "SELECT datcollate FROM pg_database WHERE datname = current_database()"
        } else {
            setting
        };
        assert_eq!(text(&mut connection, query).await, expected, "{setting}");
    }
    let write = "CREATE TABLE kept AS SELECT 'kept' AS word";
    sqlx::raw_sql(write).execute(&mut connection).await.unwrap();
    drop(connection);
    let process = server_process(postgres.data_dir());
    postgres.stop().await.unwrap();
    assert!(!alive(process));

    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let mut connection = connect(&postgres.url("cards").unwrap()).await;
    assert_eq!(text(&mut connection, "SELECT word FROM kept").await, "kept");
    drop(connection);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn another_process_may_use_the_server_of_a_living_owner() {
    let scratch = scratch();
    let data_dir = options(&scratch).data_dir;
    assert!(url_beside_owner(&data_dir, "postgres").unwrap().is_none(), "there is none");
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let url = url_beside_owner(&data_dir, "postgres").unwrap().expect("a server with an owner");
    assert_eq!(url.expose(), postgres.url("postgres").unwrap().expose());
    connect(&url).await.close().await.unwrap();
    postgres.stop().await.unwrap();
    assert!(url_beside_owner(&data_dir, "postgres").unwrap().is_none(), "nobody owns it");
}

#[tokio::test]
async fn the_server_is_not_root_and_wants_its_password() {
    let scratch = scratch();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let process = server_process(postgres.data_dir());
    let owner = std::fs::metadata(format!("/proc/{process}")).unwrap().uid();
    assert_ne!(owner, 0);
    let session = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = session.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[3], process.to_string(), "the server leads its own session");

    let url = postgres.url("postgres").unwrap();
    let shown = format!("{postgres:?} {url:?}");
    let secret = std::fs::read_to_string(postgres.data_dir().join("secret/superuser")).unwrap();
    assert!(!shown.contains(&secret));
    let wrong = DatabaseUrl::parse(&url.expose().replace(&secret, "wrong")).unwrap();
    let refused = wrong.connect_options().connect().await.unwrap_err();
    assert!(refused.to_string().contains("password authentication failed"), "{refused}");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn an_orphan_is_adopted_and_a_live_owner_is_respected() {
    let scratch = scratch();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let refused = PrivatePostgres::start(&options(&scratch)).await.unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::InUse { .. }), "{refused}");

    let (process, port) = (server_process(postgres.data_dir()), postgres.port());
    // What kill -9 of the owner leaves: the lock gone, the server running.
    drop(postgres);
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    assert!(postgres.adopted());
    assert_eq!((server_process(postgres.data_dir()), postgres.port()), (process, port));
    connect(&postgres.url("postgres").unwrap()).await.close().await.unwrap();
    postgres.stop().await.unwrap();
    assert!(!alive(process));
}

#[tokio::test]
async fn a_killed_server_leaves_a_stale_pid_file_that_does_no_harm() {
    let scratch = scratch();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let data_dir = postgres.data_dir().to_owned();
    let url = postgres.create_database("cards").await.unwrap();
    let mut connection = connect(&url).await;
    let write = "CREATE TABLE kept AS SELECT 'kept' AS word";
    sqlx::raw_sql(write).execute(&mut connection).await.unwrap();
    kill(server_process(&data_dir), "-KILL");
    drop(connection);
    drop(postgres);

    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    assert!(!postgres.adopted());
    let mut connection = connect(&postgres.url("cards").unwrap()).await;
    assert_eq!(text(&mut connection, "SELECT word FROM kept").await, "kept");
    drop(connection);
    postgres.stop().await.unwrap();

    // The number now belongs to another program: this one.
    let pid_file = data_dir.join("pgdata/postmaster.pid");
    let lines = format!("{}\n{}\n1\n5432\n", std::process::id(), data_dir.display());
    std::fs::write(&pid_file, lines).unwrap();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    assert!(!postgres.adopted());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_again() {
    let scratch = scratch();
    let unfinished = options(&scratch).data_dir.join("pgdata.unfinished");
    std::fs::create_dir_all(&unfinished).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "half").unwrap();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    assert!(!postgres.data_dir().join("pgdata.unfinished").exists());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_or_without_its_password_is_refused() {
    let scratch = scratch();
    let pgdata = options(&scratch).data_dir.join("pgdata");
    std::fs::create_dir_all(&pgdata).unwrap();
    std::fs::write(pgdata.join("PG_VERSION"), "8\n").unwrap();
    let refused = PrivatePostgres::start(&options(&scratch)).await.unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::VersionMismatch { made_by: 8, .. }));

    std::fs::remove_dir_all(&pgdata).unwrap();
    let postgres = PrivatePostgres::start(&options(&scratch)).await.unwrap();
    let password = postgres.data_dir().join("secret/superuser");
    postgres.stop().await.unwrap();
    std::fs::remove_file(password).unwrap();
    let refused = PrivatePostgres::start(&options(&scratch)).await.unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::PasswordMissing { .. }), "{refused}");
}

#[tokio::test]
async fn root_is_told_which_directory_is_closed() {
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
    let wanted = closed.path().join("data");
    let fallback = reachable_data_dir(&wanted);
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        assert_eq!(fallback, wanted);
        return;
    }
    assert_ne!(fallback, wanted);
    let refused = PrivatePostgres::start(&Options::new(&wanted)).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("{} does not let", closed.path().display())), "{refused}");
}

#[tokio::test]
async fn names_that_need_quoting_are_refused() {
    let database = fresh_database().await;
    for bad in ["", "Cards", "a b", "a;drop"] {
        let refused = database.url().with_database(bad).unwrap_err();
        assert!(matches!(refused, PrivatePostgresError::InvalidDatabaseName { .. }));
    }
    database.close().await;
}

#[tokio::test]
async fn each_test_database_is_empty_and_goes_away() {
    let one = fresh_database().await;
    let two = fresh_database().await;
    assert_ne!(one.name(), two.name());
    let mut connection = connect(one.url()).await;
    let tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(text(&mut connection, tables).await, "0");
    let one_url = one.url().clone();
    // A connection is open: both ways of removal end it.
    drop(one);
    let gone = one_url.connect_options().connect().await.unwrap_err();
    assert!(gone.to_string().contains("does not exist"), "{gone}");
    let two_url = two.url().clone();
    let _open = connect(&two_url).await;
    two.close().await;
    assert!(two_url.connect_options().connect().await.is_err());
}

/// `with-postgres` with no server of its own to use.
fn with_postgres(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command.env_remove(TEST_DATABASE_VARIABLE).args(["sh", "-c", script]);
    command
}

#[test]
fn a_command_gets_a_cluster_and_its_exit_code_comes_back() {
    let output = with_postgres("echo \"$CARDSWITCH_TEST_DATABASE_URL\"; exit 7").output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("postgresql://cardswitch:"), "one line, the URL");
    assert_eq!(printed.lines().count(), 1);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let killed = with_postgres("kill -TERM $$").status().unwrap();
    assert_eq!(killed.code(), Some(128 + 15));

    let given = "postgresql://somebody@127.0.0.1:1/given";
    let output = with_postgres("echo \"$CARDSWITCH_TEST_DATABASE_URL\"")
        .env(TEST_DATABASE_VARIABLE, given)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), given);
}

#[tokio::test]
async fn a_command_that_is_none_is_an_error() {
    let refused = run_with_cluster(Vec::new()).await.unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::NoCommand));
    let output = with_postgres("exit 0").args(["ignored"]).status().unwrap();
    assert!(output.success());
}

/// However the owner ends, the server goes and so does its directory.
#[test]
fn a_killed_owner_leaves_no_server_behind() {
    let scratch = scratch();
    let mut owner = with_postgres("echo up; exec cat")
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(owner.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert_eq!(line, "up\n");
    let directory = std::fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path();
    let process = server_process(&directory);
    assert!(alive(process));

    owner.kill().unwrap();
    owner.wait().unwrap();
    // No event tells of a stranger's end: ask until it is so; the runner's limit is the deadline.
    while alive(process) || directory.exists() {
        std::thread::yield_now();
    }
}
