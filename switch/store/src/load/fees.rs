//! Schedules of fees in force, from their tables: rows of the control shard.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use switch_domain::{
    BasisPoints, Country, FeeEvent, FeeRule, FeeSchedule, MinorUnits, Price, PriceTerms,
    ProgrammeId, ShardId, Surroundings,
};

use super::row::{Named, each};
use crate::error::StoreError;

const SCHEDULES: &str = "\
    SELECT programme_id, currency, charged_by, home, region, monthly_waived_from
    FROM programme_fees
    WHERE shard = $1 ORDER BY programme_id";

const RULES: &str = "\
    SELECT rule.programme_id, event, form, fixed, rate, least, most, taken
    FROM programme_fee_rule AS rule
    JOIN programme_fees AS schedule ON schedule.programme_id = rule.programme_id
    WHERE schedule.shard = $1 ORDER BY rule.programme_id, number";

/// Each programme's, with the rules in their order.
pub(super) async fn schedules(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(ProgrammeId, FeeSchedule)>, StoreError> {
    let shard = i32::from(shard.0);
    let mut rules: BTreeMap<i64, Vec<FeeRule>> = BTreeMap::new();
    for (programme, rule) in each(tx, sqlx::query(RULES).bind(shard), rule).await? {
        rules.entry(programme).or_default().push(rule);
    }
    each(tx, sqlx::query(SCHEDULES).bind(shard), |row| {
        let row = Named::new("programme_fees", row, "programme_id")?;
        let rules = rules.get(&row.key).cloned().unwrap_or_default();
        Ok((ProgrammeId(row.key), schedule(&row, rules)?))
    })
    .await
}

fn schedule(row: &Named<'_>, rules: Vec<FeeRule>) -> Result<FeeSchedule, StoreError> {
    let home: Option<i16> = row.get("home")?;
    let region: Vec<i16> = row.get("region")?;
    let around = Surroundings {
        home: home.map(|one| country(row, "home", one)).transpose()?,
        region: region
            .into_iter()
            .map(|one| country(row, "region", one))
            .collect::<Result<_, _>>()?,
    };
    let schedule = FeeSchedule::new(row.currency()?, row.choice("charged_by")?, rules);
    let placed = schedule.and_then(|schedule| schedule.within(around));
    let waived_from = row.get::<Option<i64>>("monthly_waived_from")?.map(MinorUnits);
    placed
        .and_then(|schedule| match waived_from {
            Some(from) => schedule.waiving_monthly_from(from),
            None => Ok(schedule),
        })
        .map_err(|error| row.illegal("region", error))
}

fn rule(row: &sqlx::postgres::PgRow) -> Result<(i64, FeeRule), StoreError> {
    let row = Named::new("programme_fee_rule", row, "programme_id")?;
    let name: &str = row.get("event")?;
    let points: u16 = row.narrow::<i16, u16>("rate")?;
    let terms = PriceTerms {
        fixed: MinorUnits(row.get("fixed")?),
        rate: BasisPoints::new(points).ok_or_else(|| row.illegal("rate", points))?,
        least: MinorUnits(row.get("least")?),
        most: row.get::<Option<i64>>("most")?.map(MinorUnits),
    };
    let rule = FeeRule {
        event: FeeEvent::from_name(name).ok_or_else(|| row.illegal("event", name))?,
        form: row.maybe_choice("form")?,
        price: Price::new(terms).map_err(|error| row.illegal("fixed", error))?,
        taken: row.choice("taken")?,
    };
    Ok((row.key, rule))
}

fn country(row: &Named<'_>, column: &'static str, code: i16) -> Result<Country, StoreError> {
    let known = u16::try_from(code).ok().and_then(|code| Country::from_numeric(code).ok());
    known.ok_or_else(|| row.illegal(column, code))
}
