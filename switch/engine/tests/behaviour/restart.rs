//! A shard that is loaded from rows instead of replayed: it answers, reverses and mints as before.

use switch_domain::{
    AnsweredReversal, AuthorizationId, DoneCommand, Event, MessageClass, MinorUnits,
    OriginalReference, Reason, Seq, ShardId, ShardImage,
};
use switch_engine::{Answer, Command, State};

use crate::harness::{CARDS, World, authorize, fingerprint, key};

/// The rows that a projector would have written: everything about money from the state, and what is
/// remembered for a window from the journal.
fn image_of(world: &World) -> ShardImage {
    let state = &world.cluster.states[CARDS];
    let mut image = ShardImage::empty(ShardId(1));
    image.projected = Seq(i64::try_from(world.cluster.journals[CARDS].len()).expect("few") - 1);
    image.last_decided = state.last_at();
    image.control = state.control().as_ref().clone();
    image.balances = state.balances().cloned().collect();
    image.cards =
        state.cards().map(|card| (card.clone(), switch_domain::Fingerprint([0; 16]))).collect();
    image.shares = state.shares().collect();
    for record in &world.cluster.journals[CARDS] {
        let at = record.at;
        if let switch_domain::Cause::Command { key, digest, .. } = &record.cause {
            let made = match &record.event {
                Event::BalanceOpened(opened) => Some(opened.balance.0),
                Event::CardIssued(issued) => Some(issued.card.0),
                _ => None,
            };
            let (key, digest, refused) = (*key, *digest, record.event.refusal());
            image.commands.push(DoneCommand { key, digest, made, refused, at });
        }
        match &record.event {
            Event::BalanceOpened(opened) => image.last_counter = opened.balance.counter(),
            Event::CardIssued(issued) => image.last_counter = issued.card.counter(),
            Event::Authorized(authorized) => {
                image.last_counter = authorized.id.counter();
                image.authorizations.extend(state.authorization(authorized.id).cloned());
            }
            Event::Reversed(reversed) => {
                image.last_counter = reversed.id.counter();
                image.reversals.push(AnsweredReversal {
                    id: reversed.id,
                    key: reversed.key,
                    reference: reversed.reference,
                    original: reversed.original,
                    standing: reversed.standing,
                    reason: reversed.reason,
                    decided_at: at,
                });
            }
            _ => {}
        }
    }
    image
}

fn busy_world() -> World {
    World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        card c2 alice exp 2712
        auth c1 20.00 stan 1          -> approved
        auth c1 60.00 stan 2          -> insufficient_funds
        auth c1 5.00 stan 3           -> approved
        reverse stan 3                -> reversal_accepted of 3
        reverse c1 stan 4             -> reversal_accepted of nothing
        credit alice 1.00 key k1
        lock c2 3
        ",
    )
}

#[test]
fn a_loaded_shard_equals_the_one_that_lived() {
    let world = busy_world();
    let loaded = State::from_image(image_of(&world));
    assert_eq!(loaded.differences(&world.cluster.states[CARDS]), []);
    assert_eq!(loaded.books(), []);
    assert_eq!(loaded.remembered(), world.cluster.states[CARDS].remembered());
}

#[test]
fn a_loaded_shard_goes_on_where_the_other_stopped() {
    let mut world = busy_world();
    world.cluster.states[CARDS] = State::from_image(image_of(&world));
    world.run(
        "
        auth c1 20.00 stan 1          -> approved repeated of 1
        auth c1 60.00 stan 2          -> insufficient_funds repeated of 2
        reverse c1 stan 3             -> reversal_accepted repeated of 3
        auth c1 7.00 stan 4           -> original_reversed
        auth c2 1.00 stan 5           -> locked_pending_query
        credit alice 1.00 key k1
        ledger alice 51.00
        reverse stan 1                -> reversal_accepted of 1
        held alice 0.00
        auth c1 51.00 stan 6          -> approved
        ",
    );
}

#[test]
fn identifiers_and_approval_codes_go_on_without_a_repetition() {
    let mut world = busy_world();
    let mut loaded = State::from_image(image_of(&world));
    let (card, eur) = world.names.cards["c1"];
    let key = key(MessageClass::AuthorizationRequest, 50, fingerprint("c1"));
    let minor = switch_domain::MinorUnits(1);
    let mut request = authorize(key, switch_domain::Amount { minor, currency: eur });
    request.card = Some(card);
    let command = Command::Authorize(request);
    let there = world.cluster.submit(CARDS, &command);
    let here = loaded.decide(&command, &world.cluster.pools(), world.cluster.now);
    assert_eq!(here.answer, there, "the same identifier and the same code");
    loaded.apply_decided(&here.record.expect("approved")).expect("fits");
    let Answer::Decided(decision) = here.answer else { panic!() };
    let earlier = world.names.authorizations["1"];
    assert!(decision.authorization.is_some_and(|id| id > earlier));
    assert_eq!(loaded.differences(&world.cluster.states[CARDS]), []);
}

