//! What the acquirer's requests hold: per place, and in reversals and repeats.

mod support;

use jiff::Timestamp;
use simulators::acquirer::{
    Channel, NumberSource, Original, Purchase, increment_of, purchase, repeat_of, reversal_of,
};
use simulators::iso::Message;
use support::card;

fn now() -> Timestamp {
    "2026-07-04T23:30:15.123456Z".parse().unwrap()
}

fn bought(channel: Channel, numbers: &mut NumberSource) -> Message {
    let card = card(1, "good");
    let what = Purchase { channel, card: &card, minor: 1250, currency: "978" };
    purchase(&what, &numbers.next(now())).unwrap()
}

#[test]
fn each_place_sends_its_own_fields() {
    let pan = Some("9999991200000001");
    let track = Some("9999991200000001=301220100000");
    let cases = [
        (Channel::Pos, "000000", "5411", "051", "00", None, track, None),
        (Channel::Atm, "010000", "6011", "051", "00", pan, track, None),
        (Channel::Ecommerce, "000000", "5942", "812", "59", pan, None, Some("3012")),
        (Channel::KeyEntered, "000000", "5964", "010", "08", pan, None, Some("3012")),
    ];
    for (channel, code, merchant, entry, condition, pan, track, expiry) in cases {
        let message = bought(channel, &mut NumberSource::starting_at(now()));
        assert_eq!(message.mti(), "0100");
        for (field, value) in [
            (2, pan),
            (3, Some(code)),
            (4, Some("000000001250")),
            (7, Some("0704233015")),
            (12, Some("003015")),
            (13, Some("0705")), // an hour east of Greenwich it is the next day
            (14, expiry),
            (18, Some(merchant)),
            (22, Some(entry)),
            (25, Some(condition)),
            (32, Some("999001")),
            (35, track),
            (38, None),
            (49, Some("978")),
        ] {
            assert_eq!(message.text(field), value, "{channel:?} field {field}");
        }
        assert_eq!(message.text(37).map(|rrn| &rrn[6..]), message.text(11), "{channel:?}");
        for (field, length) in [(41, 8), (42, 15), (43, 40)] {
            assert_eq!(message.text(field).map(str::len), Some(length));
        }
    }
}

#[test]
fn a_reversal_names_its_original() {
    let mut numbers = NumberSource::starting_at(now());
    for channel in [Channel::Pos, Channel::Atm, Channel::Ecommerce, Channel::KeyEntered] {
        let request = bought(channel, &mut numbers);
        let original = Original::of(&request).unwrap();
        assert_eq!(original, original.to_string().parse().unwrap());
        let later = "2026-07-04T23:31:00Z".parse().unwrap();
        let reversal = reversal_of(&request, &original, &numbers.next(later)).unwrap();
        assert_eq!(reversal.mti(), "0400");
        for field in [3, 4, 12, 13, 18, 22, 25, 32, 37, 41, 42, 43, 49] {
            assert_eq!(reversal.text(field), request.text(field), "{channel:?} field {field}");
        }
        assert_eq!(reversal.text(2), Some("9999991200000001"));
        assert_eq!(reversal.text(7), Some("0704233100"));
        assert_ne!(reversal.text(11), request.text(11));
        assert_eq!(reversal.bytes(35), None);
        let stan = request.text(11).unwrap();
        let elements = format!("0100{stan}07042330150000099900100000000000");
        assert_eq!(reversal.text(90), Some(&*elements));
        assert!(reversal_of(&reversal, &original, &numbers.next(later)).is_err());
    }
}

#[test]
fn an_increment_is_an_authorization_that_names_another() {
    let mut numbers = NumberSource::starting_at(now());
    let request = bought(Channel::Ecommerce, &mut numbers);
    let original = Original::of(&request).unwrap();
    let later = "2026-07-04T23:31:00Z".parse().unwrap();
    let increment = increment_of(&request, &original, &numbers.next(later), 300).unwrap();
    assert_eq!((increment.mti(), increment.text(4)), ("0100", Some("000000000300")));
    assert_eq!(increment.text(90), Some(&*original.elements));
    assert_eq!(increment.text(37), request.text(37));
    assert_ne!(increment.text(11), request.text(11));
    let reversal = reversal_of(&request, &original, &numbers.next(later)).unwrap();
    assert!(increment_of(&reversal, &original, &numbers.next(later), 300).is_err());
}

#[test]
fn a_repeat_differs_in_type_and_transmission_time_only() {
    let request = bought(Channel::Pos, &mut NumberSource::starting_at(now()));
    let repeat = repeat_of(&request, "2026-07-04T23:30:25Z".parse().unwrap()).unwrap();
    assert_eq!((repeat.mti(), repeat.text(7)), ("0101", Some("0704233025")));
    let mut undone = repeat.clone().retyped("0100").unwrap();
    undone.copy_from(&request, &[7]);
    assert_eq!(undone, request);
    assert!(repeat_of(&repeat, now()).is_err());
}

#[test]
fn numbers_go_on_past_the_largest_stan() {
    let mut numbers = NumberSource::starting_at(Timestamp::from_millisecond(999_999).unwrap());
    let stans: Vec<_> = (0..3).map(|_| numbers.next(now()).stan).collect();
    assert_eq!(stans, ["999999", "000001", "000002"]);
}
