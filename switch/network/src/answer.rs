//! Answers as bytes. It owns how a decision becomes DE38, DE39, amounts and a statement, and that
//! echoed fields are the request's own bytes; it never looks at what they mean.

use std::ops::RangeInclusive;

use bytes::BytesMut;
use codecs::framing::wipe;
use codecs::iso8583::{
    self as codec, AccountBalances, DecodeError, Dialect, EncodeError, EncodedFields, Encoder,
    FieldSet, Fields, Message, MessageWriter, Mti, OriginalAmount, WireAmount,
};
use switch_domain::{Amount, ApprovalCode, Currency, MinorUnits, Reason};
use switch_security::MacError;
use switch_shard::{AccountAmounts, PartOf};

use crate::mac::Authenticator;
use crate::presented::ChipAnswer;

const APPROVAL_CODE: u8 = 38;
const ACTION_CODE: u8 = 39;
/// What only a decision can say.
const DECIDED: RangeInclusive<u8> = APPROVAL_CODE..=ACTION_CODE;
/// The same, for a balance inquiry.
const ADDITIONAL_AMOUNTS: u8 = 54;
/// What an approval of a part says otherwise than the request: the amount, and the original one.
const AMOUNTS: [u8; 3] = [4, ORIGINAL_AMOUNTS, ADDITIONAL_AMOUNTS];
const ORIGINAL_AMOUNTS: u8 = 30;
/// What the chip is told, behind everything else that a decision says.
const CHIP_DATA: u8 = 55;

/// Echoed where the dialect has no list for an answer's type: the fields that peers match by.
const MATCHING_FIELDS: [u8; 12] = [3, 4, 7, 11, 12, 13, 24, 32, 33, 37, 41, 42];

/// What an answer says besides the echoed fields.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    /// DE39.
    pub(crate) reason: Reason,
    /// DE38; written for approvals only.
    pub(crate) approval_code: Option<ApprovalCode>,
    /// Names the field at fault, where the dialect has a field for that.
    pub(crate) fault: Option<Fault>,
    /// DE54, where the dialect carries balances.
    pub(crate) amounts: Option<AccountAmounts>,
    /// Which part of what was asked for is approved: DE4, and where the dialect has the whole.
    pub(crate) part: Option<PartOf>,
    /// What moved on an account, and the field that the dialect has it in.
    pub(crate) statement: Option<(u8, String)>,
}

/// The field at fault, in words and as an error set (DE18 of 2003).
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) text: String,
    pub(crate) set: String,
}

impl Saying {
    /// A reason without more.
    pub(crate) const fn plain(reason: Reason) -> Self {
        Self {
            reason,
            approval_code: None,
            fault: None,
            amounts: None,
            part: None,
            statement: None,
        }
    }
}

/// An answer that cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the answer's authentication code: {0}")]
    Mac(#[from] MacError),
    #[error("the answer as it was begun cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    #[error("the answer as it was begun has no type")]
    Type,
}

/// Builds answers in buffers that are used again and again; one for each connection.
pub(crate) struct AnswerWriter {
    encoder: Encoder,
    message: BytesMut,
    /// Of a link whose answers carry codes.
    mac: Option<Authenticator>,
}

impl AnswerWriter {
    pub(crate) fn new(mac: Option<Authenticator>) -> Self {
        let mac = mac.filter(Authenticator::answers);
        Self { encoder: Encoder::new(), message: BytesMut::new(), mac }
    }

    /// Wipes the last answer, once that was taken.
    pub(crate) fn wipe(&mut self) {
        if !self.message.is_empty() {
            wipe(&mut self.message);
        }
        self.encoder.wipe();
    }

    /// The answer to a request that is at hand. The bytes are good until the next call.
    pub(crate) fn answer(
        &mut self,
        request: &Message<'_>,
        mti: Mti,
        saying: &Saying,
    ) -> Result<&[u8], Unwritable> {
        let Self { encoder, message, mac } = self;
        let mut answer = encoder.start(request.dialect(), mti);
        write(&mut answer, request, mti, saying)?;
        finish(answer, request.dialect(), message, mac.as_ref())
    }

