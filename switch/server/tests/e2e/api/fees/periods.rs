//! What cards are charged for the time that they are there: each period once, whatever happens.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{Rig, handle, month_on};
use crate::stage::cardswitch;

/// Cards of the run that is killed.
const CARDS: i64 = 100;

fn monthly(fee: &str) -> Value {
    json!([{ "event": "card_monthly", "fixed": fee, "taken": "AT_ONCE" }])
}

fn fee(event: &str, amount: &str, taken: &str) -> (String, String, String) {
    (event.to_owned(), amount.to_owned(), taken.to_owned())
}

// covers: SR-242
#[tokio::test(flavor = "multi_thread")]
async fn sr_242_cards_pay_for_each_day_week_and_month_once_and_what_is_not_over_nobody() {
    let rig = Rig::start().await;
    let (_, account) = rig.somebody("u-1");
    rig.tops_up(&account, "100.00", "first");
    let (card, _) = rig.platform.card_for(handle(&account)).await;
    let (removed, _) = rig.platform.card_for(handle(&account)).await;
    rig.platform.served.command(&["card", "remove", &removed]).expect("removed");
    rig.until("card", 2).await;
    rig.until("card WHERE status = 'removed'", 1).await;
    rig.charges(&json!([
        { "event": "card_daily", "fixed": "0.10", "taken": "AT_ONCE" },
        { "event": "card_weekly", "fixed": "0.50", "taken": "INVOICED" },
        { "event": "card_monthly", "form": "VIRTUAL", "fixed": "1.99", "taken": "AT_ONCE" },
        { "event": "card_monthly", "form": "PHYSICAL", "fixed": "9.99", "taken": "AT_ONCE" }
    ]));
    // What was over before the card was there costs nothing.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    rig.runs(&today.to_string());
    assert_eq!(rig.charged(&account), []);

    // A week on, seven days are over, and one week.
    let week = today.saturating_add(jiff::Span::new().days(7));
    let ran = rig.runs(&week.to_string());
    let is_next_month = week.month() != today.month();
    let months = u64::from(is_next_month);
    assert_eq!(ran["periods"], 8 + 2 * months);
    rig.until(&format!("fees_charged WHERE card_id = {card}"), 8 + i64::from(is_next_month)).await;
    rig.runs(&week.to_string());
    let next = month_on(if is_next_month { 2 } else { 1 });
    rig.runs(&next);
    rig.until("fee_owed", 0).await;
    let charged = rig.charged(&account);
    let of = |event: &str| charged.iter().filter(|one| one.0 == event).count();
    let until: jiff::civil::Date = next.parse().expect("a day");
    let days = (until - today).get_days();
    assert_eq!(of("card_daily"), usize::try_from(days).expect("days"), "{charged:?}");
    assert_eq!(of("card_monthly"), if is_next_month { 2 } else { 1 });
    assert!(charged.contains(&fee("card_weekly", "0.50", "INVOICED")));
    assert!(charged.contains(&fee("card_monthly", "1.99", "AT_ONCE")));
    assert_eq!(rig.platform.count("SELECT count(DISTINCT card_id) FROM fees_charged").await, 1);
    // What is taken at once came out of the account, and what is invoiced did not.
    let at_once = "SELECT sum(amount)::int8 FROM fees_charged WHERE taken = 'at_once'";
    let taken = rig.platform.count(at_once).await;
    let left = 10_000 - taken;
    assert_eq!(rig.has(&account), format!("{}.{:02}", left / 100, left % 100));
    // In the same run again nobody pays anything.
    assert_eq!(rig.runs(&next), json!({ "periods": 0, "owed": 0, "settled": 0 }));
    let pages = rig.acme.client.get(&format!("{account}/fees?limit=3")).done(200).json();
    let cursor = pages["nextCursor"].as_str().expect("there is more").to_owned();
    let second = format!("{account}/fees?limit=3&cursor={cursor}");
    let second = rig.acme.client.get(&second).done(200).json();
    assert_eq!(second["items"].as_array().map(Vec::len), Some(3));
    assert_ne!(second["items"][0], pages["items"][2]);
    rig.platform.close().await;
}

// covers: SR-249
#[tokio::test(flavor = "multi_thread")]
async fn sr_249_the_monthly_fee_is_waived_from_some_spending_on() {
    let rig = Rig::start().await;
    let mut accounts = Vec::new();
    for (number, spent) in [(1_u32, 30_000), (2, 29_999)] {
        let (_, account) = rig.somebody(&format!("u-{number}"));
        rig.tops_up(&account, "400.00", &format!("first {number}"));
        let (_, pan) = rig.platform.card_for(handle(&account)).await;
        // In two purchases.
        assert_eq!(rig.platform.buys(&pan, number * 10, 20_000).await, "00");
        assert_eq!(rig.platform.buys(&pan, number * 10 + 1, spent - 20_000).await, "00");
        accounts.push(account);
    }
    rig.charges_of(&json!({
        "chargedBy": "PLATFORM", "monthlyWaivedFrom": "300.00", "rules": monthly("1.99")
    }));
    rig.until("card_authorization WHERE authorized > 0", 4).await;
    rig.runs(&month_on(1));
    rig.until("fees_charged", 1).await;
    assert_eq!(rig.charged(&accounts[0]), [], "three hundred were spent");
    assert_eq!(rig.charged(&accounts[1]), [fee("card_monthly", "1.99", "AT_ONCE")]);
    // Of the next month nothing is spent yet.
    rig.runs(&month_on(2));
    rig.until("fees_charged", 3).await;
    rig.platform.close().await;
}

