//! Spend controls: made, changed, removed, looked at. It owns where each is found: those of
//! programmes in the snapshot that every shard has, those of cards and accounts with the account.

use std::collections::BTreeMap;

use switch_domain::{
    AsciiText, ControlId, ControlSubject, ControlTerms, Currency, IdempotencyKey, SpendControl,
    Usage,
};
use switch_shard::Act;
use uuid::Uuid;

use super::Services;
use crate::Problem;

/// A control, and what was used of it by its holder; of a programme's nothing, for each card has
/// its own.
#[derive(Clone, Debug)]
pub struct ListedControl {
    /// The control.
    pub control: SpendControl,
    /// What was used.
    pub usage: Option<Usage>,
}

const NAME: &str = "\
    INSERT INTO control_handle (control_id, public_id)
    SELECT id, gen_random_uuid() FROM unnest($1::int8[]) AS new (id) ON CONFLICT DO NOTHING";
const NAMES: &str = "SELECT control_id, public_id FROM control_handle WHERE control_id = ANY ($1)";
const NAMED: &str = "SELECT control_id FROM control_handle WHERE public_id = $1";
const UNNAME: &str = "DELETE FROM control_handle WHERE control_id = $1";

impl Services {
    /// What controls are called outside.
    ///
    /// # Errors
    /// The database.
    pub async fn names_of_controls(
        &self,
        controls: &[ControlId],
    ) -> Result<BTreeMap<ControlId, Uuid>, Problem> {
        let ids: Vec<i64> = controls.iter().map(|control| control.0).collect();
        let pool = self.store.pool();
        let mut names = sqlx::query_as::<_, (i64, Uuid)>(NAMES).bind(&ids).fetch_all(pool).await?;
        if names.len() < ids.len() {
            sqlx::query(NAME).bind(&ids).execute(pool).await?;
            names = sqlx::query_as(NAMES).bind(&ids).fetch_all(pool).await?;
        }
        Ok(names.into_iter().map(|(id, name)| (ControlId(id), name)).collect())
    }

    /// The control that is called so outside; whose it is, is not looked at.
    ///
    /// # Errors
    /// `NOT_FOUND`: none.
    pub async fn control_named(&self, name: Uuid) -> Result<ControlId, Problem> {
        let id = sqlx::query_scalar(NAMED).bind(name).fetch_optional(self.store.pool()).await?;
        id.map(ControlId).ok_or_else(|| Problem::not_found("there is no such control"))
    }

    /// Makes a spend control.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn define_control(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        terms: ControlTerms,
    ) -> Result<ControlId, Problem> {
        self.make(key, actor, Act::DefineControl(Box::new(terms))).await.map(ControlId)
    }

    /// Changes how much a spend control lets through, its name, or whether it declines.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn change_control(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        control: ControlId,
        terms: ControlTerms,
    ) -> Result<(), Problem> {
        let act = Act::ChangeControl { control, terms: Box::new(terms) };
        self.act(key, actor, act).await.map(|_| ())
    }

    /// Removes a spend control, and what was used of it.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn remove_control(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        control: ControlId,
        subject: ControlSubject,
    ) -> Result<(), Problem> {
        self.act(key, actor, Act::RemoveControl { control, subject }).await?;
        sqlx::query(UNNAME).bind(control.0).execute(self.store.pool()).await?;
        Ok(())
    }

    /// The controls of a card, an account or a programme; of a card also those that it has by its
    /// account and its programme, with what this card used of them.
    ///
    /// # Errors
    /// There is no such thing, or its shard does not say.
    pub async fn controls_of(
        &self,
        subject: ControlSubject,
    ) -> Result<Vec<ListedControl>, Problem> {
        let control = self.node.control();
        let plain =
            |control: &SpendControl| ListedControl { control: control.clone(), usage: None };
        match subject {
            ControlSubject::Programme(programme) => {
                self.currency_of_subject(subject).await?;
                Ok(control.spend_controls_of(programme).iter().map(plain).collect())
            }
            ControlSubject::Balance(balance) => {
                self.currency_of_subject(subject).await?;
                let shard = self.node.shard_of_balance(balance);
                self.look(shard, vec![(subject, balance.0)]).await
            }
            ControlSubject::Card(id) => {
                let card = self.node.card(id).await;
                let card = card.ok_or_else(|| Problem::not_found("there is no such card"))?;
                let shard = self.node.shard_of_balance(card.balance);
                let balance = ControlSubject::Balance(card.balance);
                let programme = ControlSubject::Programme(card.programme);
                let asked = vec![(programme, id.0), (balance, card.balance.0), (subject, id.0)];
                self.look(shard, asked).await
            }
        }
    }

    async fn look(
        &self,
        shard: switch_domain::ShardId,
        asked: Vec<(ControlSubject, i64)>,
    ) -> Result<Vec<ListedControl>, Problem> {
        let listed = self.node.read(shard, move |state| {
            let mut listed: Vec<ListedControl> = Vec::new();
            for (subject, holder) in asked {
                let controls = match subject {
                    ControlSubject::Programme(id) => state.control().spend_controls_of(id),
                    other => state.spend_controls_of(other),
                };
                listed.extend(controls.iter().map(|control| ListedControl {
                    control: control.clone(),
                    usage: state.usage(control.id, holder).cloned(),
                }));
            }
            listed
        });
        listed.await.ok_or_else(|| Problem::internal("looking at controls", &"the shard ended"))
    }

    /// The currency in which limits of a card, an account or a programme are.
    ///
    /// # Errors
    /// There is no such thing.
    pub async fn currency_of_subject(&self, subject: ControlSubject) -> Result<Currency, Problem> {
        let balance = match subject {
            ControlSubject::Programme(id) => {
                let control = self.node.control();
                let programme = control.programmes.get(&id).map(|one| one.currency);
                return programme.ok_or_else(|| Problem::not_found("there is no such programme"));
            }
            ControlSubject::Balance(id) => id,
            ControlSubject::Card(id) => {
                let card = self.node.card(id).await;
                card.ok_or_else(|| Problem::not_found("there is no such card"))?.balance
            }
        };
        let balance = self.node.balance(balance).await;
        balance
            .map(|one| one.currency)
            .ok_or_else(|| Problem::not_found("there is no such balance"))
    }
}
