//! The style sheet and the script of the panel, out of the binary. It owns how long a browser keeps
//! them: a few minutes, so that a new binary is soon seen.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;

/// A file.
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    form: &'static str,
    text: &'static str,
}

pub(crate) const STYLE: Asset = Asset {
    path: "/panel/assets/panel.css",
    form: "text/css; charset=utf-8",
    text: include_str!("../assets/panel.css"),
};

pub(crate) const SCRIPT: Asset = Asset {
    path: "/panel/assets/panel.js",
    form: "text/javascript; charset=utf-8",
    text: include_str!("../assets/panel.js"),
};

/// Where they are.
pub(crate) fn all() -> Router {
    let served = |asset: &'static Asset| {
        get(move || async move {
            let form = (header::CONTENT_TYPE, HeaderValue::from_static(asset.form));
            let kept = (header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
            ([form, kept], asset.text).into_response()
        })
    };
    Router::new().route(STYLE.path, served(&STYLE)).route(SCRIPT.path, served(&SCRIPT))
}
