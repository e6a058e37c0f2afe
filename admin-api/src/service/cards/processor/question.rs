//! What a processor elsewhere is asked, as JSON (docs/processors.md). It owns the names of the
//! members. What a processor calls a card is a member, never part of a path; the text is wiped when
//! it has been sent.

use axum::body::Bytes;
use serde::Serialize;
use switch_domain::Expiry;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{CardOrder, NewPin, Told};
use crate::Personal;
use crate::jwe::PublishedKey;
use crate::service::programmes::Terminal;

/// No question is longer: a text that grows would leave copies behind.
const QUESTION_ROOM: usize = 4_096;

/// What is asked for: the last part of the path, and how metrics label it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Create,
    Activate,
    Renew,
    Pin,
    Stop,
    Unstop,
    Retire,
}

impl Ask {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Activate => "activate",
            Self::Renew => "renew",
            Self::Pin => "pin",
            Self::Stop => "stop",
            Self::Unstop => "unstop",
            Self::Retire => "retire",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    reference: Uuid,
    form: &'static str,
    programme: i64,
    bins: Bins,
    expiry: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<&'a str>,
    encrypt_to: EncryptTo<'a>,
}

#[derive(Serialize)]
struct Bins {
    low: u32,
    high: u32,
    length: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncryptTo<'a> {
    kid: &'a str,
    public_key: &'a str,
}

#[derive(Serialize)]
struct Act<'a> {
    reference: Uuid,
    card: &'a str,
    turn: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<PinBlock<'a>>,
}

#[derive(Serialize)]
struct PinBlock<'a> {
    format: u8,
    key: &'a str,
    block: &'a str,
}

/// The order of a card, whose number is to be encrypted to this key.
pub(super) fn order(order: &CardOrder, key: &PublishedKey) -> Option<Bytes> {
    written(&Order {
        reference: order.reference,
        form: order.form.name(),
        programme: order.programme.0,
        bins: Bins {
            low: order.bins.low.0,
            high: order.bins.high.0,
            length: order.bins.pan_length,
        },
        expiry: month(order.expiry),
        holder_name: order.holder_name.as_ref().map(Personal::expose),
        terminal: order.terminal.as_ref().map(Terminal::as_str),
        encrypt_to: EncryptTo { kid: &key.kid, public_key: &key.public_key },
    })
}

impl<'a> Act<'a> {
    fn of(told: &'a Told) -> Self {
        let Told { card, reference, turn } = told;
        let (reference, turn) = (*reference, *turn);
        Self { reference, card: card.as_str(), turn, code: None, expiry: None, pin: None }
    }
}

/// An act on a card; of a lock with its code.
pub(super) fn act(told: &Told, code: Option<u8>) -> Option<Bytes> {
    written(&Act { code, ..Act::of(told) })
}

/// A card that is good until this month.
pub(super) fn renewal(told: &Told, until: Expiry) -> Option<Bytes> {
    written(&Act { expiry: Some(month(until)), ..Act::of(told) })
}

/// Another PIN, encrypted under the key of this name.
pub(super) fn pin(told: &Told, pin: &NewPin<'_>, key: &str) -> Option<Bytes> {
    let block = Zeroizing::new(hex::encode_upper(pin.block.bytes()));
    let pin = Some(PinBlock { format: pin.format.number(), key, block: &block });
    written(&Act { pin, ..Act::of(told) })
}

/// As a processor reads it: YYMM.
fn month(expiry: Expiry) -> String {
    format!("{:04}", expiry.yymm())
}

fn written(question: &impl Serialize) -> Option<Bytes> {
    let mut room = Zeroizing::new(Vec::with_capacity(QUESTION_ROOM));
    serde_json::to_writer(&mut *room, question).ok()?;
    Some(Bytes::from_owner(room))
}
