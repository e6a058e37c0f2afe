//! The authentication codes of one link: which messages must carry one, and how answers get theirs.
//! It owns where codes stand and how long they are; keys and algorithms are the security module's,
//! and what becomes of a message without a good code is the desk's affair.

use std::sync::Arc;

use bytes::BytesMut;
use codecs::iso8583::{Dialect, FieldSet, MAX_CODE, Message};
use switch_security::{KeyHandle, KeyName, MIN_MAC, MacError, MacScheme, SecurityModule};

use crate::config::{InvalidLink, LinkConfig};

/// How a link authenticates messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacRule {
    /// The algorithm and its padding.
    pub scheme: MacScheme,
    /// The key, by its name in the security module.
    pub key: KeyName,
    /// How many bytes of a code go on the wire, from 4; the rest of its field is zeros.
    pub bytes: usize,
    /// True where a request without a code is refused; a wrong one always is.
    pub required: bool,
    /// True where answers carry a code.
    pub answers: bool,
}

/// Why a message is not taken for the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacFault {
    /// It carries no code behind its other fields.
    Missing,
    /// It carries another than that of its bytes.
    Wrong,
    /// The security module cannot tell.
    Unknown,
}

impl MacFault {
    /// As metrics and logs call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// A link's rule with its key at hand.
#[derive(Clone)]
pub(crate) struct Authenticator {
    security: Arc<dyn SecurityModule>,
    key: KeyHandle,
    rule: MacRule,
}

impl Authenticator {
    /// Of a link; `None` where its messages carry no codes.
    pub(crate) fn of(
        config: &LinkConfig,
        security: &Arc<dyn SecurityModule>,
    ) -> Result<Option<Self>, InvalidLink> {
        let Some(rule) = &config.mac else { return Ok(None) };
        let link = || config.name.clone();
        let refused = |source| InvalidLink::Mac { link: link(), source };
        let key = security.find_mac_key(&rule.key, rule.scheme.algorithm()).map_err(refused)?;
        let example = security.generate_mac(key, rule.scheme, &[]).map_err(refused)?;
        if example.shortened(rule.bytes).is_none() {
            return Err(InvalidLink::MacLength { link: link(), bytes: rule.bytes });
        }
        let security = Arc::clone(security);
        Ok(Some(Self { security, key, rule: rule.clone() }))
    }

    /// Whether a request is the peer's.
    pub(crate) fn check(&self, message: &Message<'_>) -> Result<(), MacFault> {
        let Some(authenticated) = message.authenticated() else {
            let unprotected = message.dialect().mac_fields();
            // A code with fields behind it protects none of them.
            let carries = message.present().iter().any(|field| unprotected.contains(field));
            return if self.rule.required || carries { Err(MacFault::Missing) } else { Ok(()) };
        };
        let mut room = [0; MAX_CODE];
        let claimed = message.bytes(authenticated.field, &mut room);
        let (claimed, rest) = claimed
            .ok()
            .and_then(|claimed| claimed.split_at_checked(self.rule.bytes))
            .ok_or(MacFault::Wrong)?;
        let Self { security, key, rule } = self;
        let verified = security.verify_mac(*key, rule.scheme, authenticated.covered, claimed);
        match verified {
            Ok(()) if rest.iter().all(|byte| *byte == 0) => Ok(()),
            Ok(()) | Err(MacError::Incorrect) => Err(MacFault::Wrong),
            Err(_) => Err(MacFault::Unknown),
        }
    }

    /// Whether answers carry a code.
    pub(crate) const fn answers(&self) -> bool {
        self.rule.answers
    }

    /// Writes the code of an answer whose last field, of those given, is room for it.
    pub(crate) fn seal(
        &self,
        dialect: &Dialect,
        fields: FieldSet,
        message: &mut BytesMut,
    ) -> Result<(), MacError> {
        let field = fields.last().unwrap_or_default();
        let written = dialect.put_mac(field, message, |covered, code| {
            let mac = self.security.generate_mac(self.key, self.rule.scheme, covered)?;
            let mac = mac.shortened(self.rule.bytes).ok_or(MacError::Incorrect)?;
            code.iter_mut().zip(mac).for_each(|(slot, byte)| *slot = *byte);
            Ok::<_, MacError>(mac.len())
        })?;
        // The length was checked when the link was bound.
        if written { Ok(()) } else { Err(MacError::Incorrect) }
    }
}

impl MacRule {
    /// Whether the codes have room in this dialect.
    #[must_use]
    pub fn fits(&self, dialect: &Dialect) -> bool {
        let room = |field| dialect.mac_room(field).unwrap_or_default();
        let least = dialect.mac_fields().iter().map(room).min().unwrap_or_default();
        (MIN_MAC..=least).contains(&self.bytes)
    }
}
