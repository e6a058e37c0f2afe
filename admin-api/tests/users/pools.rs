//! The watch over pools and the way of letters to the relay, by times that are given: of several
//! switches one watches and one sends; what is put off comes again, and in clear nothing goes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin_api::mail::{
    Letter, MailAddress, MailLogin, MailRunner, MailSettings, MailTls, Outbox, Relay, Sent,
};
use admin_api::pools::{NewAlert, PoolSettings, Pools, Watch, Watched};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use switch_domain::{MinorUnits, Pool};

use crate::https_provider::Pki;
use crate::world::{World, at, code, key, text};

fn pool_of(world: &World) -> Pool {
    let control = world.services.node().control();
    let mut pools = control.pools.values();
    pools.find(|pool| pool.partner == world.one.partner).expect("a pool").clone()
}

const fn watched(fired: u64, armed: u64) -> Watched {
    Watched { fired, armed }
}

// covers: SR-230
#[tokio::test]
async fn of_two_switches_one_watches_and_tells_each_crossing_once() {
    let world = World::new().await;
    let pools = Pools::new(world.services.clone(), PoolSettings::default(), None);
    let pool = pool_of(&world);
    let [mut first, mut second] = [(); 2].map(|()| Watch::new(pools.clone()));
    let below = |minor| NewAlert { below: Some(MinorUnits(minor)), addresses: Vec::new() };
    let to_desk = NewAlert {
        addresses: vec![MailAddress::parse("desk@bank.example", "addresses").expect("one")],
        ..below(1)
    };
    assert_eq!(code(pools.set_alert(&pool, &to_desk, 0).await), "CONFLICT", "no mail is sent");
    pools.set_alert(&pool, &below(100), 0).await.expect("set");
    assert_eq!(code(pools.set_alert(&pool, &below(1), 0).await), "PRECONDITION_FAILED");
    // It is low as it is; that is told, and by one of them.
    assert_eq!(first.round(at(1)).await, Ok(watched(1, 0)));
    assert_eq!(second.round(at(1)).await, Ok(watched(0, 0)));
    assert_eq!(first.round(at(2)).await, Ok(watched(0, 0)), "once");
    assert_eq!(pools.alert(&pool).await.expect("read").low_since, Some(at(1)));
    let reload = |name: &'static str, minor| {
        let (amount, by) = (MinorUnits(minor), text("operator:1"));
        world.services.reload_pool(key(name), by, pool.id, amount, text(name))
    };
    reload("first", 99).await.expect("booked");
    assert_eq!(first.round(at(3)).await, Ok(watched(0, 0)), "a cent less is less");
    reload("second", 1).await.expect("booked");
    assert_eq!(second.round(at(4)).await, Ok(watched(0, 0)));
    assert_eq!(first.round(at(4)).await, Ok(watched(0, 1)));
    // With the one that watched the claim goes, and the other goes on.
    drop(first);
    pools.set_alert(&pool, &below(101), 1).await.expect("set");
    let told = loop {
        let told = second.round(at(5)).await.expect("looked");
        if told != watched(0, 0) {
            break told;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(told, watched(1, 0));
    // Without a level nothing is watched.
    let never = NewAlert::default();
    pools.set_alert(&pool, &never, 2).await.expect("set");
    assert_eq!(second.round(at(6)).await, Ok(watched(0, 0)));
    drop(second);
    world.close().await;
}

/// What a relay was told, line by line.
type Said = Arc<Mutex<Vec<String>>>;

/// What somebody logs in with: two zero bytes around the name (RFC 4616), in base64.
const LOGIN: &str = "AUTH PLAIN AHVzAGNvcnJlY3QgaG9yc2U=";

/// A relay that takes one letter of each connection, over TLS where it has a certificate.
fn relay(identity: Option<(PathBuf, PathBuf)>) -> (SocketAddr, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let said = Said::default();
    let noted = Arc::clone(&said);
    let config = identity.map(|(chain, key)| Arc::new(server(&chain, &key)));
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = match &config {
                None => talk(stream, &noted),
                Some(config) => ServerConnection::new(Arc::clone(config))
                    .ok()
                    .and_then(|session| talk(StreamOwned::new(session, stream), &noted)),
            };
        }
    });
    (address, said)
}

