//! What the stories share: a switch in this process over a database of its own, a programme with
//! cards, the real binary as a child, and a peer's messages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use admin_api::{NewCard, NewProgramme, Services, idempotency_key};
use codecs::framing::{Framing, LengthHeader};
use serde_json::Value;
use simulators::acquirer::Acquirer;
use simulators::iso::Message;
use switch_domain::{
    AsciiText, BalanceId, Bin, BinRange, Currency, Expiry, Funding, IdempotencyKey, MinorUnits,
    PoolId, PoolKind,
};
use switch_server::app::App;
use switch_server::config::{Config, Link};
use switch_shard::TakeoverMode;
use switch_store::private_postgres::{TestDatabase, fresh_database};

/// A switch in this process.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) database: TestDatabase,
    pub(crate) config: Config,
    _directory: tempfile::TempDir,
}

/// A partner with a deposit, and one card.
pub(crate) struct Issued {
    pub(crate) pool: PoolId,
    pub(crate) balance: BalanceId,
    pub(crate) pan: String,
}

pub(crate) fn text(value: &str) -> AsciiText<40> {
    AsciiText::new(value.as_bytes()).expect("short printable text")
}

pub(crate) fn key(name: &str) -> IdempotencyKey {
    idempotency_key("test", name)
}

impl Stage {
    /// Starts a switch with one link over an empty database.
    pub(crate) async fn start() -> Self {
        Self::configured(|_| ()).await
    }

    /// The same with other settings.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let mut config = Config::default();
        config.database.url = Some(database.url().expose().to_owned());
        config.security.pan_key_file = directory.path().join("pan.key");
        config.security.mac_key_file = directory.path().join("mac.key");
        config.security.key_file = directory.path().join("switch.keys");
        config.journal.archive_dir = directory.path().join("archive");
        config.journal.lost_dir = directory.path().join("lost");
        config.control.socket = directory.path().join("control.sock");
        config.journal.archive_dir = directory.path().join("archive");
        config.journal.lost_dir = directory.path().join("lost");
        config.http.listen.set_port(0);
        let mut link = Link { id: 1, ..Link::default() };
        link.listen = Some(([127, 0, 0, 1], 0).into());
        config.links.insert("test".into(), link);
        config.shards.data_shards = 2;
        change(&mut config);
        let app = App::start(&config, TakeoverMode::RefuseIfOwned).await.expect("a switch");
        Self { app, database, config, _directory: directory }
    }

    /// Stops the switch and starts it over the same database.
    pub(crate) async fn restart(self) -> Self {
        let Self { app, database, config, _directory } = self;
        app.stop().await.expect("a clean stop");
        let app = App::start(&config, TakeoverMode::RefuseIfOwned).await.expect("a switch");
        Self { app, database, config, _directory }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.app.addresses().links[0].1
    }

    pub(crate) fn services(&self) -> &Services {
        self.app.services()
    }

    /// Stops the switch and removes its database.
    pub(crate) async fn end(self) {
        self.app.stop().await.expect("a clean stop");
        self.database.close().await;
    }

    /// Deposit, funds in cents, and one good card.
    pub(crate) async fn issue(&self, deposit: i64, funds: i64) -> Issued {
        self.issue_in("EUR", 99_999_912, deposit, funds).await
    }

    /// The same in another currency, from a BIN of its own; amounts in minor units.
    pub(crate) async fn issue_in(
        &self,
        currency: &str,
        bin: u32,
        deposit: i64,
        funds: i64,
    ) -> Issued {
        let currency = Currency::from_alphabetic(currency).expect("listed");
        issue(self.services(), currency, Bin(bin), [deposit, funds]).await
    }

    /// Connections to the link, as a peer makes them.
    pub(crate) async fn peer(&self, connections: usize) -> Acquirer {
        peer(self.address(), connections).await
    }
}

pub(crate) async fn peer(address: SocketAddr, connections: usize) -> Acquirer {
    let framing = Framing::new(LengthHeader::Binary2);
    Acquirer::connect(&address.to_string(), &framing, connections).await.expect("a connection")
}

