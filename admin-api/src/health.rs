//! `/metrics`, `/health/live`, `/health/ready`. It owns their paths and forms; what makes a switch
//! ready is told by its source.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

/// Whether the switch can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It can, and somebody should look at this before it cannot.
    ReadyBut(String),
    /// It cannot, and why.
    NotReady(String),
}

/// Who knows whether the switch can serve.
pub trait HealthSource: Send + Sync + 'static {
    /// Now.
    fn readiness(&self) -> Readiness;
}

struct Sources {
    health: Arc<dyn HealthSource>,
    metrics: PrometheusHandle,
}

/// The routes.
///
/// - `GET /health/live`: 200 while the process can answer at all.
/// - `GET /health/ready`: 200 when authorizations are decided, with a second line where
///   something warns; else 503 with the reason.
/// - `GET /metrics`: the Prometheus text form.
pub fn router(health: Arc<dyn HealthSource>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(Arc::new(Sources { health, metrics }))
}

async fn ready(State(sources): State<Arc<Sources>>) -> Response {
    match sources.health.readiness() {
        Readiness::Ready => "ready\n".into_response(),
        Readiness::ReadyBut(warning) => format!("ready\nwarning: {warning}\n").into_response(),
        Readiness::NotReady(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response()
        }
    }
}

async fn render(State(sources): State<Arc<Sources>>) -> Response {
    let form = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], sources.metrics.render()).into_response()
}
