//! The stored format: any record survives it, its bytes never change, and what cannot be read in
//! full is refused (W-6).

mod arbitrary;
mod card_security;
mod controls;
mod conversions;
mod fees;

use bytes::Bytes;
use proptest::prelude::*;
use switch_domain::{
    AsciiText, AuthorizationId, BalanceDelta, BalanceId, Cause, CustomerId, CustomerState, Effects,
    Epoch, Estate, Event, Expired, Founded, IdempotencyKey, MinorUnits, OwnerId, PartnerId,
    Placement, PoolId, PoolShare, Record, Sealed, SealedHead, Seq, ShardId, Timestamp,
};
use switch_store::{
    FORMAT, FormatError, Hash, JournalRow, RecordFault, decode_records, encode_records,
};

proptest! {
    #[test]
    fn any_record_comes_back_as_it_was(
        records in proptest::collection::vec(arbitrary::record(), 0..8)
    ) {
        let bytes = encode_records(&records);
        prop_assert_eq!(decode_records(FORMAT, &bytes).expect("readable"), records);
    }

    #[test]
    fn any_damage_is_an_error_or_another_hash_but_never_a_panic(
        records in proptest::collection::vec(arbitrary::record(), 1..3),
        at in any::<prop::sample::Index>(),
        bit in 0_u32..8,
    ) {
        let (shard, seq, epoch) = (ShardId(1), Seq(7), Epoch(3));
        let previous = Hash::genesis(shard);
        let mut row =
            JournalRow::seal(shard, seq, epoch, OwnerId([9; 16]), previous, &records);
        let mut bytes = row.records.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        row.records = Bytes::from(bytes);
        let _ = row.decode();
        prop_assert_ne!(row.computed_hash(), row.hash);
    }
}

fn credited() -> Record {
    Record {
        at: Timestamp(1_795_000_000_000_000),
        cause: Cause::Command {
            key: IdempotencyKey([0xab; 16]),
            digest: None,
            actor: AsciiText::new(b"uid:1000").expect("text"),
        },
        event: Event::BalanceCredited {
            balance: BalanceId::mint(ShardId(1), 5),
            reference: AsciiText::new(b"top-up 1").expect("text"),
        },
        effects: Effects {
            balance: Some(BalanceDelta {
                balance: BalanceId::mint(ShardId(1), 5),
                ledger: MinorUnits(2_500),
                held: MinorUnits::ZERO,
            }),
            ..Effects::default()
        },
    }
}

/// Rows written by an earlier build must stay readable: these bytes never change.
#[test]
fn the_bytes_of_a_record_are_pinned() {
    let hex: String =
        encode_records(&[credited()]).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, PINNED);
}

const PINNED: &str = "\
    0a4b0880c0f995e0a2b0061a1c0a10abababababababababababababababab12087569643a313030302a0e120c\
    0885808080802010882718008a0111088580808080201208746f702d75702031";

/// What seals and founds shards too, written since there is resharding.
#[test]
fn the_bytes_of_a_resharding_are_pinned() {
    let heirs = Placement::new(ShardId(3), 2).expect("numbers");
    let head = SealedHead { shard: ShardId(1), seq: Seq(9), hash: [0xcd; 32] };
    let shares = vec![(PoolId(1), PoolShare { level: MinorUnits(5), held: MinorUnits::ZERO })];
    let customers = vec![(CustomerId(2), CustomerState::Blocked)];
    let events = [
        Event::Sealed(Sealed { shard: ShardId(1), heirs }),
        Event::Founded(Founded { shard: ShardId(3), heirs, from: vec![head] }),
        Event::Inherited(Box::new(Estate { shares, customers, ..Estate::default() })),
    ];
    let record = |event| Record { event, cause: Cause::Switch, ..credited() };
    let records = events.map(|event| Record { effects: Effects::default(), ..record(event) });
    let hex: String = encode_records(&records).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, PINNED_RESHARDING);
}

/// Computed by another implementation, from the rule alone.
const PINNED_RESHARDING: &str = "\
    0a160880c0f995e0a2b0062200ea010808011204080310020a3e0880c0f995e0a2b0062200f201300803120408\
    0310021a26080110091a20cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd0a1c0880\
    c0f995e0a2b0062200fa010e12040802100222060801100a1800";

