//! pgbench with the very statements of the conventional server: what PostgreSQL does without any
//! server of ours in front. It owns the scripts, and that what it counts was approved.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::{ConnectOptions, Row};
use switch_store::private_postgres::DatabaseUrl;

use super::cluster::Cluster;
use super::conventional::{Form, pan, statements, token_seed};
use super::subject::cards::Population;

/// The values of an authorization by name: pgbench draws card and number, the rest is fixed.
fn head(population: Population) -> String {
    let (first, last) = (pan(0), population.cards.saturating_sub(1));
    let seed = token_seed();
    format!(
        "\\set card random(0, {last})\n\\set pan {first} + :card * 10\n\
         \\set token hash_fnv1a(:pan, {seed})\n\\set stan random(1, 999999)\n\
         \\set rrn random(100000000000, 999999999999)\n\\set amount 100\n"
    )
}

/// A statement with its `$n` replaced by pgbench's variables and constants, which it sends as
/// parameters of a prepared statement and as text of it.
fn with_values(statement: &str, values: &[&str]) -> String {
    // From the last on: `$1` is the beginning of `$10`.
    values.iter().enumerate().rev().fold(statement.to_owned(), |text, (index, value)| {
        text.replace(&format!("${}", index + 1), value)
    })
}

/// The script of a form.
pub(crate) fn script(form: Form, population: Population) -> String {
    let time = "1123091500::int8";
    let (terminal, acquirer, merchant) = ("'TERM0001'", "'123456'", "'MERCHANT0000001'");
    let small = |value: &str| format!("{value}::int2");
    let (expiry, currency, mcc, entry) = (small("4912"), small("978"), small("5411"), small("51"));
    let body = match form {
        Form::Function => {
            let values = [
                ":token::int8",
                &expiry,
                ":amount::int8",
                &currency,
                ":stan::int4",
                ":rrn::text",
                time,
                terminal,
                acquirer,
                &mcc,
                &entry,
                merchant,
                "'000001'",
            ];
            format!("{};\n", with_values(statements::AUTHORIZE, &values))
        }
        Form::Statements => {
            let select = [":token::int8", ":stan::int4", terminal, acquirer];
            let insert = [
                ":id::int8",
                ":stan::int4",
                ":rrn::text",
                time,
                terminal,
                acquirer,
                ":balance_id::int8",
                ":deposit_id::int4",
                ":amount::int8",
                &currency,
                "'00'",
                "'000001'",
                &mcc,
                &entry,
                merchant,
            ];
            let balance = [":balance_id::int8", ":amount::int8"];
            let deposit = [":deposit_id::int4", ":amount::int8"];
            format!(
                "BEGIN;\n{} \\gset\n{};\n{};\n{};\nCOMMIT;\n",
                with_values(statements::SELECT, &select),
                with_values(statements::INSERT, &insert),
                with_values(statements::UPDATE_BALANCE, &balance),
                with_values(statements::UPDATE_DEPOSIT, &deposit),
            )
        }
    };
    head(population) + &body
}

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) database: &'a DatabaseUrl,
    pub(crate) directory: &'a Path,
    pub(crate) form: Form,
    pub(crate) clients: usize,
    pub(crate) time: Duration,
    pub(crate) population: Population,
}

/// Runs pgbench and gives its transactions a second.
///
/// # Errors
/// pgbench is missing or fails, or what it did was not approved.
pub(crate) fn run(cluster: &Cluster, run: &Run<'_>) -> Result<f64> {
    std::fs::create_dir_all(run.directory)?;
    let file = run.directory.join(format!("{}.sql", run.form.name()));
    std::fs::write(&file, script(run.form, run.population))?;
    let before = approved(cluster, run.database)?;
    let clients = run.clients.to_string();
    // Its clock starts before its clients connect, its rate when all have: SCRAM is slow.
    let seconds = run.time.as_secs().max(1) + run.clients.div_ceil(8) as u64;
    let mut command = Command::new(program());
    command
        .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2"])
        .args(["-T", &seconds.to_string(), "-f"])
        .arg(&file);
    for (name, value) in environment(run.database)? {
        command.env(name, value);
    }
    let output = command.output().context("starting pgbench; is it installed?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pgbench failed: {said}");
    let (transactions, per_second) =
        parse(&text).with_context(|| format!("pgbench made nothing that counts: {text}{said}"))?;
    let approved = approved(cluster, run.database)? - before;
    // Two draws of one number on one card are one authorization.
    ensure!(
        approved + 5 >= transactions,
        "pgbench made {transactions} transactions and {approved} authorizations"
    );
    Ok(per_second)
}

/// Transactions, and how many a second without the time to connect.
fn parse(text: &str) -> Option<(i64, f64)> {
    let after = |start: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start))?;
        line.split([' ', '/']).next().map(str::to_owned)
    };
    let transactions = after("number of transactions actually processed: ")?.parse().ok()?;
    Some((transactions, after("tps = ")?.parse().ok()?))
}

fn approved(cluster: &Cluster, database: &DatabaseUrl) -> Result<i64> {
    cluster.block_on(async {
        let mut connection = database.connect_options().connect().await?;
        let counted = "SELECT count(*) FROM card_authorization WHERE code = '00'";
        Ok(sqlx::query(counted).fetch_one(&mut connection).await?.try_get(0)?)
    })
}

/// How libpq is told where the database is: not on the command line, which everybody can read.
fn environment(database: &DatabaseUrl) -> Result<[(&'static str, String); 5]> {
    let text = database.expose();
    let parts = || {
        let (user, rest) = text.split_once("://")?.1.split_once(':')?;
        let (password, rest) = rest.split_once('@')?;
        let (place, rest) = rest.split_once('/')?;
        let (host, port) = place.split_once(':')?;
        let name = rest.split('?').next()?;
        Some([
            ("PGUSER", user),
            ("PGPASSWORD", password),
            ("PGHOST", host),
            ("PGPORT", port),
            ("PGDATABASE", name),
        ])
    };
    let parts = parts().context("a URL of a private server has all its parts")?;
    Ok(parts.map(|(name, value)| (name, value.to_owned())))
}

/// pgbench lies beside the server's programs, or on the path.
fn program() -> std::path::PathBuf {
    let beside = std::env::var_os(switch_store::private_postgres::BINARIES_VARIABLE)
        .map(|directory| Path::new(&directory).join("pgbench"));
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<_> = debian.map(|entry| entry.path().join("bin/pgbench")).collect();
    installed.sort();
    let known = beside.into_iter().chain(installed.into_iter().rev());
    known.into_iter().find(|path| path.exists()).unwrap_or_else(|| "pgbench".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_replace_their_own_places_only() {
        let values: Vec<String> = (1..=11).map(|index| format!("v{index}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(with_values("f($1, $10, $11)", &values), "f(v1, v10, v11)");
        for form in Form::ALL {
            let script = script(form, Population { partners: 2, cards: 10 });
            assert!(!script.contains('$'), "{script}");
        }
    }

    #[test]
    fn what_pgbench_prints_is_read() {
        let text = "transaction type: a.sql\nnumber of transactions actually processed: 9876\n\
                    latency average = 2.5 ms\ntps = 3210.98 (without initial connection time)\n";
        assert_eq!(parse(text), Some((9876, 3210.98)));
        let text = text.replace("9876", "9876/10000");
        assert_eq!(parse(&text).map(|(count, _)| count), Some(9876));
        assert_eq!(parse("nothing"), None);
    }
}
