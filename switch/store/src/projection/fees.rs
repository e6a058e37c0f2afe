//! Fees in their tables: the schedule in force of each programme, and every fee that was charged.
//! It owns those columns; whether a fee was right is not its to say.

use sqlx::PgConnection;
use switch_domain::{
    AuthorizationId, Country, Event, FeeCharged, FeeSchedule, MinorUnits, ProgrammeId, Record,
};

use super::chunk::Chunk;
use super::columns::{Place, currency};
use super::copy::CopyRows;
use super::entities::expect_rows;
use crate::codes::Stored;

const SCHEDULES: &str = "\
    INSERT INTO programme_fees AS old (programme_id, shard, currency, charged_by, home, region,
        as_of_seq, monthly_waived_from)
    VALUES ($2, $1, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (programme_id) DO UPDATE SET currency = excluded.currency,
        charged_by = excluded.charged_by, home = excluded.home, region = excluded.region,
        as_of_seq = excluded.as_of_seq, monthly_waived_from = excluded.monthly_waived_from
    WHERE old.as_of_seq < excluded.as_of_seq";

const NO_RULES: &str = "DELETE FROM programme_fee_rule WHERE programme_id = $1";
const NO_SCHEDULE: &str = "DELETE FROM programme_fees WHERE programme_id = $1";

const RULES: &str = "\
    INSERT INTO programme_fee_rule (programme_id, number, event, form, fixed, rate, least, most,
        taken)
    SELECT $1, number, event, form, fixed, rate, least, most, taken
    FROM UNNEST($2::int2[], $3::text[], $4::text[], $5::int8[], $6::int2[], $7::int8[], $8::int8[],
            $9::text[])
        AS new (number, event, form, fixed, rate, least, most, taken)";

pub(super) const COPY_CHARGED: &str = "\
    COPY fees_charged (shard, seq, idx, at, line, partner_id, balance_id, card_id, event, amount,
        currency, taken, reference, authorization_id) FROM STDIN (FORMAT binary)";
pub(super) const CHARGED_COLUMNS: i16 = 14;

type Done = Result<(), sqlx::Error>;

/// Writes the schedules that a chunk has. One that is replaced goes with all its rules.
pub(super) async fn write(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    for (programme, change) in &chunk.fees {
        sqlx::query(NO_RULES).bind(programme.0).execute(&mut *tx).await?;
        match &change.what {
            None => {
                sqlx::query(NO_SCHEDULE).bind(programme.0).execute(&mut *tx).await?;
            }
            Some(schedule) => {
                put(tx, i32::from(chunk.shard.0), *programme, schedule, change.seq).await?;
            }
        }
    }
    Ok(())
}

async fn put(
    tx: &mut PgConnection,
    shard: i32,
    programme: ProgrammeId,
    schedule: &FeeSchedule,
    seq: i64,
) -> Done {
    let around = schedule.around();
    let done = sqlx::query(SCHEDULES)
        .bind(shard)
        .bind(programme.0)
        .bind(currency(schedule.currency()))
        .bind(schedule.charged_by().name())
        .bind(around.home.map(country))
        .bind(around.region.iter().copied().map(country).collect::<Vec<_>>())
        .bind(seq)
        .bind(schedule.monthly_waived_from().map(|from| from.0))
        .execute(&mut *tx)
        .await?;
    expect_rows("programme_fees", 1, done.rows_affected());
    let rules = schedule.rules();
    let amounts = |take: fn(&switch_domain::PriceTerms) -> MinorUnits| -> Vec<i64> {
        rules.iter().map(|rule| take(rule.price.terms()).0).collect()
    };
    sqlx::query(RULES)
        .bind(programme.0)
        .bind((0_i16..).zip(rules).map(|(number, _)| number).collect::<Vec<_>>())
        .bind(rules.iter().map(|rule| rule.event.name()).collect::<Vec<_>>())
        .bind(rules.iter().map(|rule| rule.form.map(Stored::name)).collect::<Vec<_>>())
        .bind(amounts(|terms| terms.fixed))
        .bind(rules.iter().map(|rule| points(rule.price.terms())).collect::<Vec<_>>())
        .bind(amounts(|terms| terms.least))
        .bind(rules.iter().map(|rule| most(rule.price.terms())).collect::<Vec<_>>())
        .bind(rules.iter().map(|rule| rule.taken.name()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

/// At most ten thousand.
fn points(terms: &switch_domain::PriceTerms) -> i16 {
    i16::try_from(terms.rate.points()).unwrap_or(i16::MAX)
}

fn most(terms: &switch_domain::PriceTerms) -> Option<i64> {
    terms.most.map(|most| most.0)
}

/// The numeric code: at most 999.
fn country(country: Country) -> i16 {
    i16::try_from(country.numeric()).unwrap_or(i16::MAX)
}

/// Adds what a record charged.
pub(super) fn charged(rows: &mut CopyRows, place: Place, record: &Record) {
    if let Event::FeeCharged(one) = &record.event {
        put_line(rows, place, 0, one, None);
    }
    let authorization = record.effects.authorization.map(|delta| delta.authorization);
    let lines = record.effects.fees.iter().flat_map(|fees| &fees.lines);
    for (number, one) in (0_i16..).zip(lines) {
        put_line(rows, place, number, one, authorization);
    }
}

fn put_line(
    rows: &mut CopyRows,
    place: Place,
    number: i16,
    line: &FeeCharged,
    authorization: Option<AuthorizationId>,
) {
    let mut row = rows.row();
    place.write(&mut row);
    row.int2(number)
        .int8(line.partner.0)
        .int8(line.balance.0)
        .maybe_int8(line.card.map(|card| card.0))
        .text(&line.event.name())
        .int8(line.amount.minor.0)
        .int2(currency(line.amount.currency))
        .text(line.taken.name())
        .text(line.reference.as_str())
        .maybe_int8(authorization.map(|id| id.0));
}
