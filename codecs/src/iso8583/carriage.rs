//! Where a peer expects what editions of the standard put in different places: the digits of action
//! codes, the original of a reversal, the amounts beside the transaction's, the lock that a file
//! action asks for, what makes an authorization an increment, the movements of an account, whether
//! a terminal takes a part, the acquirer's fee. It owns the places; the values are the caller's.

use super::carriage_partial::{FeeForm, PartialTerminal};
use super::carriage_statement::MiniStatementForm;
use super::dialect::Dialect;
use super::spec::Version;

/// How the dialect carries these things.
#[derive(Clone, Debug)]
pub(super) struct Carriage {
    pub(super) action_code_digits: u8,
    /// Codes that the peer knows by another, with that other.
    pub(super) replaced: Vec<(Box<str>, Box<str>)>,
    pub(super) original: OriginalForm,
    pub(super) original_amount: Option<OriginalAmount>,
    pub(super) balances: Option<BalanceForm>,
    pub(super) lock: Option<LockForm>,
    pub(super) incremental: Option<IncrementalForm>,
    pub(super) mini_statement: Option<MiniStatementForm>,
    pub(super) partial_terminal: Option<PartialTerminal>,
    pub(super) acquirer_fee: Option<FeeForm>,
}

/// How a reversal names its original: message type (4 digits), trace number, a time, and what else
/// the peer puts behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OriginalForm {
    /// The field: 90, or 56.
    pub field: u8,
    /// Digits of the trace number: 6, or 12.
    pub trace_digits: u8,
    /// Digits of the transmission time (field 7) behind it, 10; 0 where another time stands there.
    pub transmitted_digits: u8,
}

impl OriginalForm {
    /// What an edition has where a dialect says nothing else.
    #[must_use]
    pub const fn of(version: Version) -> OriginalForm {
        match version {
            Version::V1987 => OriginalForm { field: 90, trace_digits: 6, transmitted_digits: 10 },
            Version::V1993 => OriginalForm { field: 56, trace_digits: 6, transmitted_digits: 0 },
            Version::V2003 => OriginalForm { field: 56, trace_digits: 12, transmitted_digits: 0 },
        }
    }
}

/// Where the amount that was asked for stands in an answer that approves a part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OriginalAmount {
    /// First in the amounts, original (field 30 of 1993 and 2003), zeros behind it.
    Field30,
    /// Among the additional amounts (field 54), with these two digits for the type of amount.
    Field54([u8; 2]),
}

/// How balances stand among the additional amounts (field 54): two digits each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BalanceForm {
    /// The type of account.
    pub account_type: [u8; 2],
    /// The type of amount of the ledger balance.
    pub ledger: [u8; 2],
    /// The type of amount of the available balance.
    pub available: [u8; 2],
}

impl BalanceForm {
    /// Unspecified account, 01 ledger, 02 available (annex A of all three editions).
    pub(super) const USUAL: BalanceForm =
        BalanceForm { account_type: *b"00", ledger: *b"01", available: *b"02" };
}

/// How a file action (x302, x304) says which lock of a card it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockForm {
    /// The field that says what is to be done: the file update code (91) of 1987, the function code
    /// (24) of the later editions.
    pub action: u8,
    /// The field with the record, which is the number of a lock code: 120, or 72 (data record).
    pub record: u8,
    /// The file that the locks of cards are, by its name in field 101.
    pub file: Box<str>,
}

impl LockForm {
    /// The field with the name of the file, in every edition.
    pub const FILE: u8 = 101;

    /// What an edition has where a dialect says nothing else.
    #[must_use]
    pub fn of(version: Version) -> LockForm {
        let (action, record) = match version {
            Version::V1987 => (91, 120),
            Version::V1993 | Version::V2003 => (24, 72),
        };
        LockForm { action, record, file: "CARD-LOCK".into() }
    }
}

/// How an authorization of 1987 that names an earlier one, by the original data elements or by the
/// network's identifier, says that it adds to it. Later editions say so by the function code (24).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncrementalForm {
    /// The field that says it.
    pub field: u8,
    /// The sub-element of the field that does, by its key, where not all of the field does.
    pub part: Option<Box<str>>,
    /// What it says where the amount comes on top of what was authorized.
    pub adds: Vec<Box<str>>,
    /// What it says where the amount takes the place of that.
    pub replaces: Vec<Box<str>>,
}

impl Dialect {
    /// Digits of the action codes in field 39: 2 (as in 1987), 3 (1993) or 4 (2003).
    #[must_use]
    pub const fn action_code_digits(&self) -> u8 {
        self.carriage.action_code_digits
    }

    /// An action code of as many digits as the peer knows it.
    #[must_use]
    pub fn action_code<'a>(&'a self, code: &'a str) -> &'a str {
        let mut replaced = self.carriage.replaced.iter();
        replaced.find(|(ours, _)| **ours == *code).map_or(code, |(_, theirs)| theirs)
    }

    /// How a reversal names its original.
    #[must_use]
    pub const fn original_form(&self) -> OriginalForm {
        self.carriage.original
    }

    /// Where the amount that was asked for stands in the answer that approves a part of it; `None`
    /// where the peer does not want it.
    #[must_use]
    pub const fn original_amount(&self) -> Option<OriginalAmount> {
        self.carriage.original_amount
    }

    /// How balances stand in an answer; `None` where the peer does not want them.
    #[must_use]
    pub const fn balance_form(&self) -> Option<BalanceForm> {
        self.carriage.balances
    }

    /// How an authorization that names an earlier one says that it adds to it; `None` where naming
    /// one is enough, or the edition has function codes.
    #[must_use]
    pub const fn incremental_form(&self) -> Option<&IncrementalForm> {
        self.carriage.incremental.as_ref()
    }

    /// How the answer to a mini-statement inquiry has the movements of the account; `None` where
    /// the peer has no such inquiry.
    #[must_use]
    pub const fn mini_statement_form(&self) -> Option<&MiniStatementForm> {
        self.carriage.mini_statement.as_ref()
    }

    /// How a file action names the lock of a card; `None` where the dialect lacks a field for it.
    #[must_use]
    pub const fn lock_form(&self) -> Option<&LockForm> {
        self.carriage.lock.as_ref()
    }
}
