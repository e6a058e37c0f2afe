//! Customers' data in SQL. It owns the columns of `customer`; whether a customer may spend is the
//! shards'.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{
    AsciiText, BalanceState, CustomerId, CustomerState, IdempotencyKey, PartnerId, Timestamp,
};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::balances::balance_ids;
use super::kyc::KycState;
use super::{Page, Personal, Profile, ProfileInput, Users, access, no_customer, pages};
use crate::Problem;
use crate::service::personalisation;

/// A customer with so many accounts, of whatever state, is not removed.
const LOOKED_AT: u32 = 1000;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, public_id, partner_id, reference, given_name, family_name, \
             to_char(birth_date, 'YYYY-MM-DD') AS birth_date, email, phone, street, city, \
             postal_code, country, language, version, kyc_state, is_corporation FROM customer ",
            $rest
        )
    };
}

pub(super) use select;

const INSERT: &str = "\
    INSERT INTO customer (partner_id, reference, public_id, registered_under, given_name,
        family_name, birth_date, email, phone, street, city, postal_code, country, language)
    VALUES ($11, $12, $13, $14, $1, $2, $3::text::date, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT DO NOTHING RETURNING public_id";

/// What an earlier try of the same request has made.
const UNDER: &str = "\
    SELECT public_id FROM customer
    WHERE partner_id = $1 AND registered_under = $2 AND NOT is_corporation";

const UPDATE: &str = "\
    UPDATE customer SET given_name = $1, family_name = $2, birth_date = $3::text::date,
        email = $4, phone = $5, street = $6, city = $7, postal_code = $8, country = $9,
        language = $10, version = version + 1
    WHERE partner_id = $11 AND public_id = $12 AND version = $13 AND removed_at IS NULL
        AND NOT is_corporation";

/// What was known of the person goes; that there was a customer stays, for the books name it.
const REMOVE: &str = "\
    UPDATE customer SET given_name = NULL, family_name = NULL, birth_date = NULL, email = NULL,
        phone = NULL, street = NULL, city = NULL, postal_code = NULL, country = NULL,
        language = NULL, version = version + 1, removed_at = $2
    WHERE id = $1";

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// As the shards know it; never shown.
    pub id: CustomerId,
    /// As paths name it.
    pub public_id: Uuid,
    /// Whose.
    pub partner: PartnerId,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// Personal data; none of one that was registered by command.
    pub profile: Option<Profile>,
    /// Of the personal data: counts changes.
    pub version: i64,
    /// How far verification is.
    pub kyc: KycState,
    /// Whether it may spend.
    pub state: CustomerState,
    /// Whether it is a corporation, whose data are elsewhere.
    pub is_corporation: bool,
}

impl Users {
    /// Registers a customer; under the same key the same one again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `INVALID_REQUEST`: a member. `CONFLICT`: the partner has a
    /// customer under this reference, or had one.
    pub async fn register(
        &self,
        partner: PartnerId,
        reference: Option<&str>,
        input: ProfileInput,
        (under, now): (Option<IdempotencyKey>, Timestamp),
    ) -> Result<Customer, Problem> {
        self.check_partner(partner)?;
        if reference.is_some_and(|reference| !is_reference(reference)) {
            return Err(Problem::field("reference", "1 to 64 characters"));
        }
        let profile = Profile::of(input, now)?;
        let inserted = with_profile(sqlx::query(INSERT), &profile)
            .bind(partner.0)
            .bind(reference)
            .bind(Uuid::new_v4())
            .bind(under.map(|key| key.0.to_vec()))
            .fetch_optional(self.pool())
            .await?;
        if let (None, Some(key)) = (&inserted, under) {
            let earlier = sqlx::query_scalar(UNDER).bind(partner.0).bind(&key.0[..]);
            if let Some(made) = earlier.fetch_optional(self.pool()).await? {
                return self.customer(partner, made).await;
            }
        }
        let taken = || Problem::new("CONFLICT", "the reference is a customer's already");
        self.customer(partner, inserted.ok_or_else(taken)?.try_get("public_id")?).await
    }

    /// That there is such a customer, and that it is no corporation.
    ///
    /// # Errors
    /// `NOT_FOUND`, as [`Users::customer`].
    pub async fn require_customer(&self, partner: PartnerId, id: Uuid) -> Result<(), Problem> {
        self.customer_id(partner, id).await.map(drop)
    }

    /// A customer by its name in paths.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, it was removed, or it is another tenant's.
    pub async fn customer(&self, partner: PartnerId, id: Uuid) -> Result<Customer, Problem> {
        let sql = select!(
            "WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL \
             AND NOT is_corporation"
        );
        let row = sqlx::query(sql).bind(partner.0).bind(id).fetch_optional(self.pool()).await?;
        self.one(row).await
    }

