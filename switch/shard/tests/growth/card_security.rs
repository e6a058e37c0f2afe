//! Guessing over a real PostgreSQL: many at once on one card, a restart in the middle, a kill, a
//! resharding; and what links are told of a card meanwhile.

use std::time::Duration;

use switch_domain::{
    CardReferences, CardSecurityTerms, Chip, ChipDifferences, ChipFacts, CryptogramType, Evidence,
    Expiry, Finding, IdempotencyKey, PinMethod, PinReference, PlasticInForce, ProgrammeId, Reason,
    ServiceCode,
};
use switch_shard::{Act, Authorize, Command, ReplyOutcome, TakeoverMode};

use crate::world::{Holder, PRINT, Serving, World, purchase, settings};

/// Keys of commands that others do not use.
fn key(number: u8) -> IdempotencyKey {
    IdempotencyKey([0xee, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

async fn done(serving: &Serving, number: u8, act: Act) {
    serving.done_as(key(number), act, PRINT).await;
}

/// Has the card of the only programme verified, and gives it a PIN.
async fn verified(serving: &Serving, holder: Holder) -> ProgrammeId {
    let programme = *serving.node.control().programmes.keys().next().expect("a programme");
    let terms = CardSecurityTerms { pin: Some(PinMethod::Pvv), ..CardSecurityTerms::default() };
    let terms = Some(Box::new(terms));
    done(serving, 1, Act::SetCardSecurity { programme, terms }).await;
    let card = holder.card;
    let reference = PinReference::pvv(1, b"1234").expect("digits");
    done(serving, 2, Act::SetPinReference { card, reference }).await;
    programme
}

/// A purchase with a chip and a PIN, as a link that asked the directory would have found it.
fn with_pin(serving: &Serving, holder: Holder, stan: u32, right: bool) -> Authorize {
    let reference = serving.node.directory().reference(&PRINT).expect("it is verified");
    let chip = Chip {
        atc: u16::try_from(stan).expect("small"),
        sequence: reference.references.sequence,
        cryptogram: Finding::Matched,
        kind: CryptogramType::Request,
        differs: ChipDifferences::NONE,
        tolerated: ChipDifferences::NONE,
        facts: ChipFacts::NONE,
    };
    let evidence = Evidence {
        references: reference.references.version,
        pin: if right { Finding::Matched } else { Finding::Mismatched },
        chip: Some(chip),
        ..Evidence::default()
    };
    let request = purchase(holder, stan, 100, 5411);
    Authorize { evidence: Some(Box::new(evidence)), ..request }
}

async fn said(serving: &mut Serving, request: Authorize) -> Reason {
    let token = request.facts.key.stan;
    let outcome = serving.send_for(PRINT, Command::Authorize(request), token).await;
    let ReplyOutcome::Decided(decision) = outcome else { panic!("{outcome:?}") };
    decision.reason
}

/// Whether an answer tells anything of the PIN of its own message.
fn reveals(reason: Reason) -> bool {
    matches!(reason, Reason::Approved | Reason::IncorrectPin | Reason::PinTriesExceeded)
}

/// T-15, C-23: fifty at once, the right PIN among them. Three are told at most, and after the third
/// wrong one none is approved; whatever the order is in which they came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_at_once_three_are_told_and_none_is_approved_behind_the_third_wrong_one() {
    let world = World::new().await;
    let mut serving = world.serve().await;
    let holder = serving.issue(&world.store).await;
    verified(&serving, holder).await;
    for (round, right) in (1..).zip([7_u32, 1, 2, 50]) {
        let first = round * 100;
        for stan in 1..=50 {
            let request = with_pin(&serving, holder, first + stan, stan == right);
            let command = Command::Authorize(request);
            serving.hand_in(PRINT, command, u64::from(stan), Duration::from_secs(60));
        }
        let mut told = vec![];
        for _ in 0..50 {
            let reply = serving.reply().await;
            let ReplyOutcome::Decided(decision) = reply.outcome else { panic!("{reply:?}") };
            told.push((reply.token, decision.reason));
        }
        // One shard decides and answers in the order in which they came.
        let revealed: Vec<_> = told.iter().filter(|(_, reason)| reveals(*reason)).collect();
        let wrong =
            told.iter().filter(|(token, reason)| reveals(*reason) && *token != u64::from(right));
        assert_eq!(wrong.count(), 3, "{revealed:?}");
        let early = right <= 3;
        assert_eq!(revealed.len(), if early { 4 } else { 3 }, "{revealed:?}");
        let locking = told.iter().position(|(_, reason)| *reason == Reason::PinTriesExceeded);
        let behind = &told[locking.expect("one locks") + 1..];
        let locked = switch_domain::LockCode::PinTriesExceeded.reason();
        assert!(behind.iter().all(|(_, reason)| *reason == locked), "{behind:?}");
        let number = u8::try_from(10 + right).expect("small");
        done(&serving, number, Act::UnlockCard { card: holder.card }).await;
    }
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}

/// No crash gives a guess back: what was answered counts after it, and so does what was counted and
/// never answered.
#[tokio::test]
async fn no_restart_gives_a_guess_back() {
    let world = World::new().await;
    let mut serving = world.serve().await;
    let holder = serving.issue(&world.store).await;
    verified(&serving, holder).await;
    let wrong = with_pin(&serving, holder, 1, false);
    assert_eq!(said(&mut serving, wrong).await, Reason::IncorrectPin);
    serving.kill();
    let mut serving = world.take_over(settings(), TakeoverMode::Force).await;
    let wrong = with_pin(&serving, holder, 2, false);
    assert_eq!(said(&mut serving, wrong).await, Reason::IncorrectPin);
    assert!(!serving.node.directory().reference(&PRINT).expect("known").tries_exceeded);
    serving.stop().await;
    world.expect_balanced().await;
    let mut serving = world.serve().await;
    let replayed = with_pin(&serving, holder, 2, false);
    assert_eq!(said(&mut serving, replayed).await, Reason::IncorrectPin, "a repeat of the message");
    let wrong = with_pin(&serving, holder, 3, false);
    assert_eq!(said(&mut serving, wrong).await, Reason::PinTriesExceeded);
    assert!(serving.node.directory().reference(&PRINT).expect("known").tries_exceeded);
    serving.kill();
    let mut serving = world.take_over(settings(), TakeoverMode::Force).await;
    assert!(serving.node.directory().reference(&PRINT).expect("known").tries_exceeded);
    let locked = switch_domain::LockCode::PinTriesExceeded.reason();
    let right = with_pin(&serving, holder, 4, true);
    assert_eq!(said(&mut serving, right).await, locked);
    done(&serving, 3, Act::UnlockCard { card: holder.card }).await;
    assert!(!serving.node.directory().reference(&PRINT).expect("known").tries_exceeded);
    let right = with_pin(&serving, holder, 5, true);
    assert_eq!(said(&mut serving, right).await, Reason::Approved);
    serving.stop().await;
    let counted = "SELECT count(*) FROM card_counter WHERE pin_tries = 0";
    assert_eq!(world.count(counted).await, 1);
    let told = "SELECT count(*) FROM card_authorization WHERE evidence LIKE '%pin=mismatched%'";
    assert_eq!(world.count(told).await, 3);
    let hidden = "SELECT count(*) FROM card_authorization WHERE evidence LIKE '%pin=skipped%'";
    assert_eq!(world.count(hidden).await, 1);
    world.expect_balanced().await;
    world.close().await;
}

/// What links verify by is there as soon as whoever set it is told so, and after a start.
#[tokio::test]
async fn links_are_told_what_a_card_is_verified_by() {
    let world = World::new().await;
    let mut serving = world.serve().await;
    let holder = serving.issue(&world.store).await;
    assert!(serving.node.directory().reference(&PRINT).is_none(), "nothing is verified");
    let programme = verified(&serving, holder).await;
    let card = holder.card;
    let service_code = ServiceCode::new(201).ok();
    done(&serving, 3, Act::SetCardData { card, service_code, sequence: 1 }).await;
    done(&serving, 4, Act::ResetCardCode { card }).await;
    let pin = PinReference::pvv(1, b"1234").ok();
    let expected = CardReferences {
        version: 3,
        service_code,
        sequence: 1,
        pin,
        code_generation: 1,
        ..CardReferences::default()
    };
    for _ in 0..2 {
        let found = serving.node.directory().reference(&PRINT).expect("it is verified");
        assert_eq!((found.card, &*found.references), (card, &expected));
        assert_eq!((found.expiry.yymm(), found.terms.pin_limit), (4912, 3));
        assert!(!found.tries_exceeded);
        serving.stop().await;
        serving = world.serve().await;
    }
    let expiry = Expiry::from_yymm(5001).expect("a month");
    let new = service_code.map(|code| (code, 2));
    done(&serving, 5, Act::RenewCard { card, expiry, plastic: new }).await;
    let plastic = PlasticInForce { since: 2, awaited: None };
    let expected = CardReferences { version: 4, sequence: 2, plastic, ..expected };
    for _ in 0..2 {
        let found = serving.node.directory().reference(&PRINT).expect("it is verified");
        assert_eq!((&*found.references, found.expiry), (&expected, expiry));
        let counters = serving.node.card_counters(card).await.expect("something is counted");
        assert!(counters.chip_pin_pends(), "the new chip does not have the PIN by itself");
        serving.stop().await;
        serving = world.serve().await;
    }
    done(&serving, 6, Act::SetCardSecurity { programme, terms: None }).await;
    assert!(serving.node.directory().reference(&PRINT).is_none(), "nothing is verified any more");
    serving.stop().await;
    world.expect_balanced().await;
    world.close().await;
}
