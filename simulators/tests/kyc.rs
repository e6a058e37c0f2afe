//! A simulated provider of verifications by its own bytes, without a client, and on the command
//! line.

#[path = "network/pki.rs"]
mod pki;

use std::process::Stdio;
use std::sync::Arc;

use pki::Authority;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use simulators::kyc::{Conduct, KycSettings, Plan, SimulatedKyc};
use simulators::network::Identity;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_rustls::TlsConnector;

const INQUIRY: &str = "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e";

fn identity() -> (tempfile::TempDir, Authority, Identity) {
    let folder = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(folder.path(), "authority");
    let identity = authority.identity(folder.path(), "localhost");
    (folder, authority, identity)
}

/// Asks about somebody on a connection of its own; the status, and what came behind the head.
async fn ask(
    address: std::net::SocketAddr,
    authority: &Authority,
    family_name: &str,
    secret: &str,
) -> Option<(u16, String)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&authority.file).expect("a root")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TcpStream::connect(address).await.expect("connected");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.expect("a handshake");
    let born = r#""birthDate":"1990-01-01""#;
    let who = format!(r#""givenName":"A","familyName":"{family_name}",{born}"#);
    let body = format!(r#"{{"inquiry":"{INQUIRY}",{who}}}"#);
    let head = format!(
        "POST /v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Idempotency-Key: {INQUIRY}\r\nAuthorization: Bearer {secret}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").filter(|_| read.is_ok())?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Some((status.expect("a status"), body.to_owned()))
}

fn found(outcome: &str, reference: &str) -> Option<(u16, String)> {
    let text = format!(
        r#"{{"inquiry":"{INQUIRY}","outcome":"{outcome}","reference":"SIM-6f2c2b5e{reference}"}}"#
    );
    Some((200, text))
}

#[tokio::test]
async fn it_decides_by_the_name_and_does_what_it_is_told() {
    let (_folder, authority, identity) = identity();
    let settings = KycSettings { identity, clients: None, secret: Some("s3cret".into()) };
    let provider = SimulatedKyc::listen(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
    let about = async |name: &str| ask(provider.address(), &authority, name, "s3cret").await;
    assert_eq!(about("Lovelace").await, found("VERIFIED", ""));
    assert_eq!(about("Denied").await, found("REJECTED", " SANCTIONS"));
    let pending = format!(r#"{{"inquiry":"{INQUIRY}","outcome":"PENDING"}}"#);
    provider.plan(Some(Plan::once("later:3".parse().unwrap())));
    assert_eq!(about("Lovelace").await, Some((200, pending)));
    assert_eq!(about("Waiting").await, found("VERIFIED", ""), "it was asked twice before");
    provider.plan(Some(Plan::once(Conduct::Status(503))));
    assert_eq!(about("Lovelace").await, Some((503, "{}".into())));
    provider.plan(Some(Plan::once(Conduct::Cut)));
    assert_eq!(about("Lovelace").await, None);
    provider.plan(Some(Plan::once(Conduct::Half)));
    let half = about("Lovelace").await.map(|(status, body)| (status, body.len()));
    assert!(half.is_none_or(|(_, length)| length < 100), "{half:?}");
    provider.plan(Some(Plan::once(Conduct::TooLong)));
    assert!(about("Lovelace").await.is_some_and(|(_, body)| body.len() > 1 << 20));
    assert_eq!(about("Lovelace").await, found("VERIFIED", ""), "told once");
    let unknown = ask(provider.address(), &authority, "Lovelace", "guess").await;
    assert_eq!(unknown, Some((401, "{}".into())));
    let tally = provider.tally();
    assert_eq!((tally.questions, tally.wrong, tally.answers_of("FAULT")), (9, 1, 4));
    assert_eq!(tally.inquiries.get(INQUIRY), Some(&9));
    assert!(!serde_json::to_string(&tally).unwrap().contains("Lovelace"));
}

#[tokio::test]
async fn the_command_says_where_it_listens_and_what_it_counted() {
    let (_folder, authority, identity) = identity();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cardswitch-sim"))
        .args(["kyc", "--listen", "127.0.0.1:0", "--stay", "1", "--conduct", "reject"])
        .arg("--certificate")
        .arg(&identity.chain)
        .arg("--key")
        .arg(&identity.key)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    lines.read_line(&mut line).await.expect("a line");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = said["address"].as_str().expect("an address").parse().expect("an address");
    assert_eq!(ask(address, &authority, "Lovelace", "").await, found("REJECTED", " TOLD"));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).await.expect("text");
    let tally: simulators::kyc::Tally = serde_json::from_str(&rest).expect("a tally");
    assert_eq!((tally.questions, tally.answers_of("REJECTED")), (1, 1));
    assert!(child.wait().await.expect("ended").success());
}
