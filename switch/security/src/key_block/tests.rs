//! Key blocks and bare cryptograms against vectors of other implementations, and what is refused of
//! them. Inside of the package, for the bytes of a key go nowhere else.

use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::{
    BlockVersion, ImportPolicy, KeyBlockError, KeyBlockHeader, KeyCryptogram, OptionalBlock,
    export_block, export_cryptogram, import_cryptogram, open, seal, unwrap, wrap,
};
use crate::key::{
    CheckMethod, Exportability, Function, Key, KeyCheckValue, KeyCipher, KeyMode, KeyUsage,
};
use crate::vectors::{KEYS, Vector, check_groups, check_published};

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).expect("hexadecimal")
}

/// The key that protects a block: AES for version D, else triple DES.
fn protection(block: &str, digits: &str) -> Key {
    let cipher = if block.starts_with('D') { KeyCipher::Aes } else { KeyCipher::Tdes };
    Key::new(KeyUsage::K1, cipher, &bytes(digits)).expect("a key")
}

fn check_value(cipher: KeyCipher, method: CheckMethod, key: &[u8]) -> String {
    let cipher = if key.len() == 8 { KeyCipher::Des } else { cipher };
    KeyCheckValue::of(cipher, method, key).expect("a key").to_string()
}

/// Wraps with the same filling, unwraps, and goes once through the whole front door.
fn check_block(vector: &Vector<'_>) {
    let (block, key) = (vector.expected("key_block"), vector.bytes("key"));
    let protection = protection(block, vector.text("kbpk"));
    let opened = open(&protection, block, false);
    let (header, opened) = opened.unwrap_or_else(|error| panic!("{}: {error}", vector.id()));
    assert_eq!(opened.as_slice(), key, "{}", vector.id());
    assert_eq!(header.usage.code(), vector.expected("usage"), "{}", vector.id());
    assert_eq!(header.cipher.letter(), vector.expected("algorithm"), "{}", vector.id());
    assert_eq!(header.mode.letter(), vector.expected("mode"), "{}", vector.id());
    assert_eq!(header.exportability.letter(), vector.expected("exportability"));
    let pad = vector.bytes("pad");
    let fill = |room: &mut [u8]| {
        room.copy_from_slice(&pad);
        Ok(())
    };
    let sealed = seal(&protection, &header, &key, fill);
    assert_eq!(sealed.as_deref(), Ok(block), "{}", vector.id());
}

fn check_zone_key(vector: &Vector<'_>) {
    let zone = Key::new(KeyUsage::K0, KeyCipher::Tdes, &bytes(vector.text("zmk"))).expect("a key");
    let check_value = KeyCheckValue::parse(vector.text("kcv")).expect("a check value");
    let cryptogram = KeyCryptogram { bytes: vector.bytes("cryptogram"), check_value };
    // The rows have keys of three parts under keys of two.
    let policy = ImportPolicy { weaker_protection: true, ..ImportPolicy::strict(KeyUsage::P0) };
    let taken = import_cryptogram(&zone, &cryptogram, &policy);
    let accept = vector.output("accept").as_bool().expect("yes or no");
    let key = taken.as_ref().ok().map(|key| hex::encode_upper(key.bytes()));
    let expected = accept.then(|| vector.expected("key").to_owned());
    assert_eq!(key, expected, "{}", vector.id());
    match taken.map(|key| key.with_exportability(Exportability::Exportable)) {
        Ok(key) if key.strength() <= zone.strength() => {
            assert_eq!(export_cryptogram(&zone, &key), Ok(cryptogram), "{}", vector.id());
        }
        Ok(key) => assert!(export_cryptogram(&zone, &key).is_err(), "{}", vector.id()),
        Err(error) => {
            let reason = vector.expected("reason").split([' ', ',']).next();
            let expected = match error {
                KeyBlockError::CheckValue => "kcv",
                KeyBlockError::Parity => "even",
                KeyBlockError::Key(_) => "both",
                other => panic!("{}: {other}", vector.id()),
            };
            assert_eq!(reason, Some(expected), "{}", vector.id());
        }
    }
}

