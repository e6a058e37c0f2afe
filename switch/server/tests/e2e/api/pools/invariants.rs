//! What must hold of money whatever happens (section 8 of the requirements): top-ups, reloads,
//! purchases and reversals at once, and the switch killed in the middle of them. It keeps a book of
//! its own of what was answered, asks again for what was not, and compares.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use simulators::acquirer::Acquirer;

use super::summary::in_ledger;
use super::{Rig, account, in_account};
use crate::api::client::{Answer, Client};
use crate::api::platform::{Partner, euros};
use crate::stage::{peer, purchase};

/// Answers before the switch is killed, of each kind of asker.
const BEFORE: usize = 50;
/// And asked for after it.
const AFTER: u32 = 15;

/// Somebody who books money in one place, one time after the other, each under a key of its own.
#[derive(Clone)]
struct Booking {
    client: Client,
    path: String,
    done: u16,
    booked: i64,
    refused: usize,
    /// The next.
    number: u32,
}

impl Booking {
    fn new(client: &Client, path: String, done: u16) -> Self {
        Self { client: client.clone(), path, done, booked: 0, refused: 0, number: 0 }
    }

    fn cents(&self) -> i64 {
        50 + i64::from(self.number) * 37 % 250
    }

    /// Asks for the next; false where nobody answered, and then it is still the next.
    fn ask(&mut self) -> bool {
        let cents = self.cents();
        let key = format!("booking {}", self.number);
        let amount = euros(&format!("{}.{:02}", cents / 100, cents % 100));
        let body = json!({ "amount": amount, "reference": key });
        let asking = || self.client.post(&self.path, &key, &body);
        loop {
            let Ok(answer) = catch_unwind(AssertUnwindSafe(asking)) else { return false };
            // Of a switch that died: until its claim has run out.
            if !answer.text.contains("REQUEST_IN_PROGRESS") {
                self.note(&answer, cents);
                return true;
            }
        }
    }

    fn note(&mut self, answer: &Answer, cents: i64) {
        if answer.status == self.done {
            self.booked += cents;
        } else {
            assert_eq!(answer.refused(), (409, "INSUFFICIENT_FUNDS".into()));
            self.refused += 1;
        }
        self.number += 1;
    }
}

/// A purchase, as far as the terminal knows.
#[derive(Clone, Copy)]
struct Deal {
    stan: u32,
    cents: u64,
    /// Unknown where nobody answered.
    approved: Option<bool>,
    /// It wants it undone, and was told that it is.
    undone: Option<bool>,
}

/// A terminal at which one card buys, and undoes every third of what it bought.
struct Till {
    pan: String,
    base: u32,
    deals: Vec<Deal>,
    acquirer: Acquirer,
}

impl Till {
    async fn asks(&mut self, message: &simulators::iso::Message) -> Option<bool> {
        let answer = self.acquirer.exchange(0, message).await.ok()?;
        Some(answer.text(39) == Some("00"))
    }

    fn reversal(&self, deal: Deal) -> simulators::iso::Message {
        let Deal { stan, cents, .. } = deal;
        let names = format!("0100{stan:06}1123{stan:06}{:011}{:011}", 123_456, 0);
        let plain = purchase(&self.pan, stan + 50_000, cents).retyped("0400");
        plain.and_then(|message| message.with(90, names)).expect("a message")
    }

    /// One purchase, and its reversal where it is its turn; false where nobody answered.
    async fn deal(&mut self) -> bool {
        let number = u32::try_from(self.deals.len()).expect("few");
        let (stan, cents) = (self.base + number, 40 + u64::from(number) * 61 % 400);
        let bought = purchase(&self.pan, stan, cents);
        let approved = self.asks(&bought).await;
        let mut deal = Deal { stan, cents, approved, undone: None };
        if approved == Some(true) && number % 3 == 0 {
            deal.undone = Some(self.asks(&self.reversal(deal)).await.is_some());
        }
        self.deals.push(deal);
        approved.is_some() && deal.undone != Some(false)
    }

    /// A terminal undoes what it was not answered, until that is answered.
    async fn settles(&mut self) {
        for index in 0..self.deals.len() {
            let deal = self.deals[index];
            if deal.approved.is_none() || deal.undone == Some(false) {
                let told = self.asks(&self.reversal(deal)).await;
                assert_eq!(told, Some(true), "a reversal is taken");
                self.deals[index].undone = Some(true);
            }
        }
    }

