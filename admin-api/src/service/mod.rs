//! The management services: what the control socket and the REST channels call. It owns the steps
//! around a shard's command (look-ups, vault, customers), one file a subject.

mod answers;
mod attacks;
pub mod audit;
pub mod authorizations;
pub mod cards;
mod claim;
mod clearing;
mod controls;
pub mod corporations;
pub mod csv;
mod customers;
pub mod fees;
mod follow;
pub mod mail;
mod money;
pub mod operators;
mod partners;
pub(crate) mod personalisation;
pub mod pools;
pub mod programmes;
pub(crate) mod proof;
mod rates;
mod reconciliation;
pub mod sandbox;
mod schedules;
pub mod sealed;
mod security;
mod span;
mod tokens;
mod transfers;
pub(crate) mod users;
mod vault;
pub mod webhooks;

use std::sync::Arc;

use switch_domain::{AsciiText, IdempotencyKey};
use switch_security::SecurityModule;
use switch_shard::{Act, Manage, Node};
use switch_store::Store;

use crate::Problem;

pub use answers::{Answers, Claimed, KeptAnswer};
pub(crate) use answers::{RequestDigest, Scope};
pub use cards::{IssuedCard, NewCard};
pub use clearing::{ClearedLines, ClearingLine, ClearingSettings, FileId, ListedLine};
pub use controls::ListedControl;
pub use money::NewProgramme;
pub use partners::{ListedKey, PartnerKeySettings, PartnerKeys};
pub use reconciliation::ReconciliationSettings;
pub(crate) use tokens::Call;
pub use tokens::OpenedTokens;
pub use transfers::{NewTransfer, SentTransfer};
pub use vault::reencrypt_pan;

/// Of a limit that all partners share, what one of them may have.
const fn half(most: i64) -> i64 {
    most.saturating_add(1).div_euclid(2)
}

/// All management services over one node. Cloning gives another handle.
#[derive(Clone)]
pub struct Services {
    node: Node,
    store: Store,
    security: Arc<dyn SecurityModule>,
}

impl Services {
    /// Over a started node, its store, and the security module that keeps card numbers.
    #[must_use]
    pub fn new(node: Node, store: Store, security: Arc<dyn SecurityModule>) -> Self {
        Self { node, store, security }
    }

    /// The node that the services work on.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    async fn act(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        act: Act,
    ) -> Result<Option<i64>, Problem> {
        Ok(self.node.manage(Manage { key, actor, act }, None).await?)
    }

    /// Whether a command under this key has made something, as far as the tables have it.
    async fn was_made(&self, key: IdempotencyKey) -> Result<bool, Problem> {
        Ok(self.made_by(key).await?.is_some())
    }

    /// What a command under this key has made, as far as the tables have it.
    async fn made_by(&self, key: IdempotencyKey) -> Result<Option<i64>, Problem> {
        let sql = "SELECT made_id FROM audit_entry \
                   WHERE idempotency_key = $1 AND made_id IS NOT NULL LIMIT 1";
        let made = sqlx::query_scalar(sql).bind(uuid::Uuid::from_bytes(key.0));
        Ok(made.fetch_optional(self.store.pool()).await?)
    }

    /// Does a command that makes something, and gives its identifier.
    async fn make(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        act: Act,
    ) -> Result<i64, Problem> {
        let made = self.act(key, actor, act).await?;
        made.ok_or_else(|| Problem::internal("making it", &"the command made nothing"))
    }
}
