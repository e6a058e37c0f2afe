//! The demo's cards that are verified: a programme with terms, cards with chips, and what their
//! bureau says that PINs are verified against. Everything goes through the management services.

use admin_api::{NewCard, NewProgramme, Services};
use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use switch_domain::{
    AsciiText, BalanceId, Bin, BinRange, CardId, CardSecurityTerms, Currency, Expiry, Funding,
    MinorUnits, PartnerId, PinMethod, PinReference, PoolId, ProgrammeId, SecurityKeys, ServiceCode,
};
use switch_security::exit::reveal_test_pan;

use super::seed::{EXPIRY, FUNDS, actor, key, text};

/// A BIN that no network routes.
const BIN: Bin = Bin(99_999_913);
/// Cards: one in eight has its PIN guessed.
const CARDS: usize = 16;
/// The kinds of chips, by turns.
const PROFILES: [&str; 5] = ["visa-10", "visa-18", "visa-22", "mchip-10", "mchip-15"];
/// A chip; every purchase is authorized online.
const SERVICE_CODE: u16 = 201;
const SEQUENCE: u8 = 1;

/// One of them, as its bureau knows it. The PIN is a test card's.
pub(super) struct VerifiedCard {
    card: CardId,
    pub(super) balance: BalanceId,
    pan: String,
    expiry: Expiry,
    pin: String,
    profile: &'static str,
}

impl VerifiedCard {
    /// For the demo's file.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "pan": self.pan,
            "expiry": format!("{:04}", self.expiry.yymm()),
            "service_code": SERVICE_CODE.to_string(),
            "sequence": SEQUENCE,
            "pin": self.pin,
            "kind": self.profile,
        })
    }
}

/// Makes programme and cards.
pub(super) async fn make(
    services: &Services,
    (partner, deposit): (PartnerId, PoolId),
    currency: Currency,
) -> anyhow::Result<Vec<VerifiedCard>> {
    let new = NewProgramme {
        partner,
        name: text("Demo Euro, verified"),
        bins: BinRange { low: BIN, high: BIN, pan_length: 16 },
        currency,
        funding: Funding::Deposit(deposit),
    };
    let programme = services.define_programme(key("verified"), actor(), new).await?;
    let terms = Some(terms()?);
    services.set_card_security(key("terms"), actor(), programme, terms).await?;
    let mut cards = Vec::with_capacity(CARDS);
    for (index, profile) in PROFILES.into_iter().cycle().take(CARDS).enumerate() {
        cards.push(card(services, partner, programme, (index, profile)).await?);
    }
    Ok(cards)
}

/// Everything that is there is verified, and a chip, a PIN at a machine and a printed code have to
/// be there.
fn terms() -> anyhow::Result<CardSecurityTerms> {
    let label = |name: &str| AsciiText::new(name.as_bytes()).context("a short name");
    let profile = |name: &str| AsciiText::new(name.as_bytes()).context("a short name");
    let profiles: anyhow::Result<_> = PROFILES.into_iter().map(profile).collect();
    Ok(CardSecurityTerms {
        keys: SecurityKeys {
            cvk: label("demo-cvk")?,
            cvk2: vec![label("demo-cvk2")?],
            pvk: label("demo-pvk")?,
            imk_ac: label("demo-imk-ac")?,
            imk_smi: label("demo-imk-smi")?,
            imk_smc: label("demo-imk-smc")?,
        },
        pin: Some(PinMethod::Pvv),
        profiles: profiles?,
        ..CardSecurityTerms::default()
    })
}

async fn card(
    services: &Services,
    partner: PartnerId,
    programme: ProgrammeId,
    (index, profile): (usize, &'static str),
) -> anyhow::Result<VerifiedCard> {
    let named = |what: &str| key(&format!("verified {what} {index}"));
    let customer = services.register_customer(partner, &format!("verified-{index:03}")).await?;
    let balance = services.open_balance(named("balance"), actor(), programme, customer).await?;
    let funds = MinorUnits(FUNDS);
    services.credit_balance(named("credit"), actor(), balance, funds, text("welcome")).await?;
    let expiry = Expiry::from_yymm(EXPIRY)?;
    let new = NewCard { balance, expiry, active: true };
    let issued = services.issue_card(named("card"), actor(), new).await?;
    let data = (Some(ServiceCode::new(SERVICE_CODE)?), SEQUENCE);
    services.set_card_data(named("data"), actor(), issued.card, data).await?;
    let pan = reveal_test_pan(&issued.pan)?;
    let pin = format!("{:04}", (1_234 + index * 2_477) % 10_000);
    Ok(VerifiedCard { card: issued.card, balance, pan, expiry, pin, profile })
}

/// What the bureau says of a card.
#[derive(Deserialize)]
struct Reference {
    card: usize,
    key_index: u8,
    digits: String,
}

/// Takes over what the bureau printed: a line of JSON for each card.
pub(super) async fn personalise(
    services: &Services,
    cards: &[VerifiedCard],
    said: &str,
) -> anyhow::Result<()> {
    let mut taken = 0;
    for line in said.lines() {
        let Reference { card: at, key_index, digits } =
            serde_json::from_str(line).context("reading what the bureau said of a PIN")?;
        let card = cards.get(at).context("the bureau speaks of a card that is not there")?;
        let reference = PinReference::pvv(key_index, digits.as_bytes())?;
        let key = key(&format!("verified reference {at}"));
        services.set_pin_reference(key, actor(), card.card, reference).await?;
        taken += 1;
    }
    anyhow::ensure!(taken == cards.len(), "the bureau said something of {taken} cards");
    Ok(())
}
