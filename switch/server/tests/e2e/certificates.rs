//! Client certificates of partners by the real binary: the authority is made, a request signed, the
//! certificate listed and taken back; and what is said where something is wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use switch_store::private_postgres::fresh_database;

use crate::keys::ceremony;
use crate::stage::{Served, cardswitch};

pub(crate) const LMK: (&str, &str) =
    ("CARDSWITCH_SECURITY__LMK_COMPONENTS", r#"["keys/first.lmk", "keys/second.lmk"]"#);
pub(crate) const FILES: [(&str, &str); 3] = [
    ("CARDSWITCH_API__CERTIFICATES__KEY_FILE", "keys/ca.key"),
    ("CARDSWITCH_API__CERTIFICATES__CERTIFICATE_FILE", "keys/ca.pem"),
    ("CARDSWITCH_API__CERTIFICATES__MOST_LIVE", "2"),
];

/// `cardswitch ca`; whether it went well, standard output, and the other one.
pub(crate) fn ca(directory: &Path, arguments: &[&str], has_master: bool) -> (bool, String, String) {
    let mut command = cardswitch(directory);
    command.arg("ca").args(arguments).envs(FILES).envs(has_master.then_some(LMK));
    let output = command.stdin(Stdio::null()).output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// Makes another local master key, and moves all keys under it; what is said of that.
fn rewrap(directory: &Path) -> String {
    let mut more = cardswitch(directory);
    more.args(["keys", "ceremony", "keys/third.lmk", "keys/fourth.lmk"]);
    assert!(more.output().expect("it starts").status.success());
    let mut rewrap = cardswitch(directory);
    rewrap.args(["keys", "rewrap"]).envs(FILES).env("CARDSWITCH_SECURITY__KEY_FILE", "keys/s.keys");
    rewrap.env(LMK.0, r#"["keys/third.lmk", "keys/fourth.lmk"]"#);
    rewrap.env("CARDSWITCH_SECURITY__PREVIOUS_LMK_COMPONENTS", LMK.1);
    let output = rewrap.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

pub(crate) fn request(path: &Path) -> KeyPair {
    let key = KeyPair::generate().expect("a key");
    let asks = CertificateParams::default().serialize_request(&key).expect("a request");
    std::fs::write(path, asks.pem().expect("PEM")).expect("written");
    key
}

pub(crate) fn files(directory: &Path, name: &str) -> [String; 2] {
    ["csr", "pem"].map(|kind| directory.join(format!("{name}.{kind}")).display().to_string())
}

#[test]
fn the_authority_is_made_once_and_shows_its_certificate_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let (good, _, said) = ca(at, &["show"], false);
    assert!(!good && said.contains("make one with `cardswitch ca init`"), "{said}");
    let (good, _, said) = ca(at, &["init"], false);
    assert!(!good && said.contains("security.lmk_components names no files"), "{said}");
    ceremony(at);
    let (good, told, said) = ca(at, &["init", "--name", "Acme partners"], true);
    assert!(good && told.contains("CN=Acme partners: serial "), "{told}{said}");
    let (good, _, said) = ca(at, &["init"], true);
    assert!(!good && said.contains("there is a certificate authority already"), "{said}");
    // Without the local master key: it is public.
    let (good, shown, about) = ca(at, &["show"], false);
    assert!(good && shown.starts_with("-----BEGIN CERTIFICATE-----"), "{shown}{about}");
    assert!(about.contains("good from ") && about.contains("SHA-256 "), "{about}");
    let file = std::fs::read_to_string(at.join("keys/ca.pem")).expect("the certificate");
    assert_eq!(file, shown);
    let key = std::fs::read_to_string(at.join("keys/ca.key")).expect("the key");
    assert!(key.contains("sealed authority-key ") && !key.contains("BEGIN"), "{key}");
    for text in [told, shown, about] {
        assert!(!text.contains(key.lines().last().expect("a line")), "{text}");
    }

    // Another local master key: `keys rewrap` takes it along.
    let told = rewrap(at);
    assert!(told.contains("keys/ca.key: moved"), "{told}");
    assert_ne!(std::fs::read_to_string(at.join("keys/ca.key")).expect("the key"), key);
}

// covers: SR-051
#[tokio::test]
async fn a_request_is_signed_listed_and_revoked_by_commands() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    let configuration: Vec<_> = FILES.into_iter().chain([LMK]).collect();
    let served = Served::start_with(at, database.url().expose(), &configuration);
    let partner = served.make(&["partner", "create", "--name", "Acme"], "partner");
    let [csr, pem] = files(at, "first");
    request(Path::new(&csr));
    let sign = |csr: &str, pem: &str, partner: &str| {
        served.command(&["partner", "csr", "--partner", partner, "--in", csr, "--out", pem])
    };
    let none = sign(&csr, &pem, &partner).expect_err("no authority yet");
    assert!(none.contains("cardswitch ca init"), "{none}");
    assert!(!Path::new(&pem).exists(), "nothing is left behind");
    // The running switch signs with it at once.
    assert!(ca(at, &["init"], true).0);
    let signed = sign(&csr, &pem, &partner).expect("signed");
    let serial = signed["serial"].as_str().expect("a number").to_owned();
    assert!(signed["not_taken"].as_array().expect("a list").is_empty(), "{signed}");
    assert!(signed.get("certificate").is_none(), "it stands in the file");

    let certificate = std::fs::read_to_string(&pem).expect("the certificate");
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----\n"), "{certificate}");

    let list = || served.command(&["partner", "certificates", "--partner", &partner]);
    let listed = list().expect("listed");
    assert_eq!((&listed[0]["state"], listed.as_array().map(Vec::len)), (&"GOOD".into(), Some(1)));
    let revoke = ["partner", "revoke-certificate", &serial, "--reason", "key-compromise"];
    let revoked = served.command(&revoke).expect("revoked");
    assert_eq!((&revoked["before"], &revoked["reason"]), (&false.into(), &"key-compromise".into()));
    assert_eq!(served.command(&revoke).expect("once")["before"], true);
    let listed = list().expect("listed");
    assert_eq!((&listed[0]["state"], &listed[0]["serial"]), (&"REVOKED".into(), &serial.into()));
    refused(&served, at, &partner, &csr);
    served.terminate();
    database.close().await;
}

/// A root, and a certificate for localhost under it in the files that a listener is told of.
pub(crate) fn server_files(directory: &Path) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Of another name than what it signs: OpenSSL takes that for self-signed otherwise.
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test root");
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let root = root.expect("an authority");
    let params = CertificateParams::new(vec!["localhost".into()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let issuer: &Issuer<'_, KeyPair> = &root;
    let certificate = params.signed_by(&key, issuer).expect("signed");
    std::fs::write(directory.join("root.pem"), root.pem()).expect("written");
    std::fs::write(directory.join("server.pem"), certificate.pem()).expect("written");
    std::fs::write(directory.join("server.key"), key.serialize_pem()).expect("written");
    std::fs::write(directory.join("root.pem"), root.pem()).expect("written");
    root.der().clone()
}

/// Asks a listener, showing what is given; the first line of its answer.
fn asked(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    shows: Option<(&KeyPair, CertificateDer<'static>)>,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match shows {
        None => builder.with_no_client_auth(),
        Some((key, certificate)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
            builder.with_client_auth_cert(vec![certificate], key).expect("a pair")
        }
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

// covers: SR-051, API-02
#[tokio::test(flavor = "multi_thread")]
async fn the_listeners_ask_for_certificates_where_partners_call() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    ceremony(at);
    assert!(ca(at, &["init"], true).0);
    let root = server_files(at);
    let listeners = [
        ("CARDSWITCH_API__SECURE__LISTEN", "127.0.0.1:0"),
        ("CARDSWITCH_API__SECURE__CERTIFICATE", "server.pem"),
        ("CARDSWITCH_API__SECURE__KEY", "server.key"),
        ("CARDSWITCH_API__OPEN__LISTEN", "127.0.0.1:0"),
        ("CARDSWITCH_API__OPEN__IN_CLEAR", "true"),
    ];
    let configuration: Vec<_> = FILES.into_iter().chain([LMK]).chain(listeners).collect();
    let served = Served::start_with(at, database.url().expose(), &configuration);
    let partner = served.make(&["partner", "create", "--name", "Acme"], "partner");
    let [csr, pem] = files(at, "first");
    let key = request(Path::new(&csr));
    let sign = ["partner", "csr", "--partner", &partner, "--in", &csr, "--out", &pem];
    let signed = served.command(&sign).expect("signed");
    let certificate = CertificateDer::from_pem_file(&pem).expect("the certificate");
    let secure = served.api("secure");
    let shown = || asked(secure, &root, Some((&key, certificate.clone())));
    assert_eq!(shown().expect("an answer"), "HTTP/1.1 404 Not Found");
    let none = asked(secure, &root, None);
    assert!(none.as_ref().map_or(true, String::is_empty), "{none:?}");
    let serial = signed["serial"].as_str().expect("a number");
    let revoke = ["partner", "revoke-certificate", serial, "--reason", "withdrawn"];
    served.command(&revoke).expect("revoked");
    let revoked = shown();
    assert!(revoked.as_ref().map_or(true, String::is_empty), "{revoked:?}");

    let mut open = TcpStream::connect(served.api("open")).expect("connected");
    open.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut line = String::new();
    BufReader::new(open).read_line(&mut line).expect("an answer");
    assert_eq!(line.trim_end(), "HTTP/1.1 404 Not Found");
    served.terminate();
    // The keys of encrypted bodies were made at the start, and go along as the authority's does.
    let told = rewrap(at);
    let made = ["api", "operators", "webhooks"].map(|name| format!("data/keys/{name}.key"));
    for file in made.iter().map(String::as_str).chain(["keys/ca.key"]) {
        assert!(told.contains(&format!("{file}: moved")), "{told}");
    }
    database.close().await;
}

/// What is said where something is wrong.
fn refused(served: &Served, at: &Path, partner: &str, used: &str) {
    let sign = |csr: &str, pem: &str, partner: &str| {
        served.command(&["partner", "csr", "--partner", partner, "--in", csr, "--out", pem])
    };
    let [_, pem] = files(at, "second");
    let revoked = sign(used, &pem, partner).expect_err("a revoked key");
    assert!(revoked.contains("was revoked: make a new key"), "{revoked}");
    let [csr, _] = files(at, "second");
    request(Path::new(&csr));
    let nobody = sign(&csr, &pem, "99").expect_err("nobody");
    assert!(nobody.contains("there is no such partner"), "{nobody}");
    let taken = sign(&csr, used, partner).expect_err("there is a file");
    assert!(taken.contains("the certificate would be written there"), "{taken}");
    let missing = sign("/nowhere.csr", &pem, partner).expect_err("no request");
    assert!(missing.contains("/nowhere.csr"), "{missing}");
    std::fs::write(at.join("text"), "hello").expect("written");
    let text = at.join("text").display().to_string();
    let no_request = sign(&text, &pem, partner).expect_err("no request");
    assert!(no_request.contains("openssl req -new"), "{no_request}");
    sign(&csr, &pem, partner).expect("signed");
    for (name, good) in [("third", true), ("fourth", false)] {
        let [csr, pem] = files(at, name);
        request(Path::new(&csr));
        let said = sign(&csr, &pem, partner);
        assert_eq!(said.is_ok(), good, "{said:?}");
        assert!(good || said.unwrap_err().contains("api.certificates.most_live"));
    }
    let wrong = ["partner", "revoke-certificate", "12", "--reason", "superseded"];
    assert!(served.command(&wrong).expect_err("no number").contains("32 hexadecimal digits"));
}
