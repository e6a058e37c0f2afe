//! `[api.corporations]`: companies of partners, and the documents that they are verified by. It
//! owns the names in the file and the limits of what may be written; what is done with them stands
//! in `admin-api`.

use std::path::PathBuf;

use admin_api::corporations::CorporationSettings;
use admin_api::http::{MOST, Uploads};
use serde::Deserialize;

use super::check::Faults;

/// Corporations: how many there may be, and how much is kept of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiCorporations {
    /// The key of documents, under the local master key.
    pub key_file: PathBuf,
    /// Corporations of a partner.
    pub most: u32,
    /// Documents of a corporation.
    pub documents: u32,
    /// Bytes of a document.
    pub document_bytes: u32,
    /// Bytes of all documents of a partner's corporations.
    pub all_bytes: u64,
    /// Documents that come in at a time.
    pub uploads: usize,
    /// Moves of a corporation's verification; then there are no more.
    pub moves: u32,
}

impl Default for ApiCorporations {
    fn default() -> Self {
        let usual = CorporationSettings::default();
        Self {
            key_file: PathBuf::from("data/keys/documents.key"),
            most: usual.most,
            documents: usual.documents_most,
            document_bytes: usual.document_bytes,
            all_bytes: usual.all_bytes,
            uploads: 4,
            moves: usual.moves_most,
        }
    }
}

impl ApiCorporations {
    /// As the service takes them.
    #[must_use]
    pub const fn settings(&self) -> CorporationSettings {
        CorporationSettings {
            page_most: MOST,
            most: self.most,
            documents_most: self.documents,
            document_bytes: self.document_bytes,
            all_bytes: self.all_bytes,
            moves_most: self.moves,
        }
    }

    /// As the layers take them.
    #[must_use]
    pub fn uploads(&self) -> Uploads {
        Uploads::new(self.settings().request_bytes(), self.uploads)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "corporations", key];
        let most = (1..=1_000_000).contains(&self.most);
        faults.require(most, &path("most"), "from 1 to 1000000");
        let documents = (1..=200).contains(&self.documents);
        faults.require(documents, &path("documents"), "from 1 to 200");
        let bytes = (10_000..=10_000_000).contains(&self.document_bytes);
        faults.require(bytes, &path("document_bytes"), "from 10000 to 10000000");
        let all = (10_000..=1_000_000_000_000).contains(&self.all_bytes);
        faults.require(all, &path("all_bytes"), "from 10000 to 1000000000000");
        let uploads = (1..=64).contains(&self.uploads);
        faults.require(uploads, &path("uploads"), "from 1 to 64");
        let moves = (10..=10_000).contains(&self.moves);
        faults.require(moves, &path("moves"), "from 10 to 10000");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    // covers: SR-263
    #[test]
    fn every_limit_is_held() {
        let wrong = |line: &str| -> Vec<String> {
            let text = format!("[api.corporations]\n{line}\n");
            let config: Config = toml::from_str(&text).expect("its form is right");
            faults(&config).iter().map(|fault| fault.path.join(".")).collect()
        };
        assert_eq!(wrong(""), [""; 0]);
        for (line, key) in [
            ("most = 0", "most"),
            ("documents = 201", "documents"),
            ("document_bytes = 9999", "document_bytes"),
            ("document_bytes = 10000001", "document_bytes"),
            ("all_bytes = 9999", "all_bytes"),
            ("uploads = 0", "uploads"),
            ("moves = 9", "moves"),
        ] {
            assert_eq!(wrong(line), [format!("api.corporations.{key}")], "{line}");
        }
    }
}
