//! What the connections of one link share. It owns nothing of its own: settings, the switch behind
//! it, its standing, its certificates, its refusals and its metrics are held here and kept
//! elsewhere.

use std::sync::Arc;

use switch_domain::AsciiText;
use switch_security::SecurityModule;
use tokio::task::JoinError;

use crate::config::LinkConfig;
use crate::locks::Allowance;
use crate::mac::Authenticator;
use crate::metrics::LinkMetrics;
use crate::standing::Standing;
use crate::tls::Tls;

/// One link, as its connections see it.
pub(crate) struct Link<S> {
    pub(crate) config: LinkConfig,
    pub(crate) switch: S,
    pub(crate) security: Arc<dyn SecurityModule>,
    /// Of a link whose messages carry authentication codes.
    pub(crate) mac: Option<Authenticator>,
    pub(crate) standing: Arc<Standing>,
    /// Who it is in the audit trail.
    pub(crate) actor: AsciiText<40>,
    /// Refused file actions that may still go on record.
    pub(crate) refusals: Allowance,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) metrics: Arc<LinkMetrics>,
}

impl<S> Link<S> {
    /// A connection's task did not end by itself.
    pub(crate) fn note_defect(&self, error: &JoinError) {
        self.metrics.closed("defect");
        tracing::error!(link = %self.config.name, %error, "a connection's task failed");
    }
}
