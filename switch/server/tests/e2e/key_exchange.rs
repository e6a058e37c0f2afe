//! Keys over a link (x800, 101 and 811): a peer sends one and uses it once it is answered, we send
//! one and use it once the peer has taken it, and whoever is killed in between can still be talked
//! to.

use std::path::{Path, PathBuf};

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Version};
use simulators::network::Function;
use switch_domain::Timestamp;
use switch_security::{
    Exportability, ImportPolicy, Key, KeyCipher, KeyName, KeyRing, KeyStore, KeyUsage,
    LocalMasterKey, LocalMasterKeys, NamedKey, PanKeys, SoftwareModule, export_block,
    unwrap_key_block,
};
use switch_server::config::{Algorithm, KeyForm, Link, LinkKeyChange, LinkMac};

use crate::keys::{ceremony, keys};
use crate::mac::{ask, signed, signed_as};
use crate::speaker::{Draft, Said, Speaker, Value};
use crate::stage::{Issued, Stage, cardswitch};

const ZONE: &str = "BFD25752EECE33510CB2E5907FBB94B87A8B9C0D1E2F30415263748596A7B8C9";
const FIRST: &str = "D538ABD3E9CE981FB5C8BAFB3458FD98";
/// A purchase with a wrong code is answered so.
const REFUSED: &str = "98";

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

/// A link with codes whose key is exchanged, the peer's key ring at its beginning, and the files.
async fn stage(dialect: &str) -> (Stage, KeyRing, PathBuf) {
    let mut files = None;
    let stage = Stage::configured(|config| {
        let directory = config.security.key_file.parent().expect("a directory").to_owned();
        config.security.lmk_components = ceremony(&directory);
        for (arguments, key) in [
            (["import", "acquirer", "--usage", "M3", "--cipher", "tdes"], FIRST),
            (["import", "zone", "--usage", "K1", "--cipher", "aes"], ZONE),
        ] {
            let (good, said) = keys(&directory, &arguments, key);
            assert!(good, "{said}");
        }
        config.security.key_file = directory.join("keys/switch.keys");
        files = Some((directory, config.security.lmk_components.clone()));
        let mac = LinkMac {
            algorithm: Algorithm::Three,
            padding: Some(2),
            key: "acquirer".into(),
            bytes: 4,
            required: true,
            answers: true,
        };
        let change = LinkKeyChange {
            key: "acquirer".into(),
            zone_key: "zone".into(),
            form: KeyForm::KeyBlock,
            field: 48,
            grace_s: 3_600,
        };
        config.links.clear();
        let mut link = Link { id: 1, dialect: dialect.into(), mac: Some(mac), ..Link::default() };
        link.key_change = Some(change);
        link.listen = Some(([127, 0, 0, 1], 0).into());
        config.links.insert("test".into(), link);
    })
    .await;
    let (directory, components) = files.expect("set");
    let master = LocalMasterKey::load(&components).expect("a local master key");
    let path = directory.join("keys/switch.keys");
    let ring = KeyStore::new(path, LocalMasterKeys::new(master)).load().expect("keys");
    (stage, ring, directory)
}

/// A peer's module with these keys.
fn module(ring: &KeyRing) -> SoftwareModule {
    let keys = PanKeys::generate().expect("keys");
    SoftwareModule::new(&keys).expect("a module").with_keys(ring.clone())
}

/// The ring with another key for codes, active.
fn with_other(ring: &KeyRing, key: Key) -> KeyRing {
    let (mut ring, at) = (ring.clone(), Timestamp(0));
    let number = ring.add(NamedKey { name: name("acquirer"), key }, at).expect("room");
    ring.activate(&name("acquirer"), number, at).expect("pending");
    ring
}

fn zone() -> Key {
    let key = hex::decode(ZONE).expect("hexadecimal");
    Key::new(KeyUsage::K1, KeyCipher::Aes, &key).expect("a key")
}

fn fresh() -> Key {
    let key = Key::generate(KeyUsage::M3, KeyCipher::Tdes, 16).expect("random").expect("a key");
    key.with_exportability(Exportability::Exportable)
}