#[test]
fn every_vector_of_other_implementations_is_met() {
    check_groups(&KEYS, |group, vector| match group {
        "kcv_tdes" | "kcv_aes_cmac" => {
            let cipher = if group == "kcv_tdes" { KeyCipher::Tdes } else { KeyCipher::Aes };
            let found = check_value(cipher, CheckMethod::Cmac, &vector.bytes("key"));
            assert_eq!(found, vector.expected("kcv"), "{}", vector.id());
        }
        "kcv_aes_ecb" => {
            let method = CheckMethod::EncryptedZeros;
            let found = check_value(KeyCipher::Aes, method, &vector.bytes("key"));
            assert_eq!(found, vector.expected("kcv"), "{}", vector.id());
        }
        "zone_key_import" => check_zone_key(vector),
        "tr31_b" | "tr31_d" => check_block(vector),
        "tr31_reject" => {
            let block = vector.text("key_block");
            let refused = open(&protection(block, vector.text("kbpk")), block, true).map(|_| ());
            assert!(refused.is_err(), "{}", vector.id());
        }
        other => panic!("nobody checks {other}"),
    });
}

#[test]
fn the_values_that_others_print_are_met() {
    check_published(&KEYS, |name, vector| match name {
        "key block B unwrap" | "key block D unwrap" => {
            let block = vector.text("key_block");
            let opened = open(&protection(block, vector.text("kbpk")), block, false);
            let opened = opened.unwrap_or_else(|error| panic!("{}: {error}", vector.id()));
            let (header, key) = opened;
            assert_eq!(key.as_slice(), vector.expected_bytes("key"), "{}", vector.id());
            let found = check_value(header.cipher, CheckMethod::Cmac, key.as_slice());
            assert_eq!(found, vector.expected("kcv"), "{}", vector.id());
        }
        "KCV TDES" | "KCV of the well-known test key" => {
            let key = bytes(vector.text("key"));
            // Two equal halves: no key of ours, but a check value.
            let found = check_value(KeyCipher::Tdes, CheckMethod::Cmac, &key);
            assert_eq!(found, vector.expected("kcv"), "{}", vector.id());
        }
        other => panic!("nobody checks {other}"),
    });
}

const AES_PROTECTION: &str = "BFD25752EECE33510CB2E5907FBB94B8BFD25752EECE33510CB2E5907FBB94B9";
const TDES_PROTECTION: &str = "75B39208B3E57304E69786DF7064F1795467043E0E498A3D";

fn working_key() -> Key {
    let key = bytes("1A3D8F67D594D5A29B348062AE9D32A1");
    Key::new(KeyUsage::P0, KeyCipher::Tdes, &key).expect("a key")
}

fn protections() -> [Key; 2] {
    [protection("D", AES_PROTECTION), protection("B", TDES_PROTECTION)]
}

#[test]
fn a_key_goes_through_a_block_with_all_that_is_said_of_it() {
    let blocks = [
        OptionalBlock { id: *b"LB", data: "acquirer".into() },
        OptionalBlock { id: *b"10", data: "x".repeat(200) },
    ];
    for protection in protections() {
        for optional in [&blocks[..0], &blocks[..1], &blocks[..]] {
            let key = working_key().with_exportability(Exportability::Never);
            let block = wrap(&protection, &key, optional.to_vec()).expect("wrapped");
            let policy = ImportPolicy::strict(KeyUsage::P0);
            let (again, header) = unwrap(&protection, &block, &policy).expect("unwrapped");
            assert_eq!(again.bytes(), key.bytes());
            assert_eq!((again.usage(), again.mode()), (key.usage(), key.mode()));
            assert_eq!(again.exportability(), Exportability::Never);
            assert_eq!(header.optional, optional);
            // Twice the same key is not twice the same block.
            assert_ne!(wrap(&protection, &key, optional.to_vec()).as_ref(), Ok(&block));
        }
        let long = OptionalBlock { id: *b"10", data: "x".repeat(252) };
        let refused = wrap(&protection, &working_key(), vec![long]);
        assert_eq!(refused, Err(KeyBlockError::NoRoom));
    }
}