async fn issue(
    services: &Services,
    currency: Currency,
    bin: Bin,
    [deposit, funds]: [i64; 2],
) -> Issued {
    let actor = text("test");
    let key = |name: &str| key(&format!("{name} {}", bin.0));
    let partner = services.define_partner(key("partner"), actor, text("Partner")).await;
    let partner = partner.expect("a partner");
    let pool = services
        .open_pool(key("pool"), actor, partner, PoolKind::Deposit, currency)
        .await
        .expect("a pool");
    services
        .reload_pool(key("reload"), actor, pool, MinorUnits(deposit), text("transfer"))
        .await
        .expect("a reload");
    let new = NewProgramme {
        partner,
        name: text("Programme"),
        bins: BinRange { low: bin, high: bin, pan_length: 16 },
        currency,
        funding: Funding::Deposit(pool),
    };
    let programme =
        services.define_programme(key("programme"), actor, new).await.expect("a programme");
    let customer =
        services.register_customer(partner, &format!("alice {}", bin.0)).await.expect("a customer");
    let balance =
        services.open_balance(key("balance"), actor, programme, customer).await.expect("a balance");
    services
        .credit_balance(key("credit"), actor, balance, MinorUnits(funds), text("welcome"))
        .await
        .expect("a credit");
    let expiry = Expiry::from_yymm(4_912).expect("a month");
    let new = NewCard { balance, expiry, active: true };
    let issued = services.issue_card(key("card"), actor, new).await.expect("a card");
    let pan = switch_security::exit::reveal_test_pan(&issued.pan).expect("a test number");
    Issued { pool, balance, pan }
}

/// A purchase as a terminal sends it.
pub(crate) fn purchase(pan: &str, stan: u32, cents: u64) -> Message {
    let fields: [(u8, String); 15] = [
        (2, pan.to_owned()),
        (3, "000000".into()),
        (4, format!("{cents:012}")),
        (7, format!("1123{:06}", stan % 1_000_000)),
        (11, format!("{stan:06}")),
        (12, "120000".into()),
        (13, "1123".into()),
        (14, "4912".into()),
        (18, "5411".into()),
        (22, "051".into()),
        (32, "123456".into()),
        (37, format!("{stan:012}")),
        (41, "TERM0001".into()),
        (42, "MERCHANT0000001".into()),
        (49, "978".into()),
    ];
    let empty = Message::new("0100").expect("a message type");
    fields
        .into_iter()
        .fold(empty, |message, (field, value)| message.with(field, value).expect("a legal field"))
}

/// The real binary as a child, serving over a database, with its control socket in `directory`.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) link: SocketAddr,
    pub(crate) socket: PathBuf,
    /// What it said when it served: all its addresses.
    said: Value,
}

/// What is between shards has to show.
const TWO_SHARDS: [(&str, &str); 1] = [("CARDSWITCH_SHARDS__DATA_SHARDS", "2")];

impl Served {
    /// Starts it and waits until it says where it serves.
    pub(crate) fn start(directory: &Path, database_url: &str, more: &[&str]) -> Self {
        let mut command = cardswitch(directory);
        command.arg("serve").args(more).envs(TWO_SHARDS);
        Self::spawn(command, directory, database_url)
    }

    /// The same with more of its configuration, from the environment.
    pub(crate) fn start_with(
        directory: &Path,
        database_url: &str,
        configuration: &[(&str, &str)],
    ) -> Self {
        let mut command = cardswitch(directory);
        command.arg("serve").envs(TWO_SHARDS).envs(configuration.iter().copied());
        Self::spawn(command, directory, database_url)
    }

    /// The same with its log going to this file.
    pub(crate) fn start_logging(
        directory: &Path,
        database_url: &str,
        configuration: &[(&str, &str)],
        log: std::fs::File,
    ) -> Self {
        let mut command = cardswitch(directory);
        command.arg("serve").envs(configuration.iter().copied()).stderr(log);
        Self::spawn(command, directory, database_url)
    }

    /// The same through a program that becomes it, with these arguments in front.
    pub(crate) fn start_through(through: &[&str], directory: &Path, database_url: &str) -> Self {
        let plain = cardswitch(directory);
        let mut command = Command::new("env");
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(through).arg(plain.get_program()).arg("serve").current_dir(directory);
        command.envs(TWO_SHARDS);
        Self::spawn(command, directory, database_url)
    }

