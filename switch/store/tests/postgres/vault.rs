//! Rows of the vault: one for a number, found by its keyed hash, under keys that are recognized.

use switch_domain::{Fingerprint, VaultRef};
use switch_store::{SealedPan, VaultError};

use crate::stage::Stage;

fn pan(number: u8) -> SealedPan {
    SealedPan {
        fingerprint: Fingerprint([number; 16]),
        key_id: "k1".into(),
        nonce: vec![3; 12],
        ciphertext: vec![number; 32],
        last_four: "0018".into(),
    }
}

#[tokio::test]
async fn a_number_is_kept_once_and_found_again() {
    let stage = Stage::new().await;
    let vault = stage.store.vault();
    let first = vault.insert_pan(&pan(1)).await.expect("a free number");
    assert!(matches!(vault.insert_pan(&pan(1)).await, Err(VaultError::Taken)));
    assert_eq!(vault.fetch(first).await.expect("the row"), pan(1));
    assert_eq!(vault.find(Fingerprint([1; 16])).await.expect("a look"), Some(first));
    assert_eq!(vault.find(Fingerprint([2; 16])).await.expect("a look"), None);
    let older = VaultRef { version: first.version + 1, ..first };
    assert!(matches!(vault.fetch(older).await, Err(VaultError::NoSuchRow(row)) if row == older));
    vault.remove_unissued(first).await.expect("removed");
    assert_eq!(vault.find(Fingerprint([1; 16])).await.expect("a look"), None);
    stage.close().await;
}

#[tokio::test]
async fn many_numbers_go_in_together_or_not_at_all() {
    let stage = Stage::new().await;
    let vault = stage.store.vault();
    vault.insert_pan(&pan(2)).await.expect("a free number");
    let refused = vault.insert_pans(&[pan(1), pan(2), pan(3)]).await;
    assert!(matches!(refused, Err(VaultError::Taken)));
    assert_eq!(stage.count("SELECT count(*) FROM pan_vault").await, 1);
    assert_eq!(vault.insert_pans(&[pan(4), pan(5)]).await.expect("free numbers").len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn another_key_of_the_same_name_is_noticed() {
    let stage = Stage::new().await;
    let vault = stage.store.vault();
    assert_eq!(vault.key_check("k1").await.expect("a look"), None);
    vault.set_key_check("k1", b"abc").await.expect("first use");
    vault.set_key_check("k1", b"abc").await.expect("the same key");
    let other = vault.set_key_check("k1", b"abd").await;
    assert!(matches!(other, Err(VaultError::AnotherKey(name)) if name == "k1"));
    assert_eq!(vault.known_keys().await.expect("a look"), ["k1"]);
    let text = format!("{:?}", pan(1));
    assert!(!text.contains("ciphertext"), "{text}");
    stage.close().await;
}
