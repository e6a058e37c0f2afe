//! Partners: the list, and one with its programmes, its pools and what was changed of it.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::deed::said;
use super::{Shown, pools, programmes};
use crate::amounts::Money;
use crate::call::Call;
use crate::desk::{Brought, Desk};
use crate::form::{Form, Sent};
use crate::listing::{Asked, Listing};
use crate::page::{Act, Cell, Choice, Field, Framed, Page, Question, spoken};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/partners", get(list))
        .route("/panel/partners/add", get(ask_new).post(add))
        .route("/panel/partners/{partnerId}", get(one))
        .route("/panel/partners/{partnerId}/change", get(ask).post(change))
}

const ONE: &str = "/admin/partners/{partnerId}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Partner {
    partner_id: i64,
    name: String,
    state: String,
    kyc_mode: String,
    registered_keys_only: bool,
    #[serde(default)]
    contact: Option<Contact>,
    #[serde(default)]
    partial_minimums: Vec<Money>,
}

#[derive(Clone, Default, Deserialize)]
struct Contact {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// All of them.
pub(super) fn listing() -> Listing<Partner> {
    Listing {
        heading: "Partners",
        columns: &["Partner", "Name", "State", "Verification of customers"],
        empty: "There is no partner yet.",
        call: Call::get("/admin/partners"),
        paged: true,
        at: "/panel/partners".to_owned(),
        row: Box::new(|one| {
            vec![
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::text(one.name.as_str()),
                Cell::state(&one.state),
                Cell::text(spoken(&one.kyc_mode)),
            ]
        }),
    }
}

/// Whose things are looked at, of pages that show those of one partner at a time.
#[derive(Deserialize)]
pub(super) struct Whose {
    #[serde(default)]
    partner: String,
}

impl Whose {
    /// The partner; none where nobody was chosen yet.
    pub(super) fn partner(&self) -> Option<String> {
        let digits: String = self.partner.chars().filter(char::is_ascii_digit).collect();
        Some(digits).filter(|digits| !digits.is_empty())
    }
}

/// Asks whose. There are as many to choose from as one page of the list has; others have a number.
pub(super) async fn choose(
    visit: &Visit,
    to: &'static str,
    chosen: Option<&str>,
) -> Result<Question, Refused> {
    let call = Call::get("/admin/partners").with("limit", 100);
    let all: crate::listing::Rows<Partner> = visit.get(&call).await?;
    let question = Question::search("Of which partner", to);
    if all.next_cursor.is_some() {
        let field = Field::line("partner", "Number of the partner");
        return Ok(question.field(field.value(chosen.unwrap_or_default())));
    }
    let choices = all.items.iter().map(|one| {
        let id = one.partner_id.to_string();
        let label = format!("{}, number {id}", one.name);
        Choice::new(id, label).if_is(chosen.unwrap_or_default())
    });
    Ok(question.field(Field::choice("partner", "Partner", choices)))
}

async fn list(visit: Visit, Query(asked): Query<Asked>) -> Shown {
    let listing = listing();
    if asked.wants_csv() {
        return listing.csv(&visit, "partners").await;
    }
    let add = Act::new("Add a partner", "/panel/partners/add");
    let page = Page::new("Partners")
        .acts([add.when(visit.may("POST", "/admin/partners"))])
        .table(listing.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    changed_at: String,
    changed_by: String,
    before: Option<Value>,
    after: Value,
}

/// What was changed: member by member, from what to what.
pub(super) fn difference(change: &Change) -> String {
    let Some(after) = change.after.as_object() else { return String::new() };
    let before = change.before.as_ref().and_then(Value::as_object);
    let Some(before) = before else { return "made".to_owned() };
    let of = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let members = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name)));
    let changed = members.filter(|name| after.get(*name) != before.get(*name));
    let changed =
        changed.map(|name| format!("{name}: {} to {}", of(before.get(name)), of(after.get(name))));
    changed.collect::<Vec<_>>().join("; ")
}

