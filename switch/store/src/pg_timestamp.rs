//! A moment as PostgreSQL stores it: `timestamptz`, microseconds since 2000. It owns the conversion
//! and its limits, so that no record can carry a time that a table would refuse.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use switch_domain::Timestamp;

/// Microseconds from 1970 to 2000.
const EPOCH_2000: i64 = 946_684_800_000_000;
/// 4714-11-24 BC, the first day that `timestamptz` has.
const FIRST: i64 = -211_813_488_000_000_000;
/// The last microsecond of the year 294276.
const LAST: i64 = 9_223_371_331_199_999_999;

/// A domain timestamp on its way to or from a table. One outside PostgreSQL's range becomes the
/// nearest inside: a violation would stop a shard's projection for ever (W-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PgTimestamp(pub Timestamp);

impl PgTimestamp {
    /// Microseconds since 2000-01-01T00:00:00Z.
    pub(crate) fn micros(self) -> i64 {
        self.0.0.saturating_sub(EPOCH_2000).clamp(FIRST, LAST)
    }
}

impl Type<Postgres> for PgTimestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl PgHasArrayType for PgTimestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz[]")
    }
}

impl Encode<'_, Postgres> for PgTimestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.micros().to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for PgTimestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a timestamp is read in binary form only".into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(Timestamp(micros.saturating_add(EPOCH_2000))))
    }
}
