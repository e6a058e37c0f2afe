//! The rows: Visa 10, 17, 18 and 22, M/Chip 10, 11, 14 and 15 (hexadecimal, as the byte stands in
//! the data), and the Common Core Definitions. It owns data alone; docs/card-security.md has it as
//! a table, with what of it nobody could check against an issuer's own papers.

use super::reports;
use super::{
    AnswerForm, AnswerKey, AnswerMethod, CardKeyOption, CardScheme, CryptogramProfile, Element,
    IadLayout, IadPart, NewPinBlock, NextCommand, PinEncryption, ScriptMethod, ScriptSession,
    SessionMethod,
};
use crate::mac::MacPadding;

/// The ten elements that nearly every cryptogram begins with (Book 2 table 26).
const TEN: &[Element] = &[
    AMOUNT,
    // Cash back. A terminal that has none fills the card's list with zeros and may send nothing.
    Element::Tag { tag: 0x9F03, length: 6, may_lack: true },
    tag(0x9F1A, 2), // the terminal's country
    tag(0x95, 5),   // its verification results
    tag(0x5F2A, 2), // the currency
    tag(0x9A, 3),   // the date
    tag(0x9C, 1),   // the transaction type
    Element::UnpredictableNumber,
    tag(0x82, 2), // the application interchange profile
    Element::Counter,
];
const AMOUNT: Element = tag(0x9F02, 6);

const fn tag(tag: u32, length: u8) -> Element {
    Element::Tag { tag, length, may_lack: false }
}

const fn part(from: u8, length: u8) -> Element {
    Element::PartOfIssuerData(IadPart { from, length })
}

/// Visa's formats 0, 1 and 3: length 06, key index, version, results that begin with their length,
/// and data of the issuer's own.
const VISA: IadLayout = IadLayout {
    lengths: (7, 32),
    first: Some(0x06),
    version_at: 2,
    key_index_at: 1,
    results: IadPart { from: 3, length: 4 },
};

/// Visa's format 2, in which version and key index have changed places.
const VISA_FORMAT_2: IadLayout = IadLayout {
    lengths: (32, 32),
    first: Some(0x1F),
    version_at: 1,
    key_index_at: 2,
    results: IadPart { from: 3, length: 5 },
};

/// M/Chip: key index, version, results, two bytes of offline authentication, counters. Longer ones
/// have more counters behind, which none of these versions takes.
const M_CHIP: IadLayout = IadLayout {
    lengths: (18, 32),
    first: None,
    version_at: 1,
    key_index_at: 0,
    results: IadPart { from: 2, length: 6 },
};

/// Format code A of the Common Core Definitions.
const COMMON_CORE: IadLayout = IadLayout {
    lengths: (32, 32),
    first: Some(0x0F),
    version_at: 1,
    key_index_at: 2,
    results: IadPart { from: 3, length: 5 },
};

/// Visa's method 1: over the response code of the answer, under the card's key.
const VISA_CODE: AnswerMethod =
    AnswerMethod { key: AnswerKey::Card, form: AnswerForm::ResponseCode };

/// Method 2. The second byte of the status says: approved, and counters begin anew.
const STATUS: AnswerMethod = AnswerMethod {
    key: AnswerKey::Session,
    form: AnswerForm::StatusUpdate {
        approved: [0x00, 0x82, 0x00, 0x00],
        declined: [0x00, 0x00, 0x00, 0x00],
    },
};

/// Mastercard's method 1: over a code of its own, whose second byte says the same.
const fn m_chip_answer(key: AnswerKey) -> Option<AnswerMethod> {
    let form = AnswerForm::OwnCode { approved: [0x00, 0x12], declined: [0x00, 0x00] };
    Some(AnswerMethod { key, form })
}

const VISA_SCRIPT: ScriptMethod = ScriptMethod {
    session: ScriptSession::VisaExclusiveOr,
    pin_block: NewPinBlock::VisaCardKey,
    pin_encryption: PinEncryption::LengthAndPadding,
    next: NextCommand::None,
};