#[test]
fn what_the_policy_does_not_want_is_refused() {
    for protection in protections() {
        let key = working_key().with_exportability(Exportability::Exportable);
        let block = export_block(&protection, &key).expect("wrapped");
        let strict = ImportPolicy::strict(KeyUsage::P0);
        let refused = |policy| unwrap(&protection, &block, &policy).map(|_| ()).expect_err("no");
        let wanted = KeyUsage::C0;
        let error = refused(ImportPolicy::strict(wanted));
        assert_eq!(error, KeyBlockError::Usage { found: KeyUsage::P0, wanted });
        let wanted = KeyMode::Decrypt;
        let error = refused(ImportPolicy { mode: Some(wanted), ..strict });
        assert_eq!(error, KeyBlockError::Mode { found: KeyMode::Both, wanted });
        for loosest in [Exportability::Never, Exportability::Sensitive] {
            let error = refused(ImportPolicy { loosest, ..strict });
            let found = Exportability::Exportable;
            assert_eq!(error, KeyBlockError::Exportability { found, loosest });
        }
        assert!(unwrap(&protection, &block, &strict).is_ok());

        let stays = working_key().with_exportability(Exportability::Never);
        let error = KeyBlockError::NotExportable(Exportability::Never);
        assert_eq!(export_block(&protection, &stays), Err(error));
    }
}

#[test]
fn a_key_is_not_protected_by_a_weaker_one() {
    let key = |usage, cipher, length: usize| {
        let bytes: Vec<u8> = (0..32u8).map(|byte| byte.wrapping_mul(37).wrapping_add(5)).collect();
        Key::new(usage, cipher, &bytes[..length]).expect("a key")
    };
    let (tdes, aes) = (KeyCipher::Tdes, KeyCipher::Aes);
    let rising = [(tdes, 16), (tdes, 24), (aes, 16), (aes, 24), (aes, 32)];
    for (place, (cipher, length)) in rising.into_iter().enumerate() {
        let protection = key(KeyUsage::K1, cipher, length);
        for (other, (cipher, length)) in rising.into_iter().enumerate() {
            let carried = key(KeyUsage::D0, cipher, length);
            let wrapped = wrap(&protection, &carried, Vec::new());
            assert_eq!(wrapped.is_ok(), other <= place, "{other} under {place}");
            // Nor is it taken from a peer that did so.
            let header = KeyBlockHeader {
                version: if place < 2 { BlockVersion::B } else { BlockVersion::D },
                usage: KeyUsage::D0,
                cipher,
                mode: KeyMode::Both,
                number: *b"00",
                exportability: Exportability::Sensitive,
                optional: Vec::new(),
            };
            let block = seal(&protection, &header, carried.bytes(), |_| Ok(())).expect("sealed");
            let lax = ImportPolicy {
                odd_parity: false,
                weaker_protection: true,
                ..ImportPolicy::strict(KeyUsage::D0)
            };
            assert!(unwrap(&protection, &block, &lax).is_ok());
            let strict = ImportPolicy { weaker_protection: false, ..lax };
            let taken = unwrap(&protection, &block, &strict);
            assert_eq!(taken.is_ok(), other <= place, "{other} under {place}");
        }
    }
}

#[test]
fn only_keys_for_it_protect_others() {
    let zone = Key::new(KeyUsage::K0, KeyCipher::Tdes, &bytes(TDES_PROTECTION)).expect("a key");
    let refused = wrap(&zone, &working_key(), Vec::new());
    let function = Function::WrapKeyBlock;
    let (usage, mode) = (KeyUsage::K0, KeyMode::Both);
    assert_eq!(refused, Err(KeyBlockError::Protection { usage, mode, function }));
    let [aes, tdes] = protections();
    let policy = ImportPolicy::strict(KeyUsage::P0);
    let block = wrap(&aes, &working_key(), Vec::new()).expect("wrapped");
    let error = unwrap(&tdes, &block, &policy).map(|_| ()).expect_err("refused");
    assert_eq!(error, KeyBlockError::ProtectionCipher { version: BlockVersion::D });
    let cryptogram = export_cryptogram(&tdes, &working_key());
    assert!(matches!(cryptogram, Err(KeyBlockError::Protection { .. })), "{cryptogram:?}");
    let sensitive = export_cryptogram(&zone, &working_key());
    assert_eq!(sensitive, Err(KeyBlockError::NotExportable(Exportability::Sensitive)));
}