fn server(chain: &Path, key: &Path) -> ServerConfig {
    let chain = CertificateDer::from_pem_file(chain).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    builder.with_no_client_auth().with_single_cert(vec![chain], key).expect("a pair")
}

fn talk(stream: impl Read + Write, noted: &Said) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 relay\r\n").ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        noted.lock().ok()?.push(line.trim_end().to_owned());
        let reply = match line.trim_end() {
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            "." => "250 ok\r\n",
            line if line.starts_with("EHLO") => "250-relay\r\n250 AUTH PLAIN LOGIN\r\n",
            LOGIN => "235 welcome\r\n",
            line if line.starts_with("AUTH") => "535 who?\r\n",
            // A command, and no line of a letter.
            line if line.get(4..5) == Some(" ") => "250 ok\r\n",
            _ => continue,
        };
        stream.get_mut().write_all(reply.as_bytes()).ok()?;
    }
}

/// An outbox with a letter in it, tried three times a second apart.
async fn outbox(world: &World) -> Outbox {
    let outbox = Outbox::new(MailSettings {
        waiting_most: 1,
        at_once: 4,
        pauses: vec![Duration::from_secs(1); 2],
        patience: Duration::from_secs(30),
        keep: Duration::from_secs(86_400),
    });
    write(world, &outbox).await;
    outbox
}

async fn write(world: &World, outbox: &Outbox) {
    let recipient = MailAddress::parse("desk@bank.example", "to").expect("an address");
    let (partner, recipient) = (world.one.partner, &recipient);
    let letter = Letter { partner, recipient, subject: "low", body: "it is low\n" };
    let mut connection = world.store.pool().acquire().await.expect("a connection");
    outbox.enqueue(&mut connection, &[letter], at(0)).await.expect("written");
}

fn runner(world: &World, outbox: &Outbox, port: u16, tls: MailTls) -> MailRunner {
    let from = MailAddress::parse("cards@bank.example", "from").expect("an address");
    let patience = Duration::from_secs(30);
    let host = "localhost".to_owned();
    let relay = Relay { host, port, tls, login: None, from, patience };
    MailRunner::new(world.store.clone(), outbox.clone(), relay)
}

const fn sent(taken: u32, failed: u32, later: u32) -> Sent {
    Sent { taken, failed, later }
}

// covers: SR-230
#[tokio::test]
async fn letters_go_over_tls_to_whom_the_authorities_know_and_in_clear_not_at_all() {
    let world = World::new().await;
    let (ours, theirs) = (Pki::new(), Pki::new());
    let identity = ours.identity("localhost");
    let (over_tls, heard) = relay(Some((identity.chain, identity.key)));
    let (in_clear, overheard) = relay(None);
    let outbox = outbox(&world).await;
    let by = |port, tls| runner(&world, &outbox, port, tls);
    // A relay of somebody else's authority, and one without TLS: nothing is said to either.
    let strangers = by(over_tls.port(), MailTls::Implicit(theirs.at("ca.pem")));
    assert_eq!(strangers.round(at(1)).await, Ok(sent(0, 0, 1)));
    assert_eq!(strangers.round(at(1)).await, Ok(sent(0, 0, 0)), "not before its pause");
    let plain = by(in_clear.port(), MailTls::StartTls(ours.at("ca.pem")));
    assert_eq!(plain.round(at(2)).await, Ok(sent(0, 0, 1)));
    let mail = |said: &Said| said.lock().expect("noted").iter().any(|it| it.starts_with("MAIL"));
    assert!(!mail(&heard) && !mail(&overheard));
    let good = by(over_tls.port(), MailTls::Implicit(ours.at("ca.pem")));
    assert_eq!(good.round(at(3)).await, Ok(sent(1, 0, 0)));
    assert!(mail(&heard) && !mail(&overheard));
    assert_eq!(good.round(at(4)).await, Ok(sent(0, 0, 0)), "once");

    // One more, and no room for another; after its last try it has failed.
    write(&world, &outbox).await;
    write(&world, &outbox).await;
    let rows = "SELECT count(*) FROM mail_message";
    assert_eq!(world.count(rows).await, 2);
    for (second, came) in [(5, sent(0, 0, 1)), (6, sent(0, 0, 1)), (7, sent(0, 1, 0))] {
        assert_eq!(strangers.round(at(second)).await, Ok(came), "{second}");
    }
    // What is over goes, after a day.
    assert_eq!(good.round(at(86_400 + 8)).await, Ok(sent(0, 0, 0)));
    assert_eq!(world.count(rows).await, 0);
    world.close().await;
}

