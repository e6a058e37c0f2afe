//! Reconciliation with a network or an acquirer: what the tables say was settled over a link in a
//! business day, compared with what the peer says, and kept. It owns the table
//! `link_reconciliation` and the sums; it waits until the tables have all that was committed when
//! it was asked.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use switch_domain::{
    AskedDay, Currency, ReconciliationAnswer, ReconciliationAsk, ReconciliationClaim,
    ReconciliationTotals, Settled,
};

use super::Services;
use crate::Problem;

/// How far apart it is looked whether the tables have caught up.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A day without its year that is longer ago than this is none that anybody asks about.
const MOST_DAYS_BACK: i64 = 180;

/// Limits and days of reconciliations.
#[derive(Clone, Debug)]
pub struct ReconciliationSettings {
    /// How long after midnight UTC the business day of a link begins, in seconds; below zero where
    /// it begins on the evening before. A link that is not named begins at midnight.
    pub day_begins_s: HashMap<u16, i32>,
    /// The earliest day that can be asked about, in days before the current one.
    pub days_back: i64,
    /// Reconciliations of one link and day that are kept; one more is told nothing.
    pub a_day: i64,
    /// For how many days they are kept.
    pub keep_days: i32,
}

const PROJECTED: &str = "SELECT shard, seq FROM projection";

const CURRENT: &str =
    "SELECT (to_timestamp($1::float8 - $2::int4) AT TIME ZONE 'UTC')::date::text AS day";

const DAYS_BACK: &str = "SELECT ($1::text::date - $2::text::date)::int8 AS back";

/// Messages that were settled over a link, by currency and direction: in the currency of settlement
/// where a message says it, else in its own; what the account was asked for is none of the peer's.
/// For what was approved and without a fee on top: peers add up field 4. An advice that speaks of
/// what was approved here is that one, not another.
const SETTLED: &str = "\
    SELECT coalesce(settlement_currency, transaction_currency, currency) AS currency,
           transaction_type IS NOT DISTINCT FROM 'refund' AS credit, count(*) AS number,
           sum(coalesce(settlement_amount, transaction_amount, approved, requested))::int8 AS amount
    FROM card_authorization
    WHERE link = $1
      AND decided_at >= ($2::text::date)::timestamp AT TIME ZONE 'UTC' + make_interval(secs => $3)
      AND decided_at < ($2::text::date + 1)::timestamp AT TIME ZONE 'UTC'
                       + make_interval(secs => $3)
      AND class IN ('financial', 'financial_advice')
      AND (reason IN ('approved', 'approved_partially') OR stand_in IN ('agreed', 'forced'))
      AND transaction_type IS DISTINCT FROM 'balance_inquiry'
      AND transaction_type IS DISTINCT FROM 'account_verification'
      AND transaction_type IS DISTINCT FROM 'mini_statement'
    GROUP BY 1, 2";

/// What was taken back of settled messages, without the fee on top, which goes with the last of it;
/// one of a message whose row is gone has no currency. Of one that was converted, what stood of its
/// own amount less what stands of it, in proportion to what is settled of it.
const TAKEN_BACK: &str = "\
    SELECT coalesce(one.settlement_currency, one.transaction_currency, one.currency) AS currency,
           one.transaction_type IS NOT DISTINCT FROM 'refund' AS credit, count(*) AS number,
           sum(CASE WHEN one.transaction_amount > 0 THEN
                   round((coalesce(before.stood, one.transaction_amount)
                              - coalesce(event.standing, 0))::numeric
                         * coalesce(one.settlement_amount, one.transaction_amount)
                         / one.transaction_amount)
               ELSE event.reversed - CASE
                   WHEN event.standing > 0 THEN 0 ELSE coalesce(one.fee, 0) END
               END)::int8 AS amount
    FROM authorization_event event
    LEFT JOIN card_authorization one ON one.id = event.authorization_id
    LEFT JOIN LATERAL (
        SELECT min(coalesce(earlier.standing, 0)) AS stood FROM authorization_event earlier
        WHERE one.transaction_amount > 0 AND earlier.kind = 'reversed'
          AND earlier.shard = event.shard AND earlier.at >= one.decided_at
          AND earlier.at <= event.at
          AND earlier.authorization_id = event.authorization_id AND earlier.reversed > 0
          AND (earlier.seq, earlier.idx) < (event.seq, event.idx)
    ) before ON true
    WHERE event.kind = 'reversed' AND event.link = $1 AND event.reversed > 0
      AND event.at >= ($2::text::date)::timestamp AT TIME ZONE 'UTC' + make_interval(secs => $3)
      AND event.at < ($2::text::date + 1)::timestamp AT TIME ZONE 'UTC'
                     + make_interval(secs => $3)
      AND (one.id IS NULL OR one.class IN ('financial', 'financial_advice'))
    GROUP BY 1, 2";

