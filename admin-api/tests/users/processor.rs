//! The client of processors elsewhere against a simulated one, over TLS with certificates on both
//! sides: whatever that sends is a card, a refusal or no answer, and the same may be asked again.

use std::sync::Arc;
use std::time::Duration;

use admin_api::cards::Form;
use admin_api::cards::processor::{
    CardOrder, NewPin, Processor, ProcessorFault, RemoteProcessor, RemoteSettings, Told,
};
use admin_api::kyc::ProviderUrl;
use admin_api::programmes::Terminal;
use simulators::processor::{Conduct, Plan, ProcessorSettings, SimulatedProcessor};
use switch_domain::{AsciiText, Bin, BinRange, Expiry, KeyLabel, LockCode, ProgrammeId};
use switch_security::{EncryptedPinBlock, PinBlockFormat};
use uuid::Uuid;

use crate::https_provider::Pki;

const REFUSED: Result<(), ProcessorFault> = Err(ProcessorFault::Refused);
const UNAVAILABLE: Result<(), ProcessorFault> = Err(ProcessorFault::Unavailable);

/// A processor, and who asks it.
struct Stage {
    pki: Pki,
    far: SimulatedProcessor,
    near: Arc<RemoteProcessor>,
}

fn settings(pki: &Pki, far: &SimulatedProcessor) -> RemoteSettings {
    let url = format!("https://localhost:{}/v1/", far.address().port());
    let own = pki.identity("client");
    RemoteSettings {
        url: ProviderUrl::parse(&url).expect("an address"),
        ca: pki.at("ca.pem"),
        own: (own.chain, own.key),
        connect: Duration::from_secs(60),
        patience: Duration::from_secs(60),
        at_once: 2,
        idle_connections: 4,
        idle: Duration::from_secs(60),
        failures: 1_000,
        rest: Duration::from_secs(600),
        pin_key: KeyLabel::new(b"zpk-far").expect("short"),
    }
}

impl Stage {
    async fn start(change: impl FnOnce(&mut RemoteSettings)) -> Self {
        let pki = Pki::new();
        let (identity, clients) = (pki.identity("localhost"), pki.at("ca.pem"));
        let listen = ([127, 0, 0, 1], 0).into();
        let far = SimulatedProcessor::listen(listen, ProcessorSettings { identity, clients });
        let far = far.await.expect("listening");
        let mut settings = settings(&pki, &far);
        change(&mut settings);
        let near = Arc::new(RemoteProcessor::new("far", settings).expect("ready"));
        Self { pki, far, near }
    }

    /// What comes of an order; its name.
    async fn orders(&self, order: &CardOrder) -> Result<String, ProcessorFault> {
        let made = self.near.create(order).await?;
        assert_eq!((made.pan.bin(), made.expiry), (99_999_912, order.expiry));
        Ok(made.reference.to_string())
    }
}

fn order() -> CardOrder {
    let bin = Bin(99_999_912);
    CardOrder {
        reference: Uuid::new_v4(),
        form: Form::Virtual,
        programme: ProgrammeId(7),
        bins: BinRange { low: bin, high: bin, pan_length: 16 },
        expiry: Expiry::from_yymm(3012).expect("a month"),
        holder_name: Some(admin_api::Personal::new("ANA \"RUIZ\\".to_owned())),
        terminal: Some(Terminal::new("T-0001".to_owned()).expect("a name")),
    }
}

fn told(card: &str, turn: i64) -> Told {
    let card = AsciiText::new(card.as_bytes()).expect("short");
    Told { card, reference: Uuid::new_v4(), turn }
}

