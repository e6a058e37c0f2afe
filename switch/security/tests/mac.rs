//! Message authentication codes: every algorithm against vectors of other implementations and the
//! values that the standards print, and that nothing but the whole code of the whole message under
//! the right key is taken.

use proptest::prelude::{any, prop, proptest};
use serde_json::Value;
use switch_domain::Timestamp;
use switch_security::{
    Function, Key, KeyCipher, KeyError, KeyMode, KeyName, KeyRing, KeyUsage, MIN_MAC, MacAlgorithm,
    MacError, MacPadding, MacScheme, NamedKey, PanKeys, SecurityModule, SoftwareModule,
};

const VECTORS: &str = include_str!("vectors/mac.json");
const ZEROS: MacPadding = MacPadding::Zeros;
const ONE: MacPadding = MacPadding::OneThenZeros;

fn module(algorithm: MacAlgorithm, cipher: KeyCipher, key: &[u8]) -> SoftwareModule {
    with_key(Key::new(algorithm.usage(), cipher, key).expect("a key"))
}

fn with_key(key: Key) -> SoftwareModule {
    let (mut ring, at) = (KeyRing::default(), Timestamp(0));
    let number = ring.add(NamedKey { name: name("peer"), key }, at).expect("room");
    ring.activate(&name("peer"), number, at).expect("pending");
    let pan = PanKeys::generate().expect("keys");
    SoftwareModule::new(&pan).expect("a module").with_keys(ring)
}

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).expect("hexadecimal")
}

/// The code in upper-case digits, after a check that it is verified in every length.
fn mac(scheme: MacScheme, cipher: KeyCipher, key: &str, message: &str) -> String {
    let module = module(scheme.algorithm(), cipher, &bytes(key));
    let handle = module.find_mac_key(&name("peer"), scheme.algorithm()).expect("known");
    let message = bytes(message);
    let made = module.generate_mac(handle, scheme, &message).expect("made");
    let length = if cipher == KeyCipher::Aes { 16 } else { 8 };
    let whole = made.shortened(length).expect("whole").to_vec();
    assert!(made.shortened(length + 1).is_none());
    for bytes in 0..=length {
        let verified = module.verify_mac(handle, scheme, &message, &whole[..bytes]);
        assert_eq!(verified.is_ok(), bytes >= MIN_MAC, "{bytes} bytes of {scheme:?}");
    }
    hex::encode_upper(whole)
}

fn group(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(VECTORS).expect("JSON");
    let groups = all["groups"].as_array().expect("groups");
    let group = groups.iter().find(|group| group["group"] == name).expect("the group");
    group["vectors"].as_array().expect("vectors").clone()
}

fn text<'a>(vector: &'a Value, side: &str, name: &str) -> &'a str {
    vector[side][name].as_str().expect("text")
}

#[test]
fn every_vector_of_other_implementations_is_met() {
    let (tdes, aes) = (KeyCipher::Tdes, KeyCipher::Aes);
    let groups = [
        ("mac_alg1_tdes_pad1", MacScheme::CbcMac(ZEROS), tdes),
        ("mac_alg1_tdes_pad2", MacScheme::CbcMac(ONE), tdes),
        ("mac_alg3_pad1", MacScheme::RetailMac(ZEROS), tdes),
        ("mac_alg3_pad2", MacScheme::RetailMac(ONE), tdes),
        ("mac_tdes_cmac", MacScheme::Cmac, tdes),
        ("mac_aes_cmac", MacScheme::Cmac, aes),
    ];
    let mut met = 0;
    for (group_name, scheme, cipher) in groups {
        for vector in group(group_name) {
            let (key, message) = (text(&vector, "in", "key"), text(&vector, "in", "message"));
            let made = mac(scheme, cipher, key, message);
            assert_eq!(made, text(&vector, "out", "mac"), "{}", vector["id"]);
            met += 1;
        }
    }
    assert_eq!(met, 150);
}

#[test]
fn the_values_that_standards_print_are_met() {
    let (des, tdes, aes) = (KeyCipher::Des, KeyCipher::Tdes, KeyCipher::Aes);
    // "Now is the time for all " of ISO/IEC 9797-1 annex B, "7654321 Now is the time for " of
    // FIPS 113, the AES messages of RFC 4493, the triple DES ones of SP 800-38B.
    let annex = "4E6F77206973207468652074696D6520666F7220616C6C20";
    let fips = "37363534333231204E6F77206973207468652074696D6520666F7220";
    let rfc_key = "2B7E151628AED2A6ABF7158809CF4F3C";
    let rfc = "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51\
               30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710";
    let nist_key = "8AA83BF8CBDA10620BC1BF19FBB6CD58BC313D4A371CA8B5";
    let (single, double) = ("0123456789ABCDEF", "0123456789ABCDEFFEDCBA9876543210");
    let rows = [
        (MacScheme::CbcMac(ZEROS), des, single, fips, "F1D30F6849312CA4"),
        (MacScheme::CbcMac(ZEROS), des, single, annex, "70A30640CC76DD8B"),
        (MacScheme::RetailMac(ZEROS), tdes, double, annex, "A1C72E74EA3FA9B6"),
        (MacScheme::RetailMac(ONE), tdes, double, annex, "E9086230CA3BE796"),
        (MacScheme::Cmac, aes, rfc_key, "", "BB1D6929E95937287FA37D129B756746"),
        (MacScheme::Cmac, aes, rfc_key, &rfc[..32], "070A16B46B4D4144F79BDD9DD04A287C"),
        (MacScheme::Cmac, aes, rfc_key, &rfc[..80], "DFA66747DE9AE63030CA32611497C827"),
        (MacScheme::Cmac, aes, rfc_key, rfc, "51F0BEBF7E3B9D92FC49741779363CFE"),
        (MacScheme::Cmac, tdes, nist_key, "", "B7A688E122FFAF95"),
        (MacScheme::Cmac, tdes, nist_key, &rfc[..16], "8E8F293136283797"),
    ];
    for (scheme, cipher, key, message, expected) in rows {
        assert_eq!(mac(scheme, cipher, key, message), expected, "{scheme:?} {message}");
    }
}

