//! Simulated cards as terminals use them: what each flaw changes and what it leaves, the counting
//! of transactions, and that a chip believes no answer but the issuer's.

use simulators::acquirer::{Channel, NumberSource, Purchase, purchase};
use simulators::chip::{
    CardFacts, CardKind, Flaw, IssuerAnswer, Sale, Signed, SimulatedCard, TestKey, TestKeys,
};
use simulators::demo_file::{TestCard, TestPan};
use simulators::iso::Message;

const PAN: &str = "9999991200000018";

fn card(kind: CardKind) -> SimulatedCard {
    let facts = CardFacts {
        pan: TestPan::new(PAN.to_owned()),
        expiry: "2912".to_owned(),
        service_code: "201".to_owned(),
        sequence: 1,
        pin: "4728".to_owned(),
        kind,
    };
    SimulatedCard::personalised(&TestKeys::from_seed(7), facts).expect("a card")
}

fn request() -> Message {
    let card = TestCard {
        pan: TestPan::new(PAN.to_owned()),
        expiry: "2912".to_owned(),
        state: "good".to_owned(),
        expect: "00".to_owned(),
    };
    let what = Purchase { channel: Channel::Atm, card: &card, minor: 5000, currency: "978" };
    let now = "2026-11-27T09:30:00Z".parse().expect("a time");
    purchase(&what, &NumberSource::starting_at(now).next(now)).expect("a request")
}

fn sale() -> Sale {
    Sale::of(&request(), 26, 470, [0x11, 0x22, 0x33, 0x44]).expect("a sale")
}

/// The value of a tag in DE55, by its bytes: the tags looked for are in nothing else here.
fn tag<'a>(signed: &'a Signed, tag: &[u8]) -> &'a [u8] {
    let data = &signed.chip_data;
    let at = data.windows(tag.len()).position(|window| window == tag).expect("the tag");
    let (length, value) = data[at + tag.len()..].split_first().expect("a length");
    &value[..usize::from(*length)]
}

const CRYPTOGRAM: &[u8] = &[0x9F, 0x26];
const COUNTER: &[u8] = &[0x9F, 0x36];
const AMOUNT: &[u8] = &[0x9F, 0x02];

#[test]
fn a_sale_is_what_its_message_says() {
    let mut message = request();
    let sale = sale();
    assert_eq!((sale.minor, sale.currency, sale.kind), (5000, 978, 1));
    assert_eq!((sale.date, sale.with_pin), ([26, 11, 27], false));
    message.set(52, [0; 8]).expect("a PIN block");
    assert!(Sale::of(&message, 26, 470, [0; 4]).expect("a sale").with_pin);
    message.remove(49);
    assert!(Sale::of(&message, 26, 470, [0; 4]).is_err());
}

#[test]
fn a_chip_counts_and_signs_each_transaction_apart() {
    for kind in CardKind::ALL {
        let (mut one, mut other) = (card(kind), card(kind));
        let first = one.sign(&sale(), None);
        assert_eq!(first.chip_data, other.sign(&sale(), None).chip_data, "{kind:?}");
        let second = one.sign(&sale(), None);
        assert_eq!((first.counter, second.counter, one.counter()), (1, 2, 2));
        assert_ne!(tag(&first, CRYPTOGRAM), tag(&second, CRYPTOGRAM));
        let replayed = one.sign(&sale(), Some(Flaw::ReplayedCounter));
        assert_eq!(replayed.chip_data, second.chip_data, "{kind:?}");
        one.resume(0xFFFF);
        assert_eq!(tag(&one.sign(&sale(), None), COUNTER), [0, 0]);

        let mut message = request();
        first.put_into(&mut message).expect("it fits");
        assert_eq!(message.text(23), Some("001"));
        assert_eq!(message.bytes(55), Some(first.chip_data.as_slice()));
        let track = message.text(35).expect("a track");
        assert!(track.starts_with(&format!("{PAN}=2912201")) && track.len() <= 37);
        assert!(first.chip_data.len() <= 255);
    }
}