const KEEP: &str = "\
    INSERT INTO link_reconciliation (link, day, asked, currency, outcome, theirs, ours)
    SELECT $1, $2::text::date, $3, $4, $5, $6, $7
    WHERE (SELECT count(*) FROM link_reconciliation WHERE link = $1 AND day = $2::text::date) < $8
    ON CONFLICT DO NOTHING";

const KEPT: &str = "\
    SELECT currency, theirs, ours FROM link_reconciliation
    WHERE link = $1 AND day = $2::text::date AND asked = $3";

const COUNT: &str =
    "SELECT count(*) FROM link_reconciliation WHERE link = $1 AND day = $2::text::date";

const FORGET: &str = "DELETE FROM link_reconciliation WHERE day < $1::text::date - $2::int4";

const LIST: &str = "\
    SELECT link, day::text AS day, asked, to_char(at AT TIME ZONE 'UTC',
           'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS at, currency, outcome, theirs, ours
    FROM link_reconciliation WHERE $1::int4 IS NULL OR link = $1
    ORDER BY link_reconciliation.at DESC LIMIT $2";

impl Services {
    /// Answers a reconciliation, and keeps it: the same one gets the same answer again.
    ///
    /// # Errors
    /// The database. Then nothing can be told.
    pub async fn reconcile(
        &self,
        settings: &ReconciliationSettings,
        ask: &ReconciliationAsk,
    ) -> Result<ReconciliationAnswer, Problem> {
        let pool = self.store.pool();
        let begins = settings.day_begins_s.get(&ask.link.0).copied().unwrap_or(0);
        let Some(day) = asked_day(pool, settings, ask.day, begins).await? else {
            return Ok(ReconciliationAnswer::NotAvailable);
        };
        let place = Place { link: i32::from(ask.link.0), day, asked: ask.key.as_str().to_owned() };
        if let Some(kept) = kept(pool, &place, ask).await? {
            return Ok(kept);
        }
        // Sums are not made for nothing: each reads the day.
        let counting = sqlx::query_scalar(COUNT).bind(place.link).bind(&place.day);
        let count: i64 = counting.fetch_one(pool).await?;
        if count >= settings.a_day {
            return Ok(ReconciliationAnswer::NotAvailable);
        }
        self.caught_up().await?;
        let Some((ours, currency)) = totals(pool, &place, begins, ask.currency).await? else {
            return Ok(ReconciliationAnswer::NotAvailable);
        };
        let agrees = ask.claim.agrees(&ours);
        let Some(stored) = Stored::of(&ask.claim, &ours) else {
            return Ok(ReconciliationAnswer::NotAvailable);
        };
        let answer = ReconciliationAnswer::Totals { ours, currency, agrees };
        let outcome = match agrees {
            Some(true) => "in_balance",
            Some(false) => "out_of_balance",
            None => "provided",
        };
        let inserted = sqlx::query(KEEP)
            .bind(place.link)
            .bind(&place.day)
            .bind(&place.asked)
            .bind(currency.map(numeric))
            .bind(outcome)
            .bind(&stored.theirs)
            .bind(&stored.ours)
            .bind(settings.a_day)
            .execute(pool)
            .await?;
        sqlx::query(FORGET).bind(&place.day).bind(settings.keep_days).execute(pool).await?;
        if inserted.rows_affected() == 0 {
            // Somebody else kept the same one meanwhile, or there are too many of them.
            let kept = kept(pool, &place, ask).await?;
            return Ok(kept.unwrap_or(ReconciliationAnswer::NotAvailable));
        }
        Ok(answer)
    }

