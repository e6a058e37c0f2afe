//! Which cards owe what for a period. It owns who is charged: a card in use that was there before
//! the period was over, by the rule of its programme for its form; a monthly fee is waived from
//! some spending on, and what is charged of a dormant card is not charged of another.

use std::collections::BTreeMap;

use metrics::counter;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{
    Amount, BalanceId, CardForm, CardId, FeeEvent, FeeSchedule, LockCode, MinorUnits, PartnerId,
    ProgrammeId,
};
use switch_store::PgTimestamp;

use super::owed::{Owed, key_of};
use super::period::{Period, months_through};
use crate::Problem;

/// Cards behind one, in the order of identifiers: those in use that were made before the end of the
/// period. When a card was made stands in the records since.
const CARDS: &str = "\
    WITH later AS MATERIALIZED (SELECT made_id FROM audit_entry
        WHERE at >= $3 AND kind = 'card_issued' AND made_id IS NOT NULL)
    SELECT card.id, card.partner_id, card.balance_id, card.programme_id, card.approvals,
        card.lock_code, coalesce(p.form, 'VIRTUAL') AS form, coalesce(s.amount, 0) AS spent
    FROM card LEFT JOIN card_profile AS p ON p.card_id = card.id
        LEFT JOIN fee_spend AS s ON s.card_id = card.id
    WHERE card.id > $1 AND card.programme_id = ANY ($2) AND card.status = 'active'
        AND card.id NOT IN (SELECT made_id FROM later)
    ORDER BY card.id LIMIT $4";

/// A card that had another approval begins anew; when it was first not used is what comes back.
const UNUSED: &str = "\
    INSERT INTO fee_dormancy AS d (card_id, approvals, since)
    SELECT new.card, new.approvals, $3::text::date
    FROM UNNEST($1::int8[], $2::int8[]) AS new (card, approvals)
    ON CONFLICT (card_id) DO UPDATE SET approvals = excluded.approvals,
        since = CASE WHEN d.approvals = excluded.approvals THEN d.since ELSE excluded.since END
    RETURNING card_id, since::text AS since";

/// Schedules of programmes that charge for a period.
pub(super) type Schedules = BTreeMap<ProgrammeId, FeeSchedule>;

/// A card that was there.
pub(super) struct CardThere {
    pub(super) id: CardId,
    partner: PartnerId,
    balance: BalanceId,
    programme: ProgrammeId,
    approvals: i64,
    form: CardForm,
    /// Locked for good: it is of no use to anybody.
    is_lost: bool,
    spent: MinorUnits,
}

/// The next cards of these programmes.
pub(super) async fn cards(
    connection: &mut PgConnection,
    schedules: &Schedules,
    (period, behind): (Period, i64),
    most: u32,
) -> Result<Vec<CardThere>, Problem> {
    let programmes: Vec<i64> = schedules.keys().map(|id| id.0).collect();
    let ends = period.ends();
    let ends = ends.ok_or_else(|| Problem::internal("counting days", &"there is no such day"))?;
    let rows = sqlx::query(CARDS).bind(behind).bind(programmes).bind(PgTimestamp(ends));
    let rows = rows.bind(i64::from(most)).fetch_all(connection).await?;
    rows.iter().map(card).collect()
}

fn card(row: &PgRow) -> Result<CardThere, Problem> {
    let lock: Option<i16> = row.try_get("lock_code")?;
    let lock = lock.and_then(|code| LockCode::from_number(u8::try_from(code).ok()?));
    Ok(CardThere {
        id: CardId(row.try_get("id")?),
        partner: PartnerId(row.try_get("partner_id")?),
        balance: BalanceId(row.try_get("balance_id")?),
        programme: ProgrammeId(row.try_get("programme_id")?),
        approvals: row.try_get("approvals")?,
        form: match row.try_get::<String, _>("form")?.as_str() {
            "PHYSICAL" => CardForm::Physical,
            _ => CardForm::Virtual,
        },
        is_lost: lock.is_some_and(LockCode::is_irreversible),
        spent: MinorUnits(row.try_get("spent")?),
    })
}

/// What these owe for the period.
pub(super) async fn owing(
    connection: &mut PgConnection,
    schedules: &Schedules,
    (period, dormant_months): (Period, u32),
    mut cards: Vec<CardThere>,
) -> Result<Vec<Owed>, Problem> {
    if period.event == FeeEvent::CardDormant {
        let asleep = asleep(connection, period, &cards, dormant_months).await?;
        cards.retain(|card| asleep.contains(&card.id.0));
    }
    let in_use = cards.iter().filter(|card| !card.is_lost);
    Ok(in_use.filter_map(|card| owed(card, schedules, period)).collect())
}

/// Those that nobody has used for so many months, this one counted.
async fn asleep(
    connection: &mut PgConnection,
    month: Period,
    cards: &[CardThere],
    months: u32,
) -> Result<Vec<i64>, Problem> {
    let ids: Vec<i64> = cards.iter().map(|card| card.id.0).collect();
    let approvals: Vec<i64> = cards.iter().map(|card| card.approvals).collect();
    let noted = sqlx::query(UNUSED).bind(ids).bind(approvals).bind(month.end.to_string());
    let mut asleep = Vec::new();
    for row in noted.fetch_all(connection).await? {
        let since: String = row.try_get("since")?;
        let unknown = || Problem::internal("reading a day", &"it is none");
        let since = since.parse().map_err(|_| unknown())?;
        let through = months_through(since, month.first);
        if u32::try_from(through).is_ok_and(|through| through >= months) {
            asleep.push(row.try_get("card_id")?);
        }
    }
    Ok(asleep)
}

/// Whether nothing is charged for what was spent.
fn is_waived(schedule: &FeeSchedule, event: FeeEvent, spent: MinorUnits) -> bool {
    let from = schedule.monthly_waived_from().filter(|_| event == FeeEvent::CardMonthly);
    from.is_some_and(|from| spent >= from)
}

fn owed(card: &CardThere, schedules: &Schedules, period: Period) -> Option<Owed> {
    let schedule = schedules.get(&card.programme)?;
    let rule = schedule.rule_of(period.event, card.form)?;
    let minor = rule.price.of_act();
    if minor <= MinorUnits::ZERO {
        return None;
    }
    if is_waived(schedule, period.event, card.spent) {
        counter!("cardswitch_fees_waived_total").increment(1);
        return None;
    }
    let (number, first) = (card.id.0.to_string(), period.first.to_string());
    let name = period.event.name();
    let parts = [b"period".as_slice(), number.as_bytes(), name.as_bytes(), first.as_bytes()];
    Some(Owed {
        key: key_of(&parts),
        partner: card.partner,
        programme: card.programme,
        balance: card.balance,
        card: Some(card.id),
        order: None,
        event: period.event,
        amount: Amount { minor, currency: schedule.currency() },
        taken: rule.taken,
        reference: period.reference(),
    })
}