    /// The answer to a request that is at hand, with fields of its own besides, in ascending order;
    /// one without a value is taken over. The bytes are good until the next call.
    pub(crate) fn answer_with(
        &mut self,
        request: &Message<'_>,
        mti: Mti,
        reason: Reason,
        own: &[(u8, Option<String>)],
    ) -> Result<&[u8], Unwritable> {
        let Self { encoder, message, mac } = self;
        let dialect = request.dialect();
        let mut answer = encoder.start(dialect, mti);
        let mut fields = echoed_fields(dialect, mti);
        own.iter().map(|(field, _)| *field).chain([ACTION_CODE]).for_each(|field| {
            fields.insert(field);
        });
        for field in fields {
            let value = own.iter().find(|(one, _)| *one == field);
            match value.and_then(|(_, value)| value.as_deref()) {
                _ if field == ACTION_CODE => answer.text(field, action_code(reason, dialect))?,
                Some(value) => answer.text(field, value)?,
                None => {
                    answer.echo(field, request)?;
                }
            }
        }
        finish(answer, dialect, message, mac.as_ref())
    }

    /// The part of an answer that is known before the decision: the echoed fields. A field of its
    /// own may come behind that, or else the balances; and what the chip is told.
    pub(crate) fn begin(
        &mut self,
        request: &Message<'_>,
        mti: Mti,
        own: Option<u8>,
    ) -> Result<EncodedFields, EncodeError> {
        let late = own.unwrap_or(ADDITIONAL_AMOUNTS);
        let mut begun = self.encoder.start(request.dialect(), mti);
        for field in echoed_fields(request.dialect(), mti) {
            let decided = DECIDED.contains(&field) || [late, CHIP_DATA].contains(&field);
            if !decided && field != ADDITIONAL_AMOUNTS {
                begun.echo(field, request)?;
            }
        }
        // Behind the echoed fields, and so behind what a decision will add before them.
        if self.mac.is_some() {
            begun.leave_room_for_mac()?;
        }
        begun.into_fields(DECIDED, [late.min(CHIP_DATA), late.max(CHIP_DATA)].map(Some))
    }

    /// The rest of what [`AnswerWriter::begin`] began, and what the chip is told. The bytes are
    /// good until the next call.
    pub(crate) fn complete(
        &mut self,
        dialect: &Dialect,
        (begun, mti): (&EncodedFields, Mti),
        saying: &Saying,
        chip: Option<ChipAnswer>,
    ) -> Result<&[u8], Unwritable> {
        let Self { encoder, message, mac } = self;
        let mut answer = encoder.start(dialect, mti);
        if let Some(code) = saying.approval_code.filter(|_| saying.reason.is_approval()) {
            answer.text(APPROVAL_CODE, code.as_str())?;
        }
        answer.text(ACTION_CODE, action_code(saying.reason, dialect))?;
        if let Some(amounts) = saying.amounts {
            answer.amounts(None, Some(balances(amounts)))?;
        }
        let statement = saying.statement.as_ref();
        if let Some((field, text)) = statement.filter(|(field, _)| *field < CHIP_DATA) {
            answer.text(*field, text)?;
        }
        if let Some(chip) = chip.filter(|_| dialect.spec(CHIP_DATA).is_some()) {
            answer.bytes(CHIP_DATA, chip.bytes())?;
        }
        if let Some((field, text)) = statement.filter(|(field, _)| *field > CHIP_DATA) {
            answer.text(*field, text)?;
        }
        message.clear();
        answer.finish_around(begun, message)?;
        if let Some(part) = saying.part {
            return in_part(encoder, dialect, message, part, mac.as_ref());
        }
        if let Some(mac) = mac {
            mac.seal(dialect, begun.present(), message)?;
        }
        Ok(message)
    }
}

