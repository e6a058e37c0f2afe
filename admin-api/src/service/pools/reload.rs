//! A reload of a pool as a row: what is known of it, and how it is read. Who moves it from state to
//! state stands in `reloads`.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{
    Amount, AsciiText, Currency, IdempotencyKey, MinorUnits, PartnerId, PoolId, Timestamp,
};
use switch_store::PgTimestamp;
use uuid::Uuid;

use crate::Problem;
use crate::idempotency_key;

/// What a row is read by.
pub(super) const COLUMNS: &str = "id, public_id, pool_id, partner_id, amount, currency, reference, \
     state, refusal, asked_by, asked_at, decided_by, decided_at, waits_until, booked_at";

/// How far a reload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadState {
    /// A second operator has to agree.
    Waiting,
    /// It is being booked.
    Booking,
    /// It is booked.
    Done,
    /// It was refused.
    Refused,
    /// Nobody agreed in time.
    Expired,
}

impl ReloadState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Booking, Self::Done, Self::Refused, Self::Expired];

    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Booking => "BOOKING",
            Self::Done => "DONE",
            Self::Refused => "REFUSED",
            Self::Expired => "EXPIRED",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Money that came, for a pool.
#[derive(Clone, Copy, Debug)]
pub struct NewReload {
    /// The pool.
    pub pool: PoolId,
    /// How much; above zero.
    pub amount: MinorUnits,
    /// The bank's reference.
    pub reference: AsciiText<40>,
}

/// A reload that was asked for.
#[derive(Clone, Debug)]
pub struct Reload {
    /// Its place among all.
    pub id: i64,
    /// As paths name it.
    pub public_id: Uuid,
    /// Of which pool.
    pub pool: PoolId,
    /// Whose that is.
    pub partner: PartnerId,
    /// How much.
    pub amount: Amount,
    /// The bank's reference.
    pub reference: AsciiText<40>,
    /// How far it is.
    pub state: ReloadState,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// Who asked.
    pub asked_by: AsciiText<40>,
    /// When.
    pub asked_at: Timestamp,
    /// The second operator, once there is one.
    pub decided_by: Option<AsciiText<40>>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Until when it waits for one; none where none is needed.
    pub waits_until: Option<Timestamp>,
    /// When it was booked.
    pub booked_at: Option<Timestamp>,
}

impl Reload {
    /// The key of the shard's command, which follows from the row alone: whoever books it, and
    /// however often, the shard does it once.
    pub(super) fn key(&self) -> IdempotencyKey {
        idempotency_key("pool reload", &self.public_id.simple().to_string())
    }

    /// Who has it booked: the second operator, where one was needed.
    pub(super) fn actor(&self) -> AsciiText<40> {
        self.decided_by.unwrap_or(self.asked_by)
    }

    pub(super) fn read(row: &PgRow) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::internal("reading of a reload", &what);
        let currency = u16::try_from(row.try_get::<i16, _>("currency")?).unwrap_or(u16::MAX);
        let currency = Currency::from_numeric(currency).map_err(|_| wrong("its currency"))?;
        let state: String = row.try_get("state")?;
        let text = |text: String| {
            AsciiText::new(text.as_bytes()).map_err(|_| wrong("a text of forty characters"))
        };
        let at = |column: &str| -> Result<Option<Timestamp>, sqlx::Error> {
            Ok(row.try_get::<Option<PgTimestamp>, _>(column)?.map(|at| at.0))
        };
        let decided_by: Option<String> = row.try_get("decided_by")?;
        Ok(Self {
            id: row.try_get("id")?,
            public_id: row.try_get("public_id")?,
            pool: PoolId(row.try_get("pool_id")?),
            partner: PartnerId(row.try_get("partner_id")?),
            amount: Amount { minor: MinorUnits(row.try_get("amount")?), currency },
            reference: text(row.try_get("reference")?)?,
            state: ReloadState::named(&state).ok_or_else(|| wrong("its state"))?,
            refusal: row.try_get("refusal")?,
            asked_by: text(row.try_get("asked_by")?)?,
            asked_at: row.try_get::<PgTimestamp, _>("asked_at")?.0,
            decided_by: decided_by.map(text).transpose()?,
            decided_at: at("decided_at")?,
            waits_until: at("waits_until")?,
            booked_at: at("booked_at")?,
        })
    }
}
