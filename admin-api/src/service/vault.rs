//! Card numbers in and out of rows of the vault. It owns what a number is bound to in its row, and
//! how a row is encrypted again: opened, sealed under the active key, and compared before it
//! counts.

use switch_domain::Pan;
use switch_security::{SecurityModule, VaultError};
use switch_store::{OLD_PLACE, SealedPan, vault_place};

/// Encrypts a number for this row.
///
/// # Errors
/// The random generator or the cipher failed.
pub(super) fn seal_pan(
    security: &dyn SecurityModule,
    row: i64,
    pan: &Pan,
) -> Result<SealedPan, VaultError> {
    let sealed = security.seal(pan, &vault_place(row))?;
    Ok(SealedPan {
        fingerprint: security.fingerprint(pan),
        key_id: sealed.key_id.to_string(),
        nonce: sealed.nonce.to_vec(),
        ciphertext: sealed.ciphertext,
        last_four: String::from_utf8_lossy(&pan.last_four()).into_owned(),
    })
}

/// Decrypts the number of this row. Those of before rows had their id in it are bound to the table
/// and their fingerprint alone, until they are encrypted again.
///
/// # Errors
/// Its key is not there, or it is not what was sealed for this row.
pub(super) fn open_pan(
    security: &dyn SecurityModule,
    row: i64,
    stored: &SealedPan,
) -> Result<Pan, VaultError> {
    let not_authentic = |_| VaultError::NotAuthentic;
    let sealed = switch_security::SealedPan {
        key_id: stored.key_id.parse().map_err(|_| VaultError::NotAuthentic)?,
        nonce: stored.nonce.as_slice().try_into().map_err(not_authentic)?,
        ciphertext: stored.ciphertext.clone(),
    };
    match security.open(&sealed, &stored.fingerprint, &vault_place(row)) {
        Err(VaultError::NotAuthentic) => security.open(&sealed, &stored.fingerprint, OLD_PLACE),
        other => other,
    }
}

/// The same number under the active key. What comes out opens again in this row, to the number that
/// this row is found by: a row is never written over by what nobody can read.
///
/// # Errors
/// It does not open, or is found by another number; the random generator or the cipher failed.
pub fn reencrypt_pan(
    security: &dyn SecurityModule,
    row: i64,
    stored: &SealedPan,
) -> Result<SealedPan, VaultError> {
    let pan = open_pan(security, row, stored)?;
    let sealed = seal_pan(security, row, &pan)?;
    let same_card = sealed.fingerprint == stored.fingerprint;
    let same_number = open_pan(security, row, &sealed)? == pan;
    if same_card && same_number && sealed.last_four == stored.last_four {
        Ok(sealed)
    } else {
        Err(VaultError::NotAuthentic)
    }
}
