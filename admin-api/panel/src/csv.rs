//! A list as a file to be kept. What stands in it is written by the platform's one writer of CSV.

use admin_api::csv::Csv;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// To be kept under a name.
pub(crate) fn file(csv: Csv, name: &str) -> Response {
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    let name = name.unwrap_or(HeaderValue::from_static("attachment"));
    let form = HeaderValue::from_static("text/csv; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, form), (header::CONTENT_DISPOSITION, name)];
    (headers, csv.text()).into_response()
}