    /// A customer by the partner's own reference.
    ///
    /// # Errors
    /// `NOT_FOUND`, as [`Users::customer`].
    pub async fn customer_by_reference(
        &self,
        partner: PartnerId,
        reference: &str,
    ) -> Result<Customer, Problem> {
        if !is_reference(reference) {
            return Err(Problem::field("reference", "1 to 64 characters"));
        }
        let sql = select!(
            "WHERE partner_id = $1 AND reference = $2 AND removed_at IS NULL \
             AND NOT is_corporation"
        );
        let query = sqlx::query(sql).bind(partner.0).bind(reference);
        self.one(query.fetch_optional(self.pool()).await?).await
    }

    pub(super) async fn one(&self, row: Option<PgRow>) -> Result<Customer, Problem> {
        let mut customers = vec![read(&row.ok_or_else(no_customer)?)?];
        self.with_states(&mut customers).await?;
        customers.pop().ok_or_else(no_customer)
    }

    /// A page of a partner's customers, in the order in which they were registered.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the size of the page, or a cursor that is none.
    pub async fn customers(
        &self,
        partner: PartnerId,
        after: Option<Uuid>,
        size: Option<u32>,
    ) -> Result<Page<Customer>, Problem> {
        let size = pages::size(size, self.settings().page_most)?;
        // A removed one is still a place in the list.
        let after: i64 = match after {
            None => 0,
            Some(cursor) => {
                let id = "SELECT id FROM customer \
                          WHERE partner_id = $1 AND public_id = $2 AND NOT is_corporation";
                let id = sqlx::query_scalar(id).bind(partner.0).bind(cursor);
                id.fetch_optional(self.pool()).await?.ok_or_else(pages::no_cursor)?
            }
        };
        let sql = select!(
            "WHERE partner_id = $1 AND id > $2::int8 AND removed_at IS NULL \
             AND NOT is_corporation ORDER BY id LIMIT $3"
        );
        let query = sqlx::query(sql).bind(partner.0).bind(after).bind(i64::from(size) + 1);
        let rows = query.fetch_all(self.pool()).await?;
        let customers = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut page = Page::cut(customers, size as usize, |customer| customer.public_id);
        self.with_states(&mut page.rows).await?;
        Ok(page)
    }

    /// Changes a customer's personal data, of which the caller has seen this version; the new one.
    ///
    /// # Errors
    /// `NOT_FOUND`. `INVALID_REQUEST`: a member. `PRECONDITION_FAILED`: somebody has changed them
    /// meanwhile.
    pub async fn update(
        &self,
        partner: PartnerId,
        id: Uuid,
        seen: i64,
        input: ProfileInput,
        now: Timestamp,
    ) -> Result<Customer, Problem> {
        let profile = Profile::of(input, now)?;
        let query = with_profile(sqlx::query(UPDATE), &profile).bind(partner.0).bind(id).bind(seen);
        let changed = query.execute(self.pool()).await?.rows_affected();
        let customer = self.customer(partner, id).await?;
        if changed == 1 { Ok(customer) } else { Err(changed_meanwhile()) }
    }

    /// Blocks a customer in every shard, or unblocks it.
    ///
    /// # Errors
    /// `NOT_FOUND`; where it failed half way, the same key finishes it.
    pub async fn set_customer_state(
        &self,
        partner: PartnerId,
        id: Uuid,
        state: CustomerState,
        key: IdempotencyKey,
        actor: AsciiText<40>,
    ) -> Result<(), Problem> {
        let customer = self.customer_id(partner, id).await?;
        self.services.set_customer_state(key, actor, customer, state).await
    }

