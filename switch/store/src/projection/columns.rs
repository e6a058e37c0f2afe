//! How values of the domain stand in columns: keys of messages, currencies, numbers without sign.
//! The way back is in `load`.

use switch_domain::{Acquirer, Currency, MessageKey, NetworkTrace, OriginalReference, Timestamp};

use super::copy::RowWriter;

/// The text of an acquirer; DE32 has digits only, so that no institution looks like a link.
fn acquirer(row: &mut RowWriter<'_>, acquirer: &Acquirer) {
    match acquirer {
        Acquirer::Institution(id) => row.ascii(id),
        Acquirer::Link(link) => row.text(&format!("link:{}", link.0)),
    };
}

/// A number without sign. The domain's own are MMDDhhmmss or counters, far below the limit.
pub(super) fn unsigned(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A STAN: six digits.
fn stan(stan: u64) -> i64 {
    i64::try_from(stan).unwrap_or(i64::MAX)
}

/// The numeric code: at most 999.
pub(super) fn currency(currency: Currency) -> i16 {
    i16::try_from(currency.numeric()).unwrap_or(i16::MAX)
}

/// The eight columns of a message key.
pub(super) fn message_key(row: &mut RowWriter<'_>, key: &MessageKey) {
    acquirer(row, &key.acquirer);
    row.text(crate::codes::Stored::name(key.class))
        .int8(stan(key.stan))
        .int8(unsigned(key.local_time))
        .ascii(&key.terminal)
        .ascii(&key.rrn)
        .bytes(&key.card.0)
        .int8(key.as_original().origin());
}

/// A network trace; null where there is none, so that the index over them has those alone.
pub(super) fn network_trace(row: &mut RowWriter<'_>, trace: NetworkTrace) {
    row.maybe_text((!trace.is_none()).then(|| trace.as_str()));
}

/// The eight columns of what a reversal says of its original.
pub(super) fn reference(row: &mut RowWriter<'_>, reference: &OriginalReference) {
    acquirer(row, &reference.key.acquirer);
    row.int8(stan(reference.key.stan))
        .ascii(&reference.key.terminal)
        .bytes(&reference.key.card.0)
        .int8(unsigned(reference.transmitted))
        .ascii(&reference.rrn)
        .maybe_text(reference.class.map(crate::codes::Stored::name));
    network_trace(row, reference.network_trace);
}

/// Where a history row comes from: its key, and when.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) shard: i32,
    pub(super) seq: i64,
    pub(super) idx: i32,
    pub(super) at: Timestamp,
}

impl Place {
    /// The four columns that every history row begins with.
    pub(super) fn write(self, row: &mut RowWriter<'_>) {
        row.int4(self.shard).int8(self.seq).int4(self.idx).timestamp(self.at);
    }
}
