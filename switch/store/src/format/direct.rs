//! The record of an authorization or financial message straight to bytes: nine records of ten are
//! one, and they are written while cardholders wait. It writes byte for byte what the shapes would
//! (`shapes`, which own the tags) and makes nothing on the way; it never takes a record that it
//! cannot write in full.

use switch_domain::{
    Account, Acquirer, AuthorizationDelta, Authorized, Cause, Effects, Event, MessageFacts,
    MessageKey, Posting, Reason, Record, StandIn,
};

use super::{card_security, controls, conversion, evidence, fees, trace};
use crate::codes::{Stored, kind_code, stand_in_code};

/// How the value behind a key is written.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

/// Appends record `tag` of a batch; false where it is of a kind that is left to the shapes, and
/// nothing was written.
pub(super) fn record(out: &mut Vec<u8>, tag: u32, record: &Record) -> bool {
    let (Cause::Message(link), Event::Authorized(made)) = (&record.cause, &record.event) else {
        return false;
    };
    message(out, tag, |out| {
        signed(out, 1, record.at.0);
        key(out, 2, VARINT);
        varint(out, u64::from(link.0));
        if record.effects != Effects::default() {
            message(out, 5, |out| effects(out, &record.effects));
        }
        message(out, 22, |out| authorized(out, made));
    });
    true
}

fn authorized(out: &mut Vec<u8>, made: &Authorized) {
    number(out, 1, made.id.0.cast_unsigned());
    message(out, 2, |out| facts(out, &made.facts));
    let ids = [
        made.card.map(|id| id.0),
        made.balance.map(|id| id.0),
        made.partner.map(|id| id.0),
        made.pool.map(|id| id.0),
    ];
    for (tag, id) in (3..).zip(ids) {
        if let Some(id) = id {
            key(out, tag, VARINT);
            varint(out, id.cast_unsigned());
        }
    }
    signed(out, 7, made.requested.minor.0);
    number(out, 8, u64::from(made.requested.currency.numeric()));
    bytes(out, 9, made.reason.name().as_bytes());
    if let Some(code) = &made.approval_code {
        key(out, 10, LENGTH_DELIMITED);
        sized(out, code.as_str().as_bytes());
    }
    number(out, 11, u64::from(made.approvals));
    number(out, 12, u64::from(made.reversed_before));
    if made.stand_in.is_some() {
        number(out, 13, u64::from(stand_in_code(made.stand_in)));
        let would_be = made.stand_in.and_then(StandIn::would_be).map_or("", Reason::name);
        bytes(out, 14, would_be.as_bytes());
    }
    if let Some(completed) = &made.completes {
        message(out, 15, |out| {
            number(out, 1, completed.authorization.0.cast_unsigned());
            signed(out, 2, completed.decided_at.0);
        });
    }
    if let Some(made) = &made.trace {
        prost::encoding::message::encode(16, &trace::write(made), out);
    }
    if let Some(conversion) = &made.conversion {
        prost::encoding::message::encode(18, &conversion::write_conversion(conversion), out);
    }
    if let Some(portion) = &made.portion {
        message(out, 19, |out| {
            signed(out, 1, portion.approved.0);
            signed(out, 2, portion.fee.0);
        });
    }
    if let Some(found) = &made.evidence {
        prost::encoding::message::encode(20, &evidence::write(found), out);
    }
    if let Some(answered) = made.answered {
        bytes(out, 21, answered.name().as_bytes());
    }
    if let Some(findings) = &made.findings {
        prost::encoding::message::encode(30, &controls::write_findings(findings), out);
    }
}

fn facts(out: &mut Vec<u8>, facts: &MessageFacts) {
    message(out, 1, |out| message_key(out, &facts.key));
    number(out, 2, facts.transmitted);
    number(out, 3, u64::from(facts.channel.code()));
    number(out, 4, u64::from(facts.entry.code()));
    number(out, 5, u64::from(facts.merchant.category));
    bytes(out, 6, facts.merchant.id.as_bytes());
    number(out, 7, u64::from(kind_code(facts.kind)));
    bytes(out, 8, facts.network_trace.as_bytes());
    number(out, 20, facts.country.map_or(0, |country| u64::from(country.numeric())));
}

fn message_key(out: &mut Vec<u8>, of: &MessageKey) {
    match &of.acquirer {
        Acquirer::Institution(id) => {
            key(out, 1, LENGTH_DELIMITED);
            sized(out, id.as_bytes());
        }
        Acquirer::Link(link) => {
            key(out, 2, VARINT);
            varint(out, u64::from(link.0));
        }
    }
    number(out, 3, u64::from(of.class.code()));
    number(out, 4, of.stan);
    number(out, 5, of.local_time);
    bytes(out, 6, of.terminal.as_bytes());
    bytes(out, 7, of.rrn.as_bytes());
    bytes(out, 8, &of.card.0);
}