#[tokio::test]
async fn whatever_a_processor_sends_is_a_card_or_a_fault_and_one_reference_is_one_card() {
    let Stage { far, near, .. } = &Stage::start(|_| {}).await;
    let order = order();
    let first = near.create(&order).await.expect("a card");
    let again = near.create(&order).await.expect("a card");
    assert!(first.pan == again.pan && first.pan.passes_luhn() && first.pan.length() == 16);
    assert_eq!((first.reference.as_str(), again.reference.as_str()), ("sim-1", "sim-1"));
    assert_eq!((far.tally().made, far.tally().connections), (1, 1), "on one connection");
    for (conduct, fault) in [
        (Conduct::Refuse, ProcessorFault::Refused),
        (Conduct::Status(500), ProcessorFault::Unavailable),
        (Conduct::Status(404), ProcessorFault::Unavailable),
        (Conduct::Status(429), ProcessorFault::Unavailable),
        (Conduct::Redirect, ProcessorFault::Unavailable),
        (Conduct::Garbage, ProcessorFault::Unavailable),
        (Conduct::TooLong, ProcessorFault::Unavailable),
        (Conduct::Twice, ProcessorFault::Unavailable),
        (Conduct::Other, ProcessorFault::Unavailable),
        (Conduct::Cut, ProcessorFault::Unavailable),
        (Conduct::Half, ProcessorFault::Unavailable),
        (Conduct::InClear, ProcessorFault::Unavailable),
        (Conduct::Named, ProcessorFault::Unavailable),
    ] {
        far.plan(Some(Plan::once(conduct)));
        let asked = far.tally().questions;
        assert_eq!(near.create(&order).await.err(), Some(fault), "{conduct:?}");
        assert_eq!(far.tally().questions, asked + 1, "{conduct:?}: asked once");
    }
    // What was done, and whose answer was lost, is done once: the same comes again.
    let second = CardOrder { reference: Uuid::new_v4(), ..order.clone() };
    far.plan(Some(Plan::once(Conduct::Cut)));
    assert_eq!(near.create(&second).await.err(), Some(ProcessorFault::Unavailable));
    assert_eq!(far.tally().made, 2);
    let made = near.create(&second).await.expect("the card");
    assert_eq!((far.tally().made, made.reference.as_str()), (2, "sim-2"));
    // A number of its own choice is for the issue to judge.
    for conduct in [Conduct::Outside, Conduct::NoCheckDigit, Conduct::Taken, Conduct::OtherNumber] {
        far.plan(Some(Plan::once(conduct)));
        let bent = near.create(&second).await.expect("a number");
        assert!(bent.pan != made.pan, "{conduct:?}");
    }
    // Not of the tests' series: refused by the simulated one itself.
    let bin = Bin(41_111_111);
    let real = CardOrder { bins: BinRange { low: bin, high: bin, pan_length: 16 }, ..second };
    let real = CardOrder { reference: Uuid::new_v4(), ..real };
    assert_eq!(near.create(&real).await.err(), Some(ProcessorFault::Refused));
    assert_eq!(far.tally().wrong, 0);
}

#[tokio::test]
async fn what_becomes_of_a_card_is_told_once_and_nothing_that_was_overtaken_counts() {
    let stage = Stage::start(|_| {}).await;
    let Stage { far, near, .. } = &stage;
    let name = stage.orders(&CardOrder { form: Form::Physical, ..order() }).await.expect("a card");
    let block = EncryptedPinBlock::new(&[7; 8]).expect("a block");
    let pin = NewPin { block: &block, format: PinBlockFormat::Iso0 };
    assert!(!far.is_in_use(&name));
    near.activate(told(&name, 1)).await.expect("told");
    near.change_pin(told(&name, 2), &pin).await.expect("told");
    assert!(far.is_in_use(&name));
    let lock = told(&name, 3);
    far.plan(Some(Plan::once(Conduct::Cut)));
    assert_eq!(near.stop(lock, LockCode::PendingQuery).await, UNAVAILABLE);
    near.stop(lock, LockCode::PendingQuery).await.expect("told");
    assert_eq!((far.tally().repeated, far.is_in_use(&name)), (1, false));
    near.unstop(told(&name, 5)).await.expect("told");
    near.stop(told(&name, 4), LockCode::Lost).await.expect("it is no news");
    assert!(far.is_in_use(&name), "what was overtaken changes nothing");
    for conduct in [Conduct::Other, Conduct::Garbage, Conduct::Status(503), Conduct::Half] {
        far.plan(Some(Plan::once(conduct)));
        assert_eq!(near.unstop(told(&name, 6)).await, UNAVAILABLE, "{conduct:?}");
    }
    near.retire(told(&name, 7)).await.expect("told");
    assert_eq!(near.activate(told(&name, 8)).await, REFUSED);
    assert_eq!(near.retire(told("sim-99", 9)).await, REFUSED, "it has no such card");
    let stop = format!("stop {}", LockCode::PendingQuery.number());
    let heard = far.tally().of(&name);
    let heard: Vec<_> = heard.iter().map(String::as_str).collect();
    assert_eq!(heard[..5], ["create", "activate", "pin", stop.as_str(), "unstop"]);
    assert_eq!(heard.last(), Some(&"retire"));
}

