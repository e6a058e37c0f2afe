//! What is answered is no oracle (T-14): of ten thousand guesses of numbers, months and printed
//! codes all are told the same, and of ten thousand guesses of PINs each card tells no more than it
//! has tries. How long answers take is measured elsewhere: no test here looks at a clock.

use std::collections::{BTreeMap, BTreeSet};

use admin_api::NewCard;
use codecs::framing::{Framing, LengthHeader};
use simulators::chip::{CardFacts, CardKind, Flaw, SimulatedCard, TestKeys, pin_block_0};
use simulators::demo_file::TestPan;
use switch_domain::{CardId, CardSecurityTerms, Expiry, Pan, ServiceCode};
use switch_security::exit::reveal_test_pan;
use switch_server::config::AttackMode;

use crate::chips::{Chips, by_software, reference, terms};
use crate::issuer::set;
use crate::speaker::{Draft, Speaker, Value};
use crate::stage::{Stage, key, text};

const DIALECT: &str = "iso87-ascii";
const TRIES: usize = 10_000;
const CARDS: usize = 100;
const PIN: &str = "8264";

/// An answer without what it took over from its request.
type Told = BTreeMap<u8, Vec<u8>>;

/// A card with a stripe alone.
struct Card {
    id: CardId,
    card: SimulatedCard,
}

/// A switch that verifies, with so many cards.
async fn many_cards() -> (Chips, Vec<Card>) {
    let chips = Chips::start(CardKind::Visa18, DIALECT, |config| {
        by_software(config);
        // Merchants where cards are guessed are refused: that is another story's.
        config.attacks.mode = AttackMode::Off;
    })
    .await;
    let keys = TestKeys::from_seed(42);
    let (services, actor) = (chips.stage.services(), text("test"));
    let expiry = Expiry::from_yymm(4_912).expect("a month");
    let new = NewCard { balance: chips.issued.balance, expiry, active: true };
    let mut cards = Vec::new();
    for index in 0..CARDS {
        let named = |what: &str| key(&format!("{what} {index}"));
        let issued = services.issue_card(named("card"), actor, new).await.expect("a card");
        let pan = reveal_test_pan(&issued.pan).expect("a test number");
        let data = (ServiceCode::new(101).ok(), 1);
        services.set_card_data(named("data"), actor, issued.card, data).await.expect("data");
        let reference = reference(&keys, &pan);
        let set = services.set_pin_reference(named("pin"), actor, issued.card, reference);
        set.await.expect("a reference");
        let facts = CardFacts {
            pan: TestPan::new(pan),
            expiry: "4912".into(),
            service_code: "101".into(),
            sequence: 1,
            pin: PIN.into(),
            kind: CardKind::Visa18,
        };
        let card = SimulatedCard::personalised(&keys, facts).expect("a card");
        cards.push(Card { id: issued.card, card });
    }
    (chips, cards)
}

/// Sends all at once; of each answer, by its trace number, what it did not take over.
async fn ask_all(peer: &mut Speaker, drafts: &[Draft]) -> BTreeMap<u32, Told> {
    let number = |draft: &Draft| match draft.iter().find(|(field, _)| *field == 11) {
        Some((_, Value::Text(number))) => number.parse().expect("digits"),
        _ => panic!("a message has a number"),
    };
    let sent: BTreeMap<u32, &Draft> = drafts.iter().map(|draft| (number(draft), draft)).collect();
    let frame = |draft| peer.framed(&peer.bytes(peer.mti("100"), draft));
    let frames = drafts.iter().flat_map(frame).collect::<Vec<_>>();
    peer.send_raw(&frames).await;
    let mut answers = BTreeMap::new();
    for _ in drafts {
        let said = peer.answer().await;
        let number = peer.text(&said, 11).expect("a number").parse().expect("digits");
        let mut told = peer.fields(&said);
        for (field, value) in sent[&number] {
            let same = match value {
                Value::Text(text) => peer.text(&said, *field).as_ref() == Some(text),
                Value::Bytes(_) => false,
            };
            if same {
                told.remove(field);
            }
        }
        answers.insert(number, told);
    }
    answers
}

async fn speaker(stage: &Stage) -> Speaker {
    let dialect = switch_server::config::dialect(DIALECT).expect("a dialect");
    Speaker::connect(stage.address(), dialect, Framing::new(LengthHeader::Binary2)).await
}

/// A number of the programme that no card has: those that are issued are not among the highest.
fn unissued(number: usize) -> String {
    let payload = format!("999999129{number:06}");
    format!("{payload}{}", char::from(Pan::check_digit(payload.as_bytes())))
}

/// Without the card, from its number, month and printed code.
fn typed(peer: &Speaker, pan: &str, stan: u32, code: String) -> Draft {
    let mut draft = peer.purchase(pan, stan, 100);
    set(&mut draft, 22, Value::Text("012".into()));
    draft.extend([(25, Value::Text("59".into())), (126, Value::Text(code))]);
    draft
}

