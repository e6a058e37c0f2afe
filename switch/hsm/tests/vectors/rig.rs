//! A unit with the keys of a vector, a module that asks it, and the reading of vectors. It computes
//! nothing.

use std::time::Duration;

use serde_json::Value;
use simulators::hsm::{HsmUnit, Settings as UnitSettings};
use switch_domain::Pan;
use switch_hsm::{HsmClient, HsmKey, HsmKeys, HsmModule, NamedHsmKey, Settings};
use switch_security::{Key, KeyCipher, KeyHandle, KeyName, KeyUsage};

/// The same file that the software module is held to.
const FILE: &str = include_str!("../../../security/tests/vectors/card-crypto.json");

/// The vectors of a group.
pub(crate) fn group(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(FILE).expect("the vectors");
    let groups = file["groups"].as_array().expect("groups");
    let group = groups.iter().find(|group| group["group"] == name).expect("the group");
    group["vectors"].as_array().expect("vectors").clone()
}

/// A text of a vector.
pub(crate) fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector["in"][field].as_str().or(vector["out"][field].as_str()).expect("a text")
}

/// Bytes of a vector.
pub(crate) fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(vector, field)).expect("hexadecimal digits")
}

/// The card number of a vector.
pub(crate) fn pan(vector: &Value) -> Pan {
    Pan::from_digits(text(vector, "pan").as_bytes()).expect("a card number")
}

/// A module behind which stands a simulated unit.
pub(crate) struct Rig {
    pub(crate) unit: HsmUnit,
    settings: Settings,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(UnitSettings::default()).await
    }

    /// With a unit that is set so.
    pub(crate) async fn with(settings: UnitSettings) -> Self {
        let address = ([127, 0, 0, 1], 0).into();
        let unit = HsmUnit::listen(address, settings).await.expect("a port");
        let settings = Settings {
            deadline: Duration::from_secs(20), // a busy machine is no fault of a vector
            ..Settings::new([unit.address().to_string()])
        };
        Self { unit, settings }
    }

    /// A client of the unit that can be used.
    pub(crate) async fn client(&self) -> HsmClient {
        let client = HsmClient::start(self.settings.clone());
        client.connections().wait_for(|up| *up > 0).await.expect("the client lives");
        client
    }

    /// A clear key as the unit takes it: triple DES of 16 bytes, or AES.
    pub(crate) fn key(&self, usage: KeyUsage, cipher: KeyCipher, clear: &[u8]) -> HsmKey {
        let key = Key::new(usage, cipher, clear).expect("a key");
        HsmKey::parse(&self.unit.wrap_key(&key).expect("wrapped")).expect("as units take it")
    }

    /// A module with these keys, and their handles in the same order.
    pub(crate) async fn module(
        &self,
        keys: impl IntoIterator<Item = (KeyUsage, KeyCipher, Vec<u8>)>,
    ) -> (HsmModule, Vec<KeyHandle>) {
        let named = keys.into_iter().enumerate().map(|(place, (usage, cipher, clear))| {
            let name = KeyName::new(&format!("key-{place}")).expect("a name");
            NamedHsmKey { name, usage, key: self.key(usage, cipher, &clear) }
        });
        let named: Vec<NamedHsmKey> = named.collect();
        let keys = HsmKeys::new(named.clone()).expect("keys");
        let handles = named.iter().map(|key| keys.find(&key.name, key.usage).expect("found"));
        let handles = handles.collect();
        (HsmModule::new(self.client().await, keys), handles)
    }
}
