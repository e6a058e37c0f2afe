//! Records of those who did not pass (P-21). It owns their number: a flood of them is counted and
//! recorded in a few, for the audit is for people to read.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use switch_domain::Timestamp;

use crate::http::RequestId;
use crate::service::audit::{AuditSink, Entry, Outcome};

/// Records a second; more are counted, and the next one says how many.
const A_SECOND: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Records refusals.
#[derive(Clone)]
pub struct Refusals {
    sink: AuditSink,
    rate: Arc<DefaultDirectRateLimiter>,
    /// Refused since the last record, and not recorded.
    unrecorded: Arc<AtomicU64>,
}

impl Refusals {
    /// Into this audit.
    #[must_use]
    pub fn new(sink: AuditSink) -> Self {
        let rate = Arc::new(RateLimiter::direct(Quota::per_second(A_SECOND)));
        Self { sink, rate, unrecorded: Arc::default() }
    }

    /// Records that somebody did not pass. Where it cannot be recorded they still do not.
    pub async fn record(
        &self,
        around: (SocketAddr, &RequestId),
        act: String,
        code: &'static str,
        now: Timestamp,
    ) {
        self.record_of("nobody", around, (act, code), now).await;
    }

    /// The same of somebody who is known, and may not.
    pub(crate) async fn record_of(
        &self,
        actor: &str,
        (origin, id): (SocketAddr, &RequestId),
        (act, code): (String, &'static str),
        now: Timestamp,
    ) {
        metrics::counter!("cardswitch_api_refused_total", "code" => code).increment(1);
        if self.rate.check().is_err() {
            self.unrecorded.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let others = self.unrecorded.swap(0, Ordering::Relaxed);
        let object = match others {
            0 => "the channel".to_owned(),
            others => format!("the channel, and {others} more since the last record"),
        };
        let origin: IpAddr = origin.ip().to_canonical();
        let entry = Entry {
            at: now,
            actor: actor.to_owned(),
            act,
            outcome: Outcome::Refused,
            origin: origin.to_string(),
            object,
            request_id: id.0.clone(),
            code: Some(code.to_owned()),
        };
        // The sink itself counts and logs what it cannot add.
        let _ = self.sink.add(entry).await;
    }
}