fn effects(out: &mut Vec<u8>, effects: &Effects) {
    if let Some(delta) = &effects.authorization {
        message(out, 1, |out| totals(out, delta));
    }
    if let Some(delta) = &effects.balance {
        message(out, 2, |out| amounts(out, delta.balance.0, delta.ledger.0, delta.held.0));
    }
    if let Some(delta) = &effects.pool {
        message(out, 3, |out| amounts(out, delta.pool.0, delta.level.0, delta.held.0));
    }
    for leg in &effects.postings {
        message(out, 4, |out| posting(out, leg));
    }
    if let Some(delta) = &effects.completed {
        message(out, 5, |out| totals(out, delta));
    }
    for delta in &effects.usage {
        prost::encoding::message::encode(10, &controls::write_delta(delta), out);
    }
    if let Some(counters) = &effects.counters {
        prost::encoding::message::encode(20, &card_security::write_effect(counters), out);
    }
    if let Some(of_fees) = &effects.fees {
        prost::encoding::message::encode(30, &fees::write_effect(of_fees), out);
    }
}

fn totals(out: &mut Vec<u8>, delta: &AuthorizationDelta) {
    number(out, 1, delta.authorization.0.cast_unsigned());
    signed(out, 2, delta.totals.authorized.0);
    signed(out, 3, delta.totals.incremented.0);
    signed(out, 4, delta.totals.reversed.0);
    signed(out, 5, delta.totals.cleared.0);
    signed(out, 6, delta.totals.refunded.0);
    number(out, 7, u64::from(delta.closes));
    signed(out, 8, delta.decided_at.0);
}

/// The account comes first: a choice stands where its lowest tag does.
fn posting(out: &mut Vec<u8>, leg: &Posting) {
    let (tag, id) = match leg.account {
        Account::Balance(id) => (1, id.0),
        Account::Pool(id) => (2, id.0),
        Account::SettlementBank(id) => (3, id.0),
        Account::Memorandum(id) => (4, id.0),
        Account::InTransit(id) => (7, id.0),
        Account::NetworkSettlement(id) => (8, id.0),
        Account::FeeIncome(id) => (9, id.0),
    };
    key(out, tag, VARINT);
    varint(out, id.cast_unsigned());
    signed(out, 5, leg.amount.0);
    number(out, 6, u64::from(leg.currency.numeric()));
}

fn amounts(out: &mut Vec<u8>, id: i64, level: i64, held: i64) {
    number(out, 1, id.cast_unsigned());
    signed(out, 2, level);
    signed(out, 3, held);
}

/// A field that is left out where it is zero.
fn number(out: &mut Vec<u8>, tag: u32, value: u64) {
    if value != 0 {
        key(out, tag, VARINT);
        varint(out, value);
    }
}

