//! Every page as people look at it: at 360 and 1440 pixels, in light and dark, without a word on
//! the console and without a grave violation of what axe-core looks for; by keyboard alone; and the
//! headers that keep it from harm.

use super::super::platform::Platform;
use super::browser::{Browser, Who};
use super::{invited, origin, reloads, signs_in};

const ROOT: Who = Who("root");
const NOBODY: Who = Who("nobody");

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_at_both_widths_and_says_nothing_on_the_console() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let account = acme.opens(&customer, "open");
    let balance = account.rsplit('/').next().expect("an identifier").to_owned();
    let (card, pan) = platform.card_for(&balance).await;
    // Declined for want of money: there is a trace to look at.
    assert_eq!(platform.buys(&pan, 1, 500).await, "51");
    reloads(&acme, &account, "r-1");
    let decided = format!("/secure/customers/{customer}/cards/{card}/authorizations");
    let decided = acme.client.get(&decided).done(200).json();
    let authorization = decided["items"][0]["authorizationId"].as_str().expect("one").to_owned();
    let pools = acme.client.get("/secure/pools").done(200).json();
    let pool = pools["items"][0]["poolId"].as_str().expect("a pool").to_owned();
    let mut root = invited(&platform, "root", "admin");
    let mut browser = Browser::open(&origin(&platform));
    browser.looks(NOBODY, "/panel/sign-in", "sign-in");
    signs_in(&mut browser, ROOT, &mut root);
    let (partner, programme) = (&acme.id, acme.programme);
    let pages = [
        ("overview", "/panel".to_owned()),
        ("customers", format!("/panel/customers?partner={partner}")),
        ("customer", format!("/panel/customers/{customer}")),
        ("account", format!("/panel/customers/{customer}/balances/{balance}")),
        ("card", format!("/panel/cards/{card}")),
        ("lock", format!("/panel/cards/{card}/lock")),
        ("authorization", format!("/panel/cards/{card}/authorizations/{authorization}")),
        ("partners", "/panel/partners".to_owned()),
        ("partner", format!("/panel/partners/{partner}")),
        ("partner-change", format!("/panel/partners/{partner}/change")),
        ("programmes", "/panel/programmes".to_owned()),
        ("programme", format!("/panel/programmes/{programme}")),
        ("pools", format!("/panel/pools?partner={partner}")),
        ("pool", format!("/panel/pools/{pool}")),
        ("reviews", "/panel/reviews".to_owned()),
        ("corporations", "/panel/reviews/corporations".to_owned()),
        ("webhooks", format!("/panel/webhooks?partner={partner}")),
        ("operators", "/panel/operators".to_owned()),
        ("invite", "/panel/operators/add".to_owned()),
        ("audit", "/panel/audit".to_owned()),
        ("password", "/panel/password".to_owned()),
    ];
    for (name, path) in &pages {
        browser.looks(ROOT, path, name);
    }
    assert_eq!(browser.goes(ROOT, "/panel/nowhere"), 404);
    assert_eq!(browser.goes(ROOT, "/panel/cards/999999999"), 404);
    browser.closes();
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_used_by_keyboard_alone() {
    let platform = Platform::start().await;
    let mut root = invited(&platform, "root", "admin");
    let mut browser = Browser::open(&origin(&platform));
    signs_in(&mut browser, ROOT, &mut root);
    browser.goes(ROOT, "/panel");
    browser.presses(ROOT, &["Tab"]);
    assert_eq!(browser.focused(ROOT), "Skip to the page");
    // Past the name of the house and the password to the way out, then the places.
    browser.presses(ROOT, &["Tab", "Tab", "Tab"]);
    assert_eq!(browser.focused(ROOT), "Sign out");
    browser.presses(ROOT, &["Tab", "Tab"]);
    assert_eq!(browser.focused(ROOT), "Customers");
    browser.presses(ROOT, &["Enter"]);
    browser.arrives(ROOT, "/panel/customers");
    browser.closes();
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_kept_from_harm_by_their_headers() {
    let platform = Platform::start().await;
    let panel = platform.panel();
    let page = panel.get("/panel/sign-in").done(200);
    let rules = page.header("content-security-policy").expect("rules");
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
        assert!(rules.contains(rule), "{rules}");
    }
    assert!(!rules.contains("unsafe"), "{rules}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    // Nothing in a page runs or looks otherwise but what these rules let through.
    assert!(!page.text.contains("<script>") && !page.text.contains(" style="), "{}", page.text);
    let style = panel.get("/panel/assets/panel.css").done(200);
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(panel.get("/panel/assets/other.css").status, 404);
    let nobody = panel.get("/panel/operators");
    assert_eq!((nobody.status, nobody.header("location")), (303, Some("/panel/sign-in?again=1")));
    platform.close().await;
}
