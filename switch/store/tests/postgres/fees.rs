//! Schedules of fees and fees that were charged, in their tables: they come back as they went, the
//! books hold fee income against them, and damage is named. That the simulated database tells the
//! same story is `parity`.

use switch_domain::{
    Account, Amount, BalanceDelta, BasisPoints, CardForm, ChargedBy, Country, CustomerId, Effects,
    Event, FeeCharged, FeeEvent, FeeRule, FeeSchedule, MinorUnits, Posting, Price, PriceTerms,
    ProgrammeId, Record, Surroundings, Taken, Timestamp,
};
use switch_store::{StoreError, books, decode_snapshot, encode_snapshot};

use crate::life::{
    CONTROL, SHARD, START, balance, card, command, control_rows, euro, partner, record, text,
};
use crate::stage::{Projecting, Stage, Writer};

const GOLD: ProgrammeId = ProgrammeId(3);
const SILVER: ProgrammeId = ProgrammeId(4);

fn event(name: &str) -> FeeEvent {
    FeeEvent::from_name(name).expect("a name")
}

fn rule(name: &str, form: Option<CardForm>, rate: u16, most: Option<i64>, taken: Taken) -> FeeRule {
    let terms = PriceTerms {
        fixed: MinorUnits(30),
        rate: BasisPoints::new(rate).expect("points"),
        least: MinorUnits(10),
        most: most.map(MinorUnits),
    };
    FeeRule { event: event(name), form, price: Price::new(terms).expect("a price"), taken }
}

fn schedule(by: ChargedBy, rules: Vec<FeeRule>, around: Surroundings) -> FeeSchedule {
    let schedule = FeeSchedule::new(euro(), by, rules).and_then(|one| one.within(around));
    schedule.expect("a schedule")
}

/// What is in force in the end: of gold, with everything that a schedule may say.
fn gold() -> FeeSchedule {
    let country = |code| Country::from_code(code).expect("listed");
    let around = Surroundings {
        home: Some(country("ES")),
        region: vec![country("FR"), country("PT"), country("AD")],
    };
    let rules = vec![
        rule("pos_world_authorized", None, 150, Some(500), Taken::AtOnce),
        rule("pos_world_authorized", Some(CardForm::Virtual), 10_000, None, Taken::Invoiced),
        rule("other:paper_statement", Some(CardForm::Physical), 0, None, Taken::Invoiced),
    ];
    schedule(ChargedBy::Platform, rules, around)
}

/// Schedules that are set, replaced, and taken out of force.
pub(crate) fn set_up() -> Vec<Vec<Record>> {
    let set = |key, programme, schedule: Option<FeeSchedule>| {
        let event = Event::FeesSet { programme, schedule: schedule.map(Box::new) };
        record(5, command(key), event, Effects::default())
    };
    let monthly = vec![rule("card_monthly", None, 0, None, Taken::AtOnce)];
    let own = schedule(ChargedBy::Partner, monthly, Surroundings::default());
    let empty = schedule(ChargedBy::Platform, Vec::new(), Surroundings::default());
    vec![
        vec![set(40, GOLD, Some(own.clone())), set(41, SILVER, Some(own.clone()))],
        vec![set(42, GOLD, Some(gold())), set(43, SILVER, None)],
        vec![set(44, SILVER, Some(empty)), set(45, ProgrammeId(5), Some(own.clone()))],
        vec![set(46, ProgrammeId(5), None)],
    ]
}

fn charged(key: u8, name: &str, of_card: bool, fee: i64, taken: Taken) -> Record {
    let event = Event::FeeCharged(Box::new(FeeCharged {
        balance: balance(1),
        partner: partner(),
        card: of_card.then(|| card(1)),
        event: event(name),
        amount: Amount { minor: MinorUnits(fee), currency: euro() },
        taken,
        reference: text("2026-11"),
    }));
    let leg = |account, minor| Posting { account, amount: MinorUnits(minor), currency: euro() };
    let effects = match taken {
        Taken::Invoiced => Effects::default(),
        Taken::AtOnce => Effects {
            balance: Some(BalanceDelta {
                balance: balance(1),
                ledger: MinorUnits(-fee),
                held: MinorUnits::ZERO,
            }),
            postings: vec![
                leg(Account::Balance(balance(1)), -fee),
                leg(Account::FeeIncome(partner()), fee),
            ],
            ..Effects::default()
        },
    };
    record(60, command(key), event, effects)
}