    fn spawn(mut command: Command, directory: &Path, database_url: &str) -> Self {
        use std::io::BufRead;
        let socket = directory.join("control.sock");
        command
            .env("DATABASE_URL", database_url)
            .env("CARDSWITCH_LINKS__TEST__ID", "1")
            .env("CARDSWITCH_LINKS__TEST__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_HTTP__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_CONTROL__SOCKET", &socket)
            .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"))
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        std::io::BufReader::new(stdout).read_line(&mut line).expect("readable");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let status = child.wait().expect("it ended");
            panic!("the switch did not start ({status}); it said {line:?}")
        });
        let link = address_of(&said["serving"]["links"]["test"]);
        Self { child, link, socket, said }
    }

    /// Where the link of this name listens.
    pub(crate) fn address(&self, link: &str) -> SocketAddr {
        address_of(&self.said["serving"]["links"][link])
    }

    /// Where health and metrics are.
    pub(crate) fn http(&self) -> SocketAddr {
        address_of(&self.said["serving"]["http"])
    }

    /// Where a listener of the management API is.
    pub(crate) fn api(&self, listener: &str) -> SocketAddr {
        address_of(&self.said["serving"]["api"][listener])
    }

    /// Ends it as an operator would (SIGTERM), and sees it end cleanly.
    pub(crate) fn terminate(mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "a clean stop, not {status}");
    }

    /// A command to it, with its JSON result, or what it printed when it failed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = cardswitch(Path::new("."))
            .args(arguments)
            .env("CARDSWITCH_CONTROL__SOCKET", &self.socket)
            .output()
            .expect("the binary starts");
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// A command that must work, and the identifier it made.
    pub(crate) fn make(&self, arguments: &[&str], member: &str) -> String {
        let result = self.command(arguments).unwrap_or_else(|e| panic!("{arguments:?}: {e}"));
        result[member].as_i64().map_or_else(
            || result[member].as_str().unwrap_or_default().to_owned(),
            |id| id.to_string(),
        )
    }

    /// A partner with a deposit, a programme, and one funded card: its number.
    pub(crate) fn set_up(&self) -> String {
        let partner = self.make(&["partner", "create", "--name", "Acme"], "partner");
        let open = ["pool", "open", "--partner", &partner, "--kind", "deposit"];
        let pool = self.make(&[&open[..], &["--currency", "EUR"]].concat(), "pool");
        let reload = ["pool", "reload", "--pool", &pool, "--amount", "1000000"];
        self.make(&[&reload[..], &["--reference", "transfer 1"]].concat(), "done");
        let create = ["programme", "create", "--partner", &partner, "--name", "Euro"];
        let bins = ["--bin-low", "99999912", "--currency", "EUR", "--pool", &pool];
        let programme = self.make(&[&create[..], &bins].concat(), "programme");
        let customer = ["customer", "create", "--partner", &partner, "--reference", "alice"];
        let customer = self.make(&customer, "customer");
        let open = ["balance", "open", "--programme", &programme, "--customer", &customer];
        let balance = self.make(&open, "balance");
        let credit = ["balance", "credit", "--balance", &balance, "--amount", "500000"];
        self.make(&[&credit[..], &["--reference", "welcome"]].concat(), "done");
        let issue = ["card", "issue", "--balance", &balance, "--expiry", "4912"];
        self.make(&[&issue[..], &["--reveal-test-pan"]].concat(), "pan")
    }
}

fn address_of(value: &Value) -> SocketAddr {
    value.as_str().and_then(|text| text.parse().ok()).expect("an address")
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, away from this process's own configuration.
pub(crate) fn cardswitch(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardswitch"));
    for (name, _) in std::env::vars() {
        let ours = name.starts_with("CARDSWITCH_") && !name.starts_with("CARDSWITCH_TEST_");
        if (ours && name != "CARDSWITCH_PG_BIN") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).env("CARDSWITCH_LOG__FILTER", "warn");
    command
}
