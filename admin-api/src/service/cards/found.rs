//! Cards as they are found and shown. It owns that a card is found by its owner alone, and what of
//! it everybody may see: never more of its number than the last four digits.

use std::collections::BTreeMap;

use switch_domain::{
    Balance, BalanceId, Card, CardId, CardStatus, CustomerId, Expiry, LockCode, PartnerId,
    ServiceCode,
};
use uuid::Uuid;

use super::Cards;
use super::issue::Holder;
use super::lock_policy::Channel;
use super::profile::{self, Form, Profile, profiles};
use crate::Problem;

/// Those that the tables have, and those that were made a moment ago.
const OF_CUSTOMER: &str = "\
    SELECT id FROM (
        SELECT card.id FROM card JOIN balance ON balance.id = card.balance_id
        WHERE balance.customer_id = $1
        UNION SELECT card_id FROM card_profile WHERE customer_id = $1 AND card_id IS NOT NULL
    ) AS cards (id)
    WHERE id > $2 ORDER BY id LIMIT $3";

/// A card, with the account that it spends from.
#[derive(Clone, Debug)]
pub struct OwnedCard {
    /// As it is now.
    pub card: Card,
    /// As it is now.
    pub balance: Balance,
}

/// Who set a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// Somebody through the API.
    Channel(Channel),
    /// The switch itself, a network, or somebody by command.
    Platform,
}

/// The lock of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownLock {
    /// Why.
    pub code: LockCode,
    /// By whom.
    pub set_by: SetBy,
}

/// Whether a card has a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinStatus {
    /// It has none.
    NotSet,
    /// It has one.
    Set,
    /// It has one that its chip may not have yet (SR-179): where terminals ask us it is good.
    ChipPending,
}

impl PinStatus {
    /// What the holder is to be told (SR-181).
    #[must_use]
    pub const fn notice(self) -> Option<&'static str> {
        match self {
            Self::ChipPending => Some(
                "The new PIN works online at once. Use the card once by its chip with the new PIN, \
                 best at a cash machine: until then a terminal that asks the chip alone may refuse \
                 it.",
            ),
            Self::NotSet | Self::Set => None,
        }
    }
}

/// A card as everybody may see it. It names a person: it has no printable form.
#[derive(Clone)]
pub struct ShownCard {
    /// Its name.
    pub card: CardId,
    /// Whether there is plastic.
    pub form: Form,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// Its lock.
    pub lock: Option<ShownLock>,
    /// The end of its number.
    pub last_four: String,
    /// Last month of validity.
    pub expiry: Expiry,
    /// The account, as paths name it.
    pub balance: Uuid,
    /// As it is printed.
    pub holder_name: Option<String>,
    /// Whether it has a PIN.
    pub pin: PinStatus,
    /// The card that it is plastic of.
    pub physical_of: Option<CardId>,
    /// The card in whose place it came.
    pub replaces: Option<CardId>,
    /// The card that came in its place.
    pub replaced_by: Option<CardId>,
    /// The partner's own name for it.
    pub reference: Option<String>,
}

impl Cards {
    /// A card that a path names, of this customer.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, or it is somebody else's.
    pub async fn of_holder(&self, holder: Holder, card: &str) -> Result<OwnedCard, Problem> {
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        let owned = self.any(card).await?;
        let its = owned.balance.partner == holder.partner && owned.balance.customer == customer.id;
        if its { Ok(owned) } else { Err(no_card()) }
    }

    /// A card that a request names, of any customer of this partner.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is none, or it is another partner's.
    pub async fn of_partner(&self, partner: PartnerId, card: &str) -> Result<OwnedCard, Problem> {
        let owned = self.any(card).await?;
        if owned.balance.partner == partner { Ok(owned) } else { Err(no_card()) }
    }