/// An account, two fees that are taken at once, one that is invoiced, one that is given back.
pub(crate) fn acts() -> Vec<Vec<Record>> {
    let opened = Event::BalanceOpened(switch_domain::BalanceOpened {
        balance: balance(1),
        programme: GOLD,
        partner: partner(),
        customer: CustomerId(71),
        currency: euro(),
    });
    vec![
        vec![record(0, command(50), opened, Effects::default())],
        vec![
            charged(51, "account_created", false, 490, Taken::AtOnce),
            charged(52, "card_monthly", true, 199, Taken::AtOnce),
        ],
        vec![charged(53, "other:paper_statement", true, 300, Taken::Invoiced)],
        vec![charged(54, "card_monthly", true, -199, Taken::AtOnce)],
    ]
}

async fn stage() -> Stage {
    let stage = Stage::new().await;
    let control = [control_rows(), set_up()].concat();
    for (shard, rows) in [(CONTROL, control), (SHARD, acts())] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in &rows {
            writer.append(records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    stage
}

#[tokio::test]
async fn schedules_come_back_as_they_went_and_damage_is_named() {
    let stage = stage().await;
    let load = || stage.store.load(CONTROL, Timestamp(START), 1_000);
    let image = load().await.expect("an image");
    let found: Vec<_> = image.control.fees().map(|(id, one)| (id, one.rules().len())).collect();
    assert_eq!(found, [(GOLD, 3), (SILVER, 0)]);
    assert_eq!(image.control.fees_of(GOLD), Some(&gold()));
    let again = decode_snapshot(&encode_snapshot(&image)).expect("readable");
    assert_eq!(again.control, image.control);
    assert_eq!(stage.count("SELECT count(*) FROM programme_fee_rule").await, 3);
    for (damage, column) in [
        ("event = 'pos_moon_authorized'", "event"),
        ("event = 'card_daily', rate = 10001", "rate"),
        ("rate = 0, fixed = -1", "fixed"),
        ("fixed = 1, taken = 'later'", "taken"),
    ] {
        stage.run(&format!("UPDATE programme_fee_rule SET {damage} WHERE number = 0")).await;
        let damaged = load().await;
        let named = matches!(&damaged, Err(StoreError::IllegalValue { column: found, .. })
            if *found == column);
        assert!(named, "{damage}: {:?}", damaged.err());
    }
    stage.close().await;
}

#[tokio::test]
async fn every_fee_has_a_row_and_the_books_hold_income_against_them() {
    let stage = stage().await;
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    let sum = |of: &str| format!("SELECT coalesce(sum(amount), 0)::int8 FROM {of}");
    assert_eq!(stage.count(&sum("fees_charged WHERE taken = 'at_once'")).await, 490);
    assert_eq!(stage.count(&sum("posting WHERE account = 'fee_income'")).await, 490);
    assert_eq!(stage.count(&sum("fees_charged WHERE taken = 'invoiced'")).await, 300);
    let of_card = "SELECT count(*) FROM fees_charged WHERE card_id IS NOT NULL
        AND authorization_id IS NULL AND reference = '2026-11' AND currency = 978";
    assert_eq!(stage.count(of_card).await, 3);
    let lines = "SELECT count(*) FROM posting WHERE kind = 'fee_charged' AND account = 'balance'";
    assert_eq!(stage.count(lines).await, 3);
    stage.run("UPDATE fees_charged SET amount = amount + 1 WHERE event = 'account_created'").await;
    let found = books(&stage.store).await.expect("a check");
    let [fault] = &found[..] else { panic!("{found:?}") };
    let row = format!("partner {}, currency 978", partner());
    assert_eq!((&fault.row, fault.figure), (&row, "the sum of fee income"));
    assert_eq!((&*fault.stated, &*fault.computed), ("490", "491"));
    stage.close().await;
}
