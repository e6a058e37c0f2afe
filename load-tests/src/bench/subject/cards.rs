//! The partners, balances and cards that the switch is measured with, made by ordinary commands,
//! many at a time. Must leave every card with more money than any bench spends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::control::Control;
use crate::bench::wire::request::{EXPIRY, TestPan};

/// Commands at a time; the switch takes 64 connections.
const AT_ONCE: usize = 60;
/// Balances of one customer: their state is looked at for each authorization all the same.
const BALANCES_OF_A_CUSTOMER: usize = 100;
/// The first BIN that no network routes; each partner has one.
const FIRST_BIN: usize = 99_999_000;

/// How much there is to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Population {
    pub(crate) partners: usize,
    pub(crate) cards: usize,
}

/// What was made.
pub(crate) struct Issued {
    /// The numbers of the cards, the partners' by turns.
    pub(crate) pans: Arc<[TestPan]>,
    /// What the switch calls them, in the same order.
    pub(crate) cards: Vec<i64>,
    /// What it calls the programmes.
    pub(crate) programmes: Vec<i64>,
}

impl Issued {
    /// The place of the programme that a card is of.
    pub(crate) fn programme_of(&self, card: usize) -> usize {
        partner_of(card, self.programmes.len())
    }
}

/// The place of the partner that a card is of, by the card's own.
pub(crate) const fn partner_of(card: usize, partners: usize) -> usize {
    (card / BALANCES_OF_A_CUSTOMER) % partners
}

/// Makes everything.
///
/// # Errors
/// The switch refuses a command or has gone.
pub(crate) fn issue_cards(socket: &Path, population: Population) -> Result<Issued> {
    let mut control = Control::connect(socket)?;
    let programmes: Result<Vec<Programme>> =
        (0..population.partners).map(|index| Programme::make(&mut control, index)).collect();
    let programmes = Arc::new(programmes?);
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (programmes, next) = (Arc::clone(&programmes), Arc::clone(&next));
            let socket = socket.to_owned();
            thread::spawn(move || work(&socket, &programmes, &next, population.cards))
        })
        .collect();
    let mut made = Vec::with_capacity(population.cards);
    for worker in workers {
        made.extend(worker.join().map_err(|_| anyhow!("a thread that made cards panicked"))??);
    }
    made.sort_unstable_by_key(|(index, _)| *index);
    let (cards, pans): (Vec<_>, Vec<_>) = made.into_iter().map(|(_, made)| made).unzip();
    let programmes = programmes.iter().map(|one| one.programme).collect();
    Ok(Issued { pans: pans.into(), cards, programmes })
}

struct Programme {
    partner: i64,
    programme: i64,
}

impl Programme {
    fn make(control: &mut Control, index: usize) -> Result<Programme> {
        let key = |what: &str| format!("{what} {index}");
        let name = format!("Partner {index}");
        let members = json!({ "name": name });
        let partner = control.make(&key("partner"), "partner-create", "partner", members)?;
        let members = json!({ "partner": partner, "kind": "deposit", "currency": "EUR" });
        let pool = control.make(&key("pool"), "pool-open", "pool", members)?;
        let members =
            json!({ "pool": pool, "amount": "10000000000", "reference": "first transfer" });
        control.call(&key("reload"), "pool-reload", members)?;
        let bin = FIRST_BIN + index;
        let members = json!({
            "partner": partner, "name": name, "bin_low": bin, "bin_high": bin, "pan_length": 16,
            "currency": "EUR", "pool": pool,
        });
        let made = control.make(&key("programme"), "programme-create", "programme", members)?;
        Ok(Programme { partner, programme: made })
    }
}

/// Makes cards until there are enough: blocks of one customer's, so that a customer is made once.
fn work(
    socket: &Path,
    programmes: &[Programme],
    next: &AtomicUsize,
    cards: usize,
) -> Result<Vec<(usize, (i64, TestPan))>> {
    let mut control = Control::connect(socket)?;
    let mut made = Vec::new();
    loop {
        let first = next.fetch_add(BALANCES_OF_A_CUSTOMER, Ordering::Relaxed);
        if first >= cards {
            return Ok(made);
        }
        let block = first / BALANCES_OF_A_CUSTOMER;
        let programme = &programmes[block % programmes.len()];
        let members =
            json!({ "partner": programme.partner, "reference": format!("customer-{block}") });
        let key = format!("customer {block}");
        let customer = control.make(&key, "customer-create", "customer", members)?;
        for index in first..(first + BALANCES_OF_A_CUSTOMER).min(cards) {
            made.push((index, one_card(&mut control, programme, customer, index)?));
        }
    }
}

fn one_card(
    control: &mut Control,
    programme: &Programme,
    customer: i64,
    index: usize,
) -> Result<(i64, TestPan)> {
    let key = |what: &str| format!("{what} {index}");
    let members = json!({ "programme": programme.programme, "customer": customer });
    let balance = control.make(&key("balance"), "balance-open", "balance", members)?;
    let members = json!({ "balance": balance, "amount": "1000000", "reference": "welcome" });
    control.call(&key("credit"), "balance-credit", members)?;
    let expiry: u16 = EXPIRY.parse()?;
    let members =
        json!({ "balance": balance, "expiry": expiry, "active": true, "reveal_test_pan": true });
    let issued = control.call(&key("card"), "card-issue", members)?;
    let pan = issued["pan"].as_str().and_then(TestPan::new).context("a card without a number")?;
    Ok((issued["card"].as_i64().context("a card without a name")?, pan))
}
