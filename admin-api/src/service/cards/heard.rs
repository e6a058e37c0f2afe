//! What processors elsewhere have heard of their cards, and have yet to hear: the table
//! `processor_telling`. It owns what follows from it: a card is told as it is when its turn comes,
//! whatever it was meanwhile. It asks no processor.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Card, CardId, CardStatus, Expiry, LockCode, Timestamp};
use switch_store::PgTimestamp;

use super::processor::IN_PROCESS;
use crate::Problem;

// Cards that were made here have nobody to be told. One whose making is not noted yet is found by
// the row of its number.
macro_rules! insert {
    ($waits:literal, $then:literal) => {
        concat!(
            "INSERT INTO processor_telling AS t (card_id, is_active, waits, waits_since, next_at) \
             SELECT ids.id, min(p.form) = 'VIRTUAL', ",
            $waits,
            ", $2, $3 FROM unnest($1::int8[]) AS ids (id) \
             LEFT JOIN card ON card.id = ids.id \
             JOIN card_profile AS p ON p.card_id = ids.id OR p.vault_row = card.vault_row \
             WHERE p.processor <> $4 GROUP BY ids.id ORDER BY ids.id ON CONFLICT (card_id) DO ",
            $then
        )
    };
}

const MARK: &str = insert!(
    "true",
    "UPDATE SET marks = t.marks + 1, waits = true, attempts = 0, refused_at = NULL, \
     next_at = CASE WHEN t.waits THEN least(t.next_at, $3) ELSE $3 END, \
     waits_since = CASE WHEN t.waits THEN t.waits_since ELSE $2 END"
);

const THERE: &str = insert!("false", "NOTHING");

const DOUBT_LOCK: &str = "\
    UPDATE processor_telling SET lock_in_doubt = true, doubts = doubts + 1 WHERE card_id = $1";

const DOUBT_MONTH: &str = "\
    UPDATE processor_telling SET was_renewed = true, renewed_to = NULL, doubts = doubts + 1
    WHERE card_id = $1";

const ACTIVE: &str = "UPDATE processor_telling SET is_active = true WHERE card_id = $1";

// Whoever has asked since is not answered by this.
const LOCK: &str = "\
    UPDATE processor_telling SET stopped_by = $2, lock_in_doubt = lock_in_doubt AND doubts <> $3
    WHERE card_id = $1";

const RENEWED: &str = "\
    UPDATE processor_telling SET was_renewed = true,
        renewed_to = CASE WHEN doubts = $3 THEN $2 ELSE renewed_to END
    WHERE card_id = $1";

const DOUBTS: &str = "SELECT doubts FROM processor_telling WHERE card_id = $1";

/// Whatever its processor has heard of it.
const LATER: &str = "UPDATE processor_telling SET was_renewed = true WHERE card_id = ANY ($1)";

const RETIRED: &str = "UPDATE processor_telling SET is_retired = true WHERE card_id = $1";

/// What a processor is told of a card, and has heard once it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Heard {
    /// It is in use.
    Active,
    /// It is good until this month.
    Month(Expiry),
    /// It is stopped by this code, or no more.
    Lock(Option<LockCode>),
    /// It is gone for good.
    Retired,
}

/// What a processor has heard of a card.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) is_active: bool,
    pub(super) stopped_by: Option<LockCode>,
    pub(super) is_retired: bool,
    pub(super) lock_in_doubt: bool,
    pub(super) was_renewed: bool,
    /// In the form of the table.
    pub(super) renewed_to: Option<i16>,
    /// How often something had become of the card.
    pub(super) marks: i64,
    /// How often something had been asked that may have changed it.
    pub(super) doubts: i64,
}

impl Known {
    pub(super) fn read(row: &PgRow) -> Result<Self, Problem> {
        let stopped_by: Option<i16> = row.try_get("stopped_by")?;
        let code = |number: i16| u8::try_from(number).ok().and_then(LockCode::from_number);
        Ok(Self {
            is_active: row.try_get("is_active")?,
            stopped_by: stopped_by.and_then(code),
            is_retired: row.try_get("is_retired")?,
            lock_in_doubt: row.try_get("lock_in_doubt")?,
            was_renewed: row.try_get("was_renewed")?,
            renewed_to: row.try_get("renewed_to")?,
            marks: row.try_get("marks")?,
            doubts: row.try_get("doubts")?,
        })
    }

    /// What it has to hear of a card that is so now, in this order.
    pub(super) fn to_tell(self, card: &Card) -> Vec<Heard> {
        self.of((card.status, card.lock, card.expiry))
    }

