//! How often somebody may ask: a bucket for each source address before anybody is known, and one
//! for each caller after; to prove oneself by a PIN or a password, the dearest thing that there is
//! to ask for, has a narrower one. It owns that what is over the rate costs next to nothing and is
//! told when to come again, and that the buckets themselves are bounded.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use super::failure::Failure;
use crate::Problem;

/// How often in the long run, and how many may come at once.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// One in this time; above zero.
    pub every: Duration,
    /// At once, after a pause.
    pub burst: NonZeroU32,
}

/// The rates.
#[derive(Clone, Copy, Debug)]
pub struct RatesSettings {
    /// Of a source address.
    pub source: Rate,
    /// Of a caller.
    pub caller: Rate,
    /// Of a source address, for what is proved by a PIN or a password.
    pub proof: Rate,
    /// Buckets of each kind that are kept; once there are so many, neighbours share one.
    pub buckets: usize,
}

struct Buckets<K: std::hash::Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    most: usize,
    /// Whose bucket it is once there are too many.
    shared: fn(&K) -> K,
    name: &'static str,
}

impl<K: std::hash::Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate, most: usize, shared: fn(&K) -> K, name: &'static str) -> Self {
        let every = rate.every.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(rate.burst));
        let quota = quota.allow_burst(rate.burst);
        Self { limiter: RateLimiter::keyed(quota), most, shared, name }
    }

    /// Seconds to wait, where there are any.
    fn check(&self, key: &K) -> Option<u64> {
        let many = self.limiter.len() >= self.most;
        let until = match many {
            false => self.limiter.check_key(key),
            true => self.limiter.check_key(&(self.shared)(key)),
        };
        let until = until.err()?;
        metrics::counter!("cardswitch_api_rate_limited_total", "by" => self.name).increment(1);
        // Its own clock: to make one asks the processor what it is, which takes long where that is
        // virtual.
        let wait = until.wait_time_from(self.limiter.clock().now());
        Some(wait.as_secs().saturating_add(1))
    }

    /// Forgets the buckets that are full again.
    fn shrink(&self) {
        self.limiter.retain_recent();
        let kept = u32::try_from(self.limiter.len()).unwrap_or(u32::MAX);
        metrics::gauge!("cardswitch_api_rate_buckets", "by" => self.name).set(kept);
    }
}

/// All buckets.
pub struct Rates {
    sources: Buckets<IpAddr>,
    callers: Buckets<String>,
    proofs: Buckets<IpAddr>,
}

impl Rates {
    /// With these rates.
    #[must_use]
    pub fn new(settings: RatesSettings) -> Arc<Self> {
        let RatesSettings { source, caller, proof, buckets } = settings;
        Arc::new(Self {
            sources: Buckets::new(source, buckets, neighbourhood, "source"),
            callers: Buckets::new(caller, buckets, |_| String::new(), "caller"),
            proofs: Buckets::new(proof, buckets, neighbourhood, "proof"),
        })
    }

    /// Forgets what is not needed: to be called now and then.
    pub fn shrink(&self) {
        self.sources.shrink();
        self.callers.shrink();
        self.proofs.shrink();
    }
}

/// Who has a whole network of addresses has one bucket.
fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

/// The wider network that an address is of.
fn neighbourhood(source: &IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, 0, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
        }
    }
}

fn too_many(seconds: u64) -> Response {
    let what = format!("too many requests: try again in {seconds} s");
    Failure::from(Problem::new("TOO_MANY_REQUESTS", what)).retry_after(seconds).into_response()
}

/// The layer around everything that costs more than a look at the address.
pub async fn limit_source(
    State(rates): State<Arc<Rates>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match rates.sources.check(&source_of(address.ip())) {
        Some(seconds) => too_many(seconds),
        None => next.run(request).await,
    }
}

/// The layer behind a channel, which has put the caller there.
pub async fn limit_caller(
    State(rates): State<Arc<Rates>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    match rates.callers.check(&caller.scope()) {
        Some(seconds) => too_many(seconds),
        None => next.run(request).await,
    }
}

/// The layer in front of routes that take a PIN or a password: each hash takes as long as a hundred
/// authorizations do, whoever asks for it.
pub(crate) async fn limit_proof(
    State(rates): State<Arc<Rates>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match rates.proofs.check(&source_of(address.ip())) {
        Some(seconds) => too_many(seconds),
        None => next.run(request).await,
    }
}
