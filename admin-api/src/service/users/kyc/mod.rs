//! The verification of customers (KYC): moves in SQL, each kept, and what each partner chose. It
//! owns the tables `kyc_move` and `partner_settings`; who may move what stands in `machine`.

mod client;
mod inquiries;
mod machine;
mod provider;

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{AsciiText, CustomerId, PartnerId, Timestamp};
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::customers::{Locked, locked};
use super::{Users, rules};
use crate::Problem;
use crate::service::webhooks::{EventKind, Told, enqueue};

pub use client::{HttpsProvider, NoProvider, ProviderSettings, ProviderUrl};
pub use inquiries::{Inquiries, Step};
pub use machine::{KycState, Mode, Mover, Refused, judge};
pub use provider::{
    Asked, BadAnswer, Finding, KycProvider, KycQuestion, ProviderFault, read_answer,
};

/// How long a note on a move may be.
const NOTE_MOST: usize = 200;

const MOVES: &str = "\
    SELECT at, by_kind, by_name, from_state, to_state, note FROM kyc_move
    WHERE customer_id = $1 ORDER BY id LIMIT $2";

const NOTE_MOVE: &str = "\
    INSERT INTO kyc_move (customer_id, at, by_kind, by_name, from_state, to_state, note)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const CHANGE: &str = "\
    INSERT INTO partner_settings AS before
        (partner_id, kyc_mode, registered_keys_only, changed_at, changed_by)
    VALUES ($1, $2, coalesce($3, false), $4, $5)
    ON CONFLICT (partner_id) DO UPDATE SET
        kyc_mode = coalesce($2, before.kyc_mode),
        registered_keys_only = coalesce($3, before.registered_keys_only),
        changed_at = $4, changed_by = $5";

/// What a partner chose, or the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartnerSettings {
    /// How its customers are verified.
    pub kyc_mode: Mode,
    /// Whether answers are encrypted to its registered keys alone.
    pub registered_keys_only: bool,
}

/// What is chosen anew for a partner; the rest stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// How its customers are verified.
    pub kyc_mode: Option<Mode>,
    /// Whether answers are encrypted to its registered keys alone.
    pub registered_keys_only: Option<bool>,
}

/// Who moves a verification.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// As what.
    pub mover: Mover,
    /// By name.
    pub name: AsciiText<40>,
}

/// A move that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KycMove {
    /// When.
    pub at: Timestamp,
    /// As what somebody made it.
    pub mover: Mover,
    /// Who.
    pub name: String,
    /// From where.
    pub from: KycState,
    /// To where.
    pub to: KycState,
    /// What was said of it.
    pub note: String,
}

