//! Summary balances: of one moment while money moves, and what the ledger says.

use serde_json::{Value, json};

use super::{Rig, account, tops_up};
use crate::api::client::Client;
use crate::api::platform::euros;
use crate::stage::{cardswitch, peer, purchase};

/// Users, partners' own, and both, of a currency.
fn figures(client: &Client, path: &str, currency: &str) -> [i64; 3] {
    let told = client.get(path).done(200).json();
    let items = told["items"].as_array().expect("items");
    let one = items.iter().find(|one| one["currency"] == currency).expect("the currency");
    ["users", "partnerBalances", "wallet"].map(|name| minor(&one[name]["value"]))
}

fn minor(value: &Value) -> i64 {
    value.as_str().expect("an amount").replace('.', "").parse().expect("digits")
}

/// What the trial balance has on accounts of a kind.
pub(super) fn in_ledger(rig: &Rig, currency: &str) -> [i64; 2] {
    let output = cardswitch(rig.platform.directory.path())
        .args(["ledger", "trial-balance", "--json"])
        .env("DATABASE_URL", rig.platform.database.url().expose())
        .output()
        .expect("the command runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["balanced"], true);
    let accounts = told["accounts"].as_array().expect("accounts");
    ["balance", "pool"].map(|kind| {
        let of = |one: &&Value| one["account"] == kind && one["currency"] == currency;
        accounts.iter().filter(of).map(|one| minor(&one["amount"])).sum()
    })
}

const OWN: &str = "/secure/summary-balances";
const ALL: &str = "/admin/summary-balances";

// covers: SR-023, SR-231, SR-232, SR-233
#[tokio::test(flavor = "multi_thread")]
async fn users_and_wallet_are_of_one_moment_and_equal_to_the_ledger() {
    let mut rig = Rig::start().await;
    let other = rig.platform.partner("Other", "99999913");
    let yen = rig.opens("DEPOSIT", "JPY");
    let told = rig.acme.client.get(OWN).done(200).json();
    let nothing = json!({ "value": "0", "currency": "JPY" });
    let of_yen = &told["items"][0];
    assert_eq!((&of_yen["currency"], &of_yen["users"]), (&"JPY".into(), &nothing));
    rig.reloads(&rig.mia, &yen, ("500", "JPY"), "yen").done(201);
    assert_eq!(rig.acme.client.get(OWN).done(200).json()["items"][1]["users"], euros("0.00"));

    // While money goes from the partner to its customers, together they have what they had.
    let accounts: Vec<_> = (0..3).map(|n| account(&rig.acme, &format!("u-{n}"))).collect();
    let (acme, accounts) = (&rig.acme, &accounts);
    std::thread::scope(|scope| {
        let topping = accounts.iter().map(|account| {
            scope.spawn(move || {
                for n in 0..25 {
                    // Keys are apart by their path.
                    tops_up(acme, account, "1.00", &format!("top-up {n}")).done(200);
                }
            })
        });
        let topping: Vec<_> = topping.collect();
        let (mut last, mut looks) = (0, 0);
        while topping.iter().any(|one| !one.is_finished()) {
            let [users, pools, wallet] = figures(&acme.client, OWN, "EUR");
            assert_eq!((users + pools, wallet), (wallet, 100_000), "of one moment");
            assert!(users >= last, "{users} after {last}");
            (last, looks) = (users, looks + 1);
        }
        assert!(looks > 3, "{looks}");
        topping.into_iter().for_each(|one| one.join().expect("topped up"));
    });
    // Who was answered finds it in the sum.
    assert_eq!(figures(&rig.acme.client, OWN, "EUR"), [7_500, 92_500, 100_000]);
    // What is held is nobody else's yet; what is settled has left.
    let (_, pan) = rig.platform.card_for(accounts[0].rsplit('/').next().expect("a name")).await;
    let mut acquirer = peer(rig.platform.served.link, 1).await;
    for (mti, stan, cents) in [("0100", 1, 500), ("0200", 2, 725)] {
        let bought = purchase(&pan, stan, cents).retyped(mti).expect("a type");
        let answer = acquirer.exchange(0, &bought).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }
    drop(acquirer);
    while figures(&rig.acme.client, OWN, "EUR")[0] == 7_500 {}
    assert_eq!(figures(&rig.acme.client, OWN, "EUR"), [6_775, 92_500, 99_275]);

    // Each partner its own; the platform all of them, as the trial balance has it, flushed or not.
    assert_eq!(figures(&other.client, OWN, "EUR"), [0, 100_000, 100_000]);
    let of_acme = format!("{ALL}?partnerId={}", rig.acme.id);
    for round in ["before a restart", "after it"] {
        assert_eq!(figures(&rig.mia, ALL, "EUR"), [6_775, 192_500, 199_275], "{round}");
        assert_eq!(in_ledger(&rig, "EUR"), [6_775, 192_500], "{round}");
        assert_eq!(figures(&rig.mia, &of_acme, "EUR"), [6_775, 92_500, 99_275], "{round}");
        assert_eq!(in_ledger(&rig, "JPY"), [0, 0], "{round}: it waits for a second operator");
        rig.platform = rig.platform.restart();
        rig.mia = rig.mia.at(rig.platform.served.api("open"));
    }
    rig.platform.close().await;
}
