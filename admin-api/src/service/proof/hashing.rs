//! Argon2id beside the asynchronous threads. It owns how many are computed at once and how many may
//! wait: each takes memory and a processor for a while, and whoever asks too much is refused before
//! anything is counted or computed.

use std::sync::Arc;
use std::thread;

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use super::secret::random;
use crate::Problem;

/// The lowest priority (nice) that there is.
const LAST: i32 = 19;
const SALT: usize = 16;
const HASH: usize = 32;
/// Memory, passes, lanes, each of four bytes, and then salt and hash.
const KEPT: usize = 12 + SALT + HASH;

/// How PINs and passwords are hashed.
#[derive(Clone, Copy, Debug)]
pub struct HashingSettings {
    /// Memory of one, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// How many are computed at once.
    pub at_once: u32,
    /// How many may wait; more are refused.
    pub waiting_most: u32,
}

impl Default for HashingSettings {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, at_once: 2, waiting_most: 32 }
    }
}

/// What was typed, and is to be hashed.
pub(crate) trait Typed: Send + 'static {
    /// As it was typed.
    fn bytes(&self) -> &[u8];
}

/// Who hashes. Cloning gives another handle to the same.
#[derive(Clone)]
pub(crate) struct Hashing {
    settings: HashingSettings,
    /// Those that wait or compute.
    room: Arc<Semaphore>,
    computing: Arc<Semaphore>,
}

/// The right to have one computed.
pub(crate) struct Place(OwnedSemaphorePermit);

impl Hashing {
    pub(crate) fn new(settings: HashingSettings) -> Self {
        let computing = settings.at_once.max(1) as usize;
        let room = computing.saturating_add(settings.waiting_most as usize);
        Self {
            settings,
            room: Arc::new(Semaphore::new(room)),
            computing: Arc::new(Semaphore::new(computing)),
        }
    }

    /// A place among those that wait.
    ///
    /// # Errors
    /// `OVERLOADED`: there is none.
    pub(crate) fn place(&self) -> Result<Place, Problem> {
        Arc::clone(&self.room).try_acquire_owned().map(Place).map_err(|_| {
            metrics::counter!("cardswitch_api_hashing_refused_total").increment(1);
            Problem::new("OVERLOADED", "too many are proving themselves; try again later")
        })
    }

    /// What is kept of it.
    pub(crate) async fn hash(&self, place: Place, typed: impl Typed) -> Result<Vec<u8>, Problem> {
        let HashingSettings { memory_kib, passes, lanes, .. } = self.settings;
        let salt = random::<SALT>()?;
        self.beside(place, move || {
            let hash = compute([memory_kib, passes, lanes], &*salt, typed.bytes())?;
            let mut kept = Vec::with_capacity(KEPT);
            for parameter in [memory_kib, passes, lanes] {
                kept.extend(parameter.to_be_bytes());
            }
            kept.extend_from_slice(&*salt);
            kept.extend_from_slice(&*hash);
            Ok(kept)
        })
        .await
    }

    /// Of the form of what is kept, and of nothing: whatever is tried at it takes as long as at
    /// anything else, and is not it.
    pub(crate) fn of_nothing(&self) -> Result<Vec<u8>, Problem> {
        let HashingSettings { memory_kib, passes, lanes, .. } = self.settings;
        let drawn = random::<{ SALT + HASH }>()?;
        let parameters = [memory_kib, passes, lanes].into_iter().flat_map(u32::to_be_bytes);
        Ok(parameters.chain(drawn.iter().copied()).collect())
    }

    /// Whether it is what this was kept of.
    pub(crate) async fn is(
        &self,
        place: Place,
        typed: impl Typed,
        kept: Vec<u8>,
    ) -> Result<bool, Problem> {
        self.beside(place, move || {
            let (parameters, salt, hash) = parts(&kept).ok_or_else(|| failed(&"what was kept"))?;
            Ok(compute(parameters, salt, typed.bytes())?.ct_eq(hash).into())
        })
        .await
    }

    async fn beside<T: Send + 'static>(
        &self,
        place: Place,
        compute: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.computing).acquire_owned().await.map_err(|e| failed(&e))?;
        let (tell, told) = oneshot::channel();
        // Both are given back when it is done, and not when nobody waits for it any more.
        let work = move || {
            yield_to_others();
            let done = compute();
            drop((turn, place.0));
            // Whoever asked may have gone.
            let _ = tell.send(done);
        };
        thread::Builder::new().name("hashing".into()).spawn(work).map_err(|e| failed(&e))?;
        told.await.map_err(|e| failed(&e))?
    }
}

/// This thread comes after all others: to hash takes a processor for as long as a hundred
/// authorizations do. It is a thread of its own, for one that gave way cannot take that back.
fn yield_to_others() {
    if rustix::process::setpriority_process(None, LAST).is_err() {
        tracing::warn!("hashing has the priority of everything else");
    }
}

fn failed(what: &dyn std::fmt::Display) -> Problem {
    Problem::internal("hashing", what)
}

fn parts(kept: &[u8]) -> Option<([u32; 3], &[u8], &[u8])> {
    let (parameters, rest) = kept.split_at_checked(12)?;
    let (salt, hash) = rest.split_at_checked(SALT)?;
    let mut numbers = [0; 3];
    for (number, bytes) in numbers.iter_mut().zip(parameters.chunks_exact(4)) {
        *number = u32::from_be_bytes(bytes.try_into().ok()?);
    }
    (hash.len() == HASH).then_some((numbers, salt, hash))
}

fn compute(
    [memory, passes, lanes]: [u32; 3],
    salt: &[u8],
    typed: &[u8],
) -> Result<Zeroizing<[u8; HASH]>, Problem> {
    let params = Params::new(memory, passes, lanes, Some(HASH)).map_err(|e| failed(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = Zeroizing::new([0; HASH]);
    argon.hash_password_into(typed, salt, &mut *hash).map_err(|e| failed(&e))?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Typed for &'static str {
        fn bytes(&self) -> &[u8] {
            self.as_bytes()
        }
    }

    #[tokio::test]
    async fn what_was_typed_is_known_again_and_nothing_else() {
        let settings = HashingSettings { memory_kib: 64, passes: 1, ..Default::default() };
        let hashing = Hashing::new(settings);
        let place = || hashing.place().expect("room");
        let kept = hashing.hash(place(), "135790").await.expect("a hash");
        let other = hashing.hash(place(), "135790").await.expect("a hash");
        assert!(kept.len() == KEPT && kept != other, "each has a salt of its own");
        // What was kept says how it was made: settings may change.
        let later = Hashing::new(HashingSettings { memory_kib: 128, passes: 2, ..settings });
        for (typed, right) in [("135790", true), ("135791", false), ("13579", false)] {
            let place = later.place().expect("room");
            assert_eq!(later.is(place, typed, kept.clone()).await, Ok(right));
        }
        let nothing = hashing.of_nothing().expect("drawn");
        assert_eq!(hashing.is(place(), "135790", nothing).await, Ok(false));
        let broken = hashing.is(place(), "135790", kept[1..].to_vec()).await;
        assert_eq!(broken.expect_err("broken").code, "INTERNAL");
    }

    #[tokio::test]
    async fn who_finds_no_place_is_refused_until_there_is_one() {
        let settings = HashingSettings { at_once: 1, waiting_most: 1, ..Default::default() };
        let hashing = Hashing::new(settings);
        let (one, _two) = (hashing.place().expect("room"), hashing.place().expect("room"));
        assert_eq!(hashing.place().err().map(|p| p.code), Some("OVERLOADED"));
        drop(one);
        assert!(hashing.place().is_ok());
    }
}
