//! What it costs to open an account and to have a card made or replaced.

use serde_json::{Value, json};

use super::{Rig, handle};

fn rule(event: &str, fee: &str, taken: &str) -> Value {
    json!({ "event": event, "fixed": fee, "taken": taken })
}

// covers: SR-240
#[tokio::test(flavor = "multi_thread")]
async fn sr_240_a_new_account_pays_once_it_has_money() {
    let rig = Rig::start().await;
    rig.charges(&json!([rule("account_created", "4.90", "AT_ONCE")]));
    let (customer, account) = rig.somebody("u-1");
    assert_eq!((rig.has(&account), rig.charged(&account)), ("0.00".to_owned(), vec![]));
    // Asked for again it is the same account, and owes nothing more.
    rig.acme.opens(&customer, "open u-1");
    rig.until("fee_owed", 1).await;
    rig.tops_up(&account, "20.00", "first");
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", 1).await;
    assert_eq!(rig.has(&account), "15.10");
    let charged = rig.charged(&account);
    assert_eq!(charged, [("account_created".into(), "4.90".into(), "AT_ONCE".into())]);
    // The partner pays what is invoiced at once.
    rig.charges(&json!([rule("account_created", "4.90", "INVOICED")]));
    let (_, other) = rig.somebody("u-2");
    rig.until("fees_charged", 2).await;
    assert_eq!(rig.has(&other), "0.00");
    rig.platform.close().await;
}

// covers: SR-241
#[tokio::test(flavor = "multi_thread")]
async fn sr_241_a_card_is_made_where_its_fee_can_be_paid_and_pays_it_once() {
    let rig = Rig::start().await;
    let (customer, account) = rig.somebody("u-1");
    rig.charges(&json!([
        { "event": "card_created", "form": "VIRTUAL", "fixed": "1.50", "taken": "AT_ONCE" },
        { "event": "card_created", "form": "PHYSICAL", "fixed": "9.00", "taken": "AT_ONCE" },
        rule("card_replaced", "2.50", "AT_ONCE")
    ]));
    let poor = rig.issues(&customer, &account, "first");
    assert_eq!(poor.refused(), (409, "INSUFFICIENT_FUNDS".into()));
    assert_eq!(rig.platform.count("SELECT count(*) FROM card_profile").await, 0);
    rig.tops_up(&account, "4.00", "first");
    let issued = rig.issues(&customer, &account, "second").done(201);
    let card = rig.reader.opens(&issued)["card"]["cardId"].clone();
    let card = card.as_str().expect("a card").to_owned();
    assert_eq!(rig.has(&account), "2.50", "it is charged before the answer");
    rig.issues(&customer, &account, "second").done(201);
    assert_eq!(rig.has(&account), "2.50", "the same order is the same card");
    // The next one costs more than there is: and is no order either.
    rig.charges(&json!([
        rule("card_created", "2.51", "AT_ONCE"),
        rule("card_replaced", "2.50", "AT_ONCE")
    ]));
    let poor = rig.issues(&customer, &account, "third");
    assert_eq!(poor.refused(), (409, "INSUFFICIENT_FUNDS".into()));
    let replace = format!("/secure/customers/{customer}/cards/{card}/replace");
    let body = json!({ "holderName": "ADA LOVELACE" });
    rig.reader.post(&rig.acme.client, &replace, "replace", &body).done(201);
    rig.reader.post(&rig.acme.client, &replace, "replace", &body).done(201);
    assert_eq!(rig.has(&account), "0.00");
    rig.until("fees_charged", 2).await;
    let charged: Vec<_> = rig.charged(&account).into_iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(
        charged,
        [("card_replaced".into(), "2.50".into()), ("card_created".into(), "1.50".into())]
    );
    assert_eq!(rig.platform.count("SELECT count(*) FROM fee_owed").await, 0);
    rig.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_switch_was_killed_before_the_fee_pays_afterwards_and_one_that_is_none_not() {
    let rig = Rig::start().await;
    let (customer, account) = rig.somebody("u-1");
    rig.tops_up(&account, "10.00", "first");
    rig.charges(&json!([rule("card_created", "1.50", "AT_ONCE")]));
    rig.issues(&customer, &account, "first").done(201);
    rig.until("fees_charged", 1).await;
    // As if it had been killed between card and fee, and between order and card.
    let lost = "\
        INSERT INTO fee_owed SELECT gen_random_uuid(), partner_id, 1, balance_id, NULL, order_id, \
            'card_created', 150, 978, 'AT_ONCE', 'card_created', now(), now() FROM card_profile; \
        INSERT INTO fee_owed SELECT gen_random_uuid(), partner_id, 1, balance_id, NULL, \
            gen_random_uuid(), 'card_created', 150, 978, 'AT_ONCE', 'card_created', now(), now() \
            FROM card_profile";
    rig.platform.sql(lost).await;
    rig.until("fee_owed", 0).await;
    rig.until("fees_charged", 2).await;
    assert_eq!(rig.has(&account), "7.00");
    assert!(handle(&account).len() > 30);
    rig.platform.close().await;
}
