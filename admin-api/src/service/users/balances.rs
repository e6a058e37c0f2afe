//! A customer's accounts and cards, and what accounts are called outside. It owns the table
//! `balance_handle`; an account itself is its shard's.

use sqlx::{PgConnection, Row};
use switch_domain::{
    AsciiText, Balance, BalanceId, Card, CardId, CustomerId, IdempotencyKey, PartnerId, ProgrammeId,
};
use uuid::Uuid;

use super::Users;
use super::holders::locked_holder;
use super::kyc::KycState;
use crate::Problem;
use crate::service::corporations::KybState;
use crate::service::fees::owe_for_account;

/// Those that are in the tables, and those that were opened a moment ago.
const OF_CUSTOMER: &str = "\
    SELECT id FROM balance WHERE customer_id = $1
    UNION SELECT balance_id FROM balance_handle WHERE customer_id = $1
    ORDER BY 1 LIMIT $2";

/// Those that are in the tables, and those that were made a moment ago.
const CARDS: &str = "\
    SELECT card.id, pan_vault.last_four FROM card JOIN pan_vault ON pan_vault.id = card.vault_row
    WHERE card.balance_id = $1
    UNION SELECT card_id, last_four FROM card_profile
    WHERE balance_id = $1 AND last_four IS NOT NULL
    ORDER BY 1 LIMIT $2";

const HANDLE: &str = "\
    INSERT INTO balance_handle (balance_id, public_id, partner_id, customer_id)
    VALUES ($1, $2, $3, $4) ON CONFLICT (balance_id) DO NOTHING";

/// Whether somebody may have accounts and cards.
const STANDING: &str = "\
    SELECT c.kyc_state, c.is_corporation, o.state AS kyb_state
    FROM customer AS c LEFT JOIN corporation AS o ON o.customer_id = c.id WHERE c.id = $1";

/// An account of a customer.
#[derive(Clone, Debug)]
pub struct CustomersBalance {
    /// As paths name it.
    pub public_id: Uuid,
    /// As it is now.
    pub balance: Balance,
}

/// A card of a customer.
#[derive(Clone, Debug)]
pub struct CustomersCard {
    /// The end of its number.
    pub last_four: String,
    /// As it is now.
    pub card: Card,
}

impl Users {
    /// That whoever has this name may have accounts and cards: a customer who was verified, a
    /// corporation that was approved.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CUSTOMER_NOT_VERIFIED`, `CORPORATION_NOT_APPROVED`.
    pub async fn require_verified(&self, partner: PartnerId, id: Uuid) -> Result<(), Problem> {
        let id = self.holder_id(partner, id).await?;
        verified(&mut *self.pool().acquire().await?, id).await
    }

    /// Opens an account for a verified customer, or an approved corporation.
    ///
    /// # Errors
    /// `NOT_FOUND`: the customer or the programme. `CUSTOMER_NOT_VERIFIED`,
    /// `CORPORATION_NOT_APPROVED`. `CONFLICT`: the customer is blocked. `EXHAUSTED`: it has as many
    /// accounts as one may have. Else as [`Problem`] says.
    pub async fn open_balance_for(
        &self,
        partner: PartnerId,
        customer: Uuid,
        programme: ProgrammeId,
        key: IdempotencyKey,
        actor: AsciiText<40>,
    ) -> Result<CustomersBalance, Problem> {
        let known = self.services.node.control().programmes.get(&programme).map(|p| p.partner);
        if known != Some(partner) {
            return Err(Problem::not_found("there is no such programme"));
        }
        let state = self.holder(partner, customer).await?.state;
        if state != switch_domain::CustomerState::Active {
            return Err(Problem::new("CONFLICT", "the customer is blocked"));
        }
        // The lock stands until the account is there: the customer is neither removed nor loses
        // its verification meanwhile, and two openings are counted one after the other.
        let mut transaction = self.pool().begin().await?;
        let locked = locked_holder(&mut transaction, partner, customer).await?;
        verified(&mut transaction, locked).await?;
        let most = self.settings().balances_most;
        if balance_ids(&mut transaction, locked, most).await?.len() >= most as usize {
            return Err(Problem::new(
                "EXHAUSTED",
                format!("a customer has {most} accounts at most"),
            ));
        }
        // With a second connection of the pool for each, as many openings at once as there are
        // connections would wait for each other, and everybody for them.
        let opened = self.services.open_checked_balance(key, actor, programme, locked).await?;
        let public_id = handle(&mut transaction, opened, partner, locked).await?;
        let missing = || Problem::internal("opening an account", &"its shard does not have it");
        let balance = self.services.node.balance(opened).await.ok_or_else(missing)?;
        owe_for_account(&self.services, &mut transaction, &balance, crate::http::now()).await?;
        transaction.commit().await?;
        Ok(CustomersBalance { public_id, balance })
    }

