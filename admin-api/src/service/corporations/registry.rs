//! The register of corporations in SQL. It owns the rows of `corporation`, and of `customer` those
//! that are corporations: made together, the same again under the same key.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{CustomerId, IdempotencyKey, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::{
    CorporationInput, CorporationProfile, Corporations, KybState, counted, no_corporation,
};
use crate::Problem;
use crate::service::users::{Page, Personal, pages, rules};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.customer_id, c.public_id, o.partner_id, o.reference, o.state, \
             o.created_at, o.since, o.legal_name, o.registration_number, o.country, o.street, \
             o.city, o.postal_code, o.contact_name, o.email, o.phone \
             FROM corporation AS o JOIN customer AS c ON c.id = o.customer_id ",
            $rest
        )
    };
}
pub(super) use select;

const AS_CUSTOMER: &str = "\
    INSERT INTO customer (partner_id, public_id, registered_under, is_corporation)
    VALUES ($1, $2, $3, true) ON CONFLICT DO NOTHING RETURNING id";

/// What an earlier try of the same request has made.
const UNDER: &str = "\
    SELECT public_id FROM customer
    WHERE partner_id = $1 AND registered_under = $2 AND is_corporation";

const INSERT: &str = "\
    INSERT INTO corporation (customer_id, partner_id, reference, created_at, since, legal_name,
        registration_number, country, street, city, postal_code, contact_name, email, phone)
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";

/// A page of corporations.
pub type CorporationPage = Page<Corporation>;

/// A corporation.
#[derive(Clone, Debug)]
pub struct Corporation {
    /// As the shards know it; never shown.
    pub id: CustomerId,
    /// As paths name it: its `dcCorporationId`.
    pub public_id: Uuid,
    /// Whose.
    pub partner: PartnerId,
    /// The partner's own name for it.
    pub reference: Option<String>,
    /// Where its verification stands.
    pub state: KybState,
    /// Since when.
    pub since: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// What is known of it.
    pub profile: CorporationProfile,
}

impl Corporations {
    /// Creates a corporation, which waits for its verification; under the same key the same one
    /// again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `INVALID_REQUEST`: a member. `CONFLICT`: the partner has one under
    /// this reference. `EXHAUSTED`: it has as many as one may have.
    pub async fn create(
        &self,
        partner: PartnerId,
        reference: Option<&str>,
        input: CorporationInput,
        (under, now): (IdempotencyKey, Timestamp),
    ) -> Result<Corporation, Problem> {
        if !self.services.node.control().partners.contains_key(&partner) {
            return Err(Problem::not_found("there is no such partner"));
        }
        if reference.is_some_and(|reference| !rules::is_text(reference, 64)) {
            return Err(Problem::field("reference", "1 to 64 characters"));
        }
        let profile = CorporationProfile::of(input)?;
        let mut transaction = self.pool().begin().await?;
        alone(&mut transaction, partner).await?;
        let earlier = sqlx::query_scalar(UNDER).bind(partner.0).bind(&under.0[..]);
        if let Some(made) = earlier.fetch_optional(&mut *transaction).await? {
            transaction.rollback().await?;
            return self.corporation(partner, made).await;
        }
        let count = sqlx::query_scalar("SELECT count(*) FROM corporation WHERE partner_id = $1");
        let count: i64 = count.bind(partner.0).fetch_one(&mut *transaction).await?;
        let most = self.settings.most;
        if count >= i64::from(most) {
            let what = format!("a partner has {most} corporations at most");
            return Err(Problem::new("EXHAUSTED", what));
        }
        let public_id = Uuid::new_v4();
        let named = sqlx::query_scalar(AS_CUSTOMER).bind(partner.0).bind(public_id);
        let id: i64 = named.bind(&under.0[..]).fetch_one(&mut *transaction).await?;
        let insert = sqlx::query(INSERT).bind(id).bind(partner.0).bind(reference);
        let insert = with_profile(insert.bind(PgTimestamp(now)), &profile);
        if insert.execute(&mut *transaction).await?.rows_affected() == 0 {
            let what = "the reference is a corporation's already";
            return Err(Problem::new("CONFLICT", what));
        }
        transaction.commit().await?;
        counted::created();
        self.corporation(partner, public_id).await
    }

