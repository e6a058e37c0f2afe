//! Which institutions may speak on a link: acquirers (DE32) and those that forward for them (DE33).
//! It owns whether a message names one of them; what becomes of one that does not is the desk's.

use codecs::iso8583::{Dialect, Message};
use switch_domain::AsciiText;

const ACQUIRER: u8 = 32;
const FORWARDER: u8 = 33;

/// The institutions of a link, by their identification codes as they stand in a message. An empty
/// list admits any, and a message without the field; one that is not wants the field to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Institutions {
    /// Those that field 32 may name.
    pub acquirers: Vec<AsciiText<11>>,
    /// Those that field 33 may name.
    pub forwarders: Vec<AsciiText<11>>,
}

impl Institutions {
    fn lists(&self) -> [(u8, &'static str, &[AsciiText<11>]); 2] {
        [
            (ACQUIRER, "acquirers", self.acquirers.as_slice()),
            (FORWARDER, "forwarders", self.forwarders.as_slice()),
        ]
    }

    /// The first field of a message that names somebody else, or nobody.
    pub(crate) fn stranger(&self, message: &Message<'_>) -> Option<u8> {
        let is_listed = |field, list: &[AsciiText<11>]| {
            message
                .text(field)
                .is_ok_and(|named| list.iter().any(|one| one.as_str() == named.as_str()))
        };
        self.lists()
            .into_iter()
            .filter(|(_, _, list)| !list.is_empty())
            .find_map(|(field, _, list)| (!is_listed(field, list)).then_some(field))
    }

    /// The first setting that cannot work with a dialect, and why.
    pub(crate) fn unfit(&self, dialect: &Dialect) -> Option<(&'static str, String)> {
        let lacks = |field| dialect.spec(field).is_none();
        self.lists().into_iter().find_map(|(field, setting, list)| {
            (!list.is_empty() && lacks(field)).then(|| {
                (
                    setting,
                    format!("dialect {} has no field {field} to find them in", dialect.name()),
                )
            })
        })
    }
}
