//! Documents at rest: the kind of what is sealed here. How, is `sealed`'s.

use crate::service::sealed::{Seal, SealKeyFile, Sealed};

/// What corporations have handed in.
#[derive(Debug)]
pub enum Documents {}

impl Sealed for Documents {
    const PURPOSE: &'static str = "corporation-documents";
    const LABEL: &'static [u8] = b"cardswitch corporation document v1";
    const OF: &'static str = "documents";
}

/// The key file of documents.
pub type DocumentKeyFile = SealKeyFile<Documents>;
/// Seals and opens documents.
pub type DocumentSeal = Seal<Documents>;
