//! A module with the keys of a test, and its answers without an executor.

use des::cipher::{BlockCipherEncrypt, KeyInit};
use switch_domain::{Expiry, Pan, ServiceCode, Timestamp};
use switch_security::{
    CardSecurity, EncryptedPin, EncryptedPinBlock, Key, KeyCipher, KeyHandle, KeyName, KeyRing,
    KeyUsage, NamedKey, PanKeys, PinBlockFormat, PinReference, Reply, SecurityError,
    SoftwareModule, VerifyPin,
};

/// A time that is not over when tests run.
pub(crate) const FAR: Timestamp = Timestamp(i64::MAX);
/// One that is.
pub(crate) const PAST: Timestamp = Timestamp(1);

/// The number of a demo card.
pub(crate) const PAN: &[u8] = b"9999991200000018";

/// Keys, put together one after the other.
#[derive(Default)]
pub(crate) struct Keys {
    ring: KeyRing,
    count: u32,
}

impl Keys {
    /// Takes in an active key under a name of its own.
    pub(crate) fn add(&mut self, usage: KeyUsage, cipher: KeyCipher, key: &[u8]) -> KeyHandle {
        self.count += 1;
        let name = KeyName::new(&format!("key-{}", self.count)).expect("a name");
        self.add_version(&name, usage, cipher, key, PAST);
        self.ring.find(&name, usage).expect("just taken in")
    }

    /// Takes in an active version; the one before it is taken until then.
    pub(crate) fn add_version(
        &mut self,
        name: &KeyName,
        usage: KeyUsage,
        cipher: KeyCipher,
        key: &[u8],
        old_until: Timestamp,
    ) {
        let key = Key::new(usage, cipher, key).expect("a key");
        let number = self.ring.add(NamedKey { name: name.clone(), key }, PAST).expect("room");
        self.ring.activate(name, number, old_until).expect("pending");
    }

    /// A key of triple DES.
    pub(crate) fn tdes(&mut self, usage: KeyUsage, key: &[u8]) -> KeyHandle {
        self.add(usage, KeyCipher::Tdes, key)
    }

    /// A zone key, of the cipher that the format takes.
    pub(crate) fn zone(&mut self, format: PinBlockFormat, key: &[u8]) -> KeyHandle {
        let cipher = if format == PinBlockFormat::Iso4 { KeyCipher::Aes } else { KeyCipher::Tdes };
        self.add(KeyUsage::P0, cipher, key)
    }

    pub(crate) fn find(&self, name: &KeyName, usage: KeyUsage) -> KeyHandle {
        self.ring.find(name, usage).expect("taken in")
    }

    /// A module with them.
    pub(crate) fn module(self) -> SoftwareModule {
        let pan = PanKeys::generate().expect("keys");
        SoftwareModule::new(&pan).expect("a module").with_keys(self.ring)
    }
}

/// The answer, which a software module always has.
pub(crate) fn now<T>(reply: Reply<'_, T>) -> Result<T, SecurityError> {
    reply.now().unwrap_or_else(|_| panic!("a software module does not wait"))
}

pub(crate) fn pan(digits: &[u8]) -> Pan {
    Pan::from_digits(digits).expect("a card number")
}

pub(crate) fn expiry() -> Expiry {
    Expiry::from_yymm(3012).expect("a month")
}

pub(crate) fn service_code(number: u16) -> ServiceCode {
    ServiceCode::new(number).expect("a service code")
}

pub(crate) fn block(bytes: &[u8]) -> EncryptedPinBlock {
    EncryptedPinBlock::new(bytes).expect("a block")
}

/// Whether a PIN is the one of a PVV.
pub(crate) fn verify_pvv(
    module: &SoftwareModule,
    pin: EncryptedPin<'_>,
    pan: &Pan,
    (reference, key): (&PinReference, KeyHandle),
) -> Result<(), SecurityError> {
    now(module.verify_pin(VerifyPin { pin, pan, reference, key, ibm3624: Default::default() }))
}

/// A block under a key of triple DES, by a cipher of the test's own.
pub(crate) fn encrypted(key: &[u8; 16], clear: &str) -> EncryptedPinBlock {
    let mut bytes: [u8; 8] = hex::decode(clear).expect("hexadecimal").try_into().expect("eight");
    des::TdesEde2::new(key.into()).encrypt_block((&mut bytes).into());
    block(&bytes)
}

/// The same of a PIN, in format 1.
pub(crate) fn format_1(key: &[u8; 16], pin: &str) -> EncryptedPinBlock {
    let clear = format!("1{:X}{pin}{}", pin.len(), "5A3C96B4E1");
    encrypted(key, &clear[..16])
}
