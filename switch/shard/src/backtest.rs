//! The back-test: what a control that is new or changed would have declined in some days, had it
//! been in force from their beginning. It owns the report; what was bought is read by the store,
//! and judged by the engine with the code of every decision. It has no effect on anything.

use std::collections::BTreeMap;

use switch_domain::{
    AuthorizationId, CardId, CheckSet, ControlId, ControlTerms, Currency, MinorUnits, Reason,
    SpendControl, Timestamp,
};
use switch_engine::{
    Backtest, Broken, Hindsight, PastAuthorization, PastChange, Refusal, days_that_count,
};
use switch_store::{PastError, PastHolder, PastOf, PastRow, Span, Store};

/// What is tried, on what.
#[derive(Clone, Debug)]
pub struct BacktestOf {
    /// The control.
    pub terms: ControlTerms,
    /// The control that it is a change of: what that one alone declined is tried again.
    pub instead_of: Option<ControlId>,
    /// Which days.
    pub span: Span,
    /// How many authorizations one card or account may have in them, and before them as far as they
    /// count.
    pub most_of_one: usize,
    /// How many of those that would have been declined are listed.
    pub most_listed: usize,
}

/// What would have been declined.
#[derive(Clone, Debug, Default)]
pub struct BacktestReport {
    /// Cards or accounts whose past was told again.
    pub holders: u64,
    /// Authorizations of the days that the control was asked about.
    pub asked: u64,
    /// Requests that were granted and would have been declined, by reason and currency.
    pub declined: BTreeMap<(Reason, Currency), Sum>,
    /// Advices that are never declined, and that a request would have been declined for.
    pub over: BTreeMap<(Reason, Currency), Sum>,
    /// What the control as it was alone declined, and would be granted.
    pub no_longer: BTreeMap<(Reason, Currency), Sum>,
    /// The first of those that would have been declined, in the order in which they were told.
    pub listed: Vec<Listed>,
}

/// How many, and how much together in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// The sum.
    pub amount: i128,
}

/// One that would have been declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub authorization: AuthorizationId,
    /// The card.
    pub card: Option<CardId>,
    /// When it was decided.
    pub at: Timestamp,
    /// Why it would have been declined.
    pub reason: Reason,
    /// What was asked for, in minor units.
    pub requested: MinorUnits,
    /// Of what.
    pub currency: Currency,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There can be no such control.
    #[error("there can be no such control: {0:?}")]
    Control(Refusal),
    /// What was bought cannot be read.
    #[error(transparent)]
    Past(#[from] PastError),
    /// What was read does not fit together.
    #[error("what the tables have does not fit together: {0}")]
    Broken(#[from] Broken),
}

/// In days, microseconds.
const DAY: i64 = 86_400_000_000;

/// Tries a control on what was bought.
///
/// # Errors
/// See [`BacktestError`].
pub async fn backtest(store: &Store, of: &BacktestOf) -> Result<BacktestReport, BacktestError> {
    // A change is told by the name of what it changes; a new control has none yet.
    let id = of.instead_of.unwrap_or(ControlId(0));
    let control = SpendControl { id, terms: of.terms.clone() };
    let mut test = Backtest::new(control, of.span.from).map_err(BacktestError::Control)?;
    let from = days_that_count(&of.terms)
        .map_or(i64::MIN, |days| of.span.from.0.saturating_sub(days.saturating_mul(DAY)));
    // As far back as tables go.
    let from = Timestamp(from.max(0));
    let span = Span { from, to: of.span.to };
    let past = PastOf { subject: of.terms.subject, span, most: of.most_of_one };
    let mut report = BacktestReport::default();
    let tell = |holder: PastHolder| {
        report.holders = report.holders.saturating_add(1);
        test.next_holder();
        one_holder(&mut test, of, holder, &mut report)
    };
    store.each_past(past, tell).await?;
    Ok(report)
}

/// What happened to one holder, in the order of time; a message comes before what happened to
/// anything in the same microsecond.
fn one_holder(
    test: &mut Backtest,
    of: &BacktestOf,
    holder: PastHolder,
    report: &mut BacktestReport,
) -> Result<(), BacktestError> {
    let mut events = holder.events.into_iter().peekable();
    for row in holder.rows {
        let at = row.authorization.decided_at;
        while let Some(event) = events.next_if(|event| event.at < at) {
            let change = match event.standing {
                Some(standing) => PastChange::GivenBack(event.authorization, standing),
                None => PastChange::Expired(event.authorization),
            };
            test.change(event.at, change)?;
        }
        let past = past(row, of.instead_of);
        let said = test.authorization(&past)?;
        note(report, of, &past, said);
    }
    Ok(())
}

fn past(row: PastRow, instead_of: Option<ControlId>) -> PastAuthorization {
    let by_it = instead_of.is_some() && row.declined_by == instead_of;
    let alone = |failed: CheckSet| failed.iter().count() == 1;
    PastAuthorization {
        only_by_it: by_it && row.trace.is_some_and(|trace| alone(trace.failed)),
        authorization: row.authorization,
        granted: row.granted,
        of_first: row.of_first,
    }
}

fn note(report: &mut BacktestReport, of: &BacktestOf, past: &PastAuthorization, said: Hindsight) {
    let one = &past.authorization;
    let (sums, reason) = match said {
        Hindsight::Nothing => return,
        Hindsight::Passes => {
            report.asked = report.asked.saturating_add(1);
            return;
        }
        Hindsight::Declined(reason) => (&mut report.declined, reason),
        Hindsight::Over(reason) => (&mut report.over, reason),
        Hindsight::NoLonger => (&mut report.no_longer, one.reason),
    };
    report.asked = report.asked.saturating_add(1);
    let sum = sums.entry((reason, one.currency)).or_default();
    sum.count = sum.count.saturating_add(1);
    sum.amount = sum.amount.saturating_add(one.requested.0.into());
    if matches!(said, Hindsight::Declined(_)) && report.listed.len() < of.most_listed {
        report.listed.push(Listed {
            authorization: one.id,
            card: one.card,
            at: one.decided_at,
            reason,
            requested: one.requested,
            currency: one.currency,
        });
    }
}
