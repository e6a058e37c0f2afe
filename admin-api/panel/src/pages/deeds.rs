//! All that can be done at the panel by one form, one row an act. What needs more than a row has
//! its own page.

use axum::http::Method;
use serde_json::{Value, json};

use super::deed::{Deed, Named};
use crate::form::Form;
use crate::page::{Cell, Choice, Field};
use crate::refused::Refused;

const CARD: &str = "/admin/cards/{cardId}/details";
const CUSTOMERS: &str = "/panel/customers/{customerId}";
const ACCOUNT: &str = "/panel/customers/{customerId}/balances/{balanceId}";
const CARDS: &str = "/panel/cards/{cardId}";
const OPERATORS: &str = "/panel/operators";

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

const A_CARD: Option<Named> = Some((CARD, |card| {
    format!("The card ending in {}, which expires {}", text(card, "lastFour"), text(card, "expiry"))
}));

const AN_ACCOUNT: Option<Named> =
    Some(("/admin/customers/{customerId}/balances/{balanceId}", |account| {
        let amount = &account["available"];
        let (value, currency) = (text(amount, "value"), text(amount, "currency"));
        format!("The account {} with {value} {currency} available", text(account, "balanceId"))
    }));

const A_RELOAD: Option<Named> = Some(("/admin/pools/{poolId}/reloads/{reloadId}", |reload| {
    let amount = &reload["amount"];
    let (value, currency) = (text(amount, "value"), text(amount, "currency"));
    let (reference, by) = (text(reload, "reference"), text(reload, "askedBy"));
    format!("A reload of {value} {currency} with the reference {reference}, asked for by {by}")
}));

fn note() -> Field {
    Field::lines("note", "Note").help("Why. It is kept with the decision.")
}

/// The reasons by which an operator locks a card, as the seed numbers them.
const REASONS: [(u8, &str); 9] = [
    (1, "lost"),
    (2, "stolen"),
    (3, "a query is pending"),
    (4, "cards are being consolidated"),
    (5, "no longer in use"),
    (6, "PIN tries exceeded"),
    (7, "fraud is suspected"),
    (8, "replaced by another card"),
    (11, "offline PIN tries exceeded"),
];

fn lock_fields() -> Vec<Field> {
    let reasons = REASONS.iter().map(|(code, why)| Choice::new(code.to_string(), *why));
    vec![Field::choice("reason", "Reason", reasons)]
}

fn lock_body(form: &Form) -> Result<Option<Value>, Refused> {
    let code = form.text("reason").parse::<u8>();
    let code = code.map_err(|_| Refused::of_member("reason", "choose one of the reasons"))?;
    Ok(Some(json!({ "reasonCode": code })))
}

fn decision_body(form: &Form) -> Result<Option<Value>, Refused> {
    Ok(Some(json!({ "decision": form.text("decision"), "note": form.text("note") })))
}

fn kyc_fields() -> Vec<Field> {
    let decisions = [
        ("APPROVE", "approve"),
        ("REJECT", "reject"),
        ("BEGIN", "begin again"),
        ("REVOKE", "take back"),
        ("EXPIRE", "let expire"),
    ];
    let decisions = decisions.map(|(value, label)| Choice::new(value, label));
    vec![Field::choice("decision", "Decision", decisions), note()]
}

fn kyb_fields() -> Vec<Field> {
    let decisions =
        [("APPROVE", "approve"), ("REJECT", "reject"), ("HOLD", "hold"), ("REOPEN", "reopen")];
    let decisions = decisions.map(|(value, label)| Choice::new(value, label));
    vec![Field::choice("decision", "Decision", decisions), note()]
}

fn roles() -> Field {
    let roles = [
        ("EMPLOYEE", "employee: reads, and works on single customers"),
        ("MANAGER", "manager: also decides, sets up and reloads"),
        ("ADMIN", "admin: everything, operators and the audit included"),
    ];
    Field::choice("role", "Role", roles.map(|(value, label)| Choice::new(value, label)))
}

fn given(told: &Value) -> Vec<(&'static str, Cell)> {
    vec![
        ("Name", Cell::text(text(told, "name"))),
        ("One-time password", Cell::text(text(told, "oneTimePassword"))),
        ("For the authenticator application", Cell::text(text(told, "otpauthUri"))),
    ]
}

const GIVEN: &str = "Done. Hand these over by two different ways: they are shown once.";

