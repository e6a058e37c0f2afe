//! Guessing of cards as shards see it (T-13): all of them count together, what was answered before
//! counts once, a card whose own chip made the message is no guess, and a block declines nothing
//! that has happened.

use std::sync::Arc;

use switch_attacks::{Kind, Limits, Mode, Settings, Subject, Watch};
use switch_domain::{
    Chip, ChipDifferences, ChipFacts, CryptogramType, EntryMode, Evidence, Finding, Fingerprint,
    MinorUnits, Reason, Timestamp,
};
use switch_shard::{Authorize, Command, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{
    FIRST, Holder, PATIENCE, World, advice, purchase, reversal, settlement, two_shards,
};

/// Counts to five.
fn watch(mode: Mode) -> Arc<Watch> {
    let five = Limits { pair: 5, ..Limits::default() };
    Arc::new(Watch::new(Settings {
        mode,
        window_s: 600,
        block_s: 3_600,
        share_percent: 50,
        small: MinorUnits(2_00),
        entries: 1_000,
        blocks: 100,
        alarms_a_minute: 60,
        untold: 100,
        limits: [five, five, five, Limits { pair: 3, ..five }],
    }))
}

async fn world(watch: &Arc<Watch>) -> World {
    let settings = ShardSettings { attacks: Some(Arc::clone(watch)), ..two_shards() };
    World::with(settings, 1_000_000).await
}

/// A number that no card has.
fn stranger(number: u8, stan: u64) -> (Command, Holder) {
    let nobody = Holder {
        card: switch_domain::CardId(1),
        balance: switch_domain::BalanceId(1),
        customer: switch_domain::CustomerId(1),
        print: Fingerprint([number; 16]),
    };
    let Command::Authorize(request) = purchase(nobody, stan, 50_00) else { unreachable!() };
    let request = Authorize { card: None, ..request };
    (remote(Command::Authorize(request)), nobody)
}

/// The same message without the card.
fn remote(command: Command) -> Command {
    let Command::Authorize(mut request) = command else { unreachable!("a request") };
    request.facts.entry = EntryMode::Ecommerce;
    Command::Authorize(request)
}

/// The same message, made by the card's own chip.
fn by_chip(command: Command) -> Command {
    let Command::Authorize(mut request) = command else { unreachable!("a request") };
    let chip = Chip {
        atc: 1,
        sequence: 0,
        cryptogram: Finding::Matched,
        kind: CryptogramType::Request,
        differs: ChipDifferences::NONE,
        tolerated: ChipDifferences::NONE,
        facts: ChipFacts::NONE,
    };
    request.evidence = Some(Box::new(Evidence { chip: Some(chip), ..Evidence::default() }));
    Command::Authorize(request)
}

async fn said(world: &mut World, (command, holder): (Command, Holder), stan: u64) -> Reason {
    let _ = world.send(command, holder, stan, Instant::now() + PATIENCE);
    let replies = world.replies().await;
    let [(_, ReplyOutcome::Decided(decision))] = replies[..] else { panic!("{replies:?}") };
    decision.reason
}

/// Five strange numbers, which live in both shards.
async fn sweep(world: &mut World) {
    for number in 1..=5 {
        let stan = u64::from(number);
        let told = said(world, stranger(100 + number, stan), stan).await;
        assert_eq!(told, Reason::InvalidCardNumber, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_shards_count_together_and_refuse_what_is_an_attempt() {
    let watch = watch(Mode::Block);
    let mut world = world(&watch).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    let ask = |stan| (remote(purchase(alice, stan, 10_00)), alice);
    assert_eq!(said(&mut world, ask(50), 50).await, Reason::Approved);
    sweep(&mut world).await;
    assert!(watch.has_blocks());
    for number in 6..=9 {
        let stan = u64::from(number);
        let told = said(&mut world, stranger(100 + number, stan), stan).await;
        assert_eq!(told, Reason::AttemptsBlocked, "whichever shard: {number}");
    }
    assert_eq!(said(&mut world, ask(51), 51).await, Reason::AttemptsBlocked);
    // Nobody reads that of a chip which computed what only the card can.
    let (command, holder) = (by_chip(purchase(alice, 52, 10_00)), alice);
    assert_eq!(said(&mut world, (command, holder), 52).await, Reason::Approved);
    // What was answered before is answered so, what rests on it is no attempt, and what has
    // happened cannot be refused.
    assert_eq!(said(&mut world, ask(50), 50).await, Reason::Approved, "a repeat");
    let settled = (remote(settlement(alice, 53, 50, 10_00)), alice);
    assert_eq!(said(&mut world, settled, 53).await, Reason::Approved);
    let advised = (advice(alice, 54, 10_00), alice);
    assert_eq!(said(&mut world, advised, 54).await, Reason::AdviceAccepted);
    let reversed = (reversal(alice, 55, 52), alice);
    assert_eq!(said(&mut world, reversed, 55).await, Reason::ReversalAccepted);
    let refused = watch.figures().refused;
    assert_eq!(refused, 7, "five attempts, the repeat and the completion: the engine let those by");
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_counts_once_and_what_a_chip_made_never() {
    let watch = watch(Mode::Block);
    let mut world = world(&watch).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    for _ in 0..10 {
        let told = said(&mut world, stranger(101, 1), 1).await;
        assert_eq!(told, Reason::InvalidCardNumber, "the same message");
    }
    for stan in 10..20 {
        let mut command = by_chip(purchase(alice, stan, 1_00));
        if let Command::Authorize(request) = &mut command {
            request.expiry = switch_domain::Expiry::from_yymm(2711).ok();
        }
        assert_eq!(said(&mut world, (command, alice), stan).await, Reason::ExpiredCard);
    }
    let now = Timestamp(i64::MAX / 2);
    let [unknown, expired, ..] = watch.figures().counted;
    assert_eq!((unknown, expired), (1, 0));
    let bin = Subject::Bin(switch_domain::Bin(99_999_912));
    assert_eq!(watch.counted(&bin, Kind::UnknownCard, now), 0, "long after");
    for stan in 30..33 {
        let small = (remote(purchase(alice, stan, 2_00)), alice);
        assert_eq!(said(&mut world, small, stan).await, Reason::Approved);
    }
    let small = (remote(purchase(alice, 33, 2_00)), alice);
    assert_eq!(said(&mut world, small, 33).await, Reason::AttemptsBlocked, "right or wrong");
}

#[tokio::test(start_paused = true)]
async fn in_shadow_nothing_is_declined_for_it() {
    let watch = watch(Mode::Shadow);
    let mut world = world(&watch).await;
    sweep(&mut world).await;
    assert_eq!(watch.figures().shadow_blocks, 1);
    let told = said(&mut world, stranger(110, 10), 10).await;
    assert_eq!(told, Reason::InvalidCardNumber);
    assert_eq!(watch.figures().shadowed, 1);
}
