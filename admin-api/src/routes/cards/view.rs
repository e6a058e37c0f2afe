//! A card as JSON. It owns that of a number the last four digits are shown, and no more; everything
//! that is on a card is told of here for the documents alone, and written by its own type.

use serde::Serialize;
use switch_domain::{CardStatus, LockCode};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::service::cards::{
    Channel, Form, JobState, PinStatus, SetBy, ShownCard, ShownLock, month_and_year,
};

/// Whether there is plastic.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum FormName {
    /// There is none.
    Virtual,
    /// There is.
    Physical,
}

/// Whether a card may be used.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum CardStatusName {
    /// It waits for its activation.
    Inactive,
    /// It may.
    Active,
    /// It may not; `lock` says why.
    Locked,
    /// Nevermore.
    Removed,
}

/// Who set a lock.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum SetByName {
    /// The holder.
    User,
    /// The partner.
    Partner,
    /// An operator.
    Operator,
    /// The switch itself, or a network.
    Platform,
}

/// Whether a card has a PIN.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum PinStatusName {
    /// It has none.
    NotSet,
    /// It has one.
    Set,
    /// It has one that its chip may not have yet: `pinNotice` says what the holder does (SR-179).
    ChipPending,
}

/// A PIN that a card has from now on, where its holder has to be told something of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct NewPinView {
    pin_status: PinStatusName,
    /// What the holder is to be told.
    pin_notice: &'static str,
}

impl NewPinView {
    /// Nothing where nothing has to be told.
    pub(in crate::routes) fn of(pin: PinStatus) -> Option<Self> {
        Some(Self { pin_status: pin.into(), pin_notice: pin.notice()? })
    }
}

impl From<PinStatus> for PinStatusName {
    fn from(pin: PinStatus) -> Self {
        match pin {
            PinStatus::NotSet => Self::NotSet,
            PinStatus::Set => Self::Set,
            PinStatus::ChipPending => Self::ChipPending,
        }
    }
}

/// Why a card is locked (SR-200 to SR-208).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct LockView {
    reason_code: u8,
    /// The same in words.
    reason: &'static str,
    set_by: SetByName,
}

/// A card.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct CardView {
    /// Names the card: digits, as text.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    card_id: String,
    form: FormName,
    status: CardStatusName,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<LockView>,
    /// The end of its number.
    #[schema(pattern = "^[0-9]{4}$")]
    last_four: String,
    /// Its last month: MM/YY.
    #[schema(pattern = "^[0-9]{2}/[0-9]{2}$")]
    expiry: String,
    /// The account that it spends from.
    balance_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_name: Option<String>,
    pin_status: PinStatusName,
    /// What the holder is to be told of the PIN (SR-181).
    #[serde(skip_serializing_if = "Option::is_none")]
    pin_notice: Option<&'static str>,
    /// The card that this is plastic of.
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_of: Option<String>,
    /// The card in whose place it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    /// The card that came in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// Everything that is on a card: in encrypted answers alone.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents answers, which the type of the data writes itself")]
pub(in crate::routes) struct FullCard {
    card: CardView,
    /// The card's name as a number; `card.cardId` is the same for programs whose numbers are short.
    id: i64,
    /// The product.
    r#type: String,
    /// The number.
    #[schema(pattern = "^[0-9]{14,19}$")]
    card_no: String,
    /// The last day on which it is good.
    #[schema(format = Date)]
    exp: String,
    /// The printed code; absent where cards of the programme have none.
    #[schema(pattern = "^[0-9]{3}$")]
    cvv: Option<String>,
}

/// The printed code that a card has from now on: in encrypted answers alone.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents answers, which the type of the code writes itself")]
pub(in crate::routes) struct NewCode {
    card: CardView,
    /// The printed code.
    #[schema(pattern = "^[0-9]{3}$")]
    cvv: String,
}

/// What became of a card that was asked for.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::routes) enum JobStateName {
    /// It is not there yet.
    Waiting,
    /// It is there.
    Done,
    /// It will not be there; `code` says why.
    Failed,
}

/// A card that is made while nobody waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct JobView {
    /// Names the job.
    job_id: Uuid,
    state: JobStateName,
    /// The card, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    card_id: Option<String>,
    /// Why there will be none: the code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl JobView {
    pub(super) fn of(job_id: Uuid, state: &JobState) -> Self {
        let (name, card_id, code) = match state {
            JobState::Waiting => (JobStateName::Waiting, None, None),
            JobState::Done(card) => (JobStateName::Done, Some(card.0.to_string()), None),
            JobState::Failed(code) => (JobStateName::Failed, None, Some(code.clone())),
        };
        Self { job_id, state: name, card_id, code }
    }
}

impl CardView {
    pub(super) fn of(card: &ShownCard) -> Self {
        let name = |card: switch_domain::CardId| card.0.to_string();
        Self {
            card_id: name(card.card),
            form: match card.form {
                Form::Virtual => FormName::Virtual,
                Form::Physical => FormName::Physical,
            },
            status: match (card.status, card.lock) {
                (CardStatus::Removed, _) => CardStatusName::Removed,
                (_, Some(_)) => CardStatusName::Locked,
                (CardStatus::Inactive, None) => CardStatusName::Inactive,
                (CardStatus::Active, None) => CardStatusName::Active,
            },
            lock: card.lock.map(LockView::from),
            last_four: card.last_four.clone(),
            expiry: month_and_year(card.expiry),
            balance_id: card.balance,
            holder_name: card.holder_name.clone(),
            pin_status: card.pin.into(),
            pin_notice: card.pin.notice(),
            physical_of: card.physical_of.map(name),
            replaces: card.replaces.map(name),
            replaced_by: card.replaced_by.map(name),
            reference: card.reference.clone(),
        }
    }
}

impl From<ShownLock> for LockView {
    fn from(lock: ShownLock) -> Self {
        Self {
            reason_code: lock.code.number(),
            reason: words(lock.code),
            set_by: match lock.set_by {
                SetBy::Channel(Channel::User) => SetByName::User,
                SetBy::Channel(Channel::Partner) => SetByName::Partner,
                SetBy::Channel(Channel::Operator) => SetByName::Operator,
                SetBy::Platform => SetByName::Platform,
            },
        }
    }
}

/// The seed's words for a code.
const fn words(code: LockCode) -> &'static str {
    match code {
        LockCode::Lost => "Card lost",
        LockCode::Stolen => "Card stolen",
        LockCode::PendingQuery => "Pending query",
        LockCode::Consolidation => "Card consolidation",
        LockCode::Inactive => "Card inactive",
        LockCode::PinTriesExceeded => "PIN tries exceeded",
        LockCode::SuspectedFraud => "Suspected fraud",
        LockCode::Replaced => "Card replaced",
        LockCode::OfflinePinTriesExceeded => "Offline PIN attempts exceeded",
    }
}
