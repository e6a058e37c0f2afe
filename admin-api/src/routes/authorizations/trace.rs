//! The decision trace in JSON: what each check said, and what decided. It is for the partner and
//! for operators; it owns the names of members, and the words are those of `cardswitch explain`.

use std::collections::BTreeMap;

use serde::Serialize;
use switch_domain::{ControlId, Currency};
use switch_store::{ControlSaid, Explained};
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::{AuthorizationView, EventView, HoldersAuthorization, Reader};
use crate::service::authorizations::words::{self, Said};

/// What a check said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum SaidView {
    /// What it looks at is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// What it looks at was not there.
    NotJudged,
    /// Nobody asked.
    NotAsked,
}

/// A check.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct CheckView {
    /// Its number, which no other check ever has.
    check: u8,
    name: String,
    said: SaidView,
    /// Whether it decided.
    decided: bool,
}

/// What was compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct ComparedView {
    /// An amount with its currency, or how often.
    needed: String,
    there: String,
}

/// A spend control that had something to say.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SaidControl {
    /// As paths have it; absent where it was removed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    control_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Its rule as it is now, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

/// What verification found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct FindingView {
    /// `pin`, `stripe`, `code`, `cryptogram` and so on.
    of: String,
    found: String,
}

/// How it was decided.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct TraceView {
    /// What decided, in words.
    decided_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<ComparedView>,
    /// Every check, in its order.
    checks: Vec<CheckView>,
    /// What verification of card and holder found: what was not sent is left out.
    verified: Vec<FindingView>,
    /// The spend control that declined it, or would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    declined_by: Option<SaidControl>,
    /// Those in shadow that would have.
    would_decline: Vec<SaidControl>,
}

/// An authorization, its life, and how it was decided.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct TracedAuthorization {
    authorization: AuthorizationView,
    /// What happened to it, the oldest first.
    events: Vec<EventView>,
    /// Whether there are more than are told.
    more_events: bool,
    trace: TraceView,
}

impl TracedAuthorization {
    pub(super) fn of(one: &Explained, names: &BTreeMap<ControlId, Uuid>) -> Self {
        let HoldersAuthorization { authorization, events, more_events } =
            HoldersAuthorization::of(one, Reader::Issuer);
        Self { authorization, events, more_events, trace: TraceView::of(one, names) }
    }
}

impl TraceView {
    fn of(one: &Explained, names: &BTreeMap<ControlId, Uuid>) -> Self {
        let currency = one.authorization.currency;
        let control = |said: &ControlSaid| SaidControl::of(said, names, currency);
        let found = one.evidence.as_ref().map(words::findings).unwrap_or_default();
        let finding = |(of, found): (&str, String)| FindingView { of: of.to_owned(), found };
        Self {
            decided_by: words::decided_by(one),
            compared: words::compared(one).map(|(needed, there)| ComparedView { needed, there }),
            checks: words::checks(one).into_iter().map(CheckView::of).collect(),
            verified: found.into_iter().map(finding).collect(),
            declined_by: one.declined_by.as_ref().map(control),
            would_decline: one.would_decline.iter().map(control).collect(),
        }
    }
}

impl CheckView {
    fn of(check: words::Checked) -> Self {
        let said = match check.said {
            Said::Passed => SaidView::Passed,
            Said::Failed => SaidView::Failed,
            Said::NotJudged => SaidView::NotJudged,
            Said::NotAsked => SaidView::NotAsked,
        };
        Self { check: check.number, name: check.name, said, decided: check.decided }
    }
}

impl SaidControl {
    fn of(said: &ControlSaid, names: &BTreeMap<ControlId, Uuid>, currency: Currency) -> Self {
        let control = said.control.as_ref();
        Self {
            control_id: names.get(&said.id).copied(),
            name: control.map(|control| control.terms.name.as_str().to_owned()),
            rule: control.map(|control| words::rule(control, currency)),
        }
    }
}