    fn of(self, (status, lock, expiry): (CardStatus, Option<LockCode>, Expiry)) -> Vec<Heard> {
        if self.is_retired {
            return Vec::new();
        }
        if status == CardStatus::Removed {
            return vec![Heard::Retired];
        }
        let activated = status == CardStatus::Active && !self.is_active;
        let locked = self.lock_in_doubt || self.stopped_by != lock;
        let renewed = self.was_renewed && self.renewed_to != stored(expiry);
        let (stops, lifts) = (locked && lock.is_some(), locked && lock.is_none());
        // What takes rights away first: nothing else keeps it back.
        [
            stops.then_some(Heard::Lock(lock)),
            activated.then_some(Heard::Active),
            renewed.then_some(Heard::Month(expiry)),
            lifts.then_some(Heard::Lock(None)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn stored(expiry: Expiry) -> Option<i16> {
    i16::try_from(expiry.yymm()).ok()
}

/// These cards were renewed, and were marked for it.
pub(super) async fn renewed(connection: &mut PgConnection, cards: &[i64]) -> Result<(), Problem> {
    sqlx::query(LATER).bind(cards).execute(connection).await?;
    Ok(())
}

/// Something became of these cards at `since`: what there is to be told goes from `next` on.
pub(in crate::service) async fn mark(
    connection: &mut PgConnection,
    cards: &[i64],
    (since, next): (Timestamp, Timestamp),
) -> Result<u64, Problem> {
    let marking = sqlx::query(MARK).bind(cards).bind(PgTimestamp(since)).bind(PgTimestamp(next));
    Ok(marking.bind(IN_PROCESS).execute(connection).await?.rows_affected())
}

/// This is about to be told: whatever becomes of the question, it is told again until it is known
/// to have been heard. That a card is in use, or gone, is in no doubt: it is told until it was.
pub(super) async fn doubt(
    connection: &mut PgConnection,
    card: CardId,
    what: Heard,
) -> Result<(), Problem> {
    let sql = match what {
        Heard::Active | Heard::Retired => return Ok(()),
        Heard::Lock(_) => DOUBT_LOCK,
        Heard::Month(_) => DOUBT_MONTH,
    };
    sqlx::query(sql).bind(card.0).execute(connection).await?;
    Ok(())
}

/// How often something was asked about a card that may have changed what its processor has heard.
/// To be read with the card's row held, before the question.
pub(super) async fn doubts(connection: &mut PgConnection, card: CardId) -> Result<i64, Problem> {
    let found = sqlx::query_scalar(DOUBTS).bind(card.0).fetch_optional(connection).await?;
    Ok(found.unwrap_or_default())
}

/// Its processor has heard that, in answer to a question before which there were so many doubts:
/// whoever has asked since is not answered by it. What holds the row of a card here holds up who
/// follows the journal: so it is the last that is done before a commit.
pub(super) async fn heard(
    connection: &mut PgConnection,
    card: CardId,
    (what, doubts, now): (Heard, i64, Timestamp),
) -> Result<(), Problem> {
    let there = sqlx::query(THERE).bind(&[card.0][..]).bind(PgTimestamp(now));
    there.bind(PgTimestamp(now)).bind(IN_PROCESS).execute(&mut *connection).await?;
    let asked = match what {
        Heard::Active => sqlx::query(ACTIVE).bind(card.0),
        Heard::Month(until) => sqlx::query(RENEWED).bind(card.0).bind(stored(until)).bind(doubts),
        Heard::Lock(code) => {
            let code = code.map(|code| i16::from(code.number()));
            sqlx::query(LOCK).bind(card.0).bind(code).bind(doubts)
        }
        Heard::Retired => sqlx::query(RETIRED).bind(card.0),
    };
    asked.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Known = Known {
        is_active: false,
        stopped_by: None,
        is_retired: false,
        lock_in_doubt: false,
        was_renewed: false,
        renewed_to: None,
        marks: 1,
        doubts: 0,
    };

    #[test]
    fn a_processor_is_told_what_it_has_not_heard_and_what_is_in_doubt() {
        let code = |number| LockCode::from_number(number);
        let active = Known { is_active: true, ..NEW };
        let stopped = Known { stopped_by: code(3), ..active };
        let doubtful = Known { lock_in_doubt: true, ..stopped };
        let retired = Known { is_retired: true, ..stopped };
        let (on, off, gone) = (CardStatus::Active, CardStatus::Inactive, CardStatus::Removed);
        for (known, status, lock, told) in [
            (NEW, off, None, vec![]),
            (NEW, on, None, vec![Heard::Active]),
            (NEW, on, code(6), vec![Heard::Lock(code(6)), Heard::Active]),
            (NEW, off, code(2), vec![Heard::Lock(code(2))]),
            (active, on, None, vec![]),
            (active, on, code(6), vec![Heard::Lock(code(6))]),
            (stopped, on, code(3), vec![]),
            (stopped, on, code(4), vec![Heard::Lock(code(4))]),
            (stopped, on, None, vec![Heard::Lock(None)]),
            (doubtful, on, code(3), vec![Heard::Lock(code(3))]),
            (doubtful, on, None, vec![Heard::Lock(None)]),
            (stopped, gone, code(3), vec![Heard::Retired]),
            (retired, gone, None, vec![]),
        ] {
            let month = Expiry::from_yymm(3001).expect("a month");
            assert_eq!(known.of((status, lock, month)), told, "{known:?} {status:?} {lock:?}");
            let renewed = Known { was_renewed: true, renewed_to: Some(3001), ..known };
            assert_eq!(renewed.of((status, lock, month)), told, "it has heard its month");
        }
    }

    #[test]
    fn a_month_is_told_once_it_is_another_than_what_was_heard() {
        let month = |yymm| Expiry::from_yymm(yymm).expect("a month");
        let active = Known { is_active: true, was_renewed: true, ..NEW };
        for (known, told) in [
            (Known { was_renewed: false, ..active }, vec![]),
            (active, vec![Heard::Month(month(3001))]),
            (Known { renewed_to: Some(2901), ..active }, vec![Heard::Month(month(3001))]),
            (Known { renewed_to: Some(3001), ..active }, vec![]),
            (Known { is_retired: true, ..active }, vec![]),
        ] {
            assert_eq!(known.of((CardStatus::Active, None, month(3001))), told, "{known:?}");
        }
    }
}
