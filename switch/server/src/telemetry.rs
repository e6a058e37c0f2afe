//! Logs and metrics of the process. It owns the global recorders, which exist once however many
//! switches run in the process (tests run several).

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging to standard error; a second call changes nothing.
pub fn start_logging(log: &Log) {
    let filter = EnvFilter::new(&log.filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a logger was installed before, which is then as good.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Upper bounds of latency buckets, in seconds: from a commit on a fast disk to a network's limit.
const LATENCY_BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Upper bounds of batch size buckets.
const BATCH_BUCKETS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// The process's metrics, installed at the first call.
#[must_use]
pub fn metrics_handle() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let builder = builder
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_BUCKETS)
                .and_then(|b| {
                    b.set_buckets_for_metric(Matcher::Suffix("_records".into()), &BATCH_BUCKETS)
                })
                .unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // An error means that another recorder was installed before: ours then stays empty.
            let _ = metrics::set_global_recorder(recorder);
            switch_shard::describe_metrics();
            switch_network::describe_metrics();
            switch_hsm::describe_metrics();
            admin_api::authorizations::describe();
            admin_api::mail::describe();
            admin_api::pools::describe();
            admin_api::fees::describe();
            admin_api::programmes::describe();
            crate::upkeep::describe();
            crate::attack_watch::describe();
            handle
        })
        .clone()
}
