//! Exchange rates, terms for other currencies and conversions in the tables: they come back as they
//! went. That the simulated database tells the same story is `parity`.

use switch_domain::{
    Amount, BasisPoints, Cause, Conversion, Currency, Effects, Event, ExchangeRate, ForeignTerms,
    MinorUnits, RateSource, Record, Timestamp, VaultRef,
};
use switch_store::StoreError;

use crate::advices;
use crate::life::{CONTROL, SHARD, START, control_rows, euro, keep_cards, text};
use crate::stage::{Projecting, Stage, Writer};

fn currency(letters: &str) -> Currency {
    Currency::from_alphabetic(letters).expect("listed")
}

fn points(points: u16) -> BasisPoints {
    BasisPoints::new(points).expect("points")
}

fn rate(from: &str, text_of_rate: &str, seconds: i64) -> ExchangeRate {
    ExchangeRate {
        from: currency(from),
        to: euro(),
        rate: text_of_rate.parse().expect("a rate"),
        source: text("ECB"),
        at: Timestamp(START + seconds * 1_000_000 + 1),
    }
}

/// Rates that are set, set again, and removed, and a programme that takes other currencies.
fn set_up() -> Vec<Vec<Record>> {
    let of = |event| Record {
        at: Timestamp(START),
        cause: Cause::Switch,
        event,
        effects: Effects::default(),
    };
    let set = |rate| of(Event::RateSet(Box::new(rate)));
    let removed = |from| of(Event::RateRemoved { from: currency(from), to: euro() });
    let programmes = control_rows().into_iter().flatten();
    let mut defined = programmes.filter_map(|record| match record.event {
        Event::ProgrammeDefined(one) => Some(one),
        _ => None,
    });
    let mut foreign = defined.next().expect("a programme");
    let (markup, margin) = (points(200), points(10_000));
    foreign.foreign = Some(ForeignTerms { markup, margin, marks_up_network: true });
    vec![
        vec![set(rate("USD", "0.9000", 0)), set(rate("JPY", "0.000000000061", 0))],
        vec![set(rate("USD", "1.0", 1)), set(rate("GBP", "9999999999", 1)), removed("JPY")],
        vec![set(rate("JPY", "0.0061308", 2)), removed("GBP")],
        vec![of(Event::ProgrammeDefined(foreign))],
    ]
}

fn conversion(number: u64, billing: Amount) -> Option<Box<Conversion>> {
    let transaction = Amount { minor: MinorUnits(1_500), currency: currency("JPY") };
    let mut done = Conversion::not_needed(transaction, billing.currency);
    (done.billing, done.held) = (billing.minor, billing.minor);
    done.source = match number % 4 {
        0 => return None,
        1 => RateSource::Network,
        2 => RateSource::Table { name: text("ECB"), at: Timestamp(START + 1) },
        _ => RateSource::NotNeeded,
    };
    done.rate = number.is_multiple_of(3).then(|| "0.0061308".parse().expect("a rate"));
    done.markup = points(200);
    done.settlement = (number % 5 == 1).then_some(Amount { minor: MinorUnits(7), ..transaction });
    Some(Box::new(done))
}

/// The story of advices, of which most were converted, behind rates that change.
pub(crate) fn rows(vault: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let mut rows = advices::rows(vault);
    for record in rows.iter_mut().flatten() {
        if let Event::Authorized(one) = &mut record.event {
            one.conversion = conversion(one.id.counter(), one.requested);
        }
    }
    let mut all = set_up();
    for row in all.iter_mut().flatten() {
        row.at = rows[0][0].at;
    }
    let rest = rows.split_off(1);
    [rows, all, rest].concat()
}

#[tokio::test]
async fn they_come_back_as_they_went_and_are_null_where_there_are_none() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let (control, cards) = ([control_rows(), set_up()].concat(), rows(vault));
    for (shard, rows) in [(CONTROL, &control), (SHARD, &cards)] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    let image = stage.store.load(CONTROL, Timestamp(START), 1_000).await.expect("an image");
    let found: Vec<ExchangeRate> = image.control.rates().copied().collect();
    let (yen, dollar) = (rate("JPY", "0.0061308", 2), rate("USD", "1.0", 1));
    assert_eq!(found, [yen, dollar], "with as many decimals as they had");
    let programme = image.control.programmes.values().next().expect("a programme");
    let terms = programme.foreign.expect("terms");
    assert_eq!(
        (terms.markup, terms.margin, terms.marks_up_network),
        (points(200), points(10_000), true)
    );

    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    let (mut with, mut without) = (0, 0);
    for record in cards.iter().flatten() {
        let Event::Authorized(made) = &record.event else { continue };
        let row = image.authorizations.iter().find(|one| one.id == made.id).expect("a row");
        assert_eq!(row.conversion, made.conversion);
        if made.conversion.is_none() { without += 1 } else { with += 1 }
    }
    assert!(with > 3 && without > 1, "{with} {without}");
    let null = "SELECT count(*) FROM card_authorization WHERE conversion IS NULL
        AND transaction_amount IS NULL AND rate IS NULL AND rate_source IS NULL";
    assert_eq!(stage.count(null).await, without);
    let read = "SELECT count(*) FROM card_authorization WHERE transaction_amount = 1500
        AND transaction_currency = 392";
    assert_eq!(stage.count(read).await, with);
    stage.run("UPDATE card_authorization SET conversion = '\\x00' WHERE rate IS NOT NULL").await;
    let damaged = stage.store.load(SHARD, Timestamp(START), 1_000).await;
    assert!(matches!(damaged, Err(StoreError::IllegalValue { column: "conversion", .. })));
    stage.close().await;
}
