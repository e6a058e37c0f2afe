//! The words of card authorization: identifiers, money, cards, reasons and the records of the
//! journal. It owns what those words mean and which values are legal. It never does I/O, never
//! reads a clock, and knows no wire form: ISO 8583 bytes belong to `codecs`, stored bytes to
//! `switch-store`. It has no serde on purpose: whoever crosses a boundary owns its own format.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod approval_code;
mod ascii_text;
mod authorization;
mod balance;
mod card;
mod card_counters;
mod card_script;
mod card_security;
mod chip_facts;
mod control;
mod conversion;
mod country;
mod currency;
mod decision_trace;
mod effects;
mod estate;
mod evidence;
mod exchange_rate;
mod expiry;
mod fee_charged;
mod fee_effect;
mod fee_event;
mod fee_rule;
mod fee_schedule;
mod forgotten;
mod hold;
mod ids;
mod image;
mod message_key;
mod money;
mod network_trace;
mod outside;
mod pan;
mod pin_reference;
mod placement;
mod portion;
mod reason;
mod reason_forms;
mod reconciliation;
mod record;
mod spend_control;
mod stand_in;
mod timestamp;
mod tolerance;
mod transaction_type;
mod transfer;
mod usage;

pub use approval_code::ApprovalCode;
pub use ascii_text::{AsciiText, NotAsciiText};
pub use authorization::{
    AnsweredReversal, Authorization, Channel, Completed, EntryMode, Merchant, MessageFacts,
    OriginalReference, Totals,
};
pub use balance::{Balance, BalanceState, CustomerState, Movement};
pub use card::{Card, CardStatus, LockCode, VaultRef};
pub use card_counters::{CardCounters, ChipCounter, CounterEffect, CounterStanding};
pub use card_script::{CardScript, ScriptKind, ScriptStanding};
pub use card_security::{
    CardReferences, CardSecurityTerms, Circumstances, CounterRules, ExpiryOrder,
    InvalidServiceCode, KeyLabel, LowerCounter, NeededChecks, PinMethod, PlasticInForce,
    SecurityKeys, ServiceCode,
};
pub use chip_facts::{ChipDifference, ChipDifferences, ChipFact, ChipFacts};
pub use control::{
    Bin, BinRange, Control, Funding, Partner, PartnerState, Pool, PoolKind, Programme,
};
pub use conversion::{
    BasisPoints, Conversion, ForeignTerms, NetworkAmounts, OutOfRange, RateSource,
};
pub use country::{Country, UnknownCountry};
pub use currency::{Currency, UnknownCurrency};
pub use decision_trace::{CheckSet, Compared, DecidedBy, DecisionTrace};
pub use effects::{
    Account, AuthorizationDelta, BalanceDelta, Effects, PoolDelta, PoolShare, Posting,
};
pub use estate::Estate;
pub use evidence::{Chip, CryptogramType, Evidence, Finding, Unverified};
pub use exchange_rate::{ExchangeRate, InvalidRate, Rate};
pub use expiry::{Expiry, InvalidExpiry};
pub use fee_charged::FeeCharged;
pub use fee_effect::{FeeEffect, FeeTotals};
pub use fee_event::{FeeEvent, FeeMoment, FeeName, Place, Surroundings};
pub use fee_rule::{CardForm, FeeRule, InvalidPrice, MOST_OF_A_FEE, Price, PriceTerms, Taken};
pub use fee_schedule::{
    ChargedBy, Cost, FeeSchedule, InvalidSchedule, MOST_FEE_RULES, MOST_REGION_COUNTRIES,
};
pub use forgotten::{CommandDigest, DoneCommand, Forgotten, Reach, Recalled, Traces};
pub use hold::{Categories, Hold, HoldLives, HoldRule};
pub use ids::{
    AuthorizationId, BalanceId, CardId, ControlId, CustomerId, Epoch, IdempotencyKey, LinkId,
    OwnerId, PartnerId, PoolId, ProgrammeId, Seq, ShardId, TransferId,
};
pub use image::ShardImage;
pub use message_key::{Acquirer, MessageClass, MessageKey, OriginalClass, OriginalKey};
pub use money::{Amount, MinorUnits};
pub use network_trace::NetworkTrace;
pub use outside::{LockCodes, LockRefusal, OutsideAsk};
pub use pan::{Fingerprint, InvalidPan, Pan};
pub use pin_reference::{InvalidPinReference, OffsetDigits, PinReference};
pub use placement::Placement;
pub use portion::Portion;
pub use reason::Reason;
pub use reconciliation::{
    AskedDay, ReconciliationAnswer, ReconciliationAsk, ReconciliationClaim, ReconciliationTotals,
    Settled,
};
pub use record::{
    Authorized, BalanceOpened, CardIssued, Cause, ControlFindings, Event, Expired, Founded, Record,
    Reversed, Sealed, SealedHead, TakenOver, Voided,
};
pub use spend_control::{
    Aspect, CardUse, CardUses, ControlRule, ControlSubject, ControlTerms, DAY_MINUTES, Hours,
    LocalMoment, Selector, SpendControl, Window, ZoneName, is_controlled,
};
pub use stand_in::StandIn;
pub use timestamp::Timestamp;
pub use tolerance::{Tolerance, ToleranceRule, Tolerances};
pub use transaction_type::{Direction, TransactionType};
pub use transfer::{Transfer, TransferOutcome, TransferReceived};
pub use usage::{Counted, Part, Usage, UsageDelta, Used};