/// What is found, and what is done to the rows so that it is.
type Alteration = (&'static str, fn(&mut ShardImage));

/// Rows come in any order: the latest is still the one that is meant.
#[test]
fn of_equal_originals_the_latest_is_meant_in_whatever_order_they_were_loaded() {
    let mut world = busy_world();
    world.run(
        "
        auth c1 1.00 stan 70 time 101 as older     -> approved
        auth c1 2.00 stan 70 time 102 as newer     -> approved
        ",
    );
    let mut image = image_of(&world);
    image.authorizations.reverse();
    world.cluster.states[CARDS] = State::from_image(image);
    world.run("reverse c1 stan 70 -> reversal_accepted of newer");
}

/// W-16: the clock of the next decision is at least this.
#[test]
fn the_time_of_the_last_record_is_known_and_never_goes_back() {
    let mut world = busy_world();
    let last = world.cluster.journals[CARDS].last().expect("a record").at;
    assert_eq!(world.cluster.states[CARDS].last_at(), last);
    assert_eq!(State::from_image(image_of(&world)).last_at(), last);
    world.cluster.now = last.minus_micros(5_000_000);
    world.run("auth c1 1.00 stan 60 -> approved");
    assert_eq!(world.cluster.states[CARDS].last_at(), last);
}

#[test]
fn differences_are_found_and_named() {
    let world = busy_world();
    let image = image_of(&world);
    let live = &world.cluster.states[CARDS];
    let altered: [Alteration; 7] = [
        ("balance", |image| image.balances[0].ledger.0 += 1),
        ("balance", |image| image.balances[0].held.0 += 1),
        ("card", |image| image.cards[0].0.approvals += 1),
        ("share of pool", |image| image.shares[0].1.held.0 += 1),
        ("open authorization", |image| image.authorizations[0].totals.authorized.0 += 1),
        ("customer", |image| {
            let blocked = switch_domain::CustomerState::Blocked;
            image.customers.push((switch_domain::CustomerId(1), blocked));
        }),
        ("programmes", |image| image.control = Default::default()),
    ];
    for (what, alter) in altered {
        let mut image = image.clone();
        alter(&mut image);
        let found = State::from_image(image).differences(live);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert!(found[0].what.starts_with(what), "{what}: {found:?}");
        assert!(!found[0].to_string().is_empty());
    }
}

#[test]
fn books_that_do_not_add_up_name_the_row() {
    let world = busy_world();
    let image = image_of(&world);
    let altered: [Alteration; 4] = [
        ("held on balance", |image| image.balances[0].held.0 += 1),
        ("held of pool", |image| image.shares[0].1.held.0 -= 1),
        ("held on missing balance", |image| image.balances.clear()),
        ("held of missing pool share", |image| image.shares.clear()),
    ];
    for (what, alter) in altered {
        let mut image = image.clone();
        alter(&mut image);
        let faults = State::from_image(image).books();
        assert_eq!(faults.len(), 1, "{what}: {faults:?}");
        assert!(faults[0].what.starts_with(what), "{what}: {faults:?}");
        assert_ne!(faults[0].stated, faults[0].computed);
    }
}

/// The tables list every reversal that came without its original; which of them have met it since
/// follows from the authorizations.
#[test]
fn early_reversals_that_met_their_original_are_used_up_after_loading_too() {
    let mut world = busy_world();
    world.run(
        "
        reverse c1 stan 50 rrn A own 90          -> reversal_accepted of nothing
        reverse c1 stan 50 rrn B own 91          -> reversal_accepted of nothing
        auth c1 1.00 stan 50 rrn B               -> original_reversed
        ",
    );
    let image = image_of(&world);
    let early = image.reversals.iter().filter(|reversal| reversal.original.is_none());
    assert_eq!(early.count(), 3, "the rows say nothing of it");
    world.cluster.states[CARDS] = State::from_image(image);
    world.run(
        "
        auth c1 1.00 stan 50 rrn A               -> original_reversed
        auth c1 1.00 stan 50 rrn C               -> approved
        auth c1 1.00 stan 4                      -> original_reversed
        ",
    );
}

#[test]
fn an_early_reversal_from_the_tables_keeps_its_preferences() {
    let mut world = busy_world();
    let mut image = image_of(&world);
    let key = key(MessageClass::AuthorizationRequest, 77, fingerprint("c1"));
    image.last_counter += 1;
    image.reversals.push(AnsweredReversal {
        id: AuthorizationId::mint(ShardId(1), image.last_counter),
        key: switch_domain::MessageKey { class: MessageClass::ReversalRequest, ..key },
        reference: OriginalReference {
            key: key.as_original(),
            class: None,
            transmitted: 11,
            rrn: switch_domain::AsciiText::new(b"A").expect("short"),
            network_trace: switch_domain::NetworkTrace::NONE,
        },
        original: None,
        standing: MinorUnits::ZERO,
        reason: Reason::ReversalAccepted,
        decided_at: image.last_decided,
    });
    world.cluster.states[CARDS] = State::from_image(image);
    world.run(
        "
        auth c1 1.00 stan 77 rrn B de7 12    -> approved
        auth c1 1.00 stan 77 rrn A de7 12    -> original_reversed
        auth c1 1.00 stan 77 rrn A de7 11 time 101   -> approved    # used up by the one before
        ",
    );
}
