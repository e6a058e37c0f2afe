//! Fees in JSON: schedules, what something would cost, what was charged to an account, and invoices
//! as files. It owns the names of members; which paths lead here stands with the channels' routes.

mod asked;
pub(super) mod secure;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use switch_domain::{
    ChargedBy, Country, Currency, FeeRule, FeeSchedule, MinorUnits, PartnerId, Surroundings,
};
use utoipa::{IntoParams, ToSchema};

use super::Answered;
use super::accounts::{Owner, find};
use super::amounts::Money;
use super::served::{Management, written};
use crate::Problem;
use crate::http::{Cursor, Page, now, page_limit};
use crate::operation::decimal;
use crate::service::fees::{
    ChargedFee, ChargedPage, InvoiceMonth, Quote, QuotedFee, policy_of_page,
};
use crate::service::programmes::FeesNow;

use asked::{CardFormName, ChargedByName, FeeRuleBody, TakenName};
pub(super) use asked::{FeesBody, PreviewBody};

/// The fees of a programme.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeesView {
    programme_id: i64,
    /// The programme's: code of ISO 4217.
    currency: String,
    charged_by: ChargedByName,
    /// Where its cards are at home; absent: everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    home_country: Option<String>,
    region: Vec<String>,
    /// From so much spent in a month on its cards pay no monthly fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    monthly_waived_from: Option<String>,
    rules: Vec<FeeRuleBody>,
}

impl From<&FeesNow> for FeesView {
    fn from(now: &FeesNow) -> Self {
        let currency = now.programme.currency;
        let around = now.schedule.as_ref().map(FeeSchedule::around);
        let region = around.map(|around: &Surroundings| around.region.iter());
        let waived_from = now.schedule.as_ref().and_then(FeeSchedule::monthly_waived_from);
        let rules = now.schedule.as_ref().map_or(&[][..], FeeSchedule::rules);
        Self {
            programme_id: now.programme.id.0,
            currency: currency.to_string(),
            charged_by: match now.schedule.as_ref().map(FeeSchedule::charged_by) {
                Some(ChargedBy::Partner) => ChargedByName::Partner,
                Some(ChargedBy::Platform) | None => ChargedByName::Platform,
            },
            home_country: around.and_then(|one| one.home).map(|one| one.alpha2().to_owned()),
            region: region
                .into_iter()
                .flatten()
                .map(|one: &Country| one.alpha2().to_owned())
                .collect(),
            monthly_waived_from: waived_from.map(|from| decimal(from, currency)),
            rules: rules.iter().map(|rule| FeeRuleBody::of(rule, currency)).collect(),
        }
    }
}

impl FeeRuleBody {
    fn of(rule: &FeeRule, currency: Currency) -> Self {
        let terms = rule.price.terms();
        let major = |minor: MinorUnits| decimal(minor, currency);
        let said = |minor: MinorUnits| (minor != MinorUnits::ZERO).then(|| major(minor));
        Self {
            event: rule.event.name(),
            form: rule.form.map(CardFormName::from),
            fixed: said(terms.fixed),
            rate: terms.rate.points(),
            least: said(terms.least),
            most: terms.most.map(major),
            taken: rule.taken.into(),
        }
    }
}

/// A fee that a rule asks for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QuotedFeeView {
    /// The number of the rule in the schedule, from zero.
    rule: usize,
    event: String,
    fee: Money,
    taken: TakenName,
}

/// What something would cost.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuoteView {
    /// Rule by rule; nothing where it is free, or the partner charges by itself.
    fees: Vec<QuotedFeeView>,
    /// Out of the account, beside the amount.
    at_once: Money,
    /// From the partner.
    invoiced: Money,
    /// All that comes out of the account: amount and fees.
    in_all: Money,
}

/// What something would cost by the fees of a programme.
pub(super) fn quoted(fees: &FeesNow, asked: &PreviewBody) -> Answered<Json<QuoteView>> {
    let currency = fees.programme.currency;
    let asked = asked.asked(currency)?;
    let of = |schedule| Quote::of(schedule, &asked.what, asked.form, asked.amount);
    let quote = fees.schedule.as_ref().map(of).unwrap_or_default();
    let money = |minor| Money::of(minor, currency);
    let view = |one: &QuotedFee| QuotedFeeView {
        rule: one.rule,
        event: one.event.name(),
        fee: money(one.fee),
        taken: one.taken.into(),
    };
    let at_once = quote.cost.at_once;
    let in_all = asked.amount.unwrap_or_default().0.saturating_add(at_once.0);
    Ok(Json(QuoteView {
        fees: quote.fees.iter().map(view).collect(),
        at_once: money(at_once),
        invoiced: money(quote.cost.invoiced),
        in_all: money(MinorUnits(in_all)),
    }))
}

/// Which fees.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LatestFees {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A fee that was charged.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargedFeeView {
    /// In UTC.
    #[schema(format = DateTime)]
    at: String,
    /// What for.
    event: String,
    /// Below zero where it was given back.
    amount: Money,
    taken: TakenName,
    /// What it was called: of a period `card_monthly 2026-11-01`; absent for a purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The card, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    card_id: Option<String>,
    /// The authorization that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    authorization_id: Option<String>,
}

impl From<&ChargedFee> for ChargedFeeView {
    fn from(fee: &ChargedFee) -> Self {
        Self {
            at: written(fee.at),
            event: fee.event.clone(),
            amount: Money::of(fee.amount.minor, fee.amount.currency),
            taken: fee.taken.into(),
            reference: (!fee.reference.is_empty()).then(|| fee.reference.clone()),
            card_id: fee.card.map(|card| card.to_string()),
            authorization_id: fee.authorization.map(|id| id.to_string()),
        }
    }
}

/// A page of what was charged to an account. What the partner pays is no holder's affair.
pub(super) async fn charged(
    this: &Management,
    (owner, is_holder): (Owner, bool),
    balance: &str,
    wanted: &LatestFees,
) -> Answered<Json<Page<ChargedFeeView>>> {
    let balance = find(this, owner, balance).await?.balance;
    let behind = wanted.cursor.as_deref().map(Cursor::<ChargedPage>::read).transpose()?;
    let most = page_limit(wanted.limit)?;
    let behind = behind.map(|Cursor(place)| place);
    let found = this.fees.charged_to(balance.id, behind, (most, !is_holder)).await?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.get(size).and_then(|_| found.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: found.iter().take(size).map(ChargedFeeView::from).collect(),
        next_cursor: next.map(|last| Cursor(last.place).text()),
    }))
}

/// An invoice as a file.
#[derive(ToSchema)]
#[schema(value_type = String)]
#[expect(dead_code, reason = "documents answers, which are made of text")]
pub(super) struct InvoiceFile(String);

/// The invoice that a path names, as `2026-11.csv` or `2026-11.html`.
pub(super) async fn invoice(
    this: &Management,
    partner: PartnerId,
    file: &str,
) -> Answered<Response> {
    let none = || Problem::not_found("there is no such invoice: ask for 2026-11.csv or .html");
    let (month, form) = file.split_once('.').ok_or_else(none)?;
    let month = InvoiceMonth::named(month).ok_or_else(none)?;
    let is_table = match form {
        "csv" => true,
        "html" => false,
        _ => return Err(none().into()),
    };
    let invoice = this.fees.invoice(partner, month, now()).await?;
    if is_table {
        let name = format!("attachment; filename=\"fees-{}-{}.csv\"", partner.0, month.name());
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        return Ok((StatusCode::OK, headers, invoice.csv()).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy_of_page()),
    ];
    Ok((StatusCode::OK, headers, invoice.html()).into_response())
}