    /// Removes a customer: personal data are erased, and nothing finds it any more.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: an account of it is not closed. `PRECONDITION_FAILED`: its data
    /// were changed since the caller saw them.
    pub async fn remove(
        &self,
        partner: PartnerId,
        id: Uuid,
        seen: i64,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut transaction = self.pool().begin().await?;
        // Nobody opens an account for it meanwhile.
        let locked = locked(&mut transaction, partner, id).await?;
        if locked.version != seen {
            return Err(changed_meanwhile());
        }
        let open = || Problem::new("CONFLICT", "an account of the customer is not closed");
        let balances = balance_ids(&mut transaction, locked.id, LOOKED_AT).await?;
        if balances.len() >= LOOKED_AT as usize {
            return Err(open());
        }
        for balance in balances {
            let balance = self.services.node.balance(balance).await;
            if balance.is_none_or(|balance| balance.state != BalanceState::Closed) {
                return Err(open());
            }
        }
        let remove = sqlx::query(REMOVE).bind(locked.id.0).bind(PgTimestamp(now));
        remove.execute(&mut *transaction).await?;
        let printed =
            sqlx::query("UPDATE card_profile SET holder_name = NULL WHERE customer_id = $1");
        printed.bind(locked.id.0).execute(&mut *transaction).await?;
        let asked = sqlx::query("DELETE FROM kyc_inquiry WHERE customer_id = $1");
        asked.bind(locked.id.0).execute(&mut *transaction).await?;
        access::forget(&mut transaction, locked.id).await?;
        personalisation::forget_customer(&mut transaction, locked.id, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// As the shards know it.
    pub(super) async fn customer_id(
        &self,
        partner: PartnerId,
        id: Uuid,
    ) -> Result<CustomerId, Problem> {
        let sql = "SELECT id FROM customer WHERE partner_id = $1 AND public_id = $2 \
                   AND removed_at IS NULL AND NOT is_corporation";
        let found = sqlx::query_scalar(sql).bind(partner.0).bind(id);
        found.fetch_optional(self.pool()).await?.map(CustomerId).ok_or_else(no_customer)
    }

    /// Reads in every shard whether customers may spend.
    async fn with_states(&self, customers: &mut [Customer]) -> Result<(), Problem> {
        let ids: Vec<CustomerId> = customers.iter().map(|customer| customer.id).collect();
        for shard in self.services.node.shards() {
            let ids = ids.clone();
            let states = self.services.node.read(shard, move |state| {
                ids.iter().map(|id| state.customer_state(*id)).collect::<Vec<_>>()
            });
            let busy = || Problem::new("OVERLOADED", "a shard did not answer; try again");
            for (customer, state) in customers.iter_mut().zip(states.await.ok_or_else(busy)?) {
                if state == CustomerState::Blocked {
                    customer.state = state;
                }
            }
        }
        Ok(())
    }
}

/// A customer that nobody else changes in this transaction.
pub(super) struct Locked {
    pub(super) id: CustomerId,
    pub(super) public_id: Uuid,
    pub(super) partner: PartnerId,
    pub(super) version: i64,
    pub(super) kyc: KycState,
}

/// Locks the row of a customer.
pub(super) async fn locked(
    transaction: &mut PgConnection,
    partner: PartnerId,
    public_id: Uuid,
) -> Result<Locked, Problem> {
    let sql = "SELECT id, version, kyc_state FROM customer \
               WHERE partner_id = $1 AND public_id = $2 AND removed_at IS NULL \
               AND NOT is_corporation FOR NO KEY UPDATE";
    let query = sqlx::query(sql).bind(partner.0).bind(public_id);
    let row = query.fetch_optional(transaction).await?.ok_or_else(no_customer)?;
    let (id, version) = (CustomerId(row.try_get("id")?), row.try_get("version")?);
    Ok(Locked { id, public_id, partner, version, kyc: kyc_of(&row)? })
}

fn changed_meanwhile() -> Problem {
    Problem::new("PRECONDITION_FAILED", "the customer was changed since this version; read it")
}

fn is_reference(reference: &str) -> bool {
    super::rules::is_text(reference, 64)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn with_profile<'q>(query: Query<'q>, profile: &'q Profile) -> Query<'q> {
    let shown = |text: &'q Option<Personal>| text.as_ref().map(Personal::expose);
    query
        .bind(profile.given_name.expose())
        .bind(profile.family_name.expose())
        .bind(profile.birth_date.expose())
        .bind(shown(&profile.email))
        .bind(shown(&profile.phone))
        .bind(shown(&profile.street))
        .bind(shown(&profile.city))
        .bind(shown(&profile.postal_code))
        .bind(shown(&profile.country))
        .bind(shown(&profile.language))
}

fn kyc_of(row: &PgRow) -> Result<KycState, Problem> {
    let name: String = row.try_get("kyc_state")?;
    let unknown =
        || Problem::internal("reading a customer", &"its verification has no known state");
    KycState::named(&name).ok_or_else(unknown)
}

fn read(row: &PgRow) -> Result<Customer, Problem> {
    let personal = |column: &str| -> Result<Option<Personal>, Problem> {
        let text: Option<String> = row.try_get(column)?;
        Ok(text.map(Personal::new))
    };
    let names = (personal("given_name")?, personal("family_name")?, personal("birth_date")?);
    let profile = match names {
        (Some(given_name), Some(family_name), Some(birth_date)) => Some(Profile {
            given_name,
            family_name,
            birth_date,
            email: personal("email")?,
            phone: personal("phone")?,
            street: personal("street")?,
            city: personal("city")?,
            postal_code: personal("postal_code")?,
            country: personal("country")?,
            language: personal("language")?,
        }),
        _ => None,
    };
    Ok(Customer {
        id: CustomerId(row.try_get("id")?),
        public_id: row.try_get("public_id")?,
        partner: PartnerId(row.try_get("partner_id")?),
        reference: row.try_get("reference")?,
        profile,
        version: row.try_get("version")?,
        kyc: kyc_of(row)?,
        state: CustomerState::Active,
        is_corporation: row.try_get("is_corporation")?,
    })
}