/// All of them.
pub(crate) const ALL: &[Deed] = &[
    Deed {
        at: "/panel/customers/{customerId}/block",
        call: "/admin/customers/{customerId}/block",
        title: "Block customer",
        says: "No card of this customer is approved any more, until the customer is unblocked.",
        button: "Block",
        harsh: true,
        back: CUSTOMERS,
        done: "The customer is blocked: no card of theirs is approved.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/customers/{customerId}/unblock",
        call: "/admin/customers/{customerId}/unblock",
        title: "Unblock customer",
        says: "Cards of this customer are approved again, where nothing else is against it.",
        button: "Unblock",
        back: CUSTOMERS,
        done: "The customer is unblocked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/customers/{customerId}/kyc/decide",
        call: "/admin/customers/{customerId}/kyc",
        title: "Decide on the verification",
        says: "An account is opened for a verified customer alone.",
        button: "Decide",
        fields: kyc_fields,
        body: decision_body,
        back: CUSTOMERS,
        done: "The decision is kept, with its note.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/customers/{customerId}/balances/{balanceId}/block",
        call: "/admin/customers/{customerId}/balances/{balanceId}/block",
        title: "Block account",
        says: "Nothing is approved out of this account any more, until it is unblocked.",
        button: "Block",
        harsh: true,
        of: AN_ACCOUNT,
        back: ACCOUNT,
        done: "The account is blocked: nothing is approved out of it.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/customers/{customerId}/balances/{balanceId}/unblock",
        call: "/admin/customers/{customerId}/balances/{balanceId}/unblock",
        title: "Unblock account",
        says: "Purchases out of this account are approved again.",
        button: "Unblock",
        of: AN_ACCOUNT,
        back: ACCOUNT,
        done: "The account is unblocked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/cards/{cardId}/lock",
        call: "/admin/cards/{cardId}/lock",
        title: "Lock card",
        says: "The next authorization is declined with the reason that you choose.",
        button: "Lock",
        harsh: true,
        of: A_CARD,
        fields: lock_fields,
        body: lock_body,
        back: CARDS,
        done: "The card is locked, from the next authorization on.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/cards/{cardId}/unlock",
        call: "/admin/cards/{cardId}/unlock",
        title: "Unlock card",
        says: "The card is approved again, where nothing else is against it.",
        button: "Unlock",
        of: A_CARD,
        back: CARDS,
        done: "The card is unlocked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/cards/{cardId}/activate",
        call: "/admin/cards/{cardId}/activate",
        title: "Activate card",
        says: "The card can be used from then on.",
        button: "Activate",
        of: A_CARD,
        back: CARDS,
        done: "The card is active.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/cards/{cardId}/cvv",
        call: "/admin/cards/{cardId}/cvv",
        title: "Reset the printed code",
        says: "Purchases with the code of before are declined; the holder is shown the new one.",
        button: "Reset",
        harsh: true,
        of: A_CARD,
        back: CARDS,
        done: "The printed code is a new one.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/cards/{cardId}/remove",
        method: Method::DELETE,
        call: "/admin/cards/{cardId}",
        title: "Remove card",
        says: "Nothing is approved by it any more. This cannot be undone.",
        button: "Remove",
        harsh: true,
        of: A_CARD,
        back: CARDS,
        done: "The card is removed.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/pools/{poolId}/reloads/{reloadId}/approve",
        call: "/admin/pools/{poolId}/reloads/{reloadId}/approve",
        title: "Approve reload",
        says: "The money is booked into the pool.",
        button: "Approve",
        of: A_RELOAD,
        back: "/panel/pools/{poolId}",
        done: "The reload is approved, and booked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/pools/{poolId}/reloads/{reloadId}/refuse",
        call: "/admin/pools/{poolId}/reloads/{reloadId}/refuse",
        title: "Refuse reload",
        says: "Nothing is booked, and who asked is told why.",
        button: "Refuse",
        harsh: true,
        of: A_RELOAD,
        fields: || vec![note()],
        body: |form| Ok(Some(json!({ "note": form.text("note") }))),
        back: "/panel/pools/{poolId}",
        done: "The reload is refused.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/corporations/{dcCorporationId}/kyb",
        call: "/admin/corporations/{dcCorporationId}/kyb",
        title: "Decide on the corporation",
        says: "Accounts and cards are made for an approved corporation alone.",
        button: "Decide",
        fields: kyb_fields,
        body: decision_body,
        back: "/panel/corporations/{dcCorporationId}",
        done: "The decision is kept, with its note.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/webhooks/{webhookId}/messages/{messageId}/resend",
        call: "/admin/webhooks/{webhookId}/messages/{messageId}/resend",
        title: "Send message again",
        says: "It is sent once more, with the same identifier.",
        button: "Send again",
        back: "/panel/webhooks/{webhookId}",
        done: "The message is on its way again.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/operators/add",
        call: "/admin/operators",
        title: "Invite an operator",
        says: "They are given a one-time password and a secret for an authenticator application.",
        button: "Invite",
        fields: || vec![Field::line("name", "Name").help("Small letters and digits."), roles()],
        body: |form| Ok(Some(json!({ "name": form.text("name"), "role": form.text("role") }))),
        back: OPERATORS,
        done: GIVEN,
        tells: Some(given),
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/operators/{operatorId}/reset",
        call: "/admin/operators/{operatorId}/reset",
        title: "Reset operator",
        says: "Their sessions end, and they are given a new password and a new secret.",
        button: "Reset",
        harsh: true,
        back: OPERATORS,
        done: GIVEN,
        tells: Some(given),
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/operators/{operatorId}/block",
        call: "/admin/operators/{operatorId}/block",
        title: "Block operator",
        says: "Their sessions end, and they cannot sign in.",
        button: "Block",
        harsh: true,
        back: OPERATORS,
        done: "The operator is blocked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/operators/{operatorId}/unblock",
        call: "/admin/operators/{operatorId}/unblock",
        title: "Unblock operator",
        says: "They can sign in again.",
        button: "Unblock",
        back: OPERATORS,
        done: "The operator is unblocked.",
        ..Deed::PLAIN
    },
    Deed {
        at: "/panel/operators/{operatorId}/role",
        call: "/admin/operators/{operatorId}/role",
        title: "Give operator another role",
        says: "Their sessions end; they sign in again with the new role.",
        button: "Give role",
        fields: || vec![roles()],
        body: |form| Ok(Some(json!({ "role": form.text("role") }))),
        back: OPERATORS,
        done: "The operator has the new role.",
        ..Deed::PLAIN
    },
];
