//! What a processor elsewhere hears of its cards though nobody did it over the API, or though it
//! was away when somebody did: by the real binary, which is killed in between.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::network::Value as Field;
use simulators::processor::{Conduct, Tally};

use super::cards::rig::{Known, Terminal};
use super::plastic::Shop;
use super::processors::{Far, start, until};
use crate::http::get;

/// The last that it heard of a card, and it alone, is this.
fn last(tally: &Tally, card: &str, act: &str) -> bool {
    tally.of(card).last().is_some_and(|heard| heard == act)
}

async fn hears(far: &Far, card: &str, act: &str) {
    until(far, |tally| last(tally, card, act)).await;
}

/// Three wrong PINs; the card is locked then.
async fn forgets_the_pin(terminal: &Terminal, card: &Known) {
    let block = card.by_the_issuers_keys("1357").pin_block_0(None);
    for _ in 0..3 {
        let answer = terminal.asks(card, Some((52, Field::Bytes(block.to_vec())))).await;
        assert_ne!(answer, "0000");
    }
}

// covers: SR-109, SR-110, SR-112, SR-172
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_elsewhere_is_heard_by_the_processor() {
    let (far, rig) = start().await;
    let (terminal, card) = (rig.terminal().await, rig.issue("first"));
    let told = rig.issue("second");
    rig.step_up();
    let path = format!("/customers/me/cards/{}/pin", card.id);
    rig.reader.tell(&rig.app, &path, "pin", &json!({ "pin": "8264" })).done(204);
    forgets_the_pin(&terminal, &card).await;
    hears(&far, "sim-1", "stop 6").await;
    assert_eq!(far.processor.tally().of("sim-1"), ["create", "pin", "stop 6"], "once");

    // By command; and whatever the processor does wrong, it hears it in the end.
    let command = |what: &[&str]| rig.platform.served.command(what).expect("done");
    command(&["card", "unlock", &card.id]);
    hears(&far, "sim-1", "unstop").await;
    let conducts = [
        Conduct::Late(Duration::from_millis(300)),
        Conduct::Twice,
        Conduct::Cut,
        Conduct::Half,
        Conduct::Other,
        Conduct::Garbage,
        Conduct::Status(503),
    ];
    for conduct in conducts {
        let asked = far.processor.tally().questions;
        far.does(conduct);
        command(&["card", "lock", &card.id, "--code", "3"]);
        until(&far, |tally| tally.questions > asked).await;
        far.does_right();
        hears(&far, "sim-1", "stop 3").await;
        command(&["card", "unlock", &card.id]);
        hears(&far, "sim-1", "unstop").await;
    }
    // A refusal is the end of it, until something else becomes of the card.
    far.does(Conduct::Refuse);
    command(&["card", "lock", &card.id, "--code", "4"]);
    waits_for_nobody(&rig.platform, "AND refused_at IS NOT NULL").await;
    far.does_right();
    command(&["card", "lock", &card.id, "--code", "1"]);
    hears(&far, "sim-1", "stop 1").await;

    // One card's processor that hears nothing keeps nobody else's from hearing.
    command(&["card", "lock", &told.id, "--code", "2"]);
    hears(&far, "sim-2", "stop 2").await;
    waits_for_nobody(&rig.platform, "").await;
    let metrics = get(rig.platform.served.http(), "/metrics");
    for outcome in ["told", "again", "refused"] {
        let line = format!("cardswitch_processor_tellings_total{{outcome=\"{outcome}\"}}");
        assert!(metrics.contains(&line), "{outcome}: {metrics}");
    }
    far.keeps_quiet(&[&card.pan, &told.pan, "8264"]);
    rig.platform.close().await;
}

/// Waits until no card has anything to be told, and one at the least is so.
async fn waits_for_nobody(platform: &super::platform::Platform, one: &str) {
    let sql = format!(
        "SELECT (SELECT count(*) FROM processor_telling WHERE NOT waits {one}) \
         * (1 - least(1, (SELECT count(*) FROM processor_telling WHERE waits)))"
    );
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..3_000 {
        if platform.count(&sql).await > 0 {
            return;
        }
        looks.tick().await;
    }
    panic!("something waits");
}

// covers: SR-165, SR-170, SR-172
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_told_by_the_switch_that_comes_after() {
    let far = Far::start().await;
    let pin_key = ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk".to_owned());
    let mut shop = Shop::open_with([far.configuration(), vec![pin_key]].concat()).await;
    far.is_chosen(&shop.platform, shop.partner.programme);
    let order = shop.orders("first");
    let id = shop.made(&order).await;
    let name = far.processor.tally().heard.last().expect("a card").card.clone();
    // Away: activated and locked by command, and the lock changed over the API.
    far.processor.die();
    shop.platform.served.command(&["card", "activate", &id]).expect("activated");
    shop.platform.served.command(&["card", "lock", &id, "--code", "3"]).expect("locked");
    let lock = format!("{}/lock", shop.card(&id));
    let stolen = json!({ "reasonCode": 2 });
    let client = shop.partner.client.clone();
    client.post(&lock, "over the API", &stolen).done(204);
    assert_eq!(shop.details(&id)["lock"]["reasonCode"], 2);
    let waits = "SELECT count(*) FROM processor_telling WHERE waits";
    assert_eq!(shop.platform.count(waits).await, 1);
    let shop = shop.crash(Vec::new());
    assert_eq!(shop.platform.count(waits).await, 1, "whoever died told nobody");
    far.processor.revive().await.expect("there again");
    hears(&far, &name, "stop 2").await;
    waits_for_nobody(&shop.platform, "").await;
    let mut heard = far.processor.tally().of(&name);
    heard.dedup();
    let expected = ["create", "stop 2", "activate"];
    assert_eq!(heard, expected, "what it is, what takes rights away first, and not what it was");
    let again = shop.partner.client.post(&lock, "again", &stolen);
    assert_eq!((again.status, again.text.as_str()), (204, ""), "{again:?}");
    let unlocked =
        shop.partner.client.post(&format!("{}/unlock", shop.card(&id)), "u", &Value::Null);
    assert_eq!(unlocked.refused(), (409, "CONFLICT".into()), "for good");
    assert_eq!(far.processor.tally().of(&name).last().map(String::as_str), Some("stop 2"));
    shop.close().await;
}
