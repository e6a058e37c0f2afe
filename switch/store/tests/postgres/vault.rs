//! Rows of the vault: one for a number, found by its keyed hash, under keys that are recognized.

use switch_domain::{Fingerprint, VaultRef};
use switch_store::{KeyRows, SealedPan, VaultError};

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

#[tokio::test]
async fn rows_come_under_another_key_batch_by_batch_and_a_key_ends_without_rows() {
    let stage = Stage::new().await;
    // As the switch has it: drawing an id needs a right of its own.
    let vault = stage.store.set_projector_apart().await.expect("roles").vault();
    vault.set_key_check("k1", b"abc").await.expect("first use");
    vault.set_key_check("k2", b"abd").await.expect("first use");
    for number in 1..=5 {
        vault.insert_pan(&pan(number)).await.expect("a free number");
    }
    let row = vault.reserve().await.expect("an id");
    let own = SealedPan { key_id: "k2".into(), ..pan(6) };
    assert_eq!(vault.insert_reserved(row, &own).await.expect("a free number").row, row);
    let refused = vault.retire_key("k1").await;
    assert!(matches!(refused, Err(VaultError::InUse { rows: 5, .. })), "{refused:?}");

    // Dropped: nothing is changed, and the rows are free again.
    drop(vault.rotation_batch("k2", 0, 3).await.expect("a batch"));
    let (mut behind, mut sizes) = (0, Vec::new());
    loop {
        let batch = vault.rotation_batch("k2", behind, 2).await.expect("a batch");
        let Some((last, _)) = batch.rows.last() else { break };
        behind = *last;
        let anew = batch.rows.iter().map(|(id, pan)| (*id, vec![9; 12], pan.ciphertext.clone()));
        let anew: Vec<_> = anew.collect();
        sizes.push(batch.replace("k2", anew).await.expect("replaced"));
    }
    assert_eq!(sizes, [2, 2, 1]);
    let found = vault.find(Fingerprint([3; 16])).await.expect("a look").expect("the row");
    let stored = vault.fetch(found).await.expect("the same version");
    assert_eq!((stored.key_id.as_str(), stored.nonce), ("k2", vec![9; 12]));

    vault.retire_key("k1").await.expect("no row is under it");
    vault.retire_key("k1").await.expect("once more");
    let refused = vault.insert_pan(&pan(7)).await;
    assert!(matches!(refused, Err(VaultError::Retired(key)) if key == "k1"));
    assert_eq!(vault.known_keys().await.expect("a look"), ["k2"]);
    let rows = |key: &str, rows, retired| KeyRows { key_id: key.into(), rows, retired };
    let by_key = vault.rows_by_key().await.expect("a look");
    assert_eq!(by_key, [rows("k1", 0, true), rows("k2", 6, false)]);
    stage.close().await;
}

#[tokio::test]
async fn a_retirement_waits_for_the_number_that_is_being_stored() {
    let stage = Stage::new().await;
    let vault = stage.store.vault();
    vault.set_key_check("k1", b"abc").await.expect("first use");
    let mut storing = stage.store.pool().begin().await.expect("a transaction");
    sqlx::query(
        "WITH key AS (SELECT retired_at FROM vault_key WHERE key_id = 'k1' FOR SHARE)
         INSERT INTO pan_vault (fingerprint, key_id, nonce, ciphertext, last_four)
         SELECT $1, 'k1', '', '', '0018' FROM key WHERE retired_at IS NULL",
    )
    .bind(&[1u8; 16][..])
    .execute(&mut *storing)
    .await
    .expect("stored");
    let retiring = tokio::spawn({
        let vault = vault.clone();
        async move { vault.retire_key("k1").await }
    });
    stage.until_waiting(&stage.store).await;
    storing.commit().await.expect("committed");
    let refused = retiring.await.expect("it ended");
    assert!(matches!(refused, Err(VaultError::InUse { rows: 1, .. })), "{refused:?}");
    stage.close().await;
}
