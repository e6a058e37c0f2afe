//! Who is offered what at the panel (SR-261): what `/admin` would refuse has no link, and is
//! refused where somebody goes there all the same.

use serde_json::json;

use super::super::platform::Platform;
use super::browser::{Browser, Who};
use super::{invited, origin, signs_in};

const EMPLOYEE: Who = Who("employee");
const MANAGER: Who = Who("manager");
const SECOND: Who = Who("second");
const ADMIN: Who = Who("admin");

// covers: SR-261
#[tokio::test(flavor = "multi_thread")]
async fn sr_261_each_role_is_shown_what_it_may_and_refused_the_rest() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let mut browser = Browser::open(&origin(&platform));
    for (who, role) in [(EMPLOYEE, "employee"), (MANAGER, "manager"), (ADMIN, "admin")] {
        let mut person = invited(&platform, who.0, role);
        signs_in(&mut browser, who, &mut person);
        let (_, home) = browser.reads(who);
        let admin = who.0 == "admin";
        assert_eq!(home.contains("Operators"), admin, "{role}: {home}");
        assert_eq!(home.contains("Audit"), admin, "{role}: {home}");
        for path in ["/panel/operators", "/panel/audit", "/panel/operators/add"] {
            let status = browser.goes(who, path);
            assert_eq!(status, if admin { 200 } else { 403 }, "{role} at {path}");
        }
        browser.goes(who, &format!("/panel/partners/{}", acme.id));
        let (_, partner) = browser.reads(who);
        let manages = who.0 != "employee";
        assert_eq!(partner.contains("\nChange\n"), manages, "{role}: {partner}");
        let status = browser.goes(who, "/panel/partners/add");
        assert_eq!(status, 200, "the page asks; whether it may, is said by the call");
    }
    browser.fills(EMPLOYEE, "Name", "Bmce");
    browser.clicks(EMPLOYEE, "button", "Add");
    assert!(browser.reads(EMPLOYEE).1.contains("Not allowed"));
    browser.closes();
    platform.close().await;
}

// covers: SR-229, A-25
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_above_the_threshold_waits_for_a_second_person() {
    let threshold = ("CARDSWITCH_API__POOLS__FOUR_EYES_ABOVE", "{ EUR = \"1000\" }".to_owned());
    let platform = Platform::start_with(vec![threshold]).await;
    let acme = platform.partner("Acme", "99999912");
    let (mut one, mut two) =
        (invited(&platform, "mia", "manager"), invited(&platform, "noa", "manager"));
    let mut browser = Browser::open(&origin(&platform));
    signs_in(&mut browser, MANAGER, &mut one);
    signs_in(&mut browser, SECOND, &mut two);
    browser.goes(MANAGER, &format!("/panel/partners/{}", acme.id));
    let pools = acme.client.get("/secure/pools").done(200).json();
    let pool = pools["items"][0]["poolId"].as_str().expect("a pool").to_owned();
    browser.clicks(MANAGER, "link", &pool);
    browser.fills(MANAGER, "Amount", "5000.00");
    browser.fills(MANAGER, "Reference of the bank", "transfer 2");
    browser.clicks(MANAGER, "button", "Reload");
    let (_, waits) = browser.reads(MANAGER);
    assert!(waits.contains("waits for a second person"), "{waits}");
    assert!(waits.contains("1000.00 EUR"), "not booked: {waits}");
    let reload = acme.client.get(&format!("/secure/pools/{pool}/reloads")).done(200).json();
    let waiting = reload["items"].as_array().expect("a list").iter();
    let waiting = waiting.filter(|one| one["state"] == json!("WAITING"));
    let id = waiting.map(|one| one["reloadId"].as_str().expect("id")).next().expect("one");
    let path = format!("/panel/pools/{pool}/reloads/{id}/approve");
    // Not by who asked.
    browser.goes(MANAGER, &path);
    browser.clicks(MANAGER, "button", "Approve");
    let (_, own) = browser.reads(MANAGER);
    assert!(own.contains("Not"), "{own}");
    browser.goes(SECOND, &format!("/panel/pools/{pool}/reloads/{id}"));
    browser.clicks(SECOND, "link", "Approve");
    let (_, asks) = browser.reads(SECOND);
    assert!(asks.contains("A reload of 5000.00 EUR with the reference transfer 2"), "{asks}");
    browser.clicks(SECOND, "button", "Approve");
    let (_, booked) = browser.reads(SECOND);
    assert!(booked.contains("The reload is approved, and booked."), "{booked}");
    assert!(booked.contains("6000.00 EUR"), "{booked}");
    browser.closes();
    platform.close().await;
}
