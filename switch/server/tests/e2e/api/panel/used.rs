//! What operators do at the panel, end to end: what is clicked in the browser counts for the next
//! message over TCP.

use serde_json::json;

use super::super::platform::Platform;
use super::browser::{Browser, Who};
use super::{invited, origin, reloads, signs_in};

const ADA: Who = Who("ada");
const EVE: Who = Who("eve");

// covers: SR-110, SR-113, SR-116
#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_locked_as_stolen_and_its_next_purchase_is_declined_for_that() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let account = acme.opens(&customer, "open");
    reloads(&acme, &account, "r-1");
    let balance = account.rsplit('/').next().expect("an identifier").to_owned();
    let (card, pan) = platform.card_for(&balance).await;
    assert_eq!(platform.buys(&pan, 1, 500).await, "00");

    let mut ada = invited(&platform, "ada", "employee");
    let mut browser = Browser::open(&origin(&platform));
    // Who has no session is asked to sign in, and led nowhere else.
    browser.goes(ADA, &format!("/panel/cards/{card}"));
    assert_eq!(browser.reads(ADA).0, "/panel/sign-in?again=1");
    signs_in(&mut browser, ADA, &mut ada);
    let cookie = &browser.cookies(ADA)[0];
    assert_eq!((&cookie["httpOnly"], &cookie["secure"]), (&true.into(), &true.into()));
    assert_eq!(cookie["sameSite"], "Strict");

    // From the customer to the card, as one looks for it.
    browser.goes(ADA, &format!("/panel/customers/{customer}"));
    let (name, cards) = browser.downloads(ADA, "As CSV");
    assert_eq!((name.as_str(), cards.lines().count()), ("accounts.csv", 2), "{cards}");
    browser.clicks(ADA, "link", &format!("ending in {}", &pan[pan.len() - 4..]));
    let (at, text) = browser.reads(ADA);
    assert_eq!(at, format!("/panel/cards/{card}"));
    assert!(text.contains("5.00 EUR"), "{text}");
    assert!(!text.contains(&pan), "a card number");

    // Locked for a query, and unlocked again.
    browser.clicks(ADA, "link", "Lock");
    browser.chooses(ADA, "Reason", "3");
    browser.clicks(ADA, "button", "Lock");
    assert_ne!(platform.buys(&pan, 2, 500).await, "00");
    browser.clicks(ADA, "link", "Unlock");
    browser.clicks(ADA, "button", "Unlock");
    let unlocked = browser.reads(ADA).1;
    assert!(unlocked.contains("The card is unlocked."), "{unlocked}");
    assert_eq!(platform.buys(&pan, 3, 500).await, "00");

    browser.clicks(ADA, "link", "Lock");
    let (_, asks) = browser.reads(ADA);
    assert!(asks.contains(&format!("The card ending in {}", &pan[pan.len() - 4..])), "{asks}");
    browser.chooses(ADA, "Reason", "2");
    browser.clicks(ADA, "button", "Lock");
    let (_, text) = browser.reads(ADA);
    assert!(text.contains("The card is locked, from the next authorization on."), "{text}");
    assert_eq!(platform.buys(&pan, 4, 500).await, "43");

    // What was decided is seen, and its trace names the lock. Once the reload is in the tables, so
    // is what was decided of its account before.
    reloads(&acme, &account, "r-2");
    browser.goes(ADA, &format!("/panel/cards/{card}"));
    let (_, csv) = browser.downloads(ADA, "As CSV");
    assert!(csv.starts_with("When,What,Amount,Outcome,Reason,Merchant,MCC,Channel\r\n"), "{csv}");
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let latest = csv.lines().nth(1).expect("the decline");
    let moment = latest.split(',').next().expect("when");
    browser.clicks(ADA, "link", moment);
    let (_, trace) = browser.reads(ADA);
    let failed = trace.lines().find(|line| line.contains("failed")).expect("a check failed");
    assert!(failed.contains("lock code"), "{trace}");

    // The audit has it under her name, as of a call of hers.
    let locked = format!(
        "SELECT count(*) FROM audit_chain WHERE act = 'POST /admin/cards/{{cardId}}/lock' AND \
         outcome = 'done' AND object LIKE '%{card}%'"
    );
    assert_eq!(platform.count(&locked).await, 2);
    browser.closes();
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_or_session_does_nothing() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let customer = acme.registers("u-1");
    let mut ada = invited(&platform, "ada", "employee");
    let mut browser = Browser::open(&origin(&platform));
    signs_in(&mut browser, ADA, &mut ada);
    let path = format!("/panel/customers/{customer}/block");
    let nothing = json!({});
    assert_eq!(browser.posts(ADA, &path, &nothing, "cross-site"), 403);
    assert_eq!(browser.posts(ADA, &path, &nothing, "same-site"), 403);
    // From here, but made for no session of hers.
    assert_eq!(browser.posts(ADA, &path, &nothing, "same-origin"), 403);
    assert_eq!(browser.posts(ADA, &path, &json!({ "form": "x" }), "same-origin"), 403);
    // Who has none is led to the way in.
    assert_eq!(browser.posts(EVE, &path, &json!({ "form": "x" }), "same-origin"), 303);
    let blocked = "SELECT count(*) FROM audit_chain WHERE act LIKE '%/block'";
    assert_eq!(platform.count(blocked).await, 0);
    // The page itself does it, once, and says so.
    browser.goes(ADA, &path);
    browser.clicks(ADA, "button", "Block");
    let (at, text) = browser.reads(ADA);
    assert_eq!(at, format!("/panel/customers/{customer}?said=block-customer"));
    assert!(text.contains("The customer is blocked"), "{text}");
    browser.clicks(ADA, "button", "Sign out");
    browser.goes(ADA, "/panel");
    assert_eq!(browser.reads(ADA).0, "/panel/sign-in?again=1");
    browser.closes();
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_invited_chooses_a_password_before_anything_else() {
    let platform = Platform::start().await;
    let mut root = invited(&platform, "root", "admin");
    let mut browser = Browser::open(&origin(&platform));
    signs_in(&mut browser, ADA, &mut root);
    browser.goes(ADA, "/panel/operators");
    browser.clicks(ADA, "link", "Invite");
    browser.fills(ADA, "Name", "eve");
    browser.chooses(ADA, "Role", "MANAGER");
    browser.clicks(ADA, "button", "Invite");
    let (_, told) = browser.reads(ADA);
    let after = |label: &str| {
        let mut lines = told.lines().skip_while(|line| line.trim() != label).skip(1);
        lines.find(|line| !line.trim().is_empty()).expect("what is told").trim().to_owned()
    };
    let uri = after("For the authenticator application");
    let eve = json!({
        "operatorId": "", "name": "eve", "oneTimePassword": after("One-time password"),
        "otpauthUri": uri,
    });
    let mut eve = super::Person::of(&eve);
    browser.goes(EVE, "/panel/sign-in");
    browser.fills(EVE, "Name", "eve");
    browser.fills(EVE, "Password", "wrong horse 7");
    browser.fills(EVE, "Code", "000000");
    browser.clicks(EVE, "button", "Sign in");
    assert!(browser.reads(EVE).1.contains("Name, password or code are wrong."));
    signs_in_first(&mut browser, &mut eve);
    browser.goes(EVE, "/panel/customers");
    assert_eq!(browser.reads(EVE).0, "/panel/password");
    browser.fills(EVE, "Password of now", &eve.password);
    browser.fills(EVE, "New password", "correct horse 71");
    browser.fills(EVE, "The new password again", "correct horse 72");
    browser.clicks(EVE, "button", "Change");
    assert!(browser.reads(EVE).1.contains("differ"));
    browser.fills(EVE, "Password of now", &eve.password);
    browser.fills(EVE, "New password", "correct horse 71");
    browser.fills(EVE, "The new password again", "correct horse 71");
    browser.clicks(EVE, "button", "Change");
    assert_eq!(browser.reads(EVE).0, "/panel");
    browser.closes();
    platform.close().await;
}

/// Signs in with a first password: one is led to choose another.
fn signs_in_first(browser: &mut Browser, person: &mut super::Person) {
    browser.fills(EVE, "Name", &person.name);
    browser.fills(EVE, "Password", &person.password);
    browser.fills(EVE, "Code", &person.code());
    browser.clicks(EVE, "button", "Sign in");
    assert_eq!(browser.reads(EVE).0, "/panel/password");
}