    fn held(&self) -> i64 {
        let kept = |deal: &&Deal| deal.approved == Some(true) && deal.undone.is_none();
        self.deals.iter().filter(kept).map(|deal| deal.cents.cast_signed()).sum()
    }

    fn declined(&self) -> usize {
        self.deals.iter().filter(|deal| deal.approved == Some(false)).count()
    }
}

/// A customer's account, who puts money there, and what is bought from it.
struct Wallet {
    account: String,
    top_ups: Booking,
    till: Till,
}

impl Wallet {
    async fn new(rig: &Rig, partner: &Partner, number: u32) -> Self {
        let account = account(partner, &format!("u-{number}"));
        let name = account.rsplit('/').next().expect("a name");
        let (_, pan) = rig.platform.card_for(name).await;
        let top_ups = Booking::new(&partner.client, format!("{account}/reload"), 200);
        let acquirer = peer(rig.platform.served.link, 1).await;
        let till = Till { pan, base: number * 100_000, deals: Vec::new(), acquirer };
        Self { account, top_ups, till }
    }
}

fn minor(value: &Value) -> i64 {
    value.as_str().expect("an amount").replace('.', "").parse().expect("digits")
}

/// What the entries of an account's statement come to.
fn stated(client: &Client, account: &str) -> i64 {
    let (mut total, mut cursor) = (0, String::new());
    // It may be past midnight since.
    let since = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    let since = since.strftime("%Y-%m-%d").to_string();
    loop {
        let page = format!("{account}/statement?from={since}&limit=50{cursor}");
        let page = client.get(&page).done(200).json();
        let entries = page["entries"].as_array().expect("entries");
        total += entries.iter().map(|entry| minor(&entry["amount"]["value"])).sum::<i64>();
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return total,
        }
    }
}

/// Everybody asks at once, as often as `times`, or until nobody answers: the switch was killed.
struct Rush {
    /// Of bookings, and of purchases.
    answered: Arc<[AtomicUsize; 2]>,
    times: Option<u32>,
}

impl Rush {
    fn books(&self, mut booking: Booking) -> std::thread::JoinHandle<Booking> {
        let (answered, times) = (Arc::clone(&self.answered), self.times.unwrap_or(u32::MAX));
        std::thread::spawn(move || {
            for _ in 0..times {
                if !booking.ask() {
                    break;
                }
                answered[0].fetch_add(1, Ordering::SeqCst);
            }
            booking
        })
    }

    fn deals(&self, mut till: Till) -> tokio::task::JoinHandle<Till> {
        let (answered, times) = (Arc::clone(&self.answered), self.times.unwrap_or(u32::MAX));
        tokio::spawn(async move {
            for _ in 0..times {
                if !till.deal().await {
                    break;
                }
                answered[1].fetch_add(1, Ordering::SeqCst);
            }
            till
        })
    }
}

/// All bookings and tills go on at once; `meanwhile` has its say while they do.
async fn rush(
    wallets: Vec<Wallet>,
    reloads: Vec<Booking>,
    times: Option<u32>,
    meanwhile: impl AsyncFnOnce(&[AtomicUsize; 2]),
) -> (Vec<Wallet>, Vec<Booking>) {
    let rush = Rush { answered: Arc::default(), times };
    let reloads: Vec<_> = reloads.into_iter().map(|one| rush.books(one)).collect();
    let wallets = wallets
        .into_iter()
        .map(|Wallet { account, top_ups, till }| (account, rush.books(top_ups), rush.deals(till)));
    let wallets: Vec<_> = wallets.collect();
    meanwhile(&rush.answered).await;
    let mut back = Vec::new();
    for (account, top_ups, till) in wallets {
        let till = till.await.expect("a till");
        back.push(Wallet { account, top_ups: top_ups.join().expect("a thread"), till });
    }
    (back, reloads.into_iter().map(|one| one.join().expect("a thread")).collect())
}