async fn connect(stage: &Stage) -> Speaker {
    let dialect = Dialect::shipped(&stage.config.links["test"].dialect).expect("shipped");
    let address = stage.app.addresses().links[0].1;
    Speaker::connect(address, dialect, Framing::new(LengthHeader::Binary2)).await
}

/// x800 with this block as the new key.
fn change(speaker: &Speaker, stan: u32, block: &str) -> Draft {
    let earlier = speaker.version() == Version::V1987;
    let (field, code) = if earlier { (70, "101") } else { (24, "811") };
    let mut draft = speaker.management(Function::Echo, stan);
    draft.retain(|(number, _)| *number != field);
    draft.push((field, Value::Text(code.into())));
    draft.push((48, Value::Text(block.into())));
    draft.sort_by_key(|(number, _)| *number);
    draft
}

async fn send_key(speaker: &mut Speaker, module: &SoftwareModule, stan: u32, block: &str) -> Said {
    let draft = change(speaker, stan, block);
    let draft = signed_as(speaker, module, "800", &draft);
    let bytes = speaker.bytes(speaker.mti("800"), &draft);
    ask(speaker, module, &bytes).await
}

/// Buys with a code of the one module, and looks at the code of the answer with the other.
async fn buy(
    speaker: &mut Speaker,
    issued: &Issued,
    stan: u32,
    (ours, theirs): (&SoftwareModule, &SoftwareModule),
) -> String {
    let draft = signed(speaker, ours, &speaker.purchase(&issued.pan, stan, 100));
    let bytes = speaker.bytes(speaker.mti("100"), &draft);
    ask(speaker, theirs, &bytes).await.action
}

