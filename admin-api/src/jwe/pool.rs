//! The bounded pool for RSA work: so many at a time on threads that may be kept busy, so many
//! waiting, and one more is refused at once. It owns the bounds and their metrics; what is worked
//! on is the affair of callers, and so is the answer with `Retry-After`.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

const WORKING: &str = "cardswitch_jwe_pool_working";
const WAITING: &str = "cardswitch_jwe_pool_waiting";
const FULL: &str = "cardswitch_jwe_pool_full_total";
const SECONDS: &str = "cardswitch_jwe_work_seconds";

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Works at a time: each keeps a thread busy for milliseconds. At least one.
    pub workers: usize,
    /// How many may wait for a worker besides.
    pub waiting: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { workers: 2, waiting: 64 }
    }
}

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// As many work and wait as may: 503 with `Retry-After`.
    #[error("as much is encrypted and decrypted as may be at a time: try again shortly")]
    Full,
    /// The work panicked, or the runtime is ending.
    #[error("the work was not done")]
    Failed,
}

/// The pool. Clones share it.
#[derive(Clone)]
pub struct RsaPool {
    /// One for each that works or waits.
    admitted: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

impl RsaPool {
    /// With these bounds; fewer than one worker counts as one.
    #[must_use]
    pub fn new(settings: PoolSettings) -> Self {
        let workers = settings.workers.clamp(1, Semaphore::MAX_PERMITS);
        let all = workers.saturating_add(settings.waiting).min(Semaphore::MAX_PERMITS);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { admitted: semaphore(all), workers: semaphore(workers) }
    }

    /// Does the work on a thread of its own. A caller that goes away while it waits leaves its
    /// place; one that goes away while it is done does not free the worker before it is done.
    ///
    /// # Errors
    /// The pool is full, or the work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let Ok(place) = self.admitted.clone().try_acquire_owned() else {
            metrics::counter!(FULL).increment(1);
            return Err(PoolError::Full);
        };
        let waiting = Counted::new(WAITING);
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| PoolError::Failed)?;
        drop(waiting);
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, worker, Counted::new(WORKING));
            let start = Instant::now();
            let result = work();
            metrics::histogram!(SECONDS).record(start.elapsed());
            result
        });
        done.await.map_err(|_| PoolError::Failed)
    }
}

/// One more in a gauge for as long as it lives.
struct Counted(&'static str);

impl Counted {
    fn new(name: &'static str) -> Self {
        metrics::gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(self.0).decrement(1.0);
    }
}

/// Describes its metrics to the installed recorder.
pub(super) fn describe() {
    use metrics::Unit::{Count, Seconds};
    metrics::describe_gauge!(WORKING, Count, "Tokens that are opened or made just now");
    metrics::describe_gauge!(WAITING, Count, "Tokens that wait for a worker");
    metrics::describe_counter!(FULL, "Tokens refused because too many waited");
    metrics::describe_histogram!(SECONDS, Seconds, "For opening or making a token");
}
