//! The sandbox simulator by its lines, over TCP against the stand-in: what it sends, what it
//! remembers, and what it refuses.

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use simulators::responder::{Fault, Issuer, Misbehaviour, listen};
use simulators::sandbox::{SandboxSettings, SandboxSimulator};
use support::{cards, fault, framing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAN: &str = "9999991200000000";

/// A sandbox at a stand-in, and that.
async fn sandbox(remembered: usize, faults: &[Fault]) -> (SandboxSimulator, Arc<Mutex<Issuer>>) {
    let issuer = Arc::new(Mutex::new(Issuer::new(&cards(), faults)));
    let (link, _task) = listen(framing(), Arc::clone(&issuer)).await.expect("listening");
    let settings = SandboxSettings { framing: framing(), remembered, connections: 4 };
    let here = ([127, 0, 0, 1], 0).into();
    let sandbox = SandboxSimulator::listen(here, settings, link.to_string(), None).await;
    (sandbox.expect("listening"), issuer)
}

/// What comes back for these bytes.
async fn says(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    stream.shutdown().await.expect("no more");
    let mut said = String::new();
    // A connection that is ended while something is unread is reset.
    let _ = stream.read_to_string(&mut said).await;
    said
}

async fn asks(sandbox: &SandboxSimulator, line: &Value) -> Value {
    let said = says(sandbox.address(), format!("{line}\n").as_bytes()).await;
    assert!(!said.contains(PAN), "{said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn authorization(simulation: &str, owner: &str) -> Value {
    json!({
        "number": PAN, "simulation": simulation, "owner": owner,
        "act": { "authorization": {
            "card": "7", "expiry": "3012", "amount": 1_250, "currency": "978", "entry": "ECOMMERCE",
            "country": "AT", "category": "5812", "name": "A PLACE TO EAT"
        } }
    })
}

fn follows(simulation: &str, owner: &str, act: &str, of: &str) -> Value {
    json!({ "simulation": simulation, "owner": owner, "act": { act: { "of": of } } })
}

/// A field of a message that is shown.
fn field(message: &Value, number: u8) -> String {
    let fields = message["fields"].as_array().expect("fields");
    let found = fields.iter().find(|one| one["field"] == number).expect("the field");
    found["content"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_simulation_is_a_message_once_and_is_followed_by_its_owner() {
    let (sandbox, issuer) = sandbox(10, &[]).await;
    let told = asks(&sandbox, &authorization("a", "1")).await;
    let done = &told["done"];
    assert_eq!(
        (&done["action"], &done["card"], &done["amount"]),
        (&"00".into(), &"7".into(), &1_250.into())
    );
    let sent = &done["sent"];
    assert_eq!((sent["mti"].as_str(), field(sent, 18)), (Some("0100"), "5812".into()));
    assert_eq!(field(sent, 2), "999999******0000");
    assert_eq!(field(sent, 43), "A PLACE TO EAT           DUBLIN       AT");
    assert_eq!(asks(&sandbox, &authorization("a", "1")).await, told, "it is the same");
    let count = |at: &str| issuer.lock().expect("one").count(at);
    assert_eq!(count("0100"), 1, "and was sent once");
    for (simulation, act, mti) in [
        ("c", "clearing", "0220"),
        ("r", "refund", "0220"),
        ("v", "reversal", "0420"),
        ("s", "advice", "0120"),
    ] {
        let told = asks(&sandbox, &follows(simulation, "1", act, "a")).await;
        assert_eq!(told["done"]["sent"]["mti"], mti, "{told}");
    }
    let unknown = json!({ "refused": "unknown" });
    assert_eq!(asks(&sandbox, &follows("x", "2", "clearing", "a")).await, unknown);
    assert_eq!(asks(&sandbox, &authorization("a", "2")).await, unknown, "somebody else's name");
    let unfit = json!({ "refused": "unfit" });
    assert_eq!(asks(&sandbox, &follows("x", "1", "clearing", "c")).await, unfit);
    let mut cash = authorization("x", "1");
    cash["act"]["authorization"]["cash"] = true.into();
    assert_eq!(asks(&sandbox, &cash).await, unfit, "no machine on the Internet");
    let shipment = json!({ "simulation": "x", "owner": "1", "act": "shipment" });
    assert_eq!(asks(&sandbox, &shipment).await, json!({ "refused": "no_bureau" }));
}

#[tokio::test]
async fn what_was_not_answered_is_repeated_and_the_oldest_is_forgotten() {
    let (sandbox, issuer) = sandbox(2, &[fault("0100", 0, Misbehaviour::Close)]).await;
    let silent = json!({ "refused": "silent" });
    assert_eq!(asks(&sandbox, &authorization("a", "1")).await, silent);
    let told = asks(&sandbox, &authorization("a", "1")).await;
    assert_eq!(told["done"]["action"], "00", "{told}");
    let count = |at: &str| issuer.lock().expect("one").count(at);
    assert_eq!((count("0100"), count("0101")), (1, 1));
    for simulation in ["b", "c"] {
        asks(&sandbox, &authorization(simulation, "1")).await;
    }
    let forgotten = asks(&sandbox, &follows("x", "1", "clearing", "a")).await;
    assert_eq!(forgotten, json!({ "refused": "unknown" }));
    sandbox.play_at("127.0.0.1:1".to_owned(), None);
    let gone = asks(&sandbox, &authorization("d", "1")).await;
    assert_eq!(gone, json!({ "refused": "unreachable" }));
}

#[tokio::test]
async fn what_is_no_line_of_ours_is_refused_and_never_sent() {
    let (sandbox, issuer) = sandbox(10, &[]).await;
    let mut real = authorization("a", "1");
    real["number"] = "4111111111111111".into();
    let mut none = authorization("a", "1");
    none["act"]["authorization"]["amount"] = 0.into();
    let mut more = authorization("a", "1");
    more["more"] = 1.into();
    let mut numbered = follows("a", "1", "clearing", "b");
    numbered["number"] = PAN.into();
    let unreadable = json!({ "refused": "unreadable" });
    for wrong in [real, none, more, numbered, json!({}), json!([]), json!("shipment")] {
        assert_eq!(asks(&sandbox, &wrong).await, unreadable, "{wrong}");
    }
    let long = vec![b'x'; 10_000];
    assert_eq!(says(sandbox.address(), &long).await, "", "nobody reads on");
    assert_eq!(says(sandbox.address(), b"{\"simulation\":").await, "", "no line at all");
    assert_eq!(issuer.lock().expect("one").count("0100"), 0);
}

#[tokio::test]
async fn it_listens_on_this_machine_alone() {
    let settings = SandboxSettings { framing: framing(), remembered: 1, connections: 1 };
    let anywhere = ([0, 0, 0, 0], 0).into();
    let listening = SandboxSimulator::listen(anywhere, settings, String::new(), None).await;
    assert!(listening.is_err());
}
