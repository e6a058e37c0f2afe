//! The page on which the API is tried: Swagger UI out of the binary, and the documents beside it.
//! It owns that the page loads nothing from elsewhere, and that its rules for the browser are
//! looser than those of all other answers for this path alone.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui::{Config, Url, serve};

use super::{WHOLE, documents, whole};
use crate::http::{Failure, finish};

/// Its own files and answers, and styles that it sets itself; nothing of another host.
const RULES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                     img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                     form-action 'none'; frame-ancestors 'none'";

struct Page {
    /// Text of each document, by the name of its file.
    documents: Vec<(String, String)>,
    config: Arc<Config<'static>>,
}

/// `/docs`.
pub fn try_it_page() -> Router {
    let all = documents().into_iter().chain([(WHOLE, whole())]);
    let documents: Vec<_> = all
        .map(|(name, document)| (format!("{name}.json"), document.to_json().unwrap_or_default()))
        .collect();
    let urls = documents.iter().map(|(file, _)| Url::from(format!("/docs/openapi/{file}")));
    // Without a validator, which stands on a host of others.
    let config = Config::new(urls).validator_url("none").try_it_out_enabled(true);
    let page = Arc::new(Page { documents, config: Arc::new(config) });
    let files = page.clone();
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route(
            "/docs/",
            get({
                let files = files.clone();
                move || async move { file(&files, "index.html") }
            }),
        )
        .route(
            "/docs/openapi/{name}",
            get(move |Path(name): Path<String>| async move { document(&page, &name) }),
        )
        .route(
            "/docs/{name}",
            get(move |Path(name): Path<String>| async move { file(&files, &name) }),
        )
        .layer(from_fn(finish))
}

fn document(page: &Page, name: &str) -> Response {
    match page.documents.iter().find(|(known, _)| known == name) {
        Some((_, text)) => with_rules("application/json", text.clone().into_bytes()),
        None => missing(),
    }
}

fn file(page: &Page, name: &str) -> Response {
    match serve(name, page.config.clone()) {
        Ok(Some(file)) => with_rules(&file.content_type, file.bytes.into_owned()),
        Ok(None) => missing(),
        Err(error) => {
            tracing::error!(%error, "the page of the documents cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn missing() -> Response {
    Failure::from(crate::Problem::not_found("there is no such file")).into_response()
}

fn with_rules(form: &str, bytes: Vec<u8>) -> Response {
    let form = HeaderValue::from_str(form);
    let form = form.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let rules = HeaderValue::from_static(RULES);
    let headers = [(header::CONTENT_TYPE, form), (header::CONTENT_SECURITY_POLICY, rules)];
    (headers, bytes).into_response()
}
