//! Exchange rates, and the terms on which a programme takes other currencies: set and taken back.
//! Who wants to see them looks at the snapshot that every shard has.

use switch_domain::{AsciiText, Currency, ExchangeRate, ForeignTerms, IdempotencyKey, ProgrammeId};
use switch_shard::Act;

use super::Services;
use crate::Problem;

impl Services {
    /// Puts an exchange rate in force.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_rate(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        rate: ExchangeRate,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetRate(rate)).await.map(|_| ())
    }

    /// Takes the exchange rate of a pair out of force.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn remove_rate(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        from: Currency,
        to: Currency,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::RemoveRate { from, to }).await.map(|_| ())
    }

    /// Takes amounts in other currencies under a programme, or declines them.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn set_foreign_terms(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        programme: ProgrammeId,
        terms: Option<ForeignTerms>,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::SetForeignTerms { programme, terms }).await.map(|_| ())
    }
}