/// An amount or a time: written also where it is zero, in the zigzag form.
fn signed(out: &mut Vec<u8>, tag: u32, value: i64) {
    key(out, tag, VARINT);
    varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Text or bytes that are left out where there are none.
fn bytes(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    if !value.is_empty() {
        key(out, tag, LENGTH_DELIMITED);
        sized(out, value);
    }
}

fn sized(out: &mut Vec<u8>, value: &[u8]) {
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// A message within a message: its length is known, and put before it, once it is written.
fn message(out: &mut Vec<u8>, tag: u32, fields: impl FnOnce(&mut Vec<u8>)) {
    key(out, tag, LENGTH_DELIMITED);
    let start = out.len();
    out.push(0);
    fields(out);
    let mut length = out.len().saturating_sub(start).saturating_sub(1);
    let mut at = start;
    while length >= 0x80 {
        out.insert(at, continued(length as u64));
        length >>= 7;
        at = at.saturating_add(1);
    }
    if let Some(last) = out.get_mut(at) {
        *last = length as u8;
    }
}

fn key(out: &mut Vec<u8>, tag: u32, form: u32) {
    varint(out, u64::from(tag << 3 | form));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(continued(value));
        value >>= 7;
    }
    out.push(value as u8);
}

/// Seven bits, and that more follow.
const fn continued(value: u64) -> u8 {
    (value & 0x7f) as u8 | 0x80
}

#[cfg(test)]
mod tests {
    use switch_domain::*;

    use super::super::write;
    use super::*;

    fn text<const N: usize>(text: &str) -> AsciiText<N> {
        AsciiText::new(text.as_bytes()).expect("text")
    }

    /// Amounts and names from the smallest to the largest, parts there and not there.
    fn records() -> impl Iterator<Item = Record> {
        let amounts = [0, 1, -1, 63, 64, 12_345, i64::MAX, i64::MIN];
        let forms =
            amounts.into_iter().flat_map(|amount| (0..16_u8).map(move |bits| (amount, bits)));
        forms.map(|(amount, bits)| {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let minor = MinorUnits(amount);
            let acquirer = if has(0) {
                Acquirer::Institution(text("12345678901"))
            } else {
                Acquirer::Link(LinkId(0))
            };
            let key = MessageKey {
                acquirer,
                class: if has(2) {
                    MessageClass::FinancialAdvice
                } else {
                    MessageClass::AuthorizationRequest
                },
                stan: if has(1) { 999_999 } else { 0 },
                local_time: if has(2) { 1_231_235_959 } else { 0 },
                terminal: text(if has(1) { "TERM0001" } else { "" }),
                rrn: text(if has(2) { "000000000002" } else { "" }),
                card: Fingerprint([if has(3) { 0xff } else { 0 }; 16]),
            };
            let merchant = Merchant { category: u16::from(bits), id: text("MERCHANT0000001") };
            let facts = MessageFacts {
                key,
                transmitted: amount.unsigned_abs(),
                channel: Channel::Pos,
                entry: EntryMode::Chip,
                kind: TransactionType::ALL[usize::from(bits % 8)],
                merchant,
                network_trace: NetworkTrace::new(
                    &b"T00000000000042"[..if has(0) { 15 } else { 0 }],
                )
                .expect("a trace"),
                country: has(2).then(|| Country::from_numeric(276).expect("a country")),
            };
            let id = AuthorizationId::mint(ShardId(u16::from(bits)), amount.unsigned_abs());
            let totals = Totals { authorized: minor, reversed: minor, ..Totals::default() };
            let at = Timestamp(amount);
            let delta =
                AuthorizationDelta { authorization: id, decided_at: at, totals, closes: has(1) };
            let effects = Effects {
                authorization: has(0).then_some(delta),
                completed: has(3).then(|| Box::new(delta)),
                balance: has(1).then_some(BalanceDelta {
                    balance: BalanceId(amount),
                    ledger: minor,
                    held: minor,
                }),
                pool: has(2).then_some(PoolDelta { pool: PoolId(1), level: minor, held: minor }),
                postings: if has(2) { postings(amount) } else { Vec::new() },
                usage: if has(1) { usage(minor) } else { Vec::new() },
                counters: has(3).then(|| Box::new(counters(amount, has(2)))),
                fees: has(0).then(|| Box::new(of_fees(minor, has(1)))),
            };
            let made = Authorized {
                id,
                facts,
                card: has(0).then_some(CardId(amount)),
                balance: has(1).then_some(BalanceId(0)),
                partner: has(2).then_some(PartnerId(amount)),
                pool: has(3).then_some(PoolId(7)),
                requested: Amount { minor, currency: Currency::from_numeric(978).expect("euro") },
                reason: if has(3) { Reason::Approved } else { Reason::InsufficientFunds },
                approval_code: has(3).then(|| ApprovalCode::for_approval(7, 11)),
                stand_in: match bits % 8 {
                    1 => Some(StandIn::Agreed),
                    2 => Some(StandIn::Forced(Reason::InsufficientFunds)),
                    3 => Some(StandIn::Suspense(Reason::Locked(LockCode::Lost))),
                    4 => Some(StandIn::Declined),
                    5 => Some(StandIn::Known),
                    6 => Some(StandIn::Reversed),
                    _ => None,
                },
                completes: has(1)
                    .then_some(Completed { authorization: id, decided_at: Timestamp(amount) }),
                portion: (bits % 3 == 0)
                    .then(|| Box::new(Portion { approved: minor, fee: MinorUnits(7) })),
                findings: has(2).then(|| {
                    Box::new(ControlFindings {
                        declined_by: has(0).then_some(ControlId(amount)),
                        would_decline: vec![ControlId(1), ControlId(amount)],
                    })
                }),
                trace: has(3).then(|| Box::new(traced(minor, has(0)))),
                evidence: has(0).then(|| Box::new(found(bits))),
                answered: has(2).then_some(Reason::NotHonoured),
                conversion: has(1).then(|| Box::new(conversion(minor, bits))),
                approvals: u32::from(bits),
                reversed_before: has(2),
            };
            let event = Event::Authorized(made);
            Record { at, cause: Cause::Message(LinkId(u16::from(bits))), event, effects }
        })
    }

    fn of_fees(minor: MinorUnits, charges: bool) -> FeeEffect {
        let own = FeeTotals { held: minor, charged: minor, invoiced: minor };
        let line = FeeCharged {
            balance: BalanceId(7),
            partner: PartnerId(1),
            card: None,
            event: FeeEvent::CardMonthly,
            amount: Amount { minor, currency: Currency::from_numeric(978).expect("euro") },
            taken: Taken::AtOnce,
            reference: AsciiText::default(),
        };
        FeeEffect { own, completed: own, lines: if charges { vec![line] } else { Vec::new() } }
    }

    fn counters(amount: i64, locks: bool) -> CounterEffect {
        let mut counters = CardCounters { wrong_pins: 3, chip_pins: 1, ..Default::default() };
        counters.forgiven_pins = 1;
        counters.add_wrong_code(Timestamp(amount));
        counters.add_chip(1, 77);
        counters.add_chip(0, u16::MAX);
        CounterEffect { card: CardId(amount), counters, locks }
    }

    fn found(bits: u8) -> Evidence {
        let chip = Chip {
            atc: u16::from(bits),
            sequence: 1,
            cryptogram: Finding::Matched,
            kind: CryptogramType::Request,
            differs: ChipDifferences::from_bits(u32::from(bits)),
            tolerated: ChipDifferences::NONE,
            facts: ChipFacts::from_bits(u32::from(bits)),
        };
        let pin = Finding::Unverified(Unverified::NoKey);
        Evidence { pin, chip: (bits & 2 != 0).then_some(chip), ..Evidence::default() }
    }

    fn traced(amount: MinorUnits, compares: bool) -> DecisionTrace {
        let bits = amount.0.cast_unsigned();
        DecisionTrace {
            decided_by: if compares { DecidedBy::Check(17) } else { DecidedBy::OwnApproval },
            passed: CheckSet::from_bits(bits),
            failed: CheckSet::from_bits(!bits),
            compared: compares.then_some(Compared { needed: amount, there: amount }),
        }
    }

    fn conversion(minor: MinorUnits, bits: u8) -> Conversion {
        let euro = Currency::from_numeric(978).expect("euro");
        let dinar = Currency::from_numeric(414).expect("dinar");
        let rate = Rate::new(3_012_345, 6).expect("a rate");
        let settled = bits & 1 != 0;
        Conversion {
            source: match bits % 3 {
                0 => RateSource::NotNeeded,
                1 => RateSource::Network,
                _ => RateSource::Table { name: text("ECB"), at: Timestamp(minor.0) },
            },
            rate: (bits & 4 != 0).then_some(rate),
            markup: BasisPoints::new(u16::from(bits)).expect("points"),
            margin: BasisPoints::new(300).expect("points"),
            settlement: settled.then_some(Amount { minor, currency: euro }),
            settlement_rate: settled.then_some(rate),
            ..Conversion::not_needed(Amount { minor, currency: dinar }, euro)
        }
    }

    fn usage(amount: MinorUnits) -> Vec<UsageDelta> {
        let counted = Counted { control: ControlId(7), holder: amount.0, part: Part(amount.0) };
        let begins = UsageDelta { counted, oldest: Some(Part(amount.0)), amount, count: 1 };
        vec![begins, UsageDelta { oldest: None, count: -1, ..begins }]
    }

    fn postings(amount: i64) -> Vec<Posting> {
        let (partner, currency) = (PartnerId(amount), Currency::from_numeric(414).expect("dinar"));
        let accounts = [
            Account::Balance(BalanceId(0)),
            Account::Pool(PoolId(amount)),
            Account::SettlementBank(partner),
            Account::Memorandum(partner),
            Account::InTransit(partner),
            Account::NetworkSettlement(partner),
            Account::FeeIncome(partner),
        ];
        let amount = MinorUnits(amount);
        accounts.into_iter().map(|account| Posting { account, amount, currency }).collect()
    }

    #[test]
    fn the_bytes_are_those_of_the_shapes() {
        let mut count = 0;
        for one in records() {
            let (mut direct, mut shaped) = (Vec::new(), Vec::new());
            assert!(record(&mut direct, 1, &one), "{one:?}");
            write::append(&mut shaped, 1, &one);
            assert_eq!(direct, shaped, "{one:?}");
            count += 1;
        }
        assert_eq!(count, 128);
    }

    #[test]
    fn other_records_are_left_to_the_shapes() {
        let other = Record {
            at: Timestamp(1),
            cause: Cause::Switch,
            event: Event::NothingChanged,
            effects: Effects::default(),
        };
        let mut out = Vec::new();
        assert!(!record(&mut out, 1, &other) && out.is_empty());
    }
}
