//! The amounts of an answer besides those it echoes: the approved part of what was asked for, and
//! balances, each where the dialect carries it. Must know of money no more than its digits.

use super::carriage::{BalanceForm, OriginalAmount};
use super::dialect::Dialect;
use super::encode::MessageWriter;
use super::encode_error::{EncodeError, EncodeFault};
use super::spec::Version;

const AMOUNT: u8 = 4;
const ORIGINAL_AMOUNTS: u8 = 30;
const ADDITIONAL_AMOUNTS: u8 = 54;
/// Digits of every amount.
const DIGITS: usize = 12;
/// Currency, exponent and amount, as 2003 has them in one field.
const WHOLE: usize = 16;
/// Three additional amounts.
const MOST: usize = 3 * 21;

/// An amount as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WireAmount {
    /// ISO 4217, numeric: 0 to 999.
    pub currency: u16,
    /// Digits behind the decimal point: 0 to 9. Written where the edition has it.
    pub exponent: u8,
    /// In minor units.
    pub minor: u64,
    /// True for a debit balance: what is owed.
    pub negative: bool,
}

/// A part of what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartOf {
    /// What is approved: field 4 of the answer.
    pub approved: WireAmount,
    /// What was asked for: where [`Dialect::original_amount`] says.
    pub asked: WireAmount,
}

/// The balances of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountBalances {
    /// All that is in it.
    pub ledger: WireAmount,
    /// What may be spent.
    pub available: WireAmount,
}

impl Version {
    /// Characters of one additional amount: account type 2, amount type 2, currency 3, in 2003
    /// exponent 1, sign 1, amount 12.
    pub(super) const fn additional_amount(self) -> usize {
        match self {
            Version::V1987 | Version::V1993 => 20,
            Version::V2003 => 21,
        }
    }
}

impl MessageWriter<'_> {
    /// Sets the amounts of an answer. What the dialect does not carry is left out.
    ///
    /// # Errors
    /// [`EncodeFault::TooLong`] where an amount has more than twelve digits, a currency more than
    /// three, an exponent more than one; [`EncodeFault::Character`] where field 4 or 30 would have
    /// to carry a negative amount.
    pub fn amounts(
        &mut self,
        part: Option<PartOf>,
        balances: Option<AccountBalances>,
    ) -> Result<(), EncodeError> {
        let dialect = self.dialect();
        let version = dialect.version();
        let mut additional = Digits::<MOST>::default();
        let fault = |writer: &Self, field, fault| writer.error(field, fault);
        if let Some(PartOf { approved, asked }) = part {
            let mut amount = Digits::<WHOLE>::default();
            amount.unsigned(version, approved).map_err(|flaw| fault(self, AMOUNT, flaw))?;
            self.digits(AMOUNT, amount.written())?;
            match dialect.original_amount() {
                None => {}
                Some(OriginalAmount::Field30) => {
                    let mut original = Digits::<{ 2 * WHOLE }>::default();
                    let written = original.unsigned(version, asked);
                    written.map_err(|flaw| fault(self, ORIGINAL_AMOUNTS, flaw))?;
                    // The second is the amount of reconciliation, of which nothing is said.
                    let first = original.length;
                    original.zeros(first);
                    self.digits(ORIGINAL_AMOUNTS, original.written())?;
                }
                Some(OriginalAmount::Field54(kind)) => {
                    let account = account_type(dialect);
                    let written = additional.additional(version, account, kind, asked);
                    written.map_err(|flaw| fault(self, ADDITIONAL_AMOUNTS, flaw))?;
                }
            }
        }
        if let (Some(balances), Some(form)) = (balances, dialect.balance_form()) {
            let BalanceForm { account_type, ledger, available } = form;
            for (kind, amount) in [(ledger, balances.ledger), (available, balances.available)] {
                let written = additional.additional(version, account_type, kind, amount);
                written.map_err(|flaw| fault(self, ADDITIONAL_AMOUNTS, flaw))?;
            }
        }
        if additional.length > 0 {
            self.digits(ADDITIONAL_AMOUNTS, additional.written())?;
        }
        Ok(())
    }
}

fn account_type(dialect: &Dialect) -> [u8; 2] {
    dialect.balance_form().unwrap_or(BalanceForm::USUAL).account_type
}

/// Characters being written, in room of their own.
struct Digits<const N: usize> {
    room: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Digits<N> {
    fn default() -> Self {
        Self { room: [b'0'; N], length: 0 }
    }
}

impl<const N: usize> Digits<N> {
    fn written(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }

    fn text(&mut self, text: &[u8]) {
        let room = self.room.get_mut(self.length..).unwrap_or_default();
        room.iter_mut().zip(text).for_each(|(slot, byte)| *slot = *byte);
        self.length = self.length.saturating_add(text.len()).min(N);
    }

    fn zeros(&mut self, count: usize) {
        self.length = self.length.saturating_add(count).min(N);
    }

    /// A number in so many digits.
    fn number(&mut self, value: u64, digits: usize) -> Result<(), EncodeFault> {
        let start = self.length;
        self.zeros(digits);
        let mut rest = value;
        for slot in self.room.get_mut(start..self.length).unwrap_or_default().iter_mut().rev() {
            *slot = b'0' | (rest % 10) as u8;
            rest /= 10;
        }
        if rest == 0 {
            return Ok(());
        }
        let length = usize::try_from(value.checked_ilog10().unwrap_or(0)).unwrap_or(usize::MAX);
        Err(EncodeFault::TooLong { length: length.saturating_add(1), max: digits })
    }

    /// As field 4 of the edition has it.
    fn unsigned(&mut self, version: Version, amount: WireAmount) -> Result<(), EncodeFault> {
        if amount.negative {
            let expected = "digits: there is no room for a sign";
            return Err(EncodeFault::Character { position: 1, expected });
        }
        if version == Version::V2003 {
            self.number(amount.currency.into(), 3)?;
            self.number(amount.exponent.into(), 1)?;
        }
        self.number(amount.minor, DIGITS)
    }

    /// One additional amount.
    fn additional(
        &mut self,
        version: Version,
        account: [u8; 2],
        kind: [u8; 2],
        amount: WireAmount,
    ) -> Result<(), EncodeFault> {
        self.text(&account);
        self.text(&kind);
        self.number(amount.currency.into(), 3)?;
        if version == Version::V2003 {
            self.number(amount.exponent.into(), 1)?;
        }
        self.text(if amount.negative { b"D" } else { b"C" });
        self.number(amount.minor, DIGITS)
    }
}