#[tokio::test]
async fn a_processor_that_hangs_takes_its_places_and_no_more_and_is_given_a_rest() {
    let stage = Stage::start(|settings| {
        settings.patience = Duration::from_secs(2);
        settings.failures = 3;
    });
    let stage = stage.await;
    let Stage { far, near, .. } = &stage;
    let name = stage.orders(&order()).await.expect("a card");
    far.plan(Some(Plan::always(Conduct::Silent)));
    let asked = far.tally().questions;
    // Two places: the third is told so at once, and not counted as its failure.
    let acts: Vec<_> = (1..4).map(|turn| near.unstop(told(&name, turn))).collect();
    assert_eq!(futures_util::future::join_all(acts).await, [UNAVAILABLE; 3]);
    assert_eq!(far.tally().questions, asked + 2);
    assert_eq!(near.unstop(told(&name, 4)).await, UNAVAILABLE);
    assert_eq!(far.tally().questions, asked + 3);
    // Three in a row were late: it is asked no more, also where it would answer.
    far.plan(None);
    assert_eq!(near.unstop(told(&name, 5)).await, UNAVAILABLE);
    assert_eq!(near.create(&order()).await.err(), Some(ProcessorFault::Unavailable));
    assert_eq!(far.tally().questions, asked + 3);
}

#[tokio::test]
async fn after_its_rest_one_question_finds_out_whether_a_processor_answers() {
    let stage = Stage::start(|settings| {
        settings.failures = 1;
        settings.rest = Duration::from_millis(50);
    });
    let stage = stage.await;
    let Stage { far, near, .. } = &stage;
    let name = stage.orders(&order()).await.expect("a card");
    far.die();
    assert_eq!(near.activate(told(&name, 1)).await, UNAVAILABLE);
    far.revive().await.expect("there again");
    let mut turns = 2..;
    let mut again = tokio::time::interval(Duration::from_millis(10));
    while near.activate(told(&name, turns.next().expect("a turn"))).await.is_err() {
        again.tick().await;
    }
    stage.orders(&order()).await.expect("a card");
    assert_eq!(far.tally().made, 2);
}

#[tokio::test]
async fn only_the_processor_itself_is_asked_and_only_by_whom_it_knows() {
    let stage = Stage::start(|_| {}).await;
    let Stage { pki, far, near } = &stage;
    // Somebody else's authority, on either side.
    let others = Pki::new();
    let strange = RemoteSettings { ca: others.at("ca.pem"), ..settings(pki, far) };
    let strange = RemoteProcessor::new("far", strange).expect("ready");
    assert_eq!(strange.create(&order()).await.err(), Some(ProcessorFault::Unavailable));
    let own = others.identity("client");
    let unknown = RemoteSettings { own: (own.chain, own.key), ..settings(pki, far) };
    let unknown = RemoteProcessor::new("far", unknown).expect("ready");
    assert_eq!(unknown.create(&order()).await.err(), Some(ProcessorFault::Unavailable));
    assert_eq!(far.tally().questions, 0);
    // Files that change are read again; one that is broken changes nothing.
    stage.orders(&order()).await.expect("a card");
    pki.identity("client");
    assert!(near.reload().expect("read anew"));
    assert!(!near.reload().expect("as before"));
    std::fs::write(pki.at("client.pem"), "nothing").expect("written");
    assert!(near.reload().is_err());
    stage.orders(&order()).await.expect("with what was read before");
}
