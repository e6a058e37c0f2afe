//! The small world of a run: a partner with a deposit and a credit pool, a programme on each, and a
//! few holders in two shards; set up by management commands, as an operator would. It owns the
//! limits that a seed draws, and the wall clock of the run.

use std::cell::Cell;
use std::time::Duration;

use switch_domain::{
    BalanceId, BasisPoints, Bin, BinRange, CardId, CardSecurityTerms, CardStatus, ChargedBy,
    Circumstances, CounterRules, CustomerId, Expiry, FeeEvent, FeeRule, FeeSchedule, Fingerprint,
    Funding, IdempotencyKey, LowerCounter, MinorUnits, NeededChecks, PartnerId, PinMethod, PoolId,
    PoolKind, Price, PriceTerms, ProgrammeId, Taken, Timestamp, VaultRef,
};
use switch_shard::{Act, Manage, Node, ProjectionSettings, ShardSettings, WallClock};
use switch_store::{Dice, SimulatedStore};
use tokio::time::Instant;

use crate::messages::{euro, text};

/// A card, and the account that it spends from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) card: CardId,
    pub(crate) balance: BalanceId,
    pub(crate) customer: CustomerId,
    pub(crate) print: Fingerprint,
    pub(crate) bin: Bin,
}

/// What there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) deposit: PoolId,
    pub(crate) credit: PoolId,
    pub(crate) holders: Vec<Holder>,
}

thread_local! {
    /// When the run began, and by how much its wall clock is wrong.
    static WALL: Cell<Option<(Instant, i64)>> = const { Cell::new(None) };
}

/// Virtual time as wall clocks show it.
fn wall() -> Timestamp {
    let began = Timestamp::from_unix_seconds(1_813_060_800); // 2027-06-15
    let (begun, wrong) = WALL.get().expect("a run has begun");
    let since = i64::try_from(begun.elapsed().as_micros()).expect("a short run");
    Timestamp(began.0 + since + wrong)
}

/// Begins a run's wall clock.
pub(crate) fn begin_clock() {
    WALL.set(Some((Instant::now(), 0)));
}

/// Moves the wall clock by so many microseconds.
pub(crate) fn move_clock(micros: i64) {
    let (begun, wrong) = WALL.get().expect("a run has begun");
    WALL.set(Some((begun, wrong + micros)));
}

/// Whether memory has room for all that a run does, or for next to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Nothing is ever let go or turned away.
    Ample,
    /// Everything is: queues are short, answers are looked up.
    Scarce,
}

/// The limits that a seed draws.
pub(crate) fn settings(dice: &mut Dice, room: Room) -> ShardSettings {
    let mut number = |least: u64, most: u64| least + dice.below(most - least + 1);
    let projection = ProjectionSettings {
        pace: Duration::from_millis(number(0, 50)),
        chunk_records: usize::try_from(number(1, 40)).expect("small"),
        flush_interval: Duration::from_millis(number(20, 2_000)),
        hold: false,
        jitter: Some(number(0, u64::MAX - 1)),
    };
    let ample = ShardSettings {
        data_shards: 2,
        queue_limit: 4_096,
        reserved_queue: 1_024,
        batch_limit: 1_024,
        repeat_limit: 2_000,
        projection,
        clock: WallClock::reading(wall),
        ..ShardSettings::default()
    };
    if room == Room::Ample {
        return ample;
    }
    let mut small = |most: u64| usize::try_from(number(1, most)).expect("small");
    ShardSettings {
        queue_limit: small(6),
        reserved_queue: small(4),
        batch_limit: small(4),
        repeat_limit: small(6),
        lookup_limit: small(4),
        projection_lag_limit: small(30),
        lookup_timeout: Duration::from_millis(number(50, 2_000)),
        repeat_window: Duration::from_millis(number(200, 60_000)),
        ..ample
    }
}

/// Does a command that must succeed, under a key of its own.
async fn done(node: &Node, number: u64, act: Act, card: Option<Fingerprint>) -> i64 {
    let manage = Manage { key: key(number), actor: text("operator:1"), act };
    node.manage(manage, card).await.expect("the world can be set up").unwrap_or_default()
}

/// The key of a command. Its first half chooses the shard of an account that it opens.
pub(crate) fn key(number: u64) -> IdempotencyKey {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&(number % 2).to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    IdempotencyKey(key)
}

const BINS: [Bin; 2] = [Bin(99_999_912), Bin(99_999_913)];
/// Keys below this are of the set-up.
pub(crate) const FIRST_FREE_KEY: u64 = 1_000;

