//! Sets the demo up: partner, deposit, programme, customers, balances, cards. Everything goes
//! through the management services, so every part of it is a journalled command; no table that the
//! engine owns is written here.

use std::sync::Arc;

use admin_api::{NewCard, NewProgramme, Services, idempotency_key};
use switch_domain::{
    AsciiText, BalanceId, Bin, BinRange, ControlRule, ControlSubject, ControlTerms, Currency,
    Expiry, Funding, IdempotencyKey, MinorUnits, PartnerId, PoolId, PoolKind, ProgrammeId,
    Selector, Window,
};
use switch_security::exit::reveal_test_pan;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::plan::{self, Kind};
use super::verified::{self, VerifiedCard};

/// Euro.
const CURRENCY: u16 = 978;
/// A BIN that no network routes.
pub(super) const BIN: Bin = Bin(99_999_912);
/// The partner's deposit, in cents: more than any demo spends.
const DEPOSIT: i64 = 10_000_000_000;
/// On a good card, in cents: more than any demo spends on one.
pub(super) const FUNDS: i64 = 5_000_000;
/// On a card that is short, in cents: less than the smallest purchase.
const SHORT: i64 = 50;
/// Expiry of good cards, far off; and of expired ones, long past.
pub(super) const EXPIRY: u16 = 4_912;
const PAST: u16 = 2_312;
/// What a spend control in shadow lets through at once, in cents: some purchases are above it.
const LARGE: i64 = 1_500;
/// Commands at a time.
const AT_ONCE: usize = 64;

/// What was made.
pub(super) struct SetUp {
    pub(super) currency: Currency,
    pub(super) deposit: PoolId,
    pub(super) cards: Vec<TestCard>,
    /// Those of the other programme.
    pub(super) verified: Vec<VerifiedCard>,
    pub(super) balances: Vec<BalanceId>,
}

/// A card of the demo, with the number that it was given.
pub(super) struct TestCard {
    pub(super) kind: Kind,
    pub(super) pan: String,
    pub(super) expiry: Expiry,
}

pub(super) fn text(value: &str) -> AsciiText<40> {
    AsciiText::new(value.as_bytes()).unwrap_or_default()
}

pub(super) fn actor() -> AsciiText<40> {
    text("demo")
}

pub(super) fn key(name: &str) -> IdempotencyKey {
    idempotency_key("demo", name)
}

/// Makes everything.
pub(super) async fn seed(services: &Services, cards: u32) -> anyhow::Result<SetUp> {
    let currency = Currency::from_numeric(CURRENCY)?;
    let partner = services.define_partner(key("partner"), actor(), text("Demo Partner")).await?;
    let deposit =
        services.open_pool(key("pool"), actor(), partner, PoolKind::Deposit, currency).await?;
    services
        .reload_pool(key("reload"), actor(), deposit, MinorUnits(DEPOSIT), text("first transfer"))
        .await?;
    let new = NewProgramme {
        partner,
        name: text("Demo Euro"),
        bins: BinRange { low: BIN, high: BIN, pan_length: 16 },
        currency,
        funding: Funding::Deposit(deposit),
    };
    let programme = services.define_programme(key("programme"), actor(), new).await?;
    shadow(services, programme, currency).await?;
    let made = make_cards(services, partner, programme, cards).await?;
    let (mut balances, cards): (Vec<_>, Vec<_>) = made.into_iter().unzip();
    let verified = verified::make(services, (partner, deposit), currency).await?;
    balances.extend(verified.iter().map(|card| card.balance));
    Ok(SetUp { currency, deposit, cards, verified, balances })
}

/// A limit of a purchase that declines nothing: what it would have declined is told at the end.
async fn shadow(
    services: &Services,
    programme: ProgrammeId,
    currency: Currency,
) -> anyhow::Result<()> {
    let terms = ControlTerms {
        subject: ControlSubject::Programme(programme),
        name: text("large purchases"),
        shadow: true,
        selects: Selector::default(),
        rule: ControlRule::Amount(MinorUnits(LARGE), Window::Transaction),
    };
    anyhow::ensure!(currency.exponent() == 2, "the limit is in cents");
    services.define_control(key("shadow"), actor(), terms).await?;
    Ok(())
}

async fn make_cards(
    services: &Services,
    partner: PartnerId,
    programme: ProgrammeId,
    cards: u32,
) -> anyhow::Result<Vec<(BalanceId, TestCard)>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (index, kind) in plan::kinds(cards).into_iter().enumerate() {
        let (services, places) = (services.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire_owned().await?;
            let made = make_card(&services, partner, programme, index, kind).await?;
            anyhow::Ok((index, made))
        });
    }
    let mut made = Vec::new();
    while let Some(finished) = tasks.join_next().await {
        made.push(finished??);
    }
    made.sort_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, card)| card).collect())
}

async fn make_card(
    services: &Services,
    partner: PartnerId,
    programme: ProgrammeId,
    index: usize,
    kind: Kind,
) -> anyhow::Result<(BalanceId, TestCard)> {
    let named = |what: &str| key(&format!("{what} {index}"));
    let customer = services.register_customer(partner, &format!("demo-{index:05}")).await?;
    let balance = services.open_balance(named("balance"), actor(), programme, customer).await?;
    let funds = MinorUnits(if kind == Kind::Short { SHORT } else { FUNDS });
    services.credit_balance(named("credit"), actor(), balance, funds, text("welcome")).await?;
    let expiry = Expiry::from_yymm(if kind == Kind::Expired { PAST } else { EXPIRY })?;
    if kind == Kind::Unknown {
        let pan = unissued_pan(services, index)?;
        return Ok((balance, TestCard { kind, pan, expiry }));
    }
    let new = NewCard { balance, expiry, active: kind != Kind::Inactive };
    let issued = services.issue_card(named("card"), actor(), new).await?;
    if let Kind::Locked(lock) = kind {
        services.lock_card(named("lock"), actor(), issued.card, lock).await?;
    }
    Ok((balance, TestCard { kind, pan: reveal_test_pan(&issued.pan)?, expiry }))
}

/// A number of the programme's range that no card has.
fn unissued_pan(services: &Services, index: usize) -> anyhow::Result<String> {
    let payload = format!("{:08}{:07}", BIN.0, 9_000_000 + index);
    let check = switch_domain::Pan::check_digit(payload.as_bytes());
    let pan = format!("{payload}{}", char::from(check));
    anyhow::ensure!(services.node().is_serving(), "the switch has ended");
    Ok(pan)
}
