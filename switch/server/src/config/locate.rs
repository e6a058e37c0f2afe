//! Finds the line of a key in a TOML text, so that a fault can name it. It judges nothing.

use toml::de::{DeTable, DeValue};

/// The line, from 1, on which the key at `path` stands; the nearest table above it where the key
/// itself is not written.
pub(super) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut at = None;
    for name in path {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == *name) else {
            break;
        };
        at = Some(key.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    let before = text.get(..at?)?;
    Some(before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let text = "# first\n[http]\nlisten = \"x\"\n\n[links.visa]\nid = 1\n[links.mc]\nid = 2\n";
        assert_eq!(line_of(text, &["http", "listen"]), Some(3));
        assert_eq!(line_of(text, &["links", "mc", "id"]), Some(8));
        assert_eq!(line_of(text, &["links", "mc", "dialect"]), Some(7));
        assert_eq!(line_of(text, &["shards", "data_shards"]), None);
    }
}