/// Nothing is needed; what is there is looked at, and what is wrong is counted.
fn terms() -> CardSecurityTerms {
    let nowhere = Circumstances::NONE;
    CardSecurityTerms {
        pin: Some(PinMethod::Pvv),
        needed: NeededChecks {
            pin: nowhere,
            stripe: nowhere,
            chip_value: nowhere,
            code: nowhere,
            cryptogram: nowhere,
        },
        counter: CounterRules { lower: LowerCounter::Take, ..CounterRules::default() },
        ..CardSecurityTerms::default()
    }
}

/// Something is held beside every purchase, and of one programme something more is charged when it
/// is settled.
fn fees(when_cleared: bool) -> Box<FeeSchedule> {
    let rule = |name, fixed, rate| {
        let rate = BasisPoints::new(rate).expect("points");
        let terms = PriceTerms { fixed: MinorUnits(fixed), rate, ..PriceTerms::default() };
        let event = FeeEvent::from_name(name).expect("a name");
        let price = Price::new(terms).expect("a price");
        FeeRule { event, form: None, price, taken: Taken::AtOnce }
    };
    let mut rules = vec![rule("pos_domestic_authorized", 7, 150)];
    rules.extend(when_cleared.then(|| rule("pos_domestic_cleared", 3, 50)));
    let schedule = FeeSchedule::new(euro(), ChargedBy::Platform, rules);
    Box::new(schedule.expect("a schedule"))
}

/// Makes the world.
pub(crate) async fn set_up(node: &Node, store: &SimulatedStore, dice: &mut Dice) -> World {
    let partner = PartnerId(done(node, 1, Act::DefinePartner { name: text("ACME") }, None).await);
    let mut pools = Vec::new();
    let mut programmes = Vec::new();
    for (number, kind) in [(2, PoolKind::Deposit), (3, PoolKind::Credit)] {
        let act = Act::OpenPool { partner, kind, currency: euro() };
        let pool = PoolId(done(node, number, act, None).await);
        let amount = MinorUnits(i64::try_from(3_000 + dice.below(30_000)).expect("small"));
        let act = Act::ReloadPool { pool, amount, reference: text("TRANSFER") };
        done(node, 10 + number, act, None).await;
        let (funding, bin) = match kind {
            PoolKind::Deposit => (Funding::Deposit(pool), BINS[0]),
            PoolKind::Credit => (Funding::Credit(pool), BINS[1]),
        };
        let act = Act::DefineProgramme {
            partner,
            name: text("GOLD"),
            bins: BinRange { low: bin, high: bin, pan_length: 16 },
            currency: euro(),
            funding,
        };
        programmes.push((ProgrammeId(done(node, 20 + number, act, None).await), bin));
        pools.push(pool);
    }
    let programme = programmes[0].0;
    let act = Act::SetCardSecurity { programme, terms: Some(Box::new(terms())) };
    done(node, 40, act, None).await;
    for ((programme, _), number) in programmes.iter().zip(41..) {
        let schedule = Some(fees(number % 2 == 0));
        done(node, number, Act::SetFees { programme: *programme, schedule }, None).await;
    }
    let mut holders = Vec::new();
    for number in 0..4 {
        let programme = programmes[usize::from(number == 3)];
        let money = i64::try_from(500 + dice.below(2_400)).expect("small");
        holders.push(holder(node, store, number, programme, money).await);
    }
    World { deposit: pools[0], credit: pools[1], holders }
}

async fn holder(
    node: &Node,
    store: &SimulatedStore,
    number: u8,
    (programme, bin): (ProgrammeId, Bin),
    money: i64,
) -> Holder {
    let first = 100 + 10 * u64::from(number) + u64::from(number % 2);
    let customer = CustomerId(i64::from(number % 3));
    let act = Act::OpenBalance { programme, customer };
    let balance = BalanceId(done(node, first, act, None).await);
    let amount = MinorUnits(money);
    let act = Act::CreditBalance { balance, amount, reference: text("TOP-UP") };
    done(node, first + 2, act, None).await;
    let print = Fingerprint([number + 1; 16]);
    let vault = VaultRef { row: i64::from(number), version: 1 };
    store.keep_card(vault, print);
    let expiry = Expiry::from_yymm(4912).expect("a month");
    let act = Act::IssueCard { balance, vault, expiry, status: CardStatus::Active };
    let card = CardId(done(node, first + 4, act, Some(print)).await);
    Holder { card, balance, customer, print, bin }
}
