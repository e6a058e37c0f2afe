//! The seed's two sequence diagrams, step by step as it prints them, by the real binary: a virtual
//! card (SR-161, seven steps) and a plastic one (SR-163 to SR-167, twenty-four). Then what else a
//! card goes through at a terminal, and a search for every number, code and PIN that occurred.
//!
//! Twice: the diagrams' processor is a part of the switch, and it is elsewhere, over HTTPS with
//! certificates on both sides, where it makes every number and hears what becomes of every card.

mod cast;
mod searched;

use serde_json::{Value, json};
use simulators::bureau::Worked;
use simulators::chip::Flaw;

use self::cast::{CARD_PIN, Cast};
use super::cards::locks::TABLE;
use super::cards::rig::{Known, Terminal};
use super::plastic::{self, RIGHT};
use super::processors::Far;
use crate::issuer::connect;

const NONE: &Value = &Value::Null;

// covers: SR-160, SR-161, SR-162, SR-163, SR-164, SR-165, SR-166, SR-167, SR-168, SR-170, SR-171
// covers: SR-104, SR-105, SR-106, SR-107, SR-108, SR-124, SR-127, SR-129, SR-178, SR-265
#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_two_diagrams_and_nothing_of_a_card_left_anywhere() {
    walk(None).await;
}

// covers: SR-105, SR-109, SR-112, SR-161, SR-165, SR-166, SR-167, SR-170, SR-207
#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_the_processor_elsewhere() {
    walk(Some(Far::start().await)).await;
}

async fn walk(far: Option<Far>) {
    let mut cast = Cast::assemble(far).await;
    let terminal = Terminal::at(cast.platform.served.address("net")).await;
    virtual_card(&mut cast, &terminal).await;
    on_three_channels(&mut cast, &terminal).await;
    let order = plastic_card(&mut cast).await;
    replaced(&mut cast, &order).await;
    locks(&mut cast, &terminal).await;
    drop(terminal);
    searched::nothing_lies_anywhere(cast).await;
}

/// The first diagram: user, mobile app, antaca, payment processor, datacore.
async fn virtual_card(cast: &mut Cast, terminal: &Terminal) {
    // 1. user -> mobile app: generate card.
    // 2. mobile app -> antaca: generate card (userID, SaldoID, configuration ID). Who the user is
    //    the session says.
    let asked = json!({
        "balanceId": cast.balance, "programmeId": cast.acme.programme, "holderName": "ADA LOVELACE"
    });
    let path = "/customers/me/cards/virtual";
    let answer = cast.reader.post(&cast.app, path, "first", &asked);
    // 3. antaca -> payment processor: generate card; 4. card data. 7. status, to who asked.
    let answer = answer.done(201);
    assert!(cast.far.is_none() || cast.heard() == ["sim-1 create"], "{:?}", cast.heard());
    let card = Known::of(&cast.reader.opens(&answer));
    assert_eq!(terminal.buys(&card).await, "0000", "in use when the answer is there");
    // 5. antaca -> datacore: store card; 6. status. It lies there, and not in clear.
    let stored = format!("SELECT count(*) FROM card WHERE id = {}", card.id);
    assert_eq!(cast.platform.count(&stored).await, 1);
    let kept = format!(
        "SELECT count(*) FROM pan_vault JOIN card ON card.vault_row = pan_vault.id WHERE card.id = \
         {} AND position('{}'::bytea in ciphertext) = 0 AND last_four = '{}'",
        card.id,
        card.pan,
        &card.pan[12..]
    );
    assert_eq!(cast.platform.count(&kept).await, 1);
    assert_eq!((card.pan.len(), card.cvv2.len()), (16, 3), "number, code and month (SR-160)");
    cast.noted.push(card);
}