/// Where terms say so, who has no card learns nothing from the answer; the record has all of it.
#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_guesses_of_cards_all_are_told_the_same() {
    let (chips, cards) = many_cards().await;
    let programme = chips.stage.services().node().control().programmes.keys().next().copied();
    let alike = CardSecurityTerms { answers_alike: true, ..terms() };
    let services = chips.stage.services();
    let set_terms = services.set_card_security(
        key("alike"),
        text("test"),
        programme.expect("a programme"),
        Some(alike),
    );
    set_terms.await.expect("terms");
    let mut peer = speaker(&chips.stage).await;
    let mut told = BTreeSet::new();
    for round in 0..TRIES / CARDS {
        let drafts: Vec<Draft> = cards
            .iter()
            .zip(0..)
            .map(|(Card { card, .. }, index)| {
                let at = round * CARDS + index;
                let stan = 1 + u32::try_from(at).expect("few");
                let pan = card.facts().pan.digits();
                // The kinds go round among the cards, so that each comes of each.
                match (round + index) % 4 {
                    0 => typed(&peer, &unissued(at), stan, card.code(None)),
                    1 => {
                        let mut draft = typed(&peer, pan, stan, card.code(None));
                        set(&mut draft, 14, Value::Text("4911".into()));
                        draft
                    }
                    // In the second half there are too many wrong ones for the right one.
                    2 if round > TRIES / CARDS / 2 => typed(&peer, pan, stan, card.code(None)),
                    _ => typed(&peer, pan, stan, card.code(Some(Flaw::Code))),
                }
            })
            .collect();
        told.extend(ask_all(&mut peer, &drafts).await.into_values());
    }
    let refused = BTreeMap::from([(39, b"05".to_vec())]);
    assert_eq!(told, BTreeSet::from([refused]), "one answer for all");
    drop(peer);
    // Numbers of nobody are decided by any shard: all of them have written once they have stopped.
    let chips = chips.restart().await;
    let reasons = chips.reasons().await;
    let of = |reason: &str| reasons.iter().filter(|one| *one == reason).count();
    let kept = ["invalid_card_number", "expired_card", "card_code_incorrect"].map(of);
    assert_eq!(kept, [TRIES / 4, TRIES / 4, CARDS * 10], "the record tells them apart");
    assert_eq!(of("card_code_tries_exceeded"), TRIES / 2 - CARDS * 10);
    assert_eq!(reasons.len(), TRIES);
    chips.stage.end().await;
}

/// Of each card what it has tries for, and then the same for every PIN, the right one too.
#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_guesses_of_pins_no_card_tells_more_than_it_has_tries() {
    let (chips, cards) = many_cards().await;
    let zone = TestKeys::from_seed(42).zone;
    let mut peer = speaker(&chips.stage).await;
    let rounds = TRIES / CARDS;
    let mut told = BTreeMap::new();
    for round in 0..rounds {
        let drafts: Vec<Draft> = cards
            .iter()
            .zip(0..)
            .map(|(Card { card, .. }, index)| {
                let stan = 1 + u32::try_from(round * CARDS + index).expect("few");
                let pan = card.facts().pan.digits();
                let mut draft = peer.purchase(pan, stan, 100);
                set(&mut draft, 22, Value::Text("901".into()));
                draft.push((35, Value::Text(card.stripe(None))));
                // The right one is among them, in another round for each card; never of the first.
                let right = round >= 3 && (round + index) % 7 == 0;
                let wrong = wrong_pin(card, round);
                let entered = if right { PIN } else { wrong.as_str() };
                draft.push((52, Value::Bytes(pin_block_0(&zone, pan, entered).to_vec())));
                draft
            })
            .collect();
        for answer in ask_all(&mut peer, &drafts).await.into_values() {
            *told.entry((round.min(3), answer)).or_insert(0) += 1;
        }
    }
    let says = |code: &[u8]| BTreeMap::from([(39, code.to_vec())]);
    let expected = BTreeMap::from([
        ((0, says(b"55")), CARDS),
        ((1, says(b"55")), CARDS),
        ((2, says(b"75")), CARDS),
        ((3, says(b"75")), TRIES - 3 * CARDS),
    ]);
    assert_eq!(told, expected, "by round, and all later ones together");
    for Card { id, .. } in &cards {
        let counters = chips.stage.services().node().card_counters(*id).await;
        assert_eq!(counters.expect("of every card").pin_tries(), 3);
        let card = chips.stage.services().node().card(*id).await.expect("there");
        assert_eq!(card.lock.map(switch_domain::LockCode::number), Some(6));
    }
    let reasons = chips.reasons().await;
    let of = |reason: &str| reasons.iter().filter(|one| *one == reason).count();
    let kept = ["incorrect_pin", "pin_tries_exceeded", "locked_pin_tries_exceeded"].map(of);
    assert_eq!(kept, [2 * CARDS, CARDS, TRIES - 3 * CARDS]);
    let balance = chips.stage.services().node().balance(chips.issued.balance).await;
    assert_eq!(balance.expect("there").held.0, 0, "nothing was granted");
    drop(peer);
    chips.stage.end().await;
}

/// A PIN that is another one, also for its verification value.
fn wrong_pin(card: &SimulatedCard, round: usize) -> String {
    let keys = TestKeys::from_seed(42);
    let pan = card.facts().pan.digits();
    let value = |pin: &str| simulators::chip::pin_verification_value(&keys.pin_values, pan, 1, pin);
    let right = value(PIN);
    let mut all = (round..).map(|number| format!("{number:04}"));
    all.find(|other| value(other) != right).expect("nearly all of them")
}
