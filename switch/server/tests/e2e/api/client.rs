//! A partner's own system, as far as HTTP goes: requests over TLS with its certificate, one
//! connection each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::KeyPair;
use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};
use serde_json::Value;

/// A system that shows one certificate.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    token: Option<String>,
    heard: Heard,
}

/// All answers that came to some clients, as they came.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn note(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    /// What came so far.
    pub(crate) fn all(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What was refused, by its code.
    pub(crate) fn refused(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        (self.status, self.json()["code"].as_str().expect("a code").to_owned())
    }

    /// What was done.
    #[track_caller]
    pub(crate) fn done(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Client {
    pub(crate) fn new(
        address: SocketAddr,
        root: &CertificateDer<'static>,
        (key, certificate): (&KeyPair, CertificateDer<'static>),
    ) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = config(root).with_client_auth_cert(vec![certificate], key).expect("a pair");
        Self { address, config: Arc::new(config), token: None, heard: Heard::default() }
    }

    /// Somebody who shows no certificate.
    pub(crate) fn anonymous(address: SocketAddr, root: &CertificateDer<'static>) -> Self {
        let config = Arc::new(config(root).with_no_client_auth());
        Self { address, config, token: None, heard: Heard::default() }
    }

    /// The same, whose answers are noted here.
    pub(crate) fn noting(self, heard: &Heard) -> Self {
        Self { heard: heard.clone(), ..self }
    }

    /// The same, who bears a token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same system, at a switch that listens elsewhere now.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Idempotency-Key", key)], Some(body))
    }

    /// A connection that stays open.
    pub(crate) fn stands(&self) -> Standing {
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(self.config.clone(), name).expect("a session");
        let socket = TcpStream::connect(self.address).expect("connected");
        Standing(BufReader::new(StreamOwned::new(session, socket)))
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(self.config.clone(), name).expect("a session");
        let socket = TcpStream::connect(self.address).expect("connected");
        let mut stream = StreamOwned::new(session, socket);
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = body.filter(|body| !body.is_null()).map(Value::to_string);
        if let Some(body) = &body {
            head.push_str(&format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        head.push_str("\r\n");
        head.push_str(&body.unwrap_or_default());
        stream.write_all(head.as_bytes()).expect("sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        self.heard.note(&bytes);
        read(&bytes)
    }
}

/// One connection, for one request after the other.
pub(crate) struct Standing(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Standing {
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes()).expect("sent");
        let mut said = String::new();
        while !said.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut said).expect("a line") > 0, "it is open: {said:?}");
        }
        let answer = read(said.as_bytes());
        let length = answer.header("content-length").expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut body).expect("a body");
        Answer { text: String::from_utf8(body).expect("text"), ..answer }
    }
}

fn config(root: &CertificateDer<'static>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
}

fn read(bytes: &[u8]) -> Answer {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.to_owned(), value.to_owned())
    };
    Answer {
        status: status.expect("a status"),
        headers: lines.map(header).collect(),
        text: body.to_owned(),
    }
}
