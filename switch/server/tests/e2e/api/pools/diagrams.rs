//! The seed's two sequence diagrams of partners' money, with each branch of their `alt`: the credit
//! balance, which caps what customers are given, and the deposit, which each authorization charges.
//! What is decided, at which step and in which order, is tried with the engine alone; that several
//! shards never take more than there is, with the shards (`behaviour` of both).

use simulators::acquirer::Acquirer;
use simulators::iso::Message;

use super::{NONE, Rig, account, in_account, tops_up};
use crate::api::platform::Partner;
use crate::stage::{peer, purchase};

// covers: SR-220, SR-221, SR-222, SR-223, SR-228, SR-229, SR-024, A-25
#[tokio::test(flavor = "multi_thread")]
async fn credit_charges_the_partner_for_a_top_up_or_nothing_moves() {
    let rig = Rig::start().await;
    let pool = rig.opens("CREDIT", "EUR");
    let acme = rig.funded_by(&pool, "99999914");
    let account = account(&acme, "u-1");
    // 1 to 3: the partner's bank transfers money, and it is booked there. 4: the licensed issuer
    // tops up the credit balance, and nobody else does.
    let reloaded = rig.reloads(&rig.mia, &pool, ("100.00", "EUR"), "transfer 4711").done(201);
    assert_eq!(reloaded.json()["state"], "DONE");
    let own = format!("/secure/pools/{pool}");
    let refused = acme.client.post(&format!("{own}/reloads"), "own", NONE);
    assert_eq!(refused.status, 405, "a partner reloads no pool");
    let told = acme.client.get(&own).done(200).json();
    assert_eq!((&told["kind"], &told["available"]["value"]), (&"CREDIT".into(), &"100.00".into()));
    // 5: the partner asks for a top-up of a customer. It covers it: 6 and 7 are one, 8 success.
    tops_up(&acme, &account, "60.00", "first").done(200);
    assert_eq!(rig.amounts(&pool), ["40.00", "0.00", "40.00"]);
    assert_eq!(in_account(&acme, &account), ["60.00", "0.00", "60.00"]);
    // Else: 9, insufficient funds. Neither moved.
    let refused = tops_up(&acme, &account, "40.01", "second");
    assert_eq!(refused.refused(), (409, "INSUFFICIENT_FUNDS".into()));
    assert_eq!(rig.amounts(&pool), ["40.00", "0.00", "40.00"]);
    assert_eq!(in_account(&acme, &account), ["60.00", "0.00", "60.00"]);
    tops_up(&acme, &account, "40.00", "third").done(200);
    assert_eq!(rig.amounts(&pool), ["0.00", "0.00", "0.00"]);
    // What the customer buys is the customer's affair: an authorization charges no credit.
    let (_, pan) = rig.platform.card_for(account.rsplit('/').next().expect("a name")).await;
    assert_eq!(rig.platform.buys(&pan, 1, 10_000).await, "00");
    assert_eq!(rig.amounts(&pool), ["0.00", "0.00", "0.00"]);
    assert_eq!(in_account(&acme, &account), ["100.00", "100.00", "0.00"]);
    rig.platform.close().await;
}

/// A deposit with a hundred euros, and an account of a customer with a card.
struct Deposit {
    rig: Rig,
    acme: Partner,
    pool: String,
    account: String,
    card: String,
    pan: String,
    acquirer: Acquirer,
}

