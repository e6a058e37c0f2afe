//! Transfers in their tables (W-17): whichever shard's rows come first, the books balance by what
//! is in transit, a load gives back what is open and what may come again, and damage is named.

use switch_domain::{
    Account, Amount, AsciiText, BalanceDelta, BalanceId, BalanceOpened, Cause, Currency,
    CustomerId, Effects, Event, MinorUnits, PartnerId, Posting, ProgrammeId, Record, ShardId,
    Timestamp, Transfer, TransferId, TransferOutcome, TransferReceived,
};
use switch_store::books;

use crate::life::{START, record};
use crate::stage::{Projecting, Stage, Writer};

const SOURCE: ShardId = ShardId(1);
const TARGET: ShardId = ShardId(2);
const PARTNER: PartnerId = PartnerId(7);

fn euro() -> Currency {
    Currency::from_numeric(978).expect("listed")
}

fn account(shard: ShardId) -> BalanceId {
    BalanceId::mint(shard, 1)
}

fn transfer(number: u64, amount: i64) -> Transfer {
    Transfer {
        id: TransferId::mint(SOURCE, 10 + number),
        from: account(SOURCE),
        to: account(TARGET),
        partner: PARTNER,
        amount: Amount { minor: MinorUnits(amount), currency: euro() },
        reference: AsciiText::new(b"RENT").expect("short"),
    }
}

fn moves(balance: BalanceId, amount: i64, other: Account) -> Effects {
    let leg = |account, amount| Posting { account, amount: MinorUnits(amount), currency: euro() };
    Effects {
        balance: Some(BalanceDelta { balance, ledger: MinorUnits(amount), held: MinorUnits::ZERO }),
        postings: vec![leg(Account::Balance(balance), amount), leg(other, -amount)],
        ..Effects::default()
    }
}

fn opened(shard: ShardId) -> Vec<Record> {
    let event = Event::BalanceOpened(BalanceOpened {
        balance: account(shard),
        programme: ProgrammeId(3),
        partner: PARTNER,
        customer: CustomerId(1),
        currency: euro(),
    });
    let reference = AsciiText::new(b"TOP-UP").expect("short");
    let credited = Event::BalanceCredited { balance: account(shard), reference };
    let money = moves(account(shard), 1_000, Account::Memorandum(PARTNER));
    vec![
        record(0, Cause::Switch, event, Effects::default()),
        record(1, Cause::Switch, credited, money),
    ]
}

fn sent(one: &Transfer) -> Record {
    let money = moves(one.from, -one.amount.minor.0, Account::InTransit(PARTNER));
    record(2, Cause::Switch, Event::TransferSent(one.clone()), money)
}

fn received(one: &Transfer, outcome: TransferOutcome, settled_below: u64) -> Record {
    let settled_below = TransferId::mint(SOURCE, 10 + settled_below);
    let money = if outcome.is_credited() {
        moves(one.to, one.amount.minor.0, Account::InTransit(PARTNER))
    } else {
        Effects::default()
    };
    let transfer = one.clone();
    let event = Event::TransferReceived(TransferReceived { transfer, outcome, settled_below });
    record(3, Cause::Switch, event, money)
}

fn closed(one: &Transfer, outcome: TransferOutcome) -> Record {
    let money = if outcome.is_credited() {
        Effects::default()
    } else {
        moves(one.from, one.amount.minor.0, Account::InTransit(PARTNER))
    };
    let event = Event::TransferClosed { transfer: one.id, partner: PARTNER, outcome };
    record(4, Cause::Switch, event, money)
}

/// Rows of the source and of the target: one transfer is credited, one refused, one still open.
pub(crate) fn rows() -> [(ShardId, Vec<Vec<Record>>); 2] {
    let [one, two, three] = [transfer(1, 100), transfer(2, 200), transfer(3, 300)];
    let (good, bad) = (TransferOutcome::Credited, TransferOutcome::BalanceBlocked);
    let source = vec![
        opened(SOURCE),
        vec![sent(&one), sent(&two)],
        vec![closed(&one, good)],
        vec![sent(&three), closed(&two, bad)],
    ];
    let target = vec![
        opened(TARGET),
        vec![received(&one, good, 1), received(&two, bad, 1)],
        vec![received(&three, good, 3)],
    ];
    [(SOURCE, source), (TARGET, target)]
}

#[tokio::test]
async fn books_balance_by_what_is_in_transit_however_far_each_shard_is() {
    let stage = Stage::new().await;
    // The target first: its tables are ahead of the source's, row for row.
    for (shard, rows) in rows().into_iter().rev() {
        let mut writer = Writer::new(&stage.store, shard);
        let mut projecting = Projecting::start(&stage.store, shard);
        for records in rows {
            let batch = writer.append(&records).await;
            projecting.give(&batch);
            projecting.until(batch.seq).await;
            assert_eq!(books(&stage.store).await.expect("a check"), [], "shard {shard}");
        }
        projecting.finish().await;
    }
    let load = |shard| stage.store.load(shard, Timestamp(START), 100);
    let source = load(SOURCE).await.expect("an image");
    assert_eq!(source.transfers, [transfer(3, 300)]);
    assert_eq!(source.balances[0].ledger, MinorUnits(600));
    assert_eq!(source.last_counter, 13);
    let target = load(TARGET).await.expect("an image");
    assert_eq!(target.transfers, []);
    let (three, good) = (transfer(3, 300).id, TransferOutcome::Credited);
    assert_eq!(target.received, [(three, good)], "the others are settled");
    assert_eq!(target.balances[0].ledger, MinorUnits(1_400));

    for (table, broken) in [("transfer", "200"), ("transfer_received", "-200")] {
        let set = |by: i64| {
            let row = transfer(1, 0).id;
            format!("UPDATE {table} SET amount = amount + {by} WHERE id = {row}")
        };
        stage.run(&set(200)).await;
        let found = books(&stage.store).await.expect("a check");
        let [fault] = &found[..] else { panic!("{found:?}") };
        assert_eq!((&*fault.row, fault.figure), ("partner 7, currency 978", "the sum in transit"));
        assert_eq!((&*fault.stated, &*fault.computed), ("0", broken));
        stage.run(&set(-200)).await;
    }
    stage.close().await;
}
