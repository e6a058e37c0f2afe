//! PINs in clear: with every fault of the unit in either of the two commands there is no block, and
//! what a unit is not set to do costs nobody else anything.

use std::time::Duration;

use simulators::hsm::{Fault, HsmUnit, Plan, Settings as UnitSettings};
use switch_domain::Pan;
use switch_hsm::{HsmClient, HsmKey, HsmKeys, HsmModule, NamedHsmKey, Settings};
use switch_security::{
    CardSecurity, ChosenPin, EncryptPin, EncryptedPinBlock, KeyHandle, KeyName, KeyUsage,
    PinBlockFormat, SecurityError,
};

use super::rig::{ask, connections, settings, soon};

async fn unit(clear_pins: bool) -> HsmUnit {
    let settings = UnitSettings { clear_pins, ..UnitSettings::default() };
    HsmUnit::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a port")
}

/// A module with one zone key, which may tell PINs in clear.
async fn module(unit: &HsmUnit, settings: Settings) -> (HsmModule, KeyHandle) {
    let (name, usage) = (KeyName::new("zpk").expect("a name"), KeyUsage::P0);
    let key = HsmKey::parse(&unit.make_key(usage).expect("made")).expect("as units take it");
    let keys = HsmKeys::new(vec![NamedHsmKey { name: name.clone(), usage, key }]).expect("keys");
    let handle = keys.find(&name, usage).expect("found");
    let client = HsmClient::start(settings);
    connections(&client, |up| up == 2).await;
    (HsmModule::new(client, keys).telling_clear_pins(5), handle)
}

async fn encrypt(
    module: &HsmModule,
    key: KeyHandle,
    digits: &[u8],
) -> Result<EncryptedPinBlock, SecurityError> {
    let pan = Pan::from_digits(b"9999991234567894").expect("a card number");
    let pin = ChosenPin::from_ascii(digits).expect("a PIN");
    let command = EncryptPin { pin: &pin, pan: &pan, format: PinBlockFormat::Iso0, key };
    soon(module.encrypt_pin(command)).await
}

/// It encrypts again, once it is seen to be well.
async fn until_good(module: &HsmModule, key: KeyHandle) {
    soon(async {
        while encrypt(module, key, b"8264").await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn each_fault_in_either_command_makes_no_block() {
    let faults = [
        Fault::Hang,
        Fault::Half,
        Fault::WrongHeader,
        Fault::HeaderOfNext,
        Fault::WrongLetters,
        Fault::Code(*b"41"),
        Fault::Reset,
        Fault::TooLong,
        Fault::TooShort,
        Fault::Late(Duration::from_millis(1500)),
    ];
    for letters in [*b"BA", *b"JG"] {
        for fault in faults {
            let unit = unit(true).await;
            let (module, key) = module(&unit, settings(&[&unit])).await;
            unit.fail(Some(Plan::always(fault).to(letters)));
            let said = encrypt(&module, key, b"8264").await.err();
            assert_eq!(said, Some(SecurityError::Unavailable), "{letters:?}: {fault:?}");
            unit.fail(None);
            until_good(&module, key).await;
        }
    }
    // Of JG; behind the PIN of BA there is no end but that of the answer.
    let unit = unit(true).await;
    let (module, key) = module(&unit, settings(&[&unit])).await;
    unit.fail(Some(Plan::always(Fault::MoreThanAsked).to(*b"JG")));
    assert_eq!(encrypt(&module, key, b"8264").await.err(), Some(SecurityError::Unavailable));
}

#[tokio::test]
async fn a_unit_that_is_not_authorized_serves_everything_else() {
    let unit = unit(false).await;
    let mut settings = settings(&[&unit]);
    settings.breaker_failures = 2;
    let (module, key) = module(&unit, settings).await;
    for code in [None, Some(Plan::always(Fault::Code(*b"68")).to(*b"BA"))] {
        unit.fail(code);
        for _ in 0..5 {
            let said = encrypt(&module, key, b"8264").await.err();
            assert_eq!(said, Some(SecurityError::Unavailable));
            assert_eq!(ask(module.client()).await.0, Ok(()), "its breaker stays closed");
        }
    }
    assert_eq!(unit.tally().commands_of("BA"), 10, "each asked once");
    assert_eq!(unit.tally().commands_of("JG"), 0);
}

#[tokio::test]
async fn nothing_is_sent_where_it_may_not_be_or_cannot_fit() {
    let unit = unit(true).await;
    let (module, key) = module(&unit, settings(&[&unit])).await;
    let said = encrypt(&module, key, b"82645").await.err();
    assert!(matches!(said, Some(SecurityError::Malformed(_))), "longer than the units keep");
    let client = HsmClient::start(settings(&[&unit]));
    connections(&client, |up| up == 2).await;
    let quiet = HsmModule::new(client, module.keys().clone());
    let said = encrypt(&quiet, key, b"8264").await.err();
    assert!(matches!(said, Some(SecurityError::ClearPinRefused(_))), "off by default");
    assert_eq!(unit.tally().commands_of("BA"), 0);
}