/// A move to be made.
#[derive(Clone, Copy, Debug)]
pub struct Moving<'a> {
    /// To where.
    pub to: KycState,
    /// By whom.
    pub by: By,
    /// What is said of it: at most 200 characters, and nothing personal.
    pub note: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Users {
    /// What a partner chose.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner.
    pub async fn partner_settings(&self, partner: PartnerId) -> Result<PartnerSettings, Problem> {
        self.check_partner(partner)?;
        let mut connection = self.pool().acquire().await?;
        self.settings_of(&mut connection, partner).await
    }

    /// Chooses for a partner; what then is in force.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `CONFLICT`: there is no provider who could be asked.
    pub async fn change_partner_settings(
        &self,
        partner: PartnerId,
        change: SettingsChange,
        (by, now): (AsciiText<40>, Timestamp),
    ) -> Result<PartnerSettings, Problem> {
        self.check_partner(partner)?;
        let mut connection = self.pool().acquire().await?;
        self.change_settings_within(&mut connection, partner, change, (by, now)).await?;
        self.settings_of(&mut connection, partner).await
    }

    /// The same in a transaction that somebody else ends.
    pub(in crate::service) async fn change_settings_within(
        &self,
        connection: &mut PgConnection,
        partner: PartnerId,
        change: SettingsChange,
        (by, now): (AsciiText<40>, Timestamp),
    ) -> Result<(), Problem> {
        change.kyc_mode.map(|mode| self.check_mode(mode)).transpose()?;
        let query = sqlx::query(CHANGE).bind(partner.0).bind(change.kyc_mode.map(Mode::name));
        let query = query.bind(change.registered_keys_only).bind(PgTimestamp(now));
        query.bind(by.as_str()).execute(connection).await?;
        Ok(())
    }

    /// That customers can be verified so.
    pub(in crate::service) fn check_mode(&self, mode: Mode) -> Result<(), Problem> {
        if mode == Mode::Automated && !self.settings().has_provider {
            let problem = "no provider is configured, who would verify: api.kyc.url";
            return Err(Problem::new("CONFLICT", problem));
        }
        Ok(())
    }

    /// What several partners chose; of those who chose nothing there is nothing.
    pub(in crate::service) async fn settings_of_partners(
        &self,
        connection: &mut PgConnection,
        partners: &[i64],
    ) -> Result<BTreeMap<PartnerId, PartnerSettings>, Problem> {
        let sql = "SELECT partner_id, kyc_mode, registered_keys_only FROM partner_settings \
                   WHERE partner_id = ANY ($1)";
        let rows = sqlx::query(sql).bind(partners).fetch_all(connection).await?;
        let read = |row: &PgRow| Ok((PartnerId(row.try_get("partner_id")?), self.chosen(row)?));
        rows.iter().map(read).collect()
    }

    /// What is in force where a partner chose nothing.
    pub(in crate::service) fn usual_settings(&self) -> PartnerSettings {
        PartnerSettings { kyc_mode: self.settings().kyc_mode, registered_keys_only: false }
    }

    fn chosen(&self, row: &PgRow) -> Result<PartnerSettings, Problem> {
        let kyc_mode = match row.try_get::<Option<String>, _>("kyc_mode")? {
            None => self.settings().kyc_mode,
            Some(mode) => Mode::named(&mode).ok_or_else(|| unreadable(&"the partner's mode"))?,
        };
        let registered_keys_only = row.try_get("registered_keys_only")?;
        Ok(PartnerSettings { kyc_mode, registered_keys_only })
    }

    async fn settings_of(
        &self,
        connection: &mut PgConnection,
        partner: PartnerId,
    ) -> Result<PartnerSettings, Problem> {
        let sql = "SELECT kyc_mode, registered_keys_only FROM partner_settings \
                   WHERE partner_id = $1";
        let row = sqlx::query(sql).bind(partner.0).fetch_optional(connection).await?;
        row.map_or_else(|| Ok(self.usual_settings()), |row| self.chosen(&row))
    }

    /// Moves a customer's verification. Of several that move it at once one does, and the others
    /// are judged by where it stands then.
    ///
    /// # Errors
    /// `NOT_FOUND`. `CONFLICT`: there is no such move. `FORBIDDEN`: it is somebody else's.
    /// `EXHAUSTED`: the customer has had as many moves as are kept. `OVERLOADED`: too many wait for
    /// the provider.
    pub async fn move_kyc(
        &self,
        partner: PartnerId,
        customer: Uuid,
        moving: Moving<'_>,
    ) -> Result<(), Problem> {
        let mut transaction = self.pool().begin().await?;
        let locked = locked(&mut transaction, partner, customer).await?;
        let mode = self.settings_of(&mut transaction, partner).await?.kyc_mode;
        self.moved(&mut transaction, &locked, mode, moving).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Sets what the partner itself found out (SR-033). Where no verification is pending, it is
    /// begun with it: both moves are kept. What is set already is set again without a move.
    ///
    /// # Errors
    /// As [`Users::move_kyc`].
    pub async fn set_kyc_flag(
        &self,
        partner: PartnerId,
        customer: Uuid,
        moving: Moving<'_>,
    ) -> Result<(), Problem> {
        check_note(moving.note)?;
        let mut transaction = self.pool().begin().await?;
        let mut locked = locked(&mut transaction, partner, customer).await?;
        if locked.kyc == moving.to {
            return Ok(());
        }
        let mode = self.settings_of(&mut transaction, partner).await?.kyc_mode;
        let decides = matches!(moving.to, KycState::Verified | KycState::Rejected);
        if decides && locked.kyc != KycState::Pending && mode == Mode::Own {
            let begins = Moving { to: KycState::Pending, ..moving };
            self.moved(&mut transaction, &locked, mode, begins).await?;
            locked.kyc = KycState::Pending;
        }
        self.moved(&mut transaction, &locked, mode, moving).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A move of a row that is locked.
    async fn moved(
        &self,
        transaction: &mut PgConnection,
        locked: &Locked,
        mode: Mode,
        moving: Moving<'_>,
    ) -> Result<(), Problem> {
        let Moving { to, by, note, now } = moving;
        check_note(note)?;
        judge(locked.kyc, to, by.mover, mode)?;
        let kept = sqlx::query_scalar("SELECT count(*) FROM kyc_move WHERE customer_id = $1");
        let kept: i64 = kept.bind(locked.id.0).fetch_one(&mut *transaction).await?;
        if kept >= i64::from(self.settings().kyc_moves_most) {
            return Err(Problem::new("EXHAUSTED", "the verification was moved too often"));
        }
        let update = sqlx::query("UPDATE customer SET kyc_state = $2 WHERE id = $1");
        update.bind(locked.id.0).bind(to.name()).execute(&mut *transaction).await?;
        tell(transaction, locked, moving).await?;
        sqlx::query(NOTE_MOVE)
            .bind(locked.id.0)
            .bind(PgTimestamp(now))
            .bind(by.mover.name())
            .bind(by.name.as_str())
            .bind(locked.kyc.name())
            .bind(to.name())
            .bind(note)
            .execute(&mut *transaction)
            .await?;
        if to == KycState::Pending && mode == Mode::Automated {
            inquiries::begin(transaction, locked.id, self.settings().inquiries, now).await
        } else {
            inquiries::end(transaction, locked.id).await
        }
    }

    /// The moves of a customer's verification, the first first.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn kyc_moves(
        &self,
        partner: PartnerId,
        customer: Uuid,
    ) -> Result<Vec<KycMove>, Problem> {
        let customer: CustomerId = self.customer_id(partner, customer).await?;
        let most = i64::from(self.settings().kyc_moves_most);
        let rows = sqlx::query(MOVES).bind(customer.0).bind(most).fetch_all(self.pool()).await?;
        rows.iter().map(read_move).collect()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::NoMove(..) => "CONFLICT",
            Refused::NotTheirs(..) => "FORBIDDEN",
        };
        Self::new(code, refused.to_string())
    }
}