/// Over TLS alone; a wrong password loses no letter, and the right one is found with the next
/// round.
// covers: SR-230
#[tokio::test]
async fn the_relay_is_logged_in_at_with_what_the_file_says_by_then() {
    let world = World::new().await;
    let pki = Pki::new();
    let identity = pki.identity("localhost");
    let (address, heard) = relay(Some((identity.chain, identity.key)));
    let outbox = outbox(&world).await;
    let password_file = pki.at("relay.password");
    let login = MailLogin { user: "us".to_owned(), password_file: password_file.clone() };
    let by = |tls| {
        let from = MailAddress::parse("cards@bank.example", "from").expect("an address");
        let (host, login) = ("localhost".to_owned(), Some(login.clone()));
        let patience = Duration::from_secs(30);
        Relay { host, port: address.port(), tls, login, from, patience }
    };
    let says = |password: &str| {
        std::fs::write(&password_file, format!("{password}\n")).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&password_file, mode).expect("set");
    };
    let tls = || MailTls::Implicit(pki.at("ca.pem"));
    assert!(by(tls()).check().is_err(), "there is no password yet");
    says("wrong horse");
    assert!(by(MailTls::Plain).check().is_err(), "not in clear");
    let runner = MailRunner::new(world.store.clone(), outbox.clone(), by(tls()));
    assert_eq!(runner.round(at(1)).await, Ok(sent(0, 0, 1)));
    let mails = || heard.lock().expect("noted").iter().filter(|it| it.starts_with("MAIL")).count();
    assert_eq!(mails(), 0);
    says("correct horse");
    assert_eq!(runner.round(at(2)).await, Ok(sent(1, 0, 0)));
    assert_eq!(mails(), 1);
    world.close().await;
}

// covers: SR-230
#[tokio::test]
async fn what_was_cut_off_under_way_is_sent_again_and_by_one_alone() {
    let world = World::new().await;
    let pki = Pki::new();
    let identity = pki.identity("localhost");
    let (address, heard) = relay(Some((identity.chain, identity.key)));
    let outbox = outbox(&world).await;
    let by = || runner(&world, &outbox, address.port(), MailTls::Implicit(pki.at("ca.pem")));
    // As it is while a switch has it under way: nobody else sends it meanwhile.
    let taken = "UPDATE mail_message SET tries = 1, next_at = $1";
    let lease = switch_store::PgTimestamp(at(60));
    sqlx::query(taken).bind(lease).execute(world.store.pool()).await.expect("taken");
    assert_eq!(by().round(at(59)).await, Ok(sent(0, 0, 0)));
    // That one is gone: after as long as a try may take it is sent, by one of two.
    let (one, other) = (by(), by());
    let (one, other) = tokio::join!(one.round(at(60)), other.round(at(60)));
    let taken = one.expect("done").taken + other.expect("done").taken;
    assert_eq!(taken, 1);
    let mails = heard.lock().expect("noted").iter().filter(|it| it.starts_with("MAIL")).count();
    assert_eq!(mails, 1);
    world.close().await;
}