    /// A corporation of a partner, by its `dcCorporationId`.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, or it is another tenant's.
    pub async fn corporation(
        &self,
        partner: PartnerId,
        public_id: Uuid,
    ) -> Result<Corporation, Problem> {
        let mut connection = self.pool().acquire().await?;
        one(&mut connection, partner, public_id).await
    }

    /// A page of a partner's corporations, in the order in which they were created.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the size of the page, or a cursor that is none.
    pub async fn corporations(
        &self,
        partner: PartnerId,
        state: Option<KybState>,
        after: Option<Uuid>,
        size: Option<u32>,
    ) -> Result<CorporationPage, Problem> {
        let size = pages::size(size, self.settings.page_most)?;
        let after: i64 = match after {
            None => 0,
            Some(cursor) => {
                let id = "SELECT id FROM customer \
                          WHERE partner_id = $1 AND public_id = $2 AND is_corporation";
                let id = sqlx::query_scalar(id).bind(partner.0).bind(cursor);
                id.fetch_optional(self.pool()).await?.ok_or_else(pages::no_cursor)?
            }
        };
        let sql = select!(
            "WHERE o.partner_id = $1 AND o.customer_id > $2::int8 \
             AND ($3::text IS NULL OR o.state = $3) ORDER BY o.customer_id LIMIT $4"
        );
        let query = sqlx::query(sql).bind(partner.0).bind(after).bind(state.map(KybState::name));
        let rows = query.bind(i64::from(size) + 1).fetch_all(self.pool()).await?;
        let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, size as usize, |corporation| corporation.public_id))
    }
}

/// Of one partner everything that has a limit is counted one after the other, or there would be
/// none.
pub(super) async fn alone(
    connection: &mut PgConnection,
    partner: PartnerId,
) -> Result<(), Problem> {
    let alone = "SELECT pg_advisory_xact_lock(hashtext('cardswitch corporation'), \
                 ($1::int8 % 2147483647)::int4)";
    sqlx::query(alone).bind(partner.0).execute(connection).await?;
    Ok(())
}

pub(super) async fn one(
    connection: &mut PgConnection,
    partner: PartnerId,
    public_id: Uuid,
) -> Result<Corporation, Problem> {
    let sql = select!("WHERE o.partner_id = $1 AND c.public_id = $2");
    let row = sqlx::query(sql).bind(partner.0).bind(public_id).fetch_optional(connection).await?;
    read(&row.ok_or_else(no_corporation)?)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn with_profile<'q>(query: Query<'q>, profile: &'q CorporationProfile) -> Query<'q> {
    let shown = |text: &'q Option<Personal>| text.as_ref().map(Personal::expose);
    query
        .bind(profile.legal_name.expose())
        .bind(profile.registration_number.expose())
        .bind(profile.country.expose())
        .bind(profile.street.expose())
        .bind(profile.city.expose())
        .bind(profile.postal_code.expose())
        .bind(shown(&profile.contact_name))
        .bind(shown(&profile.email))
        .bind(shown(&profile.phone))
}

pub(super) fn state_of(row: &PgRow, column: &str) -> Result<KybState, Problem> {
    let name: String = row.try_get(column)?;
    let unknown = || Problem::internal("reading a corporation", &"it is in no known state");
    KybState::named(&name).ok_or_else(unknown)
}

pub(super) fn read(row: &PgRow) -> Result<Corporation, Problem> {
    let known = |column: &str| Ok::<_, sqlx::Error>(Personal::new(row.try_get(column)?));
    let maybe = |column: &str| {
        let text: Option<String> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(text.map(Personal::new))
    };
    let at = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<PgTimestamp, _>(column)?.0);
    Ok(Corporation {
        id: CustomerId(row.try_get("customer_id")?),
        public_id: row.try_get("public_id")?,
        partner: PartnerId(row.try_get("partner_id")?),
        reference: row.try_get("reference")?,
        state: state_of(row, "state")?,
        since: at("since")?,
        created_at: at("created_at")?,
        profile: CorporationProfile {
            legal_name: known("legal_name")?,
            registration_number: known("registration_number")?,
            country: known("country")?,
            street: known("street")?,
            city: known("city")?,
            postal_code: known("postal_code")?,
            contact_name: maybe("contact_name")?,
            email: maybe("email")?,
            phone: maybe("phone")?,
        },
    })
}