/// The partner is told, if it asked to be. A note may name documents, and is not told.
async fn tell(
    transaction: &mut PgConnection,
    locked: &Locked,
    Moving { to, by, now, .. }: Moving<'_>,
) -> Result<(), Problem> {
    let customer = locked.public_id;
    let told = Told {
        partner: locked.partner,
        kind: EventKind::KycChanged,
        key: &format!("customer:{customer}"),
        body: json!({
            "status": "SUCCESS",
            "date": jiff::Timestamp::from_microsecond(now.0).unwrap_or_default().to_string(),
            "description": to.name(),
            "customer": {
                "customerId": customer,
                "kycState": to.name(),
                "before": locked.kyc.name(),
                "by": by.mover.name(),
            },
        }),
        at: now,
    };
    enqueue(transaction, told).await?;
    Ok(())
}

fn unreadable(what: &dyn std::fmt::Display) -> Problem {
    Problem::internal("reading of a verification", what)
}

fn read_move(row: &PgRow) -> Result<KycMove, Problem> {
    let state = |column: &str| -> Result<KycState, Problem> {
        let name: String = row.try_get(column)?;
        KycState::named(&name).ok_or_else(|| unreadable(&"a state"))
    };
    let mover: String = row.try_get("by_kind")?;
    Ok(KycMove {
        at: row.try_get::<PgTimestamp, _>("at")?.0,
        mover: Mover::named(&mover).ok_or_else(|| unreadable(&"who moved it"))?,
        name: row.try_get("by_name")?,
        from: state("from_state")?,
        to: state("to_state")?,
        note: row.try_get("note")?,
    })
}

/// What is said of a move is short, whether or not there is one to be made.
fn check_note(note: &str) -> Result<(), Problem> {
    if note.is_empty() || rules::is_text(note, NOTE_MOST) {
        return Ok(());
    }
    Err(Problem::field("note", format!("at most {NOTE_MOST} characters")))
}
