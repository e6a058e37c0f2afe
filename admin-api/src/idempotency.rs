//! Idempotency keys: the caller's text, as the sixteen bytes that the shards remember. It owns that
//! the same actor and text always give the same key, and that two actors never share one.

use sha2::{Digest, Sha256};
use switch_domain::IdempotencyKey;

/// The key of a caller's text. The actor is part of it: one tenant's key never answers another's.
#[must_use]
pub fn idempotency_key(actor: &str, text: &str) -> IdempotencyKey {
    let mut hash = Sha256::new();
    hash.update((actor.len() as u64).to_be_bytes());
    hash.update(actor);
    hash.update(text);
    let digest = hash.finalize();
    let mut key = [0; 16];
    for (slot, byte) in key.iter_mut().zip(digest) {
        *slot = byte;
    }
    IdempotencyKey(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_actor_and_its_text() {
        let key = idempotency_key("uid:1", "order 7");
        assert_eq!(key, idempotency_key("uid:1", "order 7"));
        assert_ne!(key, idempotency_key("uid:1", "order 8"));
        assert_ne!(key, idempotency_key("uid:2", "order 7"));
        assert_ne!(idempotency_key("a", "bc"), idempotency_key("ab", "c"));
    }
}