/// The end of a hold too, written since holds have a life.
#[test]
fn the_bytes_of_the_end_of_a_hold_are_pinned() {
    let expired = Expired { authorization: AuthorizationId(5), partner: Some(PartnerId(7)) };
    let (event, effects) = (Event::Expired(expired), Effects::default());
    let record = Record { event, effects, cause: Cause::Switch, ..credited() };
    let hex: String = encode_records(&[record]).iter().map(|byte| format!("{byte:02x}")).collect();
    // By hand, from the rule alone: time, cause, and under 32 the two numbers.
    assert_eq!(hex, "0a120880c0f995e0a2b006220082020408051007");
}

/// The hash too: a chain written by an earlier build must stay whole.
#[test]
fn the_hash_of_a_row_is_pinned() {
    let shard = ShardId(1);
    let previous = Hash::genesis(shard);
    let row = JournalRow::seal(shard, Seq(0), Epoch(1), OwnerId([7; 16]), previous, &[credited()]);
    assert_eq!(row.hash.to_string(), PINNED_HASH);
}

/// Computed by another implementation, from the rule alone.
const PINNED_HASH: &str = "bb570c2d5aeca444533b66dadb6198a35ab9dc8ee39620ffb9c89852e43f672b";

#[test]
fn other_formats_are_refused() {
    let bytes = encode_records(&[credited()]);
    for format in [0, -1, FORMAT + 1] {
        let refused = decode_records(format, &bytes);
        match refused {
            Err(FormatError::Unknown { found, known }) => {
                assert_eq!((found, known), (format, FORMAT));
            }
            other => panic!("{format}: {other:?}"),
        }
    }
}

/// Protobuf by hand: a field with bytes in it.
fn field(tag: u8, inner: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag << 3 | 2, u8::try_from(inner.len()).expect("short")];
    bytes.extend_from_slice(inner);
    bytes
}

/// A row with one record of these fields, behind a time of 1.
fn row(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut record = vec![1 << 3, 2];
    record.extend(fields.iter().flatten());
    field(1, &record)
}

#[test]
fn what_cannot_be_read_in_full_is_refused() {
    let switch = field(4, &[]);
    // Tag 18: customer 1 becomes active.
    let event = vec![0x92, 0x01, 4, 1 << 3, 1, 2 << 3, 1];
    let unknown_event = vec![0x9a, 0x06, 0]; // tag 99
    let bad_state = vec![0x92, 0x01, 4, 1 << 3, 1, 2 << 3, 77];
    let balance_without_amounts = field(5, &field(2, &[1 << 3, 1]));
    let balance_without_held = field(5, &field(2, &[1 << 3, 1, 2 << 3, 10]));
    let posting_without_account = field(5, &field(4, &[5 << 3, 10, 6 << 3, 40]));
    let cases: [(&str, Vec<Vec<u8>>, RecordFault); 7] = [
        ("no event", vec![switch.clone()], RecordFault::UnknownKind("event")),
        (
            "an event of a later version",
            vec![switch.clone(), unknown_event],
            RecordFault::UnknownKind("event"),
        ),
        ("no cause", vec![event.clone()], RecordFault::UnknownKind("cause")),
        (
            "a state of a later version",
            vec![switch.clone(), bad_state],
            RecordFault::Illegal { field: "customer state", found: "77".into() },
        ),
        (
            "no ledger amount",
            vec![switch.clone(), event.clone(), balance_without_amounts],
            RecordFault::MissingAmount("balance ledger"),
        ),
        (
            "no held amount",
            vec![switch.clone(), event.clone(), balance_without_held],
            RecordFault::MissingAmount("balance held"),
        ),
        (
            "a posting to nowhere",
            vec![switch.clone(), event.clone(), posting_without_account],
            RecordFault::UnknownKind("posting account"),
        ),
    ];
    assert!(decode_records(FORMAT, &row(&[switch, event])).is_ok(), "the case without a fault");
    for (name, fields, expected) in cases {
        match decode_records(FORMAT, &row(&fields)) {
            Err(FormatError::Record { index: 0, fault }) => assert_eq!(fault, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(matches!(decode_records(FORMAT, &[0xff]), Err(FormatError::Malformed(_))));
}