/// Virtual cards on every channel, waited for and not: each is in use when its answer is there.
async fn on_three_channels(cast: &mut Cast, terminal: &Terminal) {
    let wanted = json!({ "balanceId": cast.balance });
    let customers = format!("/secure/customers/{}/cards", cast.ada);
    let panels = format!("/admin/customers/{}/cards", cast.ada);
    let issue = format!("{customers}/virtual");
    let answer = cast.reader.post(&cast.acme.client, &issue, "partner", &wanted).done(201);
    let card = Known::of(&cast.reader.opens(&answer));
    assert_eq!(terminal.buys(&card).await, "0000", "the partner's");
    cast.noted.push(card);
    let issue = format!("{panels}/virtual");
    let answer = cast.reader.post(&cast.manager, &issue, "manager", &wanted).done(201);
    let made = cast.reader.opens(&answer);
    assert!(made.get("cardNo").is_none(), "to an operator nothing is told: {made}");
    let card = cast.revealed(made["cardId"].as_str().expect("a name"));
    assert_eq!(terminal.buys(&card).await, "0000", "the manager's");
    for (client, cards, key) in [
        (cast.app.clone(), "/customers/me/cards", "app"),
        (cast.acme.client.clone(), customers.as_str(), "partner"),
    ] {
        // In clear, and nothing of the card (SR-162).
        let asked = client.post(&format!("{cards}/virtual/async"), key, &wanted).done(202);
        let job = asked.header("location").expect("a place").to_owned();
        let mut done = client.get(&job).done(200).json();
        while done["state"] == "WAITING" {
            tokio::task::yield_now().await;
            done = client.get(&job).done(200).json();
        }
        assert_eq!(done["state"], "DONE", "{done}");
        let card = cast.revealed(done["cardId"].as_str().expect("a name"));
        assert_eq!(terminal.buys(&card).await, "0000", "{key}, not waited for");
    }
}

