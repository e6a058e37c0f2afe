//! Documents of corporations (SR-150). It owns the tables `corporation_document` and
//! `corporation_document_content`: what is taken by which limits, that it lies sealed, and that it
//! leaves whole to one caller alone, the panel.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, IdempotencyKey, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::registry::{alone, one};
use super::{Corporation, Corporations, DocumentSeal, KybState, MediaType, counted};
use crate::Problem;
use crate::service::users::Personal;
use crate::service::users::rules::is_text;

const INSERT: &str = "\
    INSERT INTO corporation_document (public_id, customer_id, kind, file_name, media_type, bytes,
        sha256, sent_at, sent_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id";

const ALL_BYTES: &str = "\
    SELECT coalesce(sum(d.bytes), 0)::int8 FROM corporation AS o
    JOIN corporation_document AS d USING (customer_id) WHERE o.partner_id = $1";

const CONTENT: &str = "\
    INSERT INTO corporation_document_content (document_id, sealed) VALUES ($1, $2)";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.public_id, d.kind, d.file_name, d.media_type, d.bytes, d.sha256, \
             d.sent_at FROM corporation_document AS d ",
            $rest
        )
    };
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident => $name:literal,)*) => {
        /// What a document is to show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum DocumentKind {
            $($(#[$meta])* $kind,)*
        }

        impl DocumentKind {
            /// As in the table.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// An extract of the register of companies.
    Register => "REGISTER",
    /// Articles of association.
    Articles => "ARTICLES",
    /// Whose the company is.
    Ownership => "OWNERSHIP",
    /// Who acts for it.
    Identity => "IDENTITY",
    /// Where it is.
    Address => "ADDRESS",
    /// Anything else.
    Other => "OTHER",
}

/// A document that comes in. It has no printable form.
pub struct NewDocument {
    /// What it is to show.
    pub kind: DocumentKind,
    /// As its sender calls it: 1 to 100 characters.
    pub file_name: Personal,
    /// What is in it: base64.
    pub content: Zeroizing<String>,
}

/// A document, as lists tell of it.
#[derive(Clone, Debug)]
pub struct Document {
    row: i64,
    /// Its name.
    pub public_id: Uuid,
    /// What it is to show.
    pub kind: DocumentKind,
    /// As its sender calls it.
    pub file_name: Personal,
    /// What it is, by its own bytes.
    pub media: MediaType,
    /// How long it is.
    pub bytes: u32,
    /// Of what is in it.
    pub sha256: [u8; 32],
    /// When it came.
    pub sent_at: Timestamp,
}

/// A document and what is in it. It has no printable form.
pub struct OpenedDocument {
    /// What it is.
    pub document: Document,
    /// What is in it.
    pub content: Zeroizing<Vec<u8>>,
}

/// What is in a document, looked at and sealed.
struct Taken {
    media: MediaType,
    bytes: u32,
    sha256: [u8; 32],
    sealed: Vec<u8>,
}

impl Corporations {
    /// Keeps a document of a corporation that was not rejected; under the same key the same one
    /// again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the corporation. `CONFLICT`: it was rejected, or has this document already.
    /// `INVALID_REQUEST`: a member; it is no PDF, PNG or JPEG. `BODY_TOO_LARGE`. `EXHAUSTED`: it
    /// has as many as one may have.
    pub async fn keep(
        &self,
        (partner, corporation): (PartnerId, Uuid),
        new: NewDocument,
        (under, by, now): (IdempotencyKey, AsciiText<40>, Timestamp),
    ) -> Result<Document, Problem> {
        let NewDocument { kind, file_name, content } = new;
        if !is_text(file_name.expose(), 100) {
            return Err(Problem::field("fileName", "1 to 100 characters"));
        }
        let owner = self.corporation(partner, corporation).await?;
        let id = Uuid::from_bytes(under.0);
        let (most, seal) = (self.settings.document_bytes, Arc::clone(&self.seal));
        // Millions of bytes are decoded, hashed and sealed: others go on meanwhile.
        let taking = tokio::task::spawn_blocking(move || taken(&content, id, most, &seal));
        let taken =
            taking.await.map_err(|error| Problem::internal("sealing a document", &error))??;
        let mut transaction = self.pool().begin().await?;
        // Counted one after the other, and not while an operator decides.
        let alone = "SELECT id FROM customer WHERE id = $1 FOR NO KEY UPDATE";
        sqlx::query(alone).bind(owner.id.0).execute(&mut *transaction).await?;
        if let Some(earlier) = find(&mut transaction, &owner, id).await? {
            return Ok(earlier);
        }
        let state = one(&mut transaction, partner, corporation).await?.state;
        if state == KybState::Rejected {
            return Err(Problem::new("CONFLICT", "the corporation was rejected"));
        }
        self.has_room(&mut transaction, &owner, taken.bytes).await?;
        let row = sqlx::query_scalar::<_, i64>(INSERT)
            .bind(id)
            .bind(owner.id.0)
            .bind(kind.name())
            .bind(file_name.expose())
            .bind(taken.media.name())
            .bind(i32::try_from(taken.bytes).unwrap_or(i32::MAX))
            .bind(&taken.sha256[..])
            .bind(PgTimestamp(now))
            .bind(by.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            counted::refused("twice");
            return Err(Problem::new("CONFLICT", "the corporation has this document already"));
        };
        let content = sqlx::query(CONTENT).bind(row).bind(taken.sealed);
        content.execute(&mut *transaction).await?;
        transaction.commit().await?;
        counted::kept(taken.media.name());
        let Taken { media, bytes, sha256, .. } = taken;
        Ok(Document { row, public_id: id, kind, file_name, media, bytes, sha256, sent_at: now })
    }

    /// All documents of a corporation, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn documents(&self, owner: &Corporation) -> Result<Vec<Document>, Problem> {
        let sql = select!("WHERE d.customer_id = $1 ORDER BY d.id LIMIT $2");
        let query = sqlx::query(sql).bind(owner.id.0);
        let query = query.bind(i64::from(self.settings.documents_most));
        query.fetch_all(self.pool()).await?.iter().map(read).collect()
    }

    /// A document with what is in it: for operators who review, and for nobody else.
    ///
    /// # Errors
    /// `NOT_FOUND`: the corporation has none of this name.
    pub async fn open_document(
        &self,
        owner: &Corporation,
        document: Uuid,
    ) -> Result<OpenedDocument, Problem> {
        let mut connection = self.pool().acquire().await?;
        let none = || Problem::not_found("there is no such document");
        let document = find(&mut connection, owner, document).await?.ok_or_else(none)?;
        let sql = "SELECT sealed FROM corporation_document_content WHERE document_id = $1";
        let sealed = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(document.row);
        let sealed = sealed.fetch_one(&mut *connection).await?;
        drop(connection);
        let (seal, id) = (Arc::clone(&self.seal), document.public_id);
        let opening = tokio::task::spawn_blocking(move || seal.open(id, sealed));
        let content =
            opening.await.map_err(|error| Problem::internal("opening a document", &error))??;
        Ok(OpenedDocument { document, content })
    }

    async fn has_room(
        &self,
        transaction: &mut PgConnection,
        owner: &Corporation,
        bytes: u32,
    ) -> Result<(), Problem> {
        // All of a partner's, one after the other.
        alone(transaction, owner.partner).await?;
        let all = sqlx::query_scalar(ALL_BYTES).bind(owner.partner.0);
        let all: i64 = all.fetch_one(&mut *transaction).await?;
        let most = self.settings.all_bytes;
        if u64::try_from(all).unwrap_or(u64::MAX).saturating_add(bytes.into()) > most {
            counted::refused("bytes");
            let what = format!("the documents of a partner have {most} bytes at most");
            return Err(Problem::new("EXHAUSTED", what));
        }
        let sql = "SELECT count(*) FROM corporation_document WHERE customer_id = $1";
        let count: i64 = sqlx::query_scalar(sql).bind(owner.id.0).fetch_one(transaction).await?;
        let most = self.settings.documents_most;
        if count >= i64::from(most) {
            counted::refused("room");
            let what = format!("a corporation has {most} documents at most");
            return Err(Problem::new("EXHAUSTED", what));
        }
        Ok(())
    }
}

/// Looks at what came, and seals it.
fn taken(content: &str, id: Uuid, most: u32, seal: &DocumentSeal) -> Result<Taken, Problem> {
    let too_large = || {
        counted::refused("size");
        Problem::new("BODY_TOO_LARGE", format!("a document has {most} bytes at most"))
    };
    // What cannot fit is not decoded first.
    if content.len() / 4 > (most as usize).div_ceil(3) {
        return Err(too_large());
    }
    let decoded = STANDARD.decode(content);
    let bytes = decoded.map_err(|_| Problem::field("content", "it must be base64"))?;
    let bytes = Zeroizing::new(bytes);
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= most);
    let length = length.ok_or_else(too_large)?;
    let media = MediaType::of(&bytes).ok_or_else(|| {
        counted::refused("media");
        Problem::field("content", "it must be a whole PDF, PNG or JPEG")
    })?;
    let sha256 = Sha256::digest(&*bytes).into();
    Ok(Taken { media, bytes: length, sha256, sealed: seal.seal(id, bytes)? })
}

