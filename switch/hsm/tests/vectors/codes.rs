//! Message authentication codes by M6 and M8, check values by BU, and the ways of keys by A0, A6
//! and A8.

use switch_hsm::commands::{
    ExportKey, GenerateCheckValue, GenerateKey, GenerateMac, ImportKey, KeyType, MacScheme,
    VerifyMac,
};
use switch_hsm::{CallError, ErrorCode};
use switch_security::{KeyCipher, KeyUsage};

use super::rig::{Rig, bytes, group, text};

const GROUPS: [(&str, KeyUsage, KeyCipher, MacScheme); 6] = [
    ("mac_alg3_pad1", KeyUsage::M3, KeyCipher::Tdes, MacScheme::Algorithm3(1)),
    ("mac_alg3_pad2", KeyUsage::M3, KeyCipher::Tdes, MacScheme::Algorithm3(2)),
    ("mac_alg1_tdes_pad1", KeyUsage::M1, KeyCipher::Tdes, MacScheme::Algorithm1(1)),
    ("mac_alg1_tdes_pad2", KeyUsage::M1, KeyCipher::Tdes, MacScheme::Algorithm1(2)),
    ("mac_aes_cmac", KeyUsage::M6, KeyCipher::Aes, MacScheme::Cmac),
    ("mac_tdes_cmac", KeyUsage::M6, KeyCipher::Tdes, MacScheme::Cmac),
];

#[tokio::test]
async fn codes_are_those_of_the_vectors() {
    let rig = Rig::new().await;
    let client = rig.client().await;
    for (name, usage, cipher, scheme) in GROUPS {
        let vectors = group(name);
        for vector in &vectors {
            let key = rig.key(usage, cipher, &bytes(vector, "key"));
            let message = bytes(vector, "message");
            let of = || GenerateMac { key: &key, scheme, message: &message };
            let made = client.call(&of()).await.expect("made");
            assert_eq!(made, bytes(vector, "mac")[..8], "{vector}");
            let verified = client.call(&VerifyMac { of: of(), claimed: &made }).await;
            assert_eq!(verified, Ok(()));
            let mut other = made;
            other[0] ^= 0x80;
            let refused = client.call(&VerifyMac { of: of(), claimed: &other }).await;
            assert_eq!(refused, Err(CallError::Refused(ErrorCode::NOT_VERIFIED)));
        }
        println!("{name}: {}", vectors.len());
    }
}

#[tokio::test]
async fn a_key_goes_out_and_comes_back_as_itself() {
    let rig = Rig::new().await;
    let client = rig.client().await;
    let zone_key = rig.key(KeyUsage::K1, KeyCipher::Aes, &[0x5A; 32]);
    let kind = KeyType::Block { usage: *b"P0", algorithm: *b"T2", mode: b'B', exportability: b'E' };
    let made = client.call(&GenerateKey(kind)).await.expect("made");
    let export = ExportKey { kind, zone_key: &zone_key, key: &made.key };
    let sent = client.call(&export).await.expect("exported");
    assert!(sent.key.as_str().starts_with('R'));
    let import = ImportKey { kind, zone_key: &zone_key, key: &sent.key };
    let back = client.call(&import).await.expect("imported");
    let kind = *b"FFF";
    let check = client.call(&GenerateCheckValue { key: &back.key, kind }).await.expect("checked");
    assert!([made.check_value, sent.check_value, back.check_value].iter().all(|own| *own == check));
    let other = rig.key(KeyUsage::K1, KeyCipher::Aes, &[0x5B; 32]);
    let kind = KeyType::Block { usage: *b"P0", algorithm: *b"T2", mode: b'B', exportability: b'E' };
    let import = ImportKey { kind, zone_key: &other, key: &sent.key };
    let refused = client.call(&import).await.err();
    assert!(matches!(refused, Some(CallError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn check_values_are_those_of_the_vectors() {
    let rig = Rig::new().await;
    let client = rig.client().await;
    for (name, cipher, lengths) in [
        ("kcv_tdes", KeyCipher::Tdes, [16, 24].as_slice()),
        ("kcv_aes_cmac", KeyCipher::Aes, [16, 24, 32].as_slice()),
    ] {
        for vector in group(name) {
            let clear = bytes(&vector, "key");
            if !lengths.contains(&clear.len()) {
                continue; // single DES: no such key is taken in
            }
            let key = rig.key(KeyUsage::D0, cipher, &clear);
            let made = client.call(&GenerateCheckValue { key: &key, kind: *b"FFF" }).await;
            let expected: [u8; 3] = bytes(&vector, "kcv")[..3].try_into().expect("three");
            assert_eq!(made, Ok(expected), "{}", text(&vector, "key"));
        }
    }
}