#[test]
fn cbc_mac_with_aes_chains_as_the_cipher_does() {
    // One block is the block encrypted: FIPS 197 appendix C.1 to C.3.
    let plain = "00112233445566778899AABBCCDDEEFF";
    let key = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
    for (digits, expected) in [
        (32, "69C4E0D86A7B0430D8CDB78070B4C55A"),
        (48, "DDA97CA4864CDFE06EAF70A0EC0D7191"),
        (64, "8EA2B7CA516745BFEAFC49904B496089"),
    ] {
        let scheme = MacScheme::CbcMac(ZEROS);
        assert_eq!(mac(scheme, KeyCipher::Aes, &key[..digits], plain), expected);
    }
}

#[test]
fn check_values_are_those_of_other_implementations() {
    for (group_name, cipher) in [("kcv_tdes", KeyCipher::Tdes), ("kcv_aes_cmac", KeyCipher::Aes)] {
        for vector in group(group_name) {
            let key = bytes(text(&vector, "in", "key"));
            let (usage, cipher) = match key.len() {
                8 => (KeyUsage::M1, KeyCipher::Des),
                _ => (KeyUsage::M6, cipher),
            };
            let key = Key::new(usage, cipher, &key).expect("a key");
            let shown = key.check_value().to_string();
            assert_eq!(shown, text(&vector, "out", "kcv"), "{}", vector["id"]);
        }
    }
}

#[test]
fn a_key_does_what_it_is_for_and_nothing_else() {
    let key = bytes("0123456789ABCDEFFEDCBA9876543210");
    let schemes = [MacScheme::CbcMac(ONE), MacScheme::RetailMac(ONE), MacScheme::Cmac];
    for is_for in schemes.map(MacScheme::algorithm) {
        let module = module(is_for, KeyCipher::Tdes, &key);
        let handle = module.find_mac_key(&name("peer"), is_for).expect("known");
        for scheme in schemes {
            let wanted = scheme.algorithm();
            let same = is_for == wanted;
            assert_eq!(module.find_mac_key(&name("peer"), wanted).is_ok(), same);
            assert_eq!(module.generate_mac(handle, scheme, b"message").is_ok(), same);
            let verified = module.verify_mac(handle, scheme, b"message", &[0; 8]);
            let (name, usage, mode) = (name("peer"), is_for.usage(), KeyMode::Calculate);
            let function = Function::VerifyMac(wanted);
            let expected = match same {
                true => MacError::Incorrect,
                false => MacError::Key(KeyError::Refused { name, usage, mode, function }),
            };
            assert_eq!(verified, Err(expected));
        }
        let unknown = module.find_mac_key(&name("other"), is_for);
        assert_eq!(unknown, Err(MacError::Key(KeyError::Unknown(name("other")))));
    }
}

proptest! {
    #[test]
    fn no_other_message_and_no_other_code_is_taken(
        key in any::<[u8; 16]>(),
        message in prop::collection::vec(any::<u8>(), 1..300),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        length in MIN_MAC..=8,
    ) {
        for scheme in [MacScheme::CbcMac(ONE), MacScheme::RetailMac(ZEROS), MacScheme::Cmac] {
            let usage = scheme.algorithm().usage();
            let Ok(key) = Key::new(usage, KeyCipher::Tdes, &key) else { continue };
            let module = with_key(key);
            let handle = module.find_mac_key(&name("peer"), scheme.algorithm()).expect("known");
            let made = module.generate_mac(handle, scheme, &message).expect("made");
            let code = made.shortened(length).expect("shorter").to_vec();
            assert_eq!(module.verify_mac(handle, scheme, &message, &code), Ok(()));
            let mut other = message.clone();
            other[at.index(message.len())] ^= 1 << bit;
            let refused = Err(MacError::Incorrect);
            assert_eq!(module.verify_mac(handle, scheme, &other, &code), refused);
            let mut wrong = code.clone();
            wrong[at.index(length)] ^= 1 << bit;
            assert_eq!(module.verify_mac(handle, scheme, &message, &wrong), refused);
            let longer = [code.as_slice(), &[0; 16]].concat();
            assert_eq!(module.verify_mac(handle, scheme, &message, &longer), refused);
        }
    }
}