/// The changes of a partner or a programme.
pub(super) fn changes(call: Call, at: String) -> Listing<Change> {
    Listing {
        heading: "Changes",
        columns: &["When", "By", "What"],
        empty: "Nothing was changed here since there is a history.",
        call,
        paged: true,
        at,
        row: Box::new(|one| {
            vec![
                Cell::moment(&one.changed_at),
                Cell::text(one.changed_by.as_str()),
                Cell::text(difference(one)),
            ]
        }),
    }
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let partner: Partner = visit.get(&Call::get(ONE).at(&id)).await?;
    let at = format!("/panel/partners/{}", partner.partner_id);
    let history = Call::get("/admin/partners/{partnerId}/changes").at(&id);
    let history = changes(history, at.clone());
    if asked.wants_csv() {
        return history.csv(&visit, "changes").await;
    }
    let contact = partner.contact.clone().unwrap_or_default();
    let minimums: Vec<String> = partner.partial_minimums.iter().map(Money::text).collect();
    let minimums = Some(minimums.join(", ")).filter(|text| !text.is_empty());
    let id = partner.partner_id.to_string();
    let page = Page::new(partner.name.as_str())
        .said(said(&asked.said))
        .facts(
            "",
            vec![
                ("Identifier", Cell::text(id.as_str())),
                ("State", Cell::state(&partner.state)),
                ("Verification of customers", Cell::text(spoken(&partner.kyc_mode))),
                ("Answers to registered keys alone", Cell::whether(partner.registered_keys_only)),
                ("Least amounts approved in part", Cell::some(minimums)),
                ("Contact", Cell::some(contact.name)),
                ("E-mail", Cell::some(contact.email)),
                ("Phone", Cell::some(contact.phone)),
                ("Customers", Cell::to("show them", format!("/panel/customers?partner={id}"))),
                ("Webhooks", Cell::to("show them", format!("/panel/webhooks?partner={id}"))),
            ],
        )
        .acts([Act::new("Change", format!("{at}/change")).when(visit.may("PUT", ONE))])
        .table(pools::listing(&id).table(&visit, "").await?)
        .table(programmes::listing(&id).table(&visit, "").await?)
        .table(history.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

fn fields(question: Question, partner: Option<&Partner>) -> Question {
    let contact = partner.and_then(|it| it.contact.clone()).unwrap_or_default();
    let of = |text: Option<String>| text.unwrap_or_default();
    let (kyc, state) = partner.map_or(("OWN", "ACTIVE"), |it| (&it.kyc_mode, &it.state));
    let modes =
        [("OWN", "by the partner"), ("MANUAL", "by our operators"), ("AUTOMATED", "by a provider")];
    let modes = modes.map(|(value, label)| Choice::new(value, label).if_is(kyc));
    let states = [("ACTIVE", "active"), ("SUSPENDED", "suspended: nothing is approved")];
    let states = states.map(|(value, label)| Choice::new(value, label).if_is(state));
    question
        .field(Field::line("name", "Name").value(partner.map_or("", |it| &it.name)))
        .field(Field::choice("state", "State", states))
        .field(Field::choice("kyc", "Verification of customers", modes))
        .field(Field::line("contact", "Contact").optional().value(of(contact.name)))
        .field(Field::line("email", "E-mail").kind("email").optional().value(of(contact.email)))
        .field(Field::line("phone", "Phone").kind("tel").optional().value(of(contact.phone)))
}

/// What a form says of a partner, over what it was before: what the form does not show stays.
fn body(form: &Form, before: Option<&Partner>) -> Value {
    let contact = json!({
        "name": form.some("contact"), "email": form.some("email"), "phone": form.some("phone"),
    });
    let contact = contact.as_object().map(|all| {
        all.iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    });
    json!({
        "name": form.text("name"),
        "state": form.text("state"),
        "kycMode": form.text("kyc"),
        "contact": Value::Object(contact.unwrap_or_default()),
        "registeredKeysOnly": before.is_some_and(|it| it.registered_keys_only),
        "partialMinimums": before.map_or(&[][..], |it| &it.partial_minimums),
    })
}

async fn ask_new(visit: Visit) -> Shown {
    let question = Question::new(&visit, "Add a partner", "/panel/partners/add", "Add");
    Ok(visit.show(Page::new("Add a partner").question(Some(fields(question, None)))))
}

async fn add(visit: Visit, sent: Sent) -> Shown {
    let answer =
        visit.act(&Call::post("/admin/partners"), &sent.0, Some(&body(&sent.0, None))).await?;
    let made: Partner = answer.read()?;
    Ok(Redirect::to(&format!("/panel/partners/{}", made.partner_id)).into_response())
}

async fn ask(visit: Visit, Path(id): Path<String>) -> Shown {
    let answer = visit.ask(&Call::get(ONE).at(&id), Brought::default()).await?;
    let partner: Partner = answer.read()?;
    let to = format!("/panel/partners/{}/change", partner.partner_id);
    let question = Question::new(&visit, "Change", to, "Change")
        .says("It is in force for the next authorization, and kept with your name.")
        .hidden("version", answer.version());
    let page = Page::new(format!("Change {}", partner.name));
    Ok(visit.show(page.question(Some(fields(question, Some(&partner))))))
}

async fn change(visit: Visit, Path(id): Path<String>, sent: Sent) -> Shown {
    let call = Call::get(ONE).at(&id);
    let before: Partner = visit.get(&call).await?;
    let put = Call::new(axum::http::Method::PUT, ONE).at(&id);
    match visit.change(&put, &sent.0, &body(&sent.0, Some(&before))).await {
        Ok(_) => {
            Ok(Redirect::to(&format!("/panel/partners/{}", before.partner_id)).into_response())
        }
        Err(refused) if refused.status == StatusCode::PRECONDITION_FAILED => {
            Ok(changed_meanwhile(&visit, &refused))
        }
        Err(refused) => Err(refused),
    }
}

/// Somebody else changed it since the form was made.
pub(super) fn changed_meanwhile(visit: &Visit, refused: &Refused) -> axum::response::Response {
    let what = "Somebody changed this since you opened the form: open it again, and look.";
    let page = Page::new("Not done: it is otherwise now").warning(what).back();
    Framed::of(visit, page).with_status(refused.status)
}