/// Of cards that take session keys from the cryptogram.
const COMMON_SCRIPT: ScriptMethod = ScriptMethod {
    session: ScriptSession::Cryptogram,
    pin_block: NewPinBlock::Format2,
    ..VISA_SCRIPT
};

const M_CHIP_SCRIPT: ScriptMethod = ScriptMethod {
    pin_encryption: PinEncryption::BlockAlone,
    next: NextCommand::CryptogramPlusOne,
    ..COMMON_SCRIPT
};

const VISA_10: CryptogramProfile = CryptogramProfile {
    name: "visa-10",
    scheme: CardScheme::Visa,
    version: 0x0A,
    issuer_data: VISA,
    reports: reports::VISA,
    card_key: CardKeyOption::A,
    session: SessionMethod::CardKey,
    data: &[TEN, &[part(3, 4)]],
    padding: MacPadding::Zeros,
    answer: Some(VISA_CODE),
    script: Some(VISA_SCRIPT),
};

/// Contactless, and over before the issuer could answer the card.
const VISA_17: CryptogramProfile = CryptogramProfile {
    name: "visa-17",
    version: 0x11,
    data: &[&[AMOUNT, Element::UnpredictableNumber, Element::Counter, part(4, 1)]],
    answer: None,
    script: None,
    ..VISA_10
};

const VISA_18: CryptogramProfile = CryptogramProfile {
    name: "visa-18",
    version: 0x12,
    card_key: CardKeyOption::B,
    session: SessionMethod::Common,
    data: &[TEN, &[Element::IssuerData]],
    padding: MacPadding::OneThenZeros,
    answer: Some(STATUS),
    ..VISA_10
};

const VISA_22: CryptogramProfile = CryptogramProfile {
    name: "visa-22",
    version: 0x22,
    issuer_data: VISA_FORMAT_2,
    reports: &[],
    script: Some(COMMON_SCRIPT),
    ..VISA_18
};

const M_CHIP_10: CryptogramProfile = CryptogramProfile {
    name: "mchip-10",
    scheme: CardScheme::Mastercard,
    version: 0x10,
    issuer_data: M_CHIP,
    reports: reports::M_CHIP,
    card_key: CardKeyOption::A,
    session: SessionMethod::MastercardSkd,
    data: &[TEN, &[part(2, 6)]],
    padding: MacPadding::OneThenZeros,
    answer: m_chip_answer(AnswerKey::Card),
    script: Some(M_CHIP_SCRIPT),
};

/// With the counters in the data, as in every odd version.
const M_CHIP_11: CryptogramProfile = CryptogramProfile {
    name: "mchip-11",
    version: 0x11,
    data: &[TEN, &[part(2, 6), part(10, 8)]],
    ..M_CHIP_10
};

const M_CHIP_14: CryptogramProfile = CryptogramProfile {
    name: "mchip-14",
    version: 0x14,
    session: SessionMethod::Common,
    answer: m_chip_answer(AnswerKey::Session),
    ..M_CHIP_10
};

const M_CHIP_15: CryptogramProfile = CryptogramProfile {
    name: "mchip-15",
    version: 0x15,
    data: &[TEN, &[part(2, 6), part(10, 8)]],
    ..M_CHIP_14
};

/// Cryptogram version 5 of format A: triple DES with the common session key.
const COMMON_CORE_5: CryptogramProfile = CryptogramProfile {
    name: "common-core-5",
    scheme: CardScheme::CommonCore,
    version: 0xA5,
    issuer_data: COMMON_CORE,
    reports: reports::COMMON_CORE,
    ..VISA_22
};

pub(super) static PROFILES: [CryptogramProfile; 9] =
    [VISA_10, VISA_17, VISA_18, VISA_22, M_CHIP_10, M_CHIP_11, M_CHIP_14, M_CHIP_15, COMMON_CORE_5];
