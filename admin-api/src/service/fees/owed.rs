//! The rows of fees that are owed (`fee_owed`). It owns their keys, which follow from what each is
//! for, so that the same thing is owed once, and how many of one account may wait for money.

use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{
    Amount, AsciiText, BalanceId, CardId, Currency, FeeEvent, MinorUnits, PartnerId, ProgrammeId,
    Taken, Timestamp,
};
use switch_store::PgTimestamp;
use uuid::Uuid;

use crate::Problem;

/// The same fee again is owed once. Where too much of an account waits already, it is invoiced.
const INSERT: &str = "\
    INSERT INTO fee_owed (key, partner_id, programme_id, balance_id, card_id, order_id, event,
        amount, currency, taken, reference, since, next_at)
    SELECT new.key, new.partner, new.programme, new.balance, new.card, new.of, new.event,
        new.amount, new.currency,
        CASE WHEN (SELECT count(*) FROM fee_owed AS o WHERE o.balance_id = new.balance) >= $12
            THEN 'INVOICED' ELSE new.taken END,
        new.reference, $13, $13
    FROM UNNEST($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::uuid[],
        $7::text[], $8::int8[], $9::int2[], $10::text[], $11::text[])
        AS new (key, partner, programme, balance, card, of, event, amount, currency, taken,
            reference)
    ON CONFLICT (key) DO NOTHING";

/// What is owed.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    pub(super) key: Uuid,
    pub(super) partner: PartnerId,
    pub(super) programme: ProgrammeId,
    pub(super) balance: BalanceId,
    pub(super) card: Option<CardId>,
    /// The order of the card, where it is not there yet.
    pub(super) order: Option<Uuid>,
    pub(super) event: FeeEvent,
    pub(super) amount: Amount,
    pub(super) taken: Taken,
    pub(super) reference: String,
}

/// The key of what is owed for something: the same again has the same key.
pub(super) fn key_of(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in [b"fee".as_slice()].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(slot, byte)| *slot = byte);
    Uuid::from_bytes(key)
}

pub(super) const fn name_of(taken: Taken) -> &'static str {
    match taken {
        Taken::AtOnce => "AT_ONCE",
        Taken::Invoiced => "INVOICED",
    }
}

/// Puts them in; how many were not there before.
pub(super) async fn insert(
    connection: &mut PgConnection,
    all: &[Owed],
    (most, now): (u32, Timestamp),
) -> Result<u64, Problem> {
    if all.is_empty() {
        return Ok(0);
    }
    let numbers = |of: fn(&Owed) -> i64| all.iter().map(of).collect::<Vec<_>>();
    let texts = |of: fn(&Owed) -> String| all.iter().map(of).collect::<Vec<_>>();
    let currency = |one: &Owed| i16::try_from(one.amount.currency.numeric()).unwrap_or_default();
    let inserted = sqlx::query(INSERT)
        .bind(all.iter().map(|one| one.key).collect::<Vec<_>>())
        .bind(numbers(|one| one.partner.0))
        .bind(numbers(|one| one.programme.0))
        .bind(numbers(|one| one.balance.0))
        .bind(all.iter().map(|one| one.card.map(|card| card.0)).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.order).collect::<Vec<_>>())
        .bind(texts(|one| one.event.name()))
        .bind(numbers(|one| one.amount.minor.0))
        .bind(all.iter().map(currency).collect::<Vec<_>>())
        .bind(texts(|one| name_of(one.taken).to_owned()))
        .bind(texts(|one| one.reference.clone()))
        .bind(i64::from(most))
        .bind(PgTimestamp(now));
    Ok(inserted.execute(connection).await?.rows_affected())
}

/// A row as it was put in.
pub(super) fn read(row: &PgRow) -> Result<Owed, Problem> {
    let unknown = || Problem::internal("reading a fee", &"a word that nobody wrote");
    let (event, taken): (String, String) = (row.try_get("event")?, row.try_get("taken")?);
    let currency = u16::try_from(row.try_get::<i16, _>("currency")?).unwrap_or_default();
    let currency = Currency::from_numeric(currency).map_err(|_| unknown())?;
    let taken = match taken.as_str() {
        "AT_ONCE" => Taken::AtOnce,
        "INVOICED" => Taken::Invoiced,
        _ => return Err(unknown()),
    };
    Ok(Owed {
        key: row.try_get("key")?,
        partner: PartnerId(row.try_get("partner_id")?),
        programme: ProgrammeId(row.try_get("programme_id")?),
        balance: BalanceId(row.try_get("balance_id")?),
        card: row.try_get::<Option<i64>, _>("card_id")?.map(CardId),
        order: row.try_get("order_id")?,
        event: FeeEvent::from_name(&event).ok_or_else(unknown)?,
        amount: Amount { minor: MinorUnits(row.try_get("amount")?), currency },
        taken,
        reference: row.try_get("reference")?,
    })
}

impl Owed {
    /// As the journal has it.
    pub(super) fn words(&self) -> AsciiText<40> {
        AsciiText::new(self.reference.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn a_key_is_of_what_is_owed_and_of_nothing_else() {
        let monthly = key_of(&[b"period", b"7", b"card_monthly", b"2026-11-01"]);
        assert_eq!(monthly, key_of(&[b"period", b"7", b"card_monthly", b"2026-11-01"]));
        for other in [
            key_of(&[b"period", b"7", b"card_monthly", b"2026-12-01"]),
            key_of(&[b"period", b"7", b"card_dormant", b"2026-11-01"]),
            key_of(&[b"period", b"77", b"card_monthly", b"2026-11-01"]),
            key_of(&[b"period7", b"", b"card_monthly", b"2026-11-01"]),
        ] {
            assert_ne!(monthly, other);
        }
    }
}