fn listed(directory: &Path) -> String {
    let (good, said) = keys(directory, &["list"], "");
    assert!(good, "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_sends_a_key_and_both_go_on_with_it() {
    for (dialect, [accepted, approved, failed]) in
        [("iso87-ascii", ["00", "00", "96"]), ("iso93-ascii", ["800", "000", "919"])]
    {
        let (stage, ring, directory) = stage(dialect).await;
        let issued = stage.issue(1_000_000, 1_000_000).await;
        let mut speaker = connect(&stage).await;
        let before = module(&ring);
        let (key, again) = {
            let key = fresh();
            let block = export_block(&zone(), &key).expect("wrapped");
            (block.clone(), unwrap_key_block(&zone(), &block, &ImportPolicy::strict(KeyUsage::M3)))
        };
        let after = module(&with_other(&ring, again.expect("ours").0));
        assert_eq!(buy(&mut speaker, &issued, 1, (&before, &before)).await, approved);

        // Nothing but the key that was sent, under the zone key, for this use.
        let mut changed = key.clone().into_bytes();
        let last = changed.last_mut().expect("a block");
        *last = if *last == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).expect("text");
        let other_use = Key::generate(KeyUsage::C0, KeyCipher::Tdes, 16).expect("random");
        let other_use = export_block(&zone(), &other_use.expect("a key")).expect("wrapped");
        for (stan, block) in [(2, changed.as_str()), (3, other_use.as_str()), (4, "no key")] {
            let said = send_key(&mut speaker, &before, stan, block).await;
            assert_eq!(said.action, failed, "{block}");
        }
        assert!(!listed(&directory).contains("acquirer 2"));

        // Answered under the key before; and from then on each takes the new one.
        let said = send_key(&mut speaker, &before, 5, &key).await;
        assert_eq!(said.action, accepted, "{dialect}");
        assert!(speaker.text(&said, 48).is_none(), "the key does not go back");
        assert_eq!(buy(&mut speaker, &issued, 6, (&after, &after)).await, approved);
        // A message that was on its way with a code of the old one is taken in the grace window.
        assert_eq!(buy(&mut speaker, &issued, 7, (&before, &after)).await, approved);
        // It comes again, for its answer was lost: it is the version that it was.
        assert_eq!(send_key(&mut speaker, &after, 8, &key).await.action, accepted);
        let said = listed(&directory);
        assert!(said.contains("acquirer 1: old until") && said.contains("acquirer 2: "), "{said}");
        assert!(!said.contains("acquirer 3"), "{said}");

        let stage = stage.restart().await;
        let mut speaker = connect(&stage).await;
        assert_eq!(buy(&mut speaker, &issued, 9, (&after, &after)).await, approved);
        assert_eq!(buy(&mut speaker, &issued, 10, (&before, &after)).await, approved);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_between_the_store_and_the_answer_can_still_be_talked_to() {
    let (stage, ring, directory) = stage("iso87-ascii").await;
    let issued = stage.issue(1_000_000, 1_000_000).await;
    let before = module(&ring);
    // On disk and pending, as it lies there when the switch dies before the answer has left.
    let block = export_block(&zone(), &fresh()).expect("wrapped");
    let policy = ImportPolicy::strict(KeyUsage::M3);
    let key = unwrap_key_block(&zone(), &block, &policy).expect("ours").0;
    let arguments = ["import", "acquirer", "--usage", "M3", "--under", "zone", "--exportable", "E"];
    let (good, said) = keys(&directory, &arguments, &block);
    assert!(good && said.contains("acquirer 2: pending"), "{said}");
    let after = module(&with_other(&ring, key));
    let stage = stage.restart().await;
    let mut speaker = connect(&stage).await;
    // The peer that did not hear of it goes on with the old key, and one that did with the new one.
    assert_eq!(buy(&mut speaker, &issued, 1, (&before, &before)).await, "00");
    assert_eq!(buy(&mut speaker, &issued, 2, (&after, &after)).await, "00");
    assert_eq!(buy(&mut speaker, &issued, 3, (&before, &after)).await, "00");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn we_send_a_key_and_use_it_once_the_peer_has_taken_it() {
    let (stage, ring, directory) = stage("iso87-ascii").await;
    let issued = stage.issue(1_000_000, 1_000_000).await;
    let mut speaker = connect(&stage).await;
    let before = module(&ring);
    assert_eq!(buy(&mut speaker, &issued, 1, (&before, &before)).await, "00");
    let socket = stage.config.control.socket.clone();
    let exchange = move || {
        let mut command = cardswitch(Path::new("."));
        command.args(["link", "exchange-key", "test"]);
        let output = command.env("CARDSWITCH_CONTROL__SOCKET", &socket).output();
        let output = output.expect("the binary starts");
        String::from_utf8(output.stdout).expect("text")
    };
    for (stan, action, state) in [(2, "96", "refused"), (4, "00", "active")] {
        let exchanging = tokio::task::spawn_blocking(exchange.clone());
        let asked = speaker.answer().await;
        assert_eq!(asked.mti, "0800");
        assert_eq!(speaker.text(&asked, 70).as_deref(), Some("101"));
        let block = speaker.text(&asked, 48).expect("a key");
        let policy = ImportPolicy::strict(KeyUsage::M3);
        let (key, _) = unwrap_key_block(&zone(), &block, &policy).expect("ours");
        let after = module(&with_other(&ring, key));
        let mut draft = vec![(39, Value::Text(action.into()))];
        for field in [7, 11, 70] {
            draft.push((field, Value::Text(speaker.text(&asked, field).expect("there"))));
        }
        draft.sort_by_key(|(number, _)| *number);
        let draft = signed_as(&speaker, &before, "810", &draft);
        let bytes = speaker.bytes(speaker.mti("810"), &draft);
        speaker.send(&bytes).await;
        let said = exchanging.await.expect("it ends");
        assert!(said.contains(&format!("\"state\": \"{state}\"")), "{said}");
        let taken = state == "active";
        let expected = if taken { "00" } else { REFUSED };
        let theirs = if taken { &after } else { &before };
        assert_eq!(buy(&mut speaker, &issued, stan, (&after, theirs)).await, expected);
        assert_eq!(buy(&mut speaker, &issued, stan + 1, (&before, theirs)).await, "00");
    }
    let said = listed(&directory);
    assert!(
        said.contains("acquirer 2: destroyed") && said.contains("acquirer 3: active"),
        "{said}"
    );
    stage.end().await;
}
