//! What a request asks for: the processing code (DE3), the function code (DE24) of the later
//! editions, and the condition code (DE25) of 1987. It owns the table of their values; whether what
//! they ask for is granted is the engine's affair.

use codecs::iso8583::{Message, Version};
use switch_domain::{MessageClass, Reason, TransactionType};

use super::FieldFault;
use super::fault::{number, optional_number};
use super::function_code::{Change, Function, function_code};

const PROCESSING_CODE: u8 = 3;
const CONDITION_1987: u8 = 25;

/// DE25 of 1987: the amount is an estimate, and a completion follows.
const PREAUTHORIZED: u64 = 6;

/// What is asked for, and why that is not done, where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: TransactionType,
    pub(super) fault: Option<Reason>,
    /// Of an increment by its function code, what it does to the amount before it.
    pub(super) change: Option<Change>,
    /// Whether its function code says that it settles what was authorized before.
    pub(super) completes: bool,
}

/// Reads it; `zero` says that the message asks for an amount of zero.
pub(super) fn asked(
    message: &Message<'_>,
    class: MessageClass,
    zero: bool,
) -> Result<Asked, FieldFault> {
    let function = Function::of(function_code(message)?);
    let code = number(message, PROCESSING_CODE, "a processing code")?;
    let estimated = match message.dialect().version() {
        Version::V1987 => {
            optional_number(message, CONDITION_1987, "a condition code")? == Some(PREAUTHORIZED)
        }
        Version::V1993 | Version::V2003 => function.is_estimated(),
    };
    let statements = message.dialect().mini_statement_form().is_some();
    let asked = judge(code / 10_000, function, class, (zero, estimated));
    // A peer without a place for a new PIN has nothing to change one by.
    let new_pins = message.dialect().pin_block_form().new_field.is_some();
    if asked.kind == TransactionType::PinChange && !new_pins {
        return Ok(Asked { fault: Some(Reason::FunctionNotSupported), ..asked });
    }
    // Where the answer would have no place for it, the peer has no such inquiry.
    let refused = asked.kind == TransactionType::MiniStatement && !statements;
    let fault = if refused { Some(Reason::InvalidTransaction) } else { asked.fault };
    let kind = if refused { TransactionType::Purchase } else { asked.kind };
    Ok(Asked { kind, fault, ..asked })
}

/// The first two digits of the processing code: annex A of ISO 8583:1987 and 1993. 70 and 72 are
/// what networks have for the standard's 92 and 91, a change of the PIN and its unblocking.
fn judge(
    code: u64,
    function: Function,
    class: MessageClass,
    (zero, estimated): (bool, bool),
) -> Asked {
    let financial = class.is_financial();
    let kind = match code {
        0 if zero && !financial => Some(TransactionType::AccountVerification),
        0 if estimated && !financial => Some(TransactionType::Preauthorization),
        0 => Some(TransactionType::Purchase),
        1 => Some(TransactionType::Cash),
        9 => Some(TransactionType::CashBack),
        11 => Some(TransactionType::QuasiCash),
        20 => Some(TransactionType::Refund),
        30 | 31 => Some(TransactionType::BalanceInquiry),
        33 => Some(TransactionType::AccountVerification),
        38 => Some(TransactionType::MiniStatement),
        70 | 92 => Some(TransactionType::PinChange),
        72 | 91 => Some(TransactionType::PinUnblock),
        _ => None,
    };
    let fault = match kind {
        // Nobody else has the keys to do this in our stead.
        Some(kind) if kind.is_of_pin() && class.is_advice() => Some(Reason::FunctionNotSupported),
        Some(_) if function.fits(class) => None,
        _ => Some(Reason::InvalidTransaction),
    };
    let (change, completes) = (function.changes(), function == Function::Completion);
    Asked { kind: kind.unwrap_or_default(), fault, change, completes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processing_codes_say_what_is_asked_for() {
        use MessageClass::{AuthorizationRequest, FinancialAdvice, FinancialRequest};
        use TransactionType::*;
        let invalid = Some(Reason::InvalidTransaction);
        let no_advice = Some(Reason::FunctionNotSupported);
        let rows = [
            (0, AuthorizationRequest, false, false, Purchase, None),
            (0, AuthorizationRequest, true, false, AccountVerification, None),
            (0, AuthorizationRequest, false, true, Preauthorization, None),
            (0, FinancialRequest, true, false, Purchase, None),
            (0, FinancialAdvice, false, true, Purchase, None),
            (1, FinancialRequest, false, false, Cash, None),
            (9, FinancialRequest, false, false, CashBack, None),
            (11, AuthorizationRequest, false, false, QuasiCash, None),
            (20, FinancialAdvice, false, false, Refund, None),
            (30, AuthorizationRequest, true, false, BalanceInquiry, None),
            (31, FinancialRequest, true, false, BalanceInquiry, None),
            (33, AuthorizationRequest, true, false, AccountVerification, None),
            (38, FinancialRequest, true, false, MiniStatement, None),
            (70, AuthorizationRequest, true, false, PinChange, None),
            (72, FinancialRequest, true, false, PinUnblock, None),
            (91, AuthorizationRequest, true, false, PinUnblock, None),
            (92, AuthorizationRequest, false, false, PinChange, None),
            (92, FinancialAdvice, false, false, PinChange, no_advice),
            (2, FinancialRequest, false, false, Purchase, invalid),
            (21, FinancialRequest, false, false, Purchase, invalid),
            (40, AuthorizationRequest, false, false, Purchase, invalid),
        ];
        for (code, class, zero, estimated, kind, fault) in rows {
            let read = judge(code, Function::Original, class, (zero, estimated));
            let asked = Asked { kind, fault, change: None, completes: false };
            assert_eq!(read, asked, "{code} in {class:?}");
        }
    }
}