#[test]
fn blocks_of_old_versions_are_refused_unless_asked_for() {
    // The examples of TR-31:2010 annex A.7.
    for (kbpk, block, key) in [
        (
            "89E88CF7931444F334BD7547FC3F380C",
            "A0072P0TE00E0000F5161ED902807AF26F1D62263644BD24192FDB3193C730301CEE8701",
            "F039121BEC83D26B169BDCD5B22AAF8F",
        ),
        (
            "B8ED59E0A279A295E9F5ED7944FD06B9",
            "C0096B0TX12S0100KS1800604B120F9292800000BFB9B689CB567E66FC3FEE5AD5F52161FC6545B9D609\
             89015D02155C",
            "EDB380DD340BC2620247D445F5B8D678",
        ),
    ] {
        let protection = protection(block, kbpk);
        let version = if block.starts_with('A') { BlockVersion::A } else { BlockVersion::C };
        let refused = open(&protection, block, false).map(|_| ());
        assert_eq!(refused, Err(KeyBlockError::Legacy(version)));
        let (_, opened) = open(&protection, block, true).expect("legacy");
        assert_eq!(hex::encode_upper(opened.as_slice()), key);
        let changed = block.replace("TE00E", "TE00S").replace("TX12S", "TX12E");
        let refused = open(&protection, &changed, true).map(|_| ());
        assert_eq!(refused, Err(KeyBlockError::NotAuthentic));
    }
}

#[test]
fn no_byte_that_is_changed_anywhere_opens() {
    let optional = || vec![OptionalBlock { id: *b"LB", data: "acquirer-1".into() }];
    let mut tried = 0;
    for protection in protections() {
        let block = wrap(&protection, &working_key(), optional()).expect("wrapped");
        for at in 0..block.len() {
            for byte in (0..=0x7F).chain([0x80, 0xFF]) {
                let mut changed = block.clone().into_bytes();
                changed[at] = byte;
                let Ok(changed) = String::from_utf8(changed) else { continue };
                if changed != block {
                    assert!(open(&protection, &changed, true).is_err(), "{byte:02X} at {at}");
                    tried += 1;
                }
            }
        }
        for length in 0..block.len() {
            assert!(open(&protection, &block[..length], true).is_err(), "{length}");
            // As long as it says, and so shorter.
            let shorter = format!("{}{length:04}{}", &block[..1], &block[5..]);
            let shorter = &shorter[..length.max(5)];
            assert!(open(&protection, shorter, true).is_err(), "{length}");
        }
    }
    println!("{tried} blocks with one byte changed, and none opened");
}

proptest! {
    #[test]
    fn nothing_that_is_no_block_opens_or_panics(
        text in "[ABD][0-9]{4}[A-Z][0-9][TA][BCDEGNVX]00[ENS]0[0-3]00[ -~]{0,200}",
        any_text in "\\PC{0,100}",
        raw in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let told = |text: &str| format!("{}{:04}{}", &text[..1], text.len(), &text[5..]);
        for text in [told(&text), text, any_text, String::from_utf8_lossy(&raw).into_owned()] {
            for protection in protections() {
                prop_assert!(open(&protection, &text, true).is_err());
            }
        }
    }

    #[test]
    fn whatever_is_wrapped_unwraps_alike(
        key in any::<[u8; 32]>(),
        length in prop::sample::select(vec![16usize, 24, 32]),
        label in "[ -~]{0,60}",
        blocks in 0usize..4,
    ) {
        let Ok(key) = Key::new(KeyUsage::D0, KeyCipher::Aes, &key[..length]) else { return Ok(()) };
        let optional = vec![OptionalBlock { id: *b"20", data: label }; blocks];
        let protection = protection("D", AES_PROTECTION);
        let block = wrap(&protection, &key, optional.clone()).expect("wrapped");
        let policy = ImportPolicy::strict(KeyUsage::D0);
        let (again, header) = unwrap(&protection, &block, &policy).expect("unwrapped");
        prop_assert_eq!(again.bytes(), key.bytes());
        prop_assert_eq!(header.optional, optional);
    }
}