    /// A card that a path names, whosever it is: for operators.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn any(&self, card: &str) -> Result<OwnedCard, Problem> {
        let id = card.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == card);
        self.now(CardId(id.ok_or_else(no_card)?)).await
    }

    /// A card as it is now.
    pub(super) async fn now(&self, card: CardId) -> Result<OwnedCard, Problem> {
        let card = self.services.node.card(card).await.ok_or_else(no_card)?;
        let balance = self.services.node.balance(card.balance).await.ok_or_else(no_card)?;
        Ok(OwnedCard { card, balance })
    }

    /// A card as everybody may see it.
    ///
    /// # Errors
    /// The database.
    pub async fn shown(&self, owned: &OwnedCard) -> Result<ShownCard, Problem> {
        let shown = self.shown_all(vec![owned.card.clone()]).await?;
        shown.into_iter().next().ok_or_else(no_card)
    }

    /// A page of a customer's cards, the oldest first, and whether there are more behind it.
    ///
    /// # Errors
    /// `NOT_FOUND`: the customer.
    pub async fn page_of(
        &self,
        holder: Holder,
        after: Option<CardId>,
        size: u32,
    ) -> Result<(Vec<ShownCard>, Option<CardId>), Problem> {
        let customer = self.users.holder(holder.partner, holder.customer).await?;
        let mut ids = self.ids_of(customer.id, after, size).await?;
        let more = ids.len() > size as usize;
        ids.truncate(size as usize);
        let last = ids.last().copied().filter(|_| more);
        let mut cards = Vec::with_capacity(ids.len());
        for id in ids {
            let card = self.services.node.card(id).await;
            cards.extend(card.filter(|card| self.is_partners(card, holder.partner)));
        }
        Ok((self.shown_all(cards).await?, last))
    }

    async fn ids_of(
        &self,
        customer: CustomerId,
        after: Option<CardId>,
        size: u32,
    ) -> Result<Vec<CardId>, Problem> {
        let after = after.map_or(0, |card| card.0);
        let query = sqlx::query_scalar(OF_CUSTOMER).bind(customer.0).bind(after);
        let ids = query.bind(i64::from(size).saturating_add(1)).fetch_all(self.pool()).await?;
        Ok(ids.into_iter().map(CardId).collect())
    }

    fn is_partners(&self, card: &Card, partner: PartnerId) -> bool {
        let control = self.services.node.control();
        control.programmes.get(&card.programme).is_some_and(|one| one.partner == partner)
    }

    async fn shown_all(&self, cards: Vec<Card>) -> Result<Vec<ShownCard>, Problem> {
        let named: Vec<_> = cards.iter().map(|card| (card.id, card.vault.row)).collect();
        let mut connection = self.pool().acquire().await?;
        let mut known: BTreeMap<_, _> =
            profiles(&mut connection, &named).await?.into_iter().collect();
        drop(connection);
        let mut handles: BTreeMap<BalanceId, Uuid> = BTreeMap::new();
        let mut shown = Vec::with_capacity(cards.len());
        for card in cards {
            let balance = match handles.get(&card.balance) {
                Some(handle) => *handle,
                None => self.users.handle_of(card.balance).await?,
            };
            handles.insert(card.balance, balance);
            let profile = known.remove(&card.id).unwrap_or_default();
            let pin = self.pin_status(&card).await;
            shown.push(show(&card, balance, profile, pin));
        }
        Ok(shown)
    }

    /// Whether a card has a PIN, and its chip has it too.
    pub(super) async fn pin_status(&self, card: &Card) -> PinStatus {
        if card.references.as_ref().is_none_or(|references| references.pin.is_none()) {
            return PinStatus::NotSet;
        }
        let counters = self.services.node.card_counters(card.id).await;
        let pends = counters.is_some_and(|counters| counters.chip_pin_pends());
        if pends { PinStatus::ChipPending } else { PinStatus::Set }
    }

    /// What is known of a card beside the engine's own.
    pub(super) async fn profile(&self, card: &Card) -> Result<Profile, Problem> {
        let mut connection = self.pool().acquire().await?;
        profile::one(&mut connection, card).await
    }
}

fn show(card: &Card, balance: Uuid, profile: Profile, pin: PinStatus) -> ShownCard {
    ShownCard {
        card: card.id,
        form: profile.form.unwrap_or_else(|| form_of(card)),
        status: card.status,
        lock: card.lock.map(|code| ShownLock { code, set_by: set_by(&profile, code) }),
        last_four: profile.last_four,
        expiry: card.expiry,
        balance,
        holder_name: profile.holder_name,
        pin,
        physical_of: profile.physical_of,
        replaces: profile.replaces,
        replaced_by: profile.replaced_by,
        reference: profile.reference,
    }
}

/// Who has set a lock that is of this code now.
fn set_by(profile: &Profile, code: LockCode) -> SetBy {
    match profile.locked_by {
        Some((channel, of)) if of == code => SetBy::Channel(channel),
        _ => SetBy::Platform,
    }
}

/// The form of a card that was made by command: there is plastic where there is a chip.
pub(super) fn form_of(card: &Card) -> Form {
    let code = card.references.as_ref().and_then(|references| references.service_code);
    if code.is_some_and(ServiceCode::has_chip) { Form::Physical } else { Form::Virtual }
}

/// What is not there, and what is somebody else's: the same words for both.
pub(super) fn no_card() -> Problem {
    Problem::not_found("there is no such card")
}