    /// The reconciliations that were kept, the latest first; of one link alone where it is given.
    ///
    /// # Errors
    /// The database.
    pub async fn reconciliations(&self, link: Option<u16>, most: u32) -> Result<Value, Problem> {
        let rows = sqlx::query(LIST)
            .bind(link.map(i32::from))
            .bind(i64::from(most))
            .fetch_all(self.store.pool())
            .await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let currency: Option<i16> = row.try_get("currency")?;
            let currency = currency.and_then(currency_of).map(Currency::alphabetic);
            let theirs: Vec<Option<i64>> = row.try_get("theirs")?;
            let ours: Vec<Option<i64>> = row.try_get("ours")?;
            listed.push(json!({
                "link": row.try_get::<i32, _>("link")?,
                "day": row.try_get::<String, _>("day")?,
                "asked": row.try_get::<String, _>("asked")?,
                "at": row.try_get::<String, _>("at")?,
                "currency": currency,
                "outcome": row.try_get::<String, _>("outcome")?,
                "theirs": named(&theirs),
                "ours": named(&ours),
            }));
        }
        Ok(Value::Array(listed))
    }

    /// Waits until the tables have all that is in the journal now.
    async fn caught_up(&self) -> Result<(), Problem> {
        let heads = self.store.journal_heads().await;
        let heads = heads.map_err(|error| Problem::internal("reading the journal", &error))?;
        loop {
            let rows = sqlx::query(PROJECTED).fetch_all(self.store.pool()).await?;
            let mut projected: HashMap<i32, i64> = HashMap::with_capacity(rows.len());
            for row in rows {
                projected.insert(row.try_get("shard")?, row.try_get("seq")?);
            }
            let has = |shard: u16| projected.get(&i32::from(shard)).copied().unwrap_or(-1);
            if heads.iter().all(|head| has(head.shard.0) >= head.seq.0) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Under what a reconciliation is kept.
struct Place {
    link: i32,
    day: String,
    asked: String,
}

/// Both sides as they are kept: numbers, amounts, net.
struct Stored {
    theirs: Vec<Option<i64>>,
    ours: Vec<Option<i64>>,
}

impl Stored {
    /// `None` where a sum is past what a row holds.
    fn of(claim: &ReconciliationClaim, ours: &ReconciliationTotals) -> Option<Self> {
        let sums = ours.numbers.iter().chain(&ours.amounts);
        let sums: Option<Vec<_>> = sums.map(|sum| i64::try_from(*sum).ok().map(Some)).collect();
        let mut ours_stored = sums?;
        ours_stored.push(ours.net());
        Some(Self { theirs: theirs(claim), ours: ours_stored })
    }
}

/// What is past the range of a row is kept as the greatest there is: it agrees with nothing.
fn theirs(claim: &ReconciliationClaim) -> Vec<Option<i64>> {
    let said = claim.numbers.iter().chain(&claim.amounts);
    let said = said.map(|said| said.map(|said| i64::try_from(said).unwrap_or(i64::MAX)));
    said.chain([claim.net]).collect()
}

/// The day that is asked about; `None` where it is to come, too long ago, or no day.
async fn asked_day(
    pool: &PgPool,
    settings: &ReconciliationSettings,
    asked: AskedDay,
    begins: i32,
) -> Result<Option<String>, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let current = sqlx::query(CURRENT).bind(now).bind(begins).fetch_one(pool).await?;
    let current: String = current.try_get("day")?;
    let day = match asked {
        AskedDay::Current => return Ok(Some(current)),
        AskedDay::Date(year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
        AskedDay::MonthDay(month, day) => {
            let year: u16 = current.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0);
            let of = |year: u16| format!("{year:04}-{month:02}-{day:02}");
            let this = of(year);
            if this <= current { this } else { of(year.saturating_sub(1)) }
        }
    };
    // A day that is none, as 30 February, is an error of PostgreSQL's.
    let Ok(back) = sqlx::query(DAYS_BACK).bind(&current).bind(&day).fetch_one(pool).await else {
        return Ok(None);
    };
    let back: i64 = back.try_get("back")?;
    let most = settings.days_back.min(MOST_DAYS_BACK);
    Ok((0..=most).contains(&back).then_some(day))
}

/// What was answered when the same one came before.
async fn kept(
    pool: &PgPool,
    place: &Place,
    ask: &ReconciliationAsk,
) -> Result<Option<ReconciliationAnswer>, Problem> {
    let row = sqlx::query(KEPT)
        .bind(place.link)
        .bind(&place.day)
        .bind(&place.asked)
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let said: Vec<Option<i64>> = row.try_get("theirs")?;
    if said != theirs(&ask.claim) {
        return Ok(Some(ReconciliationAnswer::Duplicate));
    }
    let sums: Vec<Option<i64>> = row.try_get("ours")?;
    let mut sums = sums.into_iter().map(|sum| sum.unwrap_or(0).unsigned_abs());
    let mut ours = ReconciliationTotals::default();
    for place in ours.numbers.iter_mut().chain(&mut ours.amounts) {
        *place = sums.next().unwrap_or(0);
    }
    let currency: Option<i16> = row.try_get("currency")?;
    let (currency, agrees) = (currency.and_then(currency_of), ask.claim.agrees(&ours));
    Ok(Some(ReconciliationAnswer::Totals { ours, currency, agrees }))
}

/// What was settled over the link in the day, in the currency that is named or in the only one
/// there is; `None` where there are several, or where a part cannot be told any more.
async fn totals(
    pool: &PgPool,
    place: &Place,
    begins: i32,
    wanted: Option<Currency>,
) -> Result<Option<(ReconciliationTotals, Option<Currency>)>, Problem> {
    let mut by_currency: HashMap<Currency, ReconciliationTotals> = HashMap::new();
    let kinds = [
        (SETTLED, Settled::Credits, Settled::Debits),
        (TAKEN_BACK, Settled::CreditReversals, Settled::DebitReversals),
    ];
    // One moment for both: what is settled and taken back meanwhile is in both or in none.
    let mut moment = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .execute(&mut *moment)
        .await?;
    for (query, credit, debit) in kinds {
        let rows = sqlx::query(query)
            .bind(place.link)
            .bind(&place.day)
            .bind(f64::from(begins))
            .fetch_all(&mut *moment)
            .await?;
        for row in rows {
            let code: Option<i16> = row.try_get("currency")?;
            let Some(currency) = code.and_then(currency_of) else { return Ok(None) };
            let kind = if row.try_get("credit")? { credit } else { debit };
            let [number, amount]: [i64; 2] = [row.try_get("number")?, row.try_get("amount")?];
            let totals = by_currency.entry(currency).or_default();
            totals.add(kind, number.unsigned_abs(), amount.unsigned_abs());
        }
    }
    moment.commit().await?;
    let mut only = by_currency.keys().copied();
    let currency = match (wanted, only.next(), only.next()) {
        (Some(wanted), _, _) => Some(wanted),
        (None, first, None) => first,
        (None, _, Some(_)) => return Ok(None),
    };
    let found = currency.and_then(|currency| by_currency.get(&currency).copied());
    Ok(Some((found.unwrap_or_default(), currency)))
}

fn currency_of(code: i16) -> Option<Currency> {
    u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok())
}

fn numeric(currency: Currency) -> i16 {
    i16::try_from(currency.numeric()).unwrap_or(0)
}

fn named(sums: &[Option<i64>]) -> Value {
    const NAMES: [&str; 9] = [
        "credits_number",
        "credits_reversal_number",
        "debits_number",
        "debits_reversal_number",
        "credits_amount",
        "credits_reversal_amount",
        "debits_amount",
        "debits_reversal_amount",
        "net_amount",
    ];
    NAMES.into_iter().zip(sums).map(|(name, sum)| (name.to_owned(), json!(sum))).collect()
}
