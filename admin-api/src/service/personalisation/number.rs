//! The number of a plastic card (SR-165): drawn by the processor of its programme, once. It owns
//! that an order has one processor and terminal, one row of the vault and one number, whenever it
//! is asked for again; and that what a processor gives is judged before it is kept.

use sqlx::Row;
use switch_domain::{Programme, ProgrammeId, Timestamp, VaultRef};
use switch_store::VaultError;
use uuid::Uuid;

use super::Plastic;
use super::record::Going;
use crate::Problem;
use crate::service::cards::processor::{CardOrder, IN_PROCESS, MadeCard, chosen, given_twice};
use crate::service::cards::{DRAWS, Form, range_full};
use crate::service::programmes::{Terminal, terminal_of};
use crate::service::vault::seal_pan;

const RESERVED: &str = "\
    SELECT vault_row, coalesce(processor, $2) AS processor, terminal FROM card_order
    WHERE reference = $1 AND vault_row IS NOT NULL";

const RESERVE: &str = "\
    UPDATE card_order SET vault_row = $2, processor = $3, terminal = $4
    WHERE reference = $1 AND vault_row IS NULL";

const NAMED: &str = "UPDATE card_order SET processor_reference = $2 WHERE reference = $1";

fn keeping(error: VaultError) -> Problem {
    Problem::internal("keeping a card number", &error)
}

impl Plastic {
    /// The row of an order's number: reserved first, noted, and then filled, so that whoever comes
    /// after a crash finds the same.
    pub(super) async fn drawn(
        &self,
        going: &Going,
        programme: &Programme,
        now: Timestamp,
    ) -> Result<VaultRef, Problem> {
        let (row, processor, terminal) = self.reserved(going.reference, programme.id).await?;
        if let Some(there) = self.row_of_vault(row).await? {
            return Ok(there);
        }
        let processor = self.modules.processors.named(&processor)?;
        let order = CardOrder {
            reference: going.reference,
            form: Form::Physical,
            programme: programme.id,
            bins: programme.bins,
            expiry: going.expiry,
            holder_name: Some(going.holder_name.clone()),
            terminal,
        };
        let vault = self.services.store.vault();
        let security = &*self.services.security;
        for _ in 0..DRAWS {
            let made = processor.create(&order).await?;
            made.acceptable(programme, now)?;
            of_the_month(&made, going)?;
            if processor.is_told() {
                let named = sqlx::query(NAMED).bind(going.reference).bind(made.reference.as_str());
                named.execute(self.pool()).await?;
            }
            let sealed = seal_pan(security, row, &made.pan)
                .map_err(|error| Problem::internal("sealing a card number", &error))?;
            match vault.insert_reserved(row, &sealed).await {
                Err(VaultError::Taken) if processor.gives_again() => {
                    return Err(given_twice(going.reference));
                }
                Err(VaultError::Taken | VaultError::Retired(_)) => {}
                other => return other.map_err(keeping),
            }
        }
        Err(range_full())
    }

    /// The row that is reserved for an order's number, who gives it, and where.
    async fn reserved(
        &self,
        order: Uuid,
        programme: ProgrammeId,
    ) -> Result<(i64, String, Option<Terminal>), Problem> {
        let reserved = sqlx::query(RESERVED).bind(order).bind(IN_PROCESS);
        if let Some(found) = reserved.fetch_optional(self.pool()).await? {
            let terminal = found.try_get::<Option<String>, _>("terminal")?.map(Terminal::kept);
            return Ok((found.try_get("vault_row")?, found.try_get("processor")?, terminal));
        }
        let row = self.services.store.vault().reserve().await.map_err(keeping)?;
        let mut connection = self.pool().acquire().await?;
        let chosen = chosen(&mut connection, programme).await?;
        let processor = chosen.unwrap_or_else(|| IN_PROCESS.to_owned());
        let terminal = terminal_of(&mut connection, programme).await?;
        let noted = sqlx::query(RESERVE).bind(order).bind(row).bind(&processor);
        let noted = noted.bind(terminal.as_ref().map(Terminal::as_str));
        if noted.execute(&mut *connection).await?.rows_affected() == 0 {
            let twice = &"another run has it";
            return Err(Problem::internal("drawing a card number", twice));
        }
        Ok((row, processor, terminal))
    }
}

/// The month stands in the order, and will on the plastic: a processor has to take it.
fn of_the_month(made: &MadeCard, going: &Going) -> Result<(), Problem> {
    if made.expiry == going.expiry {
        return Ok(());
    }
    tracing::error!(order = %going.reference, "a processor made plastic of another month");
    Err(Problem::new("PROCESSOR_REFUSED", "the processor made a card of another month"))
}
