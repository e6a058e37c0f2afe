//! A list: what `/admin` lists, as rows of a table or as CSV. It owns that both are made of the
//! same cells, and how many rows one export has.

use admin_api::csv::Csv;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::csv;
use crate::page::{Cell, Table};
use crate::refused::Refused;
use crate::visit::Visit;

/// The most rows of an export; more are asked for with narrower filters.
pub const MOST_EXPORTED: usize = 10_000;
/// Rows of a page of `/admin`, for an export.
const AT_ONCE: u32 = 100;

/// What pages of lists take.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    pub(crate) cursor: String,
    #[serde(default)]
    format: String,
    /// Which list of a page that has several.
    #[serde(default)]
    pub(crate) list: String,
    /// What was just done, by its name.
    #[serde(default)]
    pub(crate) said: String,
}

impl Asked {
    /// Whether it is to be CSV.
    pub(crate) fn wants_csv(&self) -> bool {
        self.format == "csv"
    }
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// How a line of it is shown.
type Row<T> = Box<dyn Fn(&T) -> Vec<Cell> + Send + Sync>;

/// A list.
pub(crate) struct Listing<T> {
    pub(crate) heading: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) empty: &'static str,
    /// Its rows.
    pub(crate) call: Call,
    /// Whether it comes in pages.
    pub(crate) paged: bool,
    /// Where it is shown: the path, and what of the query is kept.
    pub(crate) at: String,
    pub(crate) row: Row<T>,
}

impl<T: DeserializeOwned> Listing<T> {
    /// A page of it, as a table.
    pub(crate) async fn table(&self, visit: &Visit, cursor: &str) -> Result<Table, Refused> {
        let rows: Rows<T> = visit.get(&self.page(cursor, None)).await?;
        let further = if self.at.contains('?') { '&' } else { '?' };
        Ok(Table {
            heading: self.heading.to_owned(),
            columns: self.columns,
            rows: rows.items.iter().map(&self.row).collect(),
            empty: self.empty,
            next: rows.next_cursor.map(|next| format!("{}{further}cursor={next}", self.at)),
            csv: Some(format!("{}{further}format=csv", self.at)),
        })
    }

    /// All of it, as a file.
    pub(crate) async fn csv(&self, visit: &Visit, name: &str) -> Result<Response, Refused> {
        let mut csv = Csv::with_columns(self.columns);
        let mut cursor = String::new();
        let mut written = 0_usize;
        loop {
            let rows: Rows<T> = visit.get(&self.page(&cursor, Some(AT_ONCE))).await?;
            for row in &rows.items {
                let cells: Vec<String> =
                    (self.row)(row).into_iter().map(|cell| cell.text).collect();
                csv.line(&cells);
            }
            written = written.saturating_add(rows.items.len());
            match rows.next_cursor {
                Some(next) if written < MOST_EXPORTED => cursor = next,
                Some(_) => {
                    csv.line(&["(more rows than one export has: narrow what is listed)"]);
                    break;
                }
                None => break,
            }
        }
        Ok(csv::file(csv, name))
    }

    fn page(&self, cursor: &str, limit: Option<u32>) -> Call {
        let call = self.call.clone();
        match (self.paged, limit) {
            (false, _) => call,
            (true, None) => call.with("cursor", cursor),
            (true, Some(limit)) => call.with("cursor", cursor).with("limit", limit),
        }
    }
}
