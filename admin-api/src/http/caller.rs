//! Who makes a request, once a channel has found out. It owns what a caller is called in journals
//! and in the audit, and whose answers are kept apart from whose.

use std::net::IpAddr;

use switch_domain::{AsciiText, CustomerId, PartnerId};
use uuid::Uuid;

pub use crate::service::operators::Role;

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Who is about to prove themselves, and has not yet: pairing, opening a session.
    Nobody {
        /// From where.
        source: IpAddr,
    },
    /// A partner's own system, by its certificate.
    Partner {
        /// Whose.
        partner: PartnerId,
        /// The beginning of the certificate's SHA-256 digest, in hexadecimal digits.
        certificate: String,
    },
    /// A customer's app, by its session.
    Customer {
        /// Whose customer.
        partner: PartnerId,
        /// The customer.
        customer: CustomerId,
        /// The customer, as outside.
        public_id: Uuid,
        /// The session.
        session: Uuid,
    },
    /// A person at the panel.
    Operator {
        /// Who.
        operator: Uuid,
        /// What they may do.
        role: Role,
    },
}

impl Caller {
    /// The tenant that it acts for; none: the platform itself.
    #[must_use]
    pub const fn partner(&self) -> Option<PartnerId> {
        match self {
            Self::Partner { partner, .. } | Self::Customer { partner, .. } => Some(*partner),
            Self::Nobody { .. } | Self::Operator { .. } => None,
        }
    }

    /// What the journal and the audit call it.
    #[must_use]
    pub fn actor(&self) -> AsciiText<40> {
        let text = match self {
            Self::Nobody { .. } => "nobody".to_owned(),
            Self::Partner { partner, certificate } => {
                let short = certificate.get(..8).unwrap_or(certificate);
                format!("partner:{}/{short}", partner.0)
            }
            Self::Customer { customer, .. } => format!("customer:{}", customer.0),
            Self::Operator { operator, .. } => format!("op:{}", operator.simple()),
        };
        // Each form is printable and within the forty.
        AsciiText::new(text.as_bytes()).unwrap_or(AsciiText::EMPTY)
    }

    /// Under which its idempotency keys and its rates count: all certificates of a partner, all
    /// sessions of a customer, are one caller.
    #[must_use]
    pub fn scope(&self) -> String {
        match self {
            Self::Nobody { source } => format!("source:{source}"),
            Self::Partner { partner, .. } => format!("partner:{}", partner.0),
            Self::Customer { customer, .. } => format!("customer:{}", customer.0),
            Self::Operator { operator, .. } => format!("op:{}", operator.simple()),
        }
    }
}
