//! A record as the message that it stands for: a financial advice, or the reversal of one, in the
//! words of the engine. It owns the key of a record, made of its file and its number alone.

use sha2::{Digest, Sha256};
use switch_domain::{
    Acquirer, Amount, AsciiText, Bin, CardId, Channel, EntryMode, Fingerprint, LinkId, Merchant,
    MessageClass, MessageFacts, MessageKey, NetworkTrace, OriginalClass, OriginalKey,
    OriginalReference, Tolerances, TransactionType,
};
use switch_shard::{Advise, Authorize, Command, Original, Reverse};

use super::record::{Does, Facts, FileId, Named, Posted, Record};

/// The card of a record, as far as it is known here.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundCard {
    pub(super) fingerprint: Fingerprint,
    pub(super) bin: Bin,
    pub(super) card: Option<CardId>,
}

/// The command for a record of a file.
pub(super) fn command(
    file: &FileId,
    record: &Record,
    found: FoundCard,
    tolerances: &Tolerances,
) -> Command {
    match &record.does {
        Does::Settle { kind, amount, network, of, more_to_come } => {
            let mut request = request(file, record, found, (*kind, *amount));
            request.network.clone_from(network);
            let (channel, merchant) = (request.facts.channel, request.facts.merchant);
            let original = of.as_ref().map(|named| Original {
                reference: reference(named, OriginalClass::Authorization, &request.facts.key),
                named: named.by.is_some(),
                last: !more_to_come,
                tolerance: tolerances.of(LinkId::CLEARING, merchant.category, channel),
            });
            request.facts.network_trace =
                of.map_or(NetworkTrace::NONE, |named| named.network_trace);
            let approval_code = record.facts.approval_code;
            Command::Advise(Advise { request, approved: true, approval_code, original })
        }
        Does::Reverse { what, standing } => {
            let own = key(file, record.number, MessageClass::ReversalAdvice, found.fingerprint);
            let reference = match what {
                Posted::Record { file: other, number } => {
                    let file = other.as_ref().unwrap_or(file);
                    let key = key(file, *number, MessageClass::FinancialAdvice, found.fingerprint);
                    OriginalReference {
                        key: key.as_original(),
                        class: Some(OriginalClass::Financial),
                        transmitted: 0,
                        rrn: AsciiText::EMPTY,
                        network_trace: NetworkTrace::NONE,
                    }
                }
                Posted::Message(named) => reference(named, OriginalClass::Financial, &own),
            };
            Command::Reverse(Reverse {
                link: LinkId::CLEARING,
                key: own,
                reference,
                standing: *standing,
                repeat: false,
            })
        }
    }
}

/// What was asked for, as an advice of a link would have it.
fn request(
    file: &FileId,
    record: &Record,
    found: FoundCard,
    (kind, amount): (TransactionType, Amount),
) -> Authorize {
    let FoundCard { fingerprint, bin, card } = found;
    let key = key(file, record.number, MessageClass::FinancialAdvice, fingerprint);
    let Facts { rrn, category, merchant, .. } = record.facts;
    let cash = kind == TransactionType::Cash;
    Authorize {
        network: None,
        adds_to: None,
        completes: None,
        evidence: None,
        blocked: false,
        terms: Default::default(),
        link: LinkId::CLEARING,
        facts: MessageFacts {
            key: MessageKey { rrn, ..key },
            transmitted: 0,
            channel: if cash { Channel::Atm } else { Channel::Pos },
            entry: EntryMode::Unknown,
            kind,
            merchant: Merchant { category, id: merchant },
            country: None,
            network_trace: NetworkTrace::NONE,
        },
        bin,
        card,
        expiry: None,
        fault: None,
        amount,
        repeat: false,
    }
}

/// What a record says of another message; `own` is its key, under which there is no other.
fn reference(named: &Named, class: OriginalClass, own: &MessageKey) -> OriginalReference {
    let Named { by, terminal, rrn, transmitted, network_trace } = *named;
    let card = own.card;
    let key = match by {
        Some((acquirer, stan)) => OriginalKey { acquirer, stan, terminal, card },
        None => own.as_original(),
    };
    OriginalReference { key, class: Some(class), transmitted, rrn, network_trace }
}

/// The same for every sending of a record. The terminal, which reversals look for too, is sixteen
/// hexadecimal digits of the file's digest; the local time is 63 bits more of it.
fn key(file: &FileId, number: u64, class: MessageClass, card: Fingerprint) -> MessageKey {
    let digest: [u8; 32] = Sha256::digest(file.as_str()).into();
    let [a, b, c, d, e, f, g, h, rest @ ..] = digest;
    let terminal = format!("{:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    let [a, b, c, d, e, f, g, h, ..] = rest;
    MessageKey {
        acquirer: Acquirer::Link(LinkId::CLEARING),
        class,
        stan: number,
        local_time: u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1,
        terminal: AsciiText::new(terminal.as_bytes()).unwrap_or_default(),
        rrn: AsciiText::EMPTY,
        card,
    }
}