async fn find(
    connection: &mut PgConnection,
    owner: &Corporation,
    document: Uuid,
) -> Result<Option<Document>, Problem> {
    let sql = select!("WHERE d.customer_id = $1 AND d.public_id = $2");
    let query = sqlx::query(sql).bind(owner.id.0).bind(document);
    query.fetch_optional(connection).await?.as_ref().map(read).transpose()
}

fn read(row: &PgRow) -> Result<Document, Problem> {
    let unknown = || Problem::internal("reading a document's row", &"a word that nobody wrote");
    let (kind, media): (String, String) = (row.try_get("kind")?, row.try_get("media_type")?);
    let sha256 = row.try_get::<Vec<u8>, _>("sha256")?.try_into().map_err(|_| unknown())?;
    Ok(Document {
        row: row.try_get("id")?,
        public_id: row.try_get("public_id")?,
        kind: DocumentKind::named(&kind).ok_or_else(unknown)?,
        file_name: Personal::new(row.try_get("file_name")?),
        media: MediaType::named(&media).ok_or_else(unknown)?,
        bytes: u32::try_from(row.try_get::<i32, _>("bytes")?).map_err(|_| unknown())?,
        sha256,
        sent_at: row.try_get::<PgTimestamp, _>("sent_at")?.0,
    })
}