// covers: SR-221, SR-223, SR-225, SR-227, SR-231, SR-232, A-23, A-26
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_once_and_though_it_is_killed_money_is_where_it_was_put() {
    let claim = ("CARDSWITCH_API__REQUESTS__CLAIM_MS", "5000".to_owned());
    let mut rig = Rig::start_with(vec![claim]).await;
    let pools = ["CREDIT", "DEPOSIT"].map(|kind| rig.opens(kind, "EUR"));
    let partners = [(&pools[0], "99999914"), (&pools[1], "99999915")];
    let [credit, deposit] = partners.map(|(pool, bin)| rig.funded_by(pool, bin));
    let mut wallets = Vec::new();
    for (number, partner) in [&credit, &credit, &deposit, &deposit].into_iter().enumerate() {
        wallets.push(Wallet::new(&rig, partner, u32::try_from(number + 1).expect("few")).await);
    }
    let reloads = pools.each_ref().map(|pool| format!("/admin/pools/{pool}/reloads"));
    let reloads = reloads.map(|path| Booking::new(&rig.mia, path, 201)).into();

    // All at once, and killed in the middle.
    let mut killed = None;
    let platform = rig.platform;
    let (mut wallets, mut reloads) = rush(wallets, reloads, None, async |answered| {
        while answered.iter().any(|kind| kind.load(Ordering::SeqCst) < BEFORE) {
            tokio::task::yield_now().await;
        }
        killed = Some(platform.crash(|_, _| (), Vec::new()));
    })
    .await;
    rig.platform = killed.expect("it was killed, and serves again");
    let open = rig.platform.served.api("open");
    (rig.mia, rig.max, rig.ada) = (rig.mia.at(open), rig.max.at(open), rig.ada.at(open));
    let secure = rig.acme.client.at(rig.platform.served.api("secure"));

    // Who was not answered asks again: top-ups under their key, terminals by a reversal.
    for reload in &mut reloads {
        reload.client = rig.mia.clone();
        assert!(reload.ask());
    }
    for wallet in &mut wallets {
        wallet.top_ups.client = secure.clone();
        assert!(wallet.top_ups.ask());
        wallet.till.acquirer = peer(rig.platform.served.link, 1).await;
        wallet.till.settles().await;
    }
    compare(&rig, &secure, &pools, (&wallets, &reloads)).await;

    // And on.
    let (wallets, reloads) = rush(wallets, reloads, Some(AFTER), async |_| ()).await;
    compare(&rig, &secure, &pools, (&wallets, &reloads)).await;
    let declined: usize = wallets.iter().map(|wallet| wallet.till.declined()).sum();
    let refused: usize = wallets.iter().map(|wallet| wallet.top_ups.refused).sum();
    assert!(declined > 0 && refused > 0, "{declined} declined, {refused} refused: too easy");
    drop(wallets);
    rig.platform.close().await;
}

/// Everything is where the book of the test has it.
async fn compare(
    rig: &Rig,
    secure: &Client,
    pools: &[String; 2],
    (wallets, reloads): (&[Wallet], &[Booking]),
) {
    let acme = Partner { id: rig.acme.id.clone(), programme: 0, client: secure.clone() };
    let amounts = |pool: &String| rig.amounts(pool).map(|text| minor(&Value::from(text)));
    let (mut topped, mut held) = ([0, 0], [0, 0]);
    for (index, Wallet { account, top_ups, till }) in wallets.iter().enumerate() {
        let told = in_account(&acme, account).map(|text| minor(&Value::from(text)));
        let (ledger, on_hold) = (top_ups.booked, till.held());
        assert_eq!(told, [ledger, on_hold, ledger - on_hold], "account {index}");
        assert!(told[2] >= 0, "nobody has less than nothing");
        while stated(secure, account) != ledger {
            tokio::task::yield_now().await; // the tables follow
        }
        topped[index / 2] += ledger;
        held[index / 2] += on_hold;
    }
    // Credit: what customers have came out of it, and holds are none of its business.
    let level = reloads[0].booked - topped[0];
    assert_eq!(amounts(&pools[0]), [level, 0, level], "credit");
    // Deposit: held with each hold of a customer, both or neither.
    let level = reloads[1].booked;
    assert_eq!(amounts(&pools[1]), [level, held[1], level - held[1]], "deposit");
    // Customers' money, and all: the thousand euros of the first pool beside.
    let summary = secure.get("/secure/summary-balances").done(200).json();
    let of_euros = &summary["items"][0];
    let users = topped[0] + topped[1];
    let partners = 100_000 + reloads[0].booked - topped[0] + reloads[1].booked;
    let told = ["users", "wallet"].map(|name| minor(&of_euros[name]["value"]));
    assert_eq!(told, [users, users + partners]);
    assert_eq!(in_ledger(rig, "EUR"), [users, partners]);
}
