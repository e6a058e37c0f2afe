//! The posting table of `docs/ledger.md`, event by funding, against what the engine posts. A row of
//! the document that nothing makes happen here, or the other way round, is a failure.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::Account;

use crate::harness::World;

const DOCUMENT: &str = include_str!("../../../../docs/ledger.md");

/// What there is before each event; `{}` is the funding.
const THERE: &str = "
    partner acme
    pool {} EUR 1000.00
    programme gold {}
    balance alice 50.00
    card c1 alice exp 2712
";

/// Each event: what comes before it, and it.
const EVENTS: [(&str, &str, &str); 21] = [
    ("pool reloaded", "", "reload {} 10.00"),
    ("balance credited", "", "credit alice 10.00"),
    ("fee charged", "", "charge alice card_monthly 1.99"),
    ("fee given back", "charge alice card_monthly 1.99", "give-back alice card_monthly 1.99"),
    ("authorization approved", "", "auth c1 20.00 stan 1 -> approved"),
    (
        "authorization reversed",
        "auth c1 20.00 stan 1 -> approved",
        "reverse stan 1 -> reversal_accepted",
    ),
    (
        "authorization added to",
        "auth c1 20.00 stan 1 -> approved",
        "auth c1 5.00 stan 2 onto 1 -> approved",
    ),
    ("hold expired", "auth c1 20.00 stan 1 -> approved", "expire 1 -> given_back"),
    (
        "authorization completed after it expired",
        "auth c1 20.00 stan 1 -> approved\n expire 1 -> given_back",
        "post c1 25.00 stan 2 to 1 -> advice_accepted",
    ),
    ("refund authorized", "", "auth c1 20.00 stan 1 kind refund -> approved"),
    ("purchase settled", "", "pay c1 20.00 stan 1 -> approved"),
    (
        "authorization completed",
        "auth c1 20.00 stan 1 -> approved",
        "post c1 25.00 stan 2 to 1 -> advice_accepted",
    ),
    (
        "authorization completed by a request",
        "auth c1 20.00 stan 1 -> approved",
        "pay c1 25.00 stan 2 to 1 within 25 -> approved",
    ),
    (
        "more settled than a request may",
        "auth c1 20.00 stan 1 -> approved",
        "pay c1 25.00 stan 2 to 1 within 20 -> exceeds_preauthorized_amount",
    ),
    (
        "settled purchase reversed",
        "pay c1 20.00 stan 1 -> approved",
        "reverse stan 1 -> reversal_accepted",
    ),
    (
        "settled purchase reversed in part",
        "pay c1 20.00 stan 1 -> approved",
        "reverse stan 1 leaving 5.00 -> reversal_accepted",
    ),
    (
        "purchase settled with a fee",
        "fees gold pos_domestic_authorized 0.30 150",
        "pay c1 20.00 stan 1 -> approved",
    ),
    (
        "purchase with a fee reversed",
        "fees gold pos_domestic_authorized 0.30 150\n pay c1 20.00 stan 1 -> approved",
        "reverse stan 1 -> reversal_accepted",
    ),
    ("refund settled", "", "pay c1 20.00 stan 1 kind refund -> approved"),
    (
        "settled refund reversed",
        "pay c1 20.00 stan 1 kind refund -> approved",
        "reverse stan 1 -> reversal_accepted",
    ),
    (
        "settled purchase voided",
        "pay c1 20.00 stan 1 -> approved",
        "void 1 issuer_inoperative -> issuer_inoperative",
    ),
];

/// The cells of the table: event, funding, and the legs as `account sign`.
fn documented() -> BTreeMap<(String, &'static str), BTreeSet<String>> {
    let table = DOCUMENT.split("| event | credit | deposit |").nth(1).expect("the posting table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut cells = BTreeMap::new();
    for row in rows {
        let [event, credit, deposit] = row
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()
            .try_into()
            .expect(row);
        for (funding, cell) in [("credit", credit), ("deposit", deposit)] {
            let legs = cell.split(',').map(str::trim).filter(|leg| !leg.is_empty());
            cells.insert((event.to_owned(), funding), legs.map(str::to_owned).collect());
        }
    }
    cells
}

const fn name(account: Account) -> &'static str {
    match account {
        Account::Balance(_) => "balance",
        Account::Pool(_) => "pool",
        Account::SettlementBank(_) => "settlement_bank",
        Account::Memorandum(_) => "memorandum",
        Account::InTransit(_) => "in_transit",
        Account::NetworkSettlement(_) => "network_settlement",
        Account::FeeIncome(_) => "fee_income",
    }
}

/// What is posted between two moments, by kind of account.
fn posted(before: &BTreeMap<Account, i64>, after: &BTreeMap<Account, i64>) -> BTreeSet<String> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (account, sum) in after {
        *sums.entry(name(*account)).or_default() += sum - before.get(account).unwrap_or(&0);
    }
    let moved = sums.into_iter().filter(|(_, sum)| *sum != 0);
    moved.map(|(name, sum)| format!("{name} {}", if sum > 0 { '+' } else { '-' })).collect()
}

#[test]
fn what_is_posted_is_what_the_document_says() {
    let mut documented = documented();
    for funding in ["credit", "deposit"] {
        for (event, there, step) in EVENTS {
            let mut world = World::after(&THERE.replace("{}", funding));
            world.run(there);
            let before = world.cluster.posted();
            world.run(&step.replace("{}", funding));
            let found = posted(&before, &world.cluster.posted());
            let expected = documented.remove(&(event.to_owned(), funding));
            assert_eq!(Some(found), expected, "{event}, {funding}");
        }
    }
    assert_eq!(documented, BTreeMap::new(), "documented, and nothing makes it happen");
}
