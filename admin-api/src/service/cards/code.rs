//! The printed code of a card (CVV2, CVC2). It owns which key a card's code is made with; the
//! security module computes it each time that it is asked for, and nobody keeps it.

use switch_domain::{Card, CardStatus, Pan, ProgrammeId};
use switch_security::{CardValue, CardValueKind, GenerateCardValue, KeyHandle, KeyUsage};

use super::data::PrintedCode;
use super::found::{OwnedCard, form_of, no_card};
use super::issue::By;
use super::profile::Form;
use super::{Cards, told};
use crate::Problem;

impl Cards {
    /// The key of the code that is in force; `None` where cards of the programme have no code.
    pub(super) fn code_key(
        &self,
        programme: ProgrammeId,
        generation: u8,
    ) -> Result<Option<(KeyHandle, CardValueKind<'static>)>, Problem> {
        let terms = self.services.node.directory().terms(programme);
        let Some(terms) = terms else { return Ok(None) };
        let Some(label) = terms.keys.code_key(generation) else { return Ok(None) };
        let key = self.key(label.as_str(), KeyUsage::C0)?;
        Ok(Some((key, CardValueKind::Cvv2 { order: terms.code_expiry })))
    }

    /// Gives a virtual card another printed code (SR-177): the one before is worth nothing once
    /// this returns.
    ///
    /// # Errors
    /// `CONFLICT`: the card is of plastic, or cards of its programme have no code.
    /// `NOT_FOUND`: it was removed. `SECURITY_MODULE_UNAVAILABLE`: it has another one, which
    /// reading the card tells.
    pub async fn reset_code(&self, owned: &OwnedCard, by: By) -> Result<PrintedCode, Problem> {
        let card = &owned.card;
        if card.status == CardStatus::Removed {
            return Err(no_card());
        }
        let form = self.profile(card).await?.form.unwrap_or_else(|| form_of(card));
        if form == Form::Physical {
            return Err(Problem::new("CONFLICT", "the code of a card of plastic is printed on it"));
        }
        let printing = "SELECT EXISTS (SELECT FROM card_order WHERE physical_of = $1 \
                        AND run_id IS NOT NULL AND state NOT IN ('LINKED', 'REFUSED'))";
        let printing = sqlx::query_scalar::<_, bool>(printing).bind(card.id.0);
        if printing.fetch_one(self.pool()).await? {
            return Err(Problem::new(
                "CONFLICT",
                "plastic of the card is being made with its code",
            ));
        }
        let none = || Problem::new("CONFLICT", "cards of this programme have no printed code");
        self.code_key(card.programme, 0)?.ok_or_else(none)?;
        self.services.reset_card_code(by.key, by.actor, card.id).await?;
        let now = self.now(card.id).await?.card;
        let pan = self.services.number_of(now.vault).await?;
        Ok(PrintedCode::new(self.code(&now, &pan).await?.ok_or_else(none)?))
    }

    /// The code that is on a card now.
    pub(super) async fn code(&self, card: &Card, pan: &Pan) -> Result<Option<CardValue>, Problem> {
        let generation = card.references.as_ref().map_or(0, |one| one.code_generation);
        let Some((key, kind)) = self.code_key(card.programme, generation)? else {
            return Ok(None);
        };
        let expiry = card.expiry;
        let command = GenerateCardValue { key, pan, expiry, kind };
        self.module.module.generate_card_value(command).await.map(Some).map_err(told)
    }
}
