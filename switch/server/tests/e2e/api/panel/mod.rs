//! The administration panel in a real browser.

mod browser;
mod pages;
mod roles;
mod used;

use self::browser::{Browser, Who};
use super::person::Person;
use super::platform::{Partner, Platform, euros};
use serde_json::json;

/// Somebody of this role, who has chosen a password of their own.
fn invited(platform: &Platform, name: &str, role: &str) -> Person {
    let add = ["operator", "add", "--name", name, "--role", role];
    let mut person = Person::of(&platform.served.command(&add).expect("added"));
    person.begins(&platform.panel());
    person
}

/// Where the panel of a platform is.
fn origin(platform: &Platform) -> String {
    format!("https://{}", platform.served.api("open"))
}

/// Signs in by the page, with password and code.
fn signs_in(browser: &mut Browser, who: Who, person: &mut Person) {
    browser.goes(who, "/panel/sign-in");
    browser.fills(who, "Name", &person.name);
    browser.fills(who, "Password", &person.password);
    browser.fills(who, "Code", &person.code());
    browser.clicks(who, "button", "Sign in");
    let (at, text) = browser.reads(who);
    assert_eq!(at, "/panel", "{text}");
}

/// A hundred euros for an account.
fn reloads(partner: &Partner, account: &str, reference: &str) {
    let reload = json!({ "amount": euros("100.00"), "reference": reference });
    partner.client.post(&format!("{account}/reload"), reference, &reload).done(200);
}