impl Deposit {
    async fn start(more: Vec<(&'static str, String)>) -> Self {
        let rig = Rig::start_with(more).await;
        let pool = rig.opens("DEPOSIT", "EUR");
        let acme = rig.funded_by(&pool, "99999914");
        let account = account(&acme, "u-1");
        rig.reloads(&rig.mia, &pool, ("100.00", "EUR"), "transfer 4711").done(201);
        tops_up(&acme, &account, "80.00", "first").done(200);
        let (card, pan) = rig.platform.card_for(account.rsplit('/').next().expect("a name")).await;
        let acquirer = peer(rig.platform.served.link, 1).await;
        Self { rig, acme, pool, account, card, pan, acquirer }
    }

    async fn asks(&mut self, message: Message) -> String {
        let answer = self.acquirer.exchange(0, &message).await.expect("an answer");
        answer.text(39).expect("an action code").to_owned()
    }

    /// A message about an earlier purchase.
    fn about(&self, mti: &str, stan: u32, cents: u64, original: u32) -> Message {
        let names = format!("0100{original:06}1123{original:06}{:011}{:011}", 123_456, 0);
        let plain = purchase(&self.pan, stan, cents).retyped(mti);
        plain.and_then(|message| message.with(90, names)).expect("a message")
    }

    /// What is in the deposit and in the account.
    fn stands(&self) -> ([String; 3], [String; 3]) {
        (self.rig.amounts(&self.pool), in_account(&self.acme, &self.account))
    }

    #[track_caller]
    fn stand(&self, deposit: [&str; 3], account: [&str; 3]) {
        assert_eq!(self.stands(), (deposit.map(str::to_owned), account.map(str::to_owned)));
    }

    /// Why the latest of so many was declined, once the tables have it.
    async fn reason_of_decline(&self, number: usize) -> String {
        let owner = self.account.split("/balances/").next().expect("a customer");
        let list = format!("{owner}/cards/{}/authorizations?approved=false", self.card);
        loop {
            let listed = self.acme.client.get(&list).done(200).json();
            let items = listed["items"].as_array().expect("items");
            if items.len() == number {
                return items[0]["reason"].as_str().expect("a code").to_owned();
            }
            tokio::task::yield_now().await;
        }
    }
}

// covers: SR-220, SR-224, SR-225, SR-226, SR-227, SR-228, A-23, A-24, A-26
#[tokio::test(flavor = "multi_thread")]
async fn deposit_is_charged_with_the_customers_funds_or_neither_is() {
    let mut stage = Deposit::start(Vec::new()).await;
    // A top-up of what the partner holds itself takes nothing of the deposit.
    stage.stand(["100.00", "0.00", "100.00"], ["80.00", "0.00", "80.00"]);
    // 7, 8: it is charged, and is enough. 9: the customer's funds are locked, not debited. 10 to
    // 12: success.
    assert_eq!(stage.asks(purchase(&stage.pan, 1, 5_000)).await, "00");
    stage.stand(["100.00", "50.00", "50.00"], ["80.00", "50.00", "30.00"]);
    // 13 to 15: the deposit is enough, the customer's funds are not. What 8 took is given back.
    assert_eq!(stage.asks(purchase(&stage.pan, 2, 4_000)).await, "51");
    assert_eq!(stage.reason_of_decline(1).await, "INSUFFICIENT_FUNDS");
    stage.stand(["100.00", "50.00", "50.00"], ["80.00", "50.00", "30.00"]);
    // 16 to 18: the deposit is not enough. It is asked first, also where neither is.
    assert_ne!(stage.asks(purchase(&stage.pan, 3, 5_001)).await, "00");
    assert_eq!(stage.reason_of_decline(2).await, "PARTNER_DEPOSIT_INSUFFICIENT");
    tops_up(&stage.acme, &stage.account, "100.00", "second").done(200);
    assert_ne!(stage.asks(purchase(&stage.pan, 4, 5_001)).await, "00");
    assert_eq!(stage.reason_of_decline(3).await, "PARTNER_DEPOSIT_INSUFFICIENT");
    stage.stand(["100.00", "50.00", "50.00"], ["180.00", "50.00", "130.00"]);
    // Released at a reversal, both of them, in part and in whole.
    assert_eq!(stage.asks(purchase(&stage.pan, 5, 2_000)).await, "00");
    stage.stand(["100.00", "70.00", "30.00"], ["180.00", "70.00", "110.00"]);
    let leaves = format!("{:012}{:030}", 500, 0);
    let part = stage.about("0400", 6, 2_000, 5).with(95, leaves).expect("an amount");
    assert_eq!(stage.asks(part).await, "00");
    stage.stand(["100.00", "55.00", "45.00"], ["180.00", "55.00", "125.00"]);
    let whole = stage.about("0400", 7, 2_000, 5);
    assert_eq!(stage.asks(whole).await, "00");
    stage.stand(["100.00", "50.00", "50.00"], ["180.00", "50.00", "130.00"]);
    // Posted at clearing, both of them: the hold goes, and what was settled.
    let cleared = stage.about("0220", 8, 4_500, 1);
    assert_eq!(stage.asks(cleared).await, "00");
    stage.stand(["55.00", "0.00", "55.00"], ["135.00", "0.00", "135.00"]);
    // Filled again, it is there for the next.
    assert_ne!(stage.asks(purchase(&stage.pan, 9, 6_000)).await, "00");
    let (rig, pool) = (&stage.rig, &stage.pool);
    rig.reloads(&rig.mia, pool, ("10.00", "EUR"), "transfer 4712").done(201);
    assert_eq!(stage.asks(purchase(&stage.pan, 10, 6_000)).await, "00");
    stage.stand(["65.00", "60.00", "5.00"], ["135.00", "60.00", "75.00"]);
    drop(stage.acquirer);
    stage.rig.platform.close().await;
}

//
#[tokio::test(flavor = "multi_thread")]
async fn deposit_is_released_with_the_hold_that_lived_its_life() {
    let short = ["CARDSWITCH_HOLDS__LIFE_S", "CARDSWITCH_HOLDS__EVERY_S"];
    let mut stage = Deposit::start(short.map(|name| (name, "1".to_owned())).into()).await;
    assert_eq!(stage.asks(purchase(&stage.pan, 1, 8_000)).await, "00");
    // Each question is a connection of its own: so it takes as long as it takes.
    while stage.rig.amounts(&stage.pool)[1] != "0.00" {}
    stage.stand(["100.00", "0.00", "100.00"], ["80.00", "0.00", "80.00"]);
    assert_eq!(stage.asks(purchase(&stage.pan, 2, 8_000)).await, "00", "it is there again");
    drop(stage.acquirer);
    stage.rig.platform.close().await;
}
