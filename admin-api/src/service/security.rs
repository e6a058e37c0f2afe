//! What cards are verified by: terms of a programme, and what a card's values are compared with. It
//! holds no key and no PIN; who wants to see terms looks at the snapshot that every shard has.

use switch_domain::{
    AsciiText, CardId, CardSecurityTerms, IdempotencyKey, PinReference, ProgrammeId, ServiceCode,
};
use switch_shard::Act;

use super::Services;
use crate::Problem;

impl Services {
    /// Has the cards of a programme verified on these terms, or no longer.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_card_security(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        programme: ProgrammeId,
        terms: Option<CardSecurityTerms>,
    ) -> Result<(), Problem> {
        let terms = terms.map(Box::new);
        self.act(key, actor, Act::SetCardSecurity { programme, terms }).await.map(|_| ())
    }

    /// Says what stripe and chip of a card have in them.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_card_data(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
        (service_code, sequence): (Option<ServiceCode>, u8),
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetCardData { card, service_code, sequence }).await.map(|_| ())
    }

    /// Gives a card another PIN, by what that is compared with.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_pin_reference(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
        reference: PinReference,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetPinReference { card, reference }).await.map(|_| ())
    }

    /// Gives a card another printed code: the old one is worth nothing once this returns.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn reset_card_code(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        card: CardId,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::ResetCardCode { card }).await.map(|_| ())
    }
}