/// Writes an answer anew with other amounts than the request's: few are, and every other answer has
/// its echoed fields ready before the decision is known.
fn in_part<'m>(
    encoder: &mut Encoder,
    dialect: &Dialect,
    message: &'m mut BytesMut,
    part: PartOf,
    mac: Option<&Authenticator>,
) -> Result<&'m [u8], Unwritable> {
    let whole = message.split();
    let mut fields = Fields::new();
    dialect.decode(&whole, &mut fields)?;
    let view = dialect.view(&whole, &fields);
    let mut answer = encoder.start(dialect, view.mti().ok_or(Unwritable::Type)?);
    let sealed = view.present().last().filter(|_| mac.is_some());
    // A fee in 1987.
    let other_30 = dialect.original_amount() != Some(OriginalAmount::Field30);
    for field in view.present() {
        let own = AMOUNTS.contains(&field) && !(other_30 && field == ORIGINAL_AMOUNTS);
        if !own && Some(field) != sealed {
            answer.echo(field, &view)?;
        }
    }
    let PartOf { approved, asked } = part;
    let wire = |amount: Amount| wire(amount.minor, amount.currency);
    answer.amounts(Some(codec::PartOf { approved: wire(approved), asked: wire(asked) }), None)?;
    finish(answer, dialect, message, mac)
}

fn echoed_fields(dialect: &Dialect, mti: Mti) -> FieldSet {
    dialect.answer_fields(mti).unwrap_or_else(|| MATCHING_FIELDS.into_iter().collect())
}

/// The whole of an answer into `message`, with its authentication code where the link has one.
fn finish<'m>(
    mut answer: MessageWriter<'_>,
    dialect: &Dialect,
    message: &'m mut BytesMut,
    mac: Option<&Authenticator>,
) -> Result<&'m [u8], Unwritable> {
    if mac.is_some() {
        answer.leave_room_for_mac()?;
    }
    let fields = answer.present();
    message.clear();
    answer.finish(message)?;
    if let Some(mac) = mac {
        mac.seal(dialect, fields, message)?;
    }
    Ok(message)
}

/// Sets every field in ascending order, which the encoder takes without sorting.
fn write(
    answer: &mut MessageWriter<'_>,
    request: &Message<'_>,
    mti: Mti,
    saying: &Saying,
) -> Result<(), EncodeError> {
    let dialect = request.dialect();
    let echoed = echoed_fields(dialect, mti);
    let mut fields = echoed;
    let text_field = dialect.format_error_text_field().unwrap_or(0);
    let set_field = dialect.format_error_set_field().unwrap_or(0);
    let own = [APPROVAL_CODE, ACTION_CODE, text_field, set_field];
    own.into_iter().for_each(|field| fields.insert(field));
    for field in fields {
        match (field, &saying.fault) {
            (APPROVAL_CODE, _) => {
                let code = saying.approval_code.filter(|_| saying.reason.is_approval());
                code.map_or(Ok(()), |code| answer.text(field, code.as_str()))?;
            }
            (ACTION_CODE, _) => {
                answer.text(field, action_code(saying.reason, dialect))?;
            }
            (_, Some(fault)) if field == text_field => answer.text(field, &fault.text)?,
            (_, Some(fault)) if field == set_field => answer.text(field, &fault.set)?,
            _ => {
                if echoed.contains(field) {
                    answer.echo(field, request)?;
                }
            }
        }
    }
    Ok(())
}

fn balances(amounts: AccountAmounts) -> AccountBalances {
    let AccountAmounts { ledger, available, currency } = amounts;
    AccountBalances { ledger: wire(ledger, currency), available: wire(available, currency) }
}

fn wire(amount: MinorUnits, currency: Currency) -> WireAmount {
    WireAmount {
        currency: currency.numeric(),
        exponent: currency.exponent(),
        minor: amount.0.unsigned_abs(),
        negative: amount.is_negative(),
    }
}

/// DE39 in as many digits as the dialect has, or the code that its peer has instead.
pub(crate) fn action_code(reason: Reason, dialect: &Dialect) -> &str {
    dialect.action_code(match dialect.action_code_digits() {
        2 => reason.action_code_1987(),
        3 => reason.action_code_1993(),
        _ => reason.action_code_2003(),
    })
}