#[test]
fn each_flaw_changes_what_it_names_and_nothing_else() {
    for kind in CardKind::ALL {
        let right = card(kind).sign(&sale(), None);
        let flawed = |flaw| card(kind).sign(&sale(), Some(flaw));
        let altered = flawed(Flaw::AlteredAmount);
        assert_eq!(tag(&altered, AMOUNT), tag(&right, AMOUNT));
        assert_ne!(tag(&altered, CRYPTOGRAM), tag(&right, CRYPTOGRAM));
        let other = flawed(Flaw::OtherAmount);
        assert_ne!(tag(&other, AMOUNT), tag(&right, AMOUNT));
        assert_eq!(tag(&other, CRYPTOGRAM), tag(&altered, CRYPTOGRAM));
        assert_ne!(tag(&flawed(Flaw::Cryptogram), CRYPTOGRAM), tag(&right, CRYPTOGRAM));
        let value = flawed(Flaw::TrackValue);
        assert_eq!(value.chip_data, right.chip_data);
        assert_ne!(value.track, right.track);
        for flaw in [Flaw::Pin, Flaw::Code] {
            let same = flawed(flaw);
            assert_eq!(
                (same.chip_data, same.track),
                (right.chip_data.clone(), right.track.clone())
            );
        }
    }
    let card = card(CardKind::Visa18);
    let (stripe, code) = (card.stripe(None), card.code(None));
    let (pin_0, pin_4) = (card.pin_block_0(None), card.pin_block_4(None, [5; 8]));
    for flaw in Flaw::ALL {
        let flawed = Some(flaw);
        assert_eq!(card.stripe(flawed) != stripe, flaw == Flaw::TrackValue);
        assert_eq!(card.code(flawed) != code, flaw == Flaw::Code);
        assert_eq!(card.pin_block_0(flawed) != pin_0, flaw == Flaw::Pin);
        assert_eq!(card.pin_block_4(flawed, [5; 8]) != pin_4, flaw == Flaw::Pin);
    }
    assert_ne!(card.pin_block_4(None, [6; 8]), pin_4);
}

#[test]
fn a_chip_believes_no_answer_but_the_issuers() {
    for kind in CardKind::ALL {
        let signed = card(kind).sign(&sale(), None);
        assert_eq!(signed.judge_chip_data(&[]), IssuerAnswer::Absent);
        assert_eq!(signed.judge_chip_data(&[0x8A, 0x02, 0x30, 0x30]), IssuerAnswer::Absent);
        for length in 0..=16 {
            let mut answer = vec![0x91, length];
            answer.resize(2 + usize::from(length), 0x30);
            assert_eq!(signed.judge_chip_data(&answer), IssuerAnswer::Wrong, "{kind:?}");
        }
        // What ends in the middle is no answer, and nothing is read past it.
        for broken in
            [&[0x91][..], &[0x91, 0x0A, 0x00], &[0x9F], &[0x91, 0x83, 0, 0, 1], &[0xFF; 9]]
        {
            assert_eq!(signed.judge_chip_data(broken), IssuerAnswer::Absent);
        }
    }
}

#[test]
fn keys_follow_from_the_seed_and_are_not_shown() {
    let (one, same, other) =
        (TestKeys::from_seed(1), TestKeys::from_seed(1), TestKeys::from_seed(2));
    assert!(one.cryptograms == same.cryptograms && one.cryptograms != other.cryptograms);
    assert_eq!(format!("{:?}", one.zone), "TestKey(hidden)");
    let digits = one.zone.digits();
    assert!(TestKey::from_digits(&digits).expect("a key") == one.zone);
    assert!(TestKey::from_digits(&digits[1..]).is_err());
    let file = format!(
        r#"{{"cryptograms":"{digits}","script_integrity":"{digits}","card_values":"{digits}",
            "script_confidentiality":"{digits}","card_codes":"{digits}","zone":"{digits}",
            "aes_zone":"{digits}","pin_values":"{digits}"}}"#
    );
    let read: TestKeys = serde_json::from_str(&file).expect("keys");
    assert!(read.zone == one.zone);
    assert!(serde_json::from_str::<TestKeys>(&file.replace(&digits, "12")).is_err());
    let card = card(CardKind::Visa10);
    let shown = format!("{card:?} {:?} {:?} {read:?}", card.facts(), card.counter());
    assert!(!shown.contains(PAN) && !shown.contains(&digits) && !shown.contains("4728"));
}