    /// The programme of the account that was opened under this key, if one was: where it was said
    /// by a name, that may be another's by now.
    ///
    /// # Errors
    /// The database.
    pub async fn opened_under(&self, key: IdempotencyKey) -> Result<Option<ProgrammeId>, Problem> {
        let Some(made) = self.services.made_by(key).await? else { return Ok(None) };
        let opened = self.services.node.balance(BalanceId(made)).await;
        Ok(opened.map(|balance| balance.programme))
    }

    /// An account by its name in paths.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, or it is another tenant's.
    pub async fn balance_by_handle(
        &self,
        partner: PartnerId,
        public_id: Uuid,
    ) -> Result<Balance, Problem> {
        let none = || Problem::not_found("there is no such account");
        let sql = "SELECT balance_id FROM balance_handle WHERE public_id = $1 AND partner_id = $2";
        let found = sqlx::query_scalar(sql).bind(public_id).bind(partner.0);
        let id = found.fetch_optional(self.pool()).await?.map(BalanceId).ok_or_else(none)?;
        self.services.node.balance(id).await.ok_or_else(none)
    }

    /// What an account is called outside: it gets a name when it is first asked for.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such account.
    pub async fn handle_of(&self, balance: BalanceId) -> Result<Uuid, Problem> {
        let none = || Problem::not_found("there is no such account");
        let balance = self.services.node.balance(balance).await.ok_or_else(none)?;
        let mut connection = self.pool().acquire().await?;
        handle(&mut connection, balance.id, balance.partner, balance.customer).await
    }

    /// A customer's accounts, as they are now, the oldest first; at most so many as may be opened
    /// over the API.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn balances_of(
        &self,
        partner: PartnerId,
        customer: Uuid,
    ) -> Result<Vec<CustomersBalance>, Problem> {
        let customer = self.holder_id(partner, customer).await?;
        let mut connection = self.pool().acquire().await?;
        let mut balances = Vec::new();
        // Those opened by command may be more.
        for id in balance_ids(&mut connection, customer, self.settings().balances_most).await? {
            let Some(balance) = self.services.node.balance(id).await else { continue };
            let public_id = handle(&mut connection, id, partner, customer).await?;
            balances.push(CustomersBalance { public_id, balance });
        }
        Ok(balances)
    }

    /// An account's cards, as they are now, the oldest first, as far as the tables have them; at
    /// most so many as the settings say. One that was made over the API is there at once.
    ///
    /// # Errors
    /// The database.
    pub async fn cards_of(&self, balance: BalanceId) -> Result<Vec<CustomersCard>, Problem> {
        let most = i64::from(self.settings().cards_most);
        let rows = sqlx::query(CARDS).bind(balance.0).bind(most).fetch_all(self.pool()).await?;
        let mut cards = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(card) = self.services.node.card(CardId(row.try_get("id")?)).await else {
                continue;
            };
            cards.push(CustomersCard { last_four: row.try_get("last_four")?, card });
        }
        Ok(cards)
    }
}

/// A customer's accounts, the oldest first, at most so many.
pub(super) async fn balance_ids(
    connection: &mut PgConnection,
    customer: CustomerId,
    most: u32,
) -> Result<Vec<BalanceId>, Problem> {
    let ids = sqlx::query_scalar(OF_CUSTOMER).bind(customer.0).bind(i64::from(most));
    Ok(ids.fetch_all(connection).await?.into_iter().map(BalanceId).collect())
}

/// That somebody was verified, or approved. Where the row of the customer is held, that stays so.
pub(super) async fn verified(connection: &mut PgConnection, id: CustomerId) -> Result<(), Problem> {
    let row = sqlx::query(STANDING).bind(id.0).fetch_one(connection).await?;
    let state = |column| row.try_get::<Option<String>, _>(column);
    if row.try_get("is_corporation")? {
        let approved = state("kyb_state")?.as_deref() == Some(KybState::Approved.name());
        let problem = "the corporation is not approved (KYB)";
        return approved.then_some(()).ok_or(Problem::new("CORPORATION_NOT_APPROVED", problem));
    }
    if state("kyc_state")?.as_deref() == Some(KycState::Verified.name()) {
        return Ok(());
    }
    Err(Problem::new("CUSTOMER_NOT_VERIFIED", "the customer was not verified (KYC)"))
}

/// The name of an account, made where it has none.
async fn handle(
    connection: &mut PgConnection,
    balance: BalanceId,
    partner: PartnerId,
    customer: CustomerId,
) -> Result<Uuid, Problem> {
    let made = sqlx::query(HANDLE).bind(balance.0).bind(Uuid::new_v4()).bind(partner.0);
    made.bind(customer.0).execute(&mut *connection).await?;
    let name = sqlx::query_scalar("SELECT public_id FROM balance_handle WHERE balance_id = $1");
    Ok(name.bind(balance.0).fetch_one(connection).await?)
}