/// The second diagram: user, mobile app, antaca, payment processor, personalisation institution.
/// The order, which the card came of.
async fn plastic_card(cast: &mut Cast) -> String {
    // 1. user -> mobile app: order card.
    // 2. mobile app -> antaca: OrderCard (delivery address, userID, SaldoID, configuration ID).
    // 3. antaca -> processor: OrderCard; 4. status; 5. status, to the app: no number (SR-164).
    let heard = cast.heard();
    let (path, wanted) = ("/customers/me/cards/physical", plastic::wanted(&cast.balance));
    let ordered = cast.reader.post(&cast.app, path, "order", &wanted).done(201);
    let order = ordered.header("location").expect("a place").to_owned();
    let said = cast.reader.opens(&ordered);
    let status = json!([said["state"], said["cardId"], said["cardNo"]]);
    assert_eq!(status, json!(["ORDERED", null, null]));
    let before = cast.app.get("/customers/me/cards").done(200).json();
    // 6. processor: generate PAN and prepare binary file; 7. processor -> institution: order card.
    cast.until(&order, "SENT").await;
    let unseen = cast.app.get("/customers/me/cards").done(200).json();
    assert_eq!(unseen, before, "nobody sees it before it is linked (SR-168)");
    // The institution makes it. 8. generate orderCardReport.
    let worked = cast.bureau.look(None).expect("it works");
    assert_eq!(worked, Worked { files: 1, cards: 1, refused: 0 });
    // 9. antaca -> processor: get orderCardReport; 10. orderCardReport.
    // 11. connect card with user and saldo. 12. linkCard (trackingNo, reference); 13. status.
    let linked = cast.until(&order, "LINKED").await;
    assert!(linked["trackingNumber"].as_str().is_some_and(|it| it.starts_with("SIM")), "{linked}");
    let read = "SELECT count(*) FROM perso_report WHERE taken = 1 AND fault IS NULL";
    assert_eq!(cast.platform.count(read).await, 1);
    // 14. getAllLinkedCards; 15. full card data; 16. store card. It is the user's now.
    let card = linked["cardId"].as_str().expect("a card").to_owned();
    let path = format!("/customers/me/cards/{card}");
    let details = format!("{path}/details");
    let shown = cast.app.get(&details).done(200).json();
    let seen = json!([shown["form"], shown["status"], shown["balanceId"]]);
    assert_eq!(seen, json!(["PHYSICAL", "INACTIVE", cast.balance]));
    // 17. institution -> user: delivery card. It does not work before it is activated (SR-170).
    let order = linked["orderId"].as_str().expect("an order").to_owned();
    let mut soft = cast.delivered(&order);
    let mut shop = connect(&cast.platform.served, "test", "iso87-ascii").await;
    assert_eq!(plastic::buys(&mut shop, &mut soft, 1, None).await.0, "62");
    // 18. user -> mobile app: activate card; 19. activateCard; 20. antaca -> processor:
    // activateCard; 21. status.
    cast.app.post(&format!("{path}/activate"), "activate", NONE).done(204);
    // 22. update PIN (wPIN); 23. status.
    cast.step_up();
    let pin = json!({ "pin": CARD_PIN });
    cast.reader.tell(&cast.app, &format!("{path}/pin"), "pin", &pin).done(200);
    // 24. antaca: update status in DC. The chip learns of the PIN where it is used online (SR-179).
    let told = |cast: &Cast| {
        let shown = cast.app.get(&details).done(200).json();
        json!([shown["status"], shown["pinStatus"]])
    };
    assert_eq!(told(cast), json!(["ACTIVE", "CHIP_PENDING"]));
    // Chip and PIN in a shop; a wrong PIN is one.
    assert_eq!(plastic::buys(&mut shop, &mut soft, 2, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(plastic::buys(&mut shop, &mut soft, 3, Some(Flaw::Pin)).await.0, "55");
    assert_eq!(plastic::buys(&mut shop, &mut soft, 4, None).await.0, "00");
    assert_eq!(told(cast), json!(["ACTIVE", "SET"]));
    let card = cast.revealed(&card);
    assert_eq!(card.pan, soft.facts().pan.digits(), "what is printed is what is told");
    cast.heard_since(&heard, &["create", "activate", "pin"]); // 6., 20. and 22.
    order
}

/// Plastic in the place of that plastic (SR-207): the one before is worth nothing once the new one
/// is activated, and the processor hears so.
async fn replaced(cast: &mut Cast, order: &str) {
    let mut old = cast.delivered(order);
    old.resume(100);
    let cards = cast.app.get("/customers/me/cards").done(200).json();
    let of_order = |card: &&Value| card["form"] == "PHYSICAL";
    let listed = cards["items"].as_array().expect("cards").iter().find(of_order);
    let before = listed.expect("plastic")["cardId"].as_str().expect("a name").to_owned();
    let mut sent = plastic::wanted("none");
    sent.as_object_mut().expect("members").remove("balanceId");
    let path = format!("/customers/me/cards/{before}/replace");
    let placed = cast.reader.post(&cast.app, &path, "replace", &sent).done(201);
    let order = cast.reader.opens(&placed)["order"]["orderId"].as_str().expect("one").to_owned();
    let place = format!("/customers/me/cards/orders/{order}");
    cast.until(&place, "SENT").await;
    assert_eq!(cast.bureau.look(None).expect("it works").cards, 1);
    let linked = cast.until(&place, "LINKED").await;
    let card = linked["cardId"].as_str().expect("a card").to_owned();
    let mut new = cast.delivered(&order);
    let mut shop = connect(&cast.platform.served, "test", "iso87-ascii").await;
    assert_eq!(plastic::buys(&mut shop, &mut old, 101, None).await.0, "00", "until then");
    let heard = cast.heard();
    let path = format!("/customers/me/cards/{card}");
    cast.app.post(&format!("{path}/activate"), "activate the new", NONE).done(204);
    assert_eq!(plastic::buys(&mut shop, &mut old, 102, None).await.0, "14", "locked: replaced");
    cast.step_up();
    let pin = json!({ "pin": CARD_PIN });
    cast.reader.tell(&cast.app, &format!("{path}/pin"), "the same", &pin).done(200);
    assert_eq!(plastic::buys(&mut shop, &mut new, 103, None).await, ("00".to_owned(), RIGHT));
    cast.heard_since(&heard, &["activate", "stop 8", "pin"]);
    let known = cast.revealed(&card);
    assert_eq!(known.pan, new.facts().pan.digits());
}

/// On a card just issued: bought with, locked for each reason, unlocked or refused, removed.
async fn locks(cast: &mut Cast, terminal: &Terminal) {
    let cards = format!("/secure/customers/{}/cards", cast.ada);
    for (code, is_final, action) in TABLE {
        let issue = format!("{cards}/virtual");
        let wanted = json!({ "balanceId": cast.balance });
        let key = format!("card {code}");
        let answer = cast.reader.post(&cast.acme.client, &issue, &key, &wanted).done(201);
        let card = Known::of(&cast.reader.opens(&answer));
        assert_eq!(terminal.buys(&card).await, "0000", "{code}: just issued");
        let one = format!("{cards}/{}", card.id);
        let lock = json!({ "reasonCode": code });
        cast.acme.client.post(&format!("{one}/lock"), &key, &lock).done(204);
        assert_eq!(terminal.buys(&card).await, action, "{code}: it holds from its answer on");
        let unlocked = cast.acme.client.post(&format!("{one}/unlock"), &key, NONE);
        if is_final {
            assert_eq!(unlocked.refused(), (409, "CONFLICT".into()), "{code}");
        } else {
            unlocked.done(204);
        }
        let after = if is_final { action } else { "0000" };
        assert_eq!(terminal.buys(&card).await, after, "{code}: unlocked, or never");
        cast.acme.client.send("DELETE", &one, &[], None).done(204);
        assert_ne!(terminal.buys(&card).await, "0000", "{code}: removed");
        cast.noted.push(card);
    }
}