// covers: SR-242
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_nobody_uses_is_dormant_after_some_months_and_awake_after_a_purchase() {
    let months = ("CARDSWITCH_API__FEES__DORMANT_MONTHS", "2".to_owned());
    let rig = Rig::start_with(vec![months]).await;
    let (_, account) = rig.somebody("u-1");
    rig.tops_up(&account, "100.00", "first");
    let (_, pan) = rig.platform.card_for(handle(&account)).await;
    rig.until("card", 1).await;
    rig.charges(&json!([{ "event": "card_dormant", "fixed": "2.00", "taken": "AT_ONCE" }]));
    // This month it is first looked at; then it is not used for two.
    for (month, charged) in [(1, 0), (2, 0), (3, 1), (4, 2)] {
        rig.runs(&month_on(month));
        rig.until("fees_charged", charged).await;
    }
    assert_eq!(rig.platform.buys(&pan, 1, 100).await, "00");
    rig.until("card WHERE approvals = 1", 1).await;
    for (month, charged) in [(5, 2), (6, 2), (7, 3)] {
        rig.runs(&month_on(month));
        rig.until("fees_charged", charged).await;
    }
    rig.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_money_pays_when_it_has_some_and_else_its_partner_does() {
    let rig = Rig::start().await;
    let (_, account) = rig.somebody("u-1");
    rig.platform.card_for(handle(&account)).await;
    rig.until("card", 1).await;
    rig.charges(&monthly("1.99"));
    rig.runs(&month_on(1));
    assert_eq!((rig.charged(&account), rig.has(&account)), (vec![], "0.00".to_owned()));
    rig.tops_up(&account, "1.98", "too little");
    rig.runs(&month_on(1));
    rig.until("fee_owed", 1).await;
    assert_eq!(rig.has(&account), "1.98");
    // Nobody runs it now: the switch itself looks for money that came.
    rig.tops_up(&account, "0.51", "enough");
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", 1).await;
    assert_eq!(rig.has(&account), "0.50");
    // The next one waits for longer than is waited for.
    rig.runs(&month_on(2));
    rig.until("fee_owed", 1).await;
    let old = "UPDATE fee_owed SET since = since - interval '31 days', next_at = now()";
    rig.platform.sql(old).await;
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", 2).await;
    let newest = rig.charged(&account).first().cloned();
    assert_eq!(newest, Some(fee("card_monthly", "1.99", "INVOICED")));
    assert_eq!(rig.has(&account), "0.50");
    rig.platform.close().await;
}

// covers: SR-242
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_is_gone_on_with_and_charges_nobody_twice() {
    let one = ("CARDSWITCH_API__FEES__CARDS_AT_ONCE", "1".to_owned());
    let rig = Rig::start_with(vec![one]).await;
    let (_, account) = rig.somebody("u-1");
    rig.tops_up(&account, "500.00", "first");
    for _ in 0..CARDS {
        rig.platform.card_for(handle(&account)).await;
    }
    rig.until("card", CARDS).await;
    rig.charges(&monthly("1.00"));
    let on = month_on(1);
    let mut running = cardswitch(rig.platform.directory.path())
        .args(["fees", "run", "--on", &on])
        .env("CARDSWITCH_CONTROL__SOCKET", &rig.platform.served.socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it begins");
    rig.until("fee_period WHERE event = 'card_monthly' AND behind > 0", 1).await;
    let Rig { platform, mia, eve, acme, reader } = rig;
    let platform = platform.crash(|_, _| {}, Vec::new());
    assert!(!running.wait().expect("it ended").success(), "it was killed in the middle");
    let [mia, eve] = [mia, eve].map(|client| client.at(platform.served.api("open")));
    let client = acme.client.at(platform.served.api("secure"));
    let acme = crate::api::platform::Partner { client, ..acme };
    let rig = Rig { platform, mia, eve, acme, reader };
    let ran = rig.runs(&on);
    let left = ran["owed"].as_i64().expect("a count");
    assert!(0 < left && left < CARDS, "it is gone on with: {ran}");
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", CARDS).await;
    let each = "SELECT count(DISTINCT card_id) FROM fees_charged WHERE amount = 100";
    assert_eq!(rig.platform.count(each).await, CARDS, "each once, and nobody is missed");
    assert_eq!(rig.has(&account), "400.00");
    assert_eq!(rig.runs(&on)["owed"], 0);
    assert_eq!(rig.has(&account), "400.00");
    rig.platform.close().await;
}
