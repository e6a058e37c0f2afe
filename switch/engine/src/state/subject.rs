//! What a management command is about. It owns the rule that one thing has one management record on
//! its way to the journal at a time: a relaxation that counts at its commit would else undo a
//! restriction that was decided after it.

use switch_domain::{
    BalanceId, CardId, ControlId, Currency, CustomerId, Event, PartnerId, ProgrammeId,
};

use crate::Act;

/// One thing that management commands change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Partner(PartnerId),
    Programme(ProgrammeId),
    Balance(BalanceId),
    Customer(CustomerId),
    Card(CardId),
    Control(ControlId),
    Rate(Currency, Currency),
}

impl Subject {
    /// What an event changes, where the order of changes matters.
    pub(crate) const fn of_event(event: &Event) -> Option<Self> {
        match event {
            Event::PartnerDefined(partner) => Some(Self::Partner(partner.id)),
            Event::ProgrammeDefined(programme) => Some(Self::Programme(programme.id)),
            Event::FeesSet { programme, .. } => Some(Self::Programme(*programme)),
            Event::FeeCharged(one) => Some(Self::Balance(one.balance)),
            Event::BalanceStateChanged { balance, .. } | Event::BalanceCredited { balance, .. } => {
                Some(Self::Balance(*balance))
            }
            Event::TransferSent(transfer) => Some(Self::Balance(transfer.from)),
            Event::TransferReceived(one) => Some(Self::Balance(one.transfer.to)),
            Event::CustomerStateChanged { customer, .. } => Some(Self::Customer(*customer)),
            Event::CardStatusChanged { card, .. }
            | Event::CardLockChanged { card, .. }
            | Event::CardReferencesChanged { card, .. }
            | Event::CardRenewed { card, .. } => Some(Self::Card(*card)),
            Event::ControlDefined(control) => Some(Self::Control(control.id)),
            Event::ControlRemoved { control, .. } => Some(Self::Control(*control)),
            Event::RateSet(rate) => Some(Self::Rate(rate.from, rate.to)),
            Event::RateRemoved { from, to } => Some(Self::Rate(*from, *to)),
            _ => None,
        }
    }

    /// What a command asks to change.
    pub(crate) const fn of_act(act: &Act) -> Option<Self> {
        match act {
            Act::RenamePartner { partner, .. }
            | Act::SetPartnerState { partner, .. }
            | Act::SetPartialMinimum { partner, .. } => Some(Self::Partner(*partner)),
            Act::RenameProgramme { programme, .. }
            | Act::SetForeignTerms { programme, .. }
            | Act::SetFees { programme, .. }
            | Act::SetCardSecurity { programme, .. } => Some(Self::Programme(*programme)),
            Act::SetBalanceState { balance, .. }
            | Act::CreditBalance { balance, .. }
            | Act::ChargeFee { balance, .. }
            | Act::RefundFee { balance, .. } => Some(Self::Balance(*balance)),
            Act::Transfer { from, .. } => Some(Self::Balance(*from)),
            Act::SetCustomerState { customer, .. } => Some(Self::Customer(*customer)),
            Act::ActivateCard { card }
            | Act::RemoveCard { card }
            | Act::LockCard { card, .. }
            | Act::UnlockCard { card }
            | Act::SetCardData { card, .. }
            | Act::AwaitPlastic { card, .. }
            | Act::RenewCard { card, .. }
            | Act::SetPinReference { card, .. }
            | Act::ResetCardCode { card }
            | Act::LockOutside { card: Some(card), .. } => Some(Self::Card(*card)),
            Act::ChangeControl { control, .. } | Act::RemoveControl { control, .. } => {
                Some(Self::Control(*control))
            }
            Act::SetRate(rate) => Some(Self::Rate(rate.from, rate.to)),
            Act::RemoveRate { from, to } => Some(Self::Rate(*from, *to)),
            _ => None,
        }
    }
}
