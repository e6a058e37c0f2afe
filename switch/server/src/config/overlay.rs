//! The environment over the file: `CARDSWITCH_HTTP__LISTEN=…` sets `listen` of `[http]`. It owns
//! the naming rule; two underscores go one table down. The only key outside of tables is `mode`.

use toml::{Table, Value};

/// A variable that sets a key.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) variable: String,
    pub(super) path: Vec<String>,
    pub(super) value: Value,
}

/// The settings among `variables`. `DATABASE_URL`, as every tool of PostgreSQL knows it, sets
/// `url` of `[database]` too, and loses against the longer name.
pub(super) fn settings(variables: impl Iterator<Item = (String, String)>) -> Vec<Setting> {
    let mut found: Vec<Setting> = variables
        .filter_map(|(variable, text)| {
            let path = match variable.strip_prefix("CARDSWITCH_") {
                Some(rest) if rest.contains("__") => {
                    rest.split("__").map(str::to_ascii_lowercase).collect()
                }
                Some("MODE") => vec!["mode".into()],
                _ if variable == "DATABASE_URL" => vec!["database".into(), "url".into()],
                _ => return None,
            };
            Some(Setting { variable, path, value: value(&text) })
        })
        .collect();
    found.sort_by_key(|setting| (setting.variable != "DATABASE_URL", setting.variable.clone()));
    found
}

/// A TOML value where the text is one (`5`, `true`, `["10.0.0.1"]`), else a string.
fn value(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok();
    parsed
        .and_then(|mut table| table.remove("value"))
        .filter(|value| !value.is_table() || text.trim_start().starts_with('{'))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts a setting into the table.
pub(super) fn apply(table: &mut Table, setting: &Setting) {
    let Some((last, tables)) = setting.path.split_last() else { return };
    let mut inner = table;
    for name in tables {
        let entry = inner.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
        match entry {
            Value::Table(next) => inner = next,
            _ => return,
        }
    }
    inner.insert(last.clone(), setting.value.clone());
}
