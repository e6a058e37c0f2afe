//! Scenario tables in the manner of TigerBeetle: a row is a step, and what it must come to. It owns
//! the words of the tables; the shards behind them are in `cluster`.
//!
//! ```text
//! partner acme
//! pool deposit EUR 1000.00
//! programme gold deposit
//! balance alice 50.00
//! card c1 alice exp 2712
//! auth c1 12.50 stan 1        -> approved
//! later: reverse stan 1       -> reversal_accepted of 1   # decided, not yet committed
//! held alice 12.50
//! commit
//! held alice 0.00
//! ```
//!
//! A row without `later:` commits everything that was decided before it, and itself. A management
//! row without an expectation must be `done`. After each row the books are audited.

mod cluster;
mod controls;
mod currencies;
mod fees;
mod management;
mod messages;
mod names;
mod row;
mod security;

use switch_domain::{Account, Currency, MinorUnits, Timestamp};
use switch_engine::{Answer, Command, HoldEnd};

pub(crate) use cluster::{CARDS, CONTROL, Cluster, Pools};
pub(crate) use messages::{authorize, fingerprint, key, reversal};
use names::Names;
use row::Row;

/// Runs a table and audits the books after each row.
pub(crate) fn check(table: &str) {
    World::after(table);
}

/// The shards, and the names that a table gives to what it makes.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) names: Names,
    keys: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { cluster: Cluster::new(), names: Names::default(), keys: 0 }
    }

    /// The world that a table leaves behind.
    pub(crate) fn after(table: &str) -> Self {
        let mut world = Self::new();
        world.run(table);
        world
    }

    /// Runs a table on top of what is there.
    pub(crate) fn run(&mut self, table: &str) {
        for (index, line) in table.lines().enumerate() {
            let Some(row) = Row::parse(index + 1, line) else { continue };
            self.step(&row);
            row.done();
            self.cluster.audit();
        }
    }

    fn step(&mut self, row: &Row<'_>) {
        match row.verb {
            "auth" | "advise" | "pay" | "post" | "reverse" | "void" | "expire" => self.message(row),
            "stand-in" => self.look_at_advice(row),
            "commit" => {
                let all = self.cluster.in_flight.len();
                let count = row.optional_word().map_or(all, |word| row.parsed(word));
                self.cluster.commit(count);
            }
            "restart" => {
                self.cluster.commit_all();
                self.cluster.states = self.cluster.replayed();
            }
            "now" => {
                let moment: jiff::Timestamp = row.parsed(row.word("a moment"));
                self.cluster.now = Timestamp(moment.as_microsecond());
            }
            "used" => self.look_at_usage(row),
            "tries" => self.look_at_tries(row),
            "chip-pin" => self.look_at_chip_pin(row),
            "script" => self.look_at_script(row),
            "locked" => self.look_at_lock(row),
            "month" => self.cluster.now = month(row.parsed(row.word("YYMM"))),
            "headroom" => {
                let (pool, currency) = self.names.pool(row, row.word("a pool"));
                let left = minor_units(row, row.word("an amount"), currency);
                self.cluster.headroom.insert(pool, left);
            }
            "held" | "available" | "ledger" => self.look_at_balance(row),
            "pool-held" | "pool-available" => self.look_at_pool(row),
            "network" | "memorandum" | "income" => self.look_at_postings(row),
            "totals" => self.look_at_totals(row),
            "fees-of" => self.look_at_fees(row),
            "converted" => self.look_at_conversion(row),
            "open" => {
                let open = self.cluster.states[CARDS].open_authorizations();
                expect_equal(row, &open, &row.parsed(row.word("how many")));
            }
            _ => self.management(row),
        }
    }

    fn look_at_balance(&self, row: &Row<'_>) {
        let id = self.names.balance(row, row.word("a balance"));
        let balance = self.cluster.states[CARDS].balance(id);
        let Some(balance) = balance else { row.fail("there is no such balance yet") };
        let amount = match row.verb {
            "held" => balance.held,
            "ledger" => balance.ledger,
            _ => balance.available(),
        };
        expect_equal(row, &amount, &minor_units(row, row.word("an amount"), balance.currency));
    }

    fn look_at_pool(&self, row: &Row<'_>) {
        let (pool, currency) = self.names.pool(row, row.word("a pool"));
        let states = &self.cluster.states;
        let shares = states.iter().map(|state| state.share(pool));
        let sum: i64 = match row.verb {
            "pool-held" => shares.map(|share| share.held.0).sum(),
            _ => shares.map(|share| share.available().0).sum(),
        };
        expect_equal(row, &MinorUnits(sum), &minor_units(row, row.word("an amount"), currency));
    }

    /// `network PARTNER CURRENCY AMOUNT`: what is owed to the networks by the postings; `income`,
    /// what fees came to; and `memorandum`, the contra of what the partner holds itself.
    fn look_at_postings(&self, row: &Row<'_>) {
        let partner = self.names.partner(row, row.word("a partner"));
        let currency = currency(row.word("a currency"));
        let account = match row.verb {
            "network" => Account::NetworkSettlement(partner),
            "income" => Account::FeeIncome(partner),
            _ => Account::Memorandum(partner),
        };
        let sum = self.cluster.posted().get(&account).copied().unwrap_or(0);
        expect_equal(row, &MinorUnits(sum), &minor_units(row, row.word("an amount"), currency));
    }

    /// `totals LABEL AUTHORIZED REVERSED CLEARED REFUNDED`
    fn look_at_totals(&self, row: &Row<'_>) {
        let label = row.word("an authorization");
        let Some(id) = self.names.authorizations.get(label) else { row.fail("no such message") };
        let found = self.cluster.states[CARDS].authorization(*id);
        let Some(one) = found else { row.fail("it is not remembered") };
        let next = || minor_units(row, row.word("an amount"), one.currency);
        let expected = [next(), next(), next(), next()];
        let of = one.totals;
        expect_equal(row, &[of.authorized, of.reversed, of.cleared, of.refunded], &expected);
    }

    /// `stand-in LABEL NAME [REASON]`: what an advice came to.
    fn look_at_advice(&self, row: &Row<'_>) {
        let label = row.word("an advice");
        let Some(id) = self.names.authorizations.get(label) else { row.fail("no such advice") };
        let found = self.cluster.states[CARDS].authorization(*id);
        let Some(found) = found.and_then(|one| one.stand_in) else { row.fail("not an advice") };
        let would_be = found.would_be().map(switch_domain::Reason::name);
        let expected = (row.word("what it came to"), row.optional_word());
        expect_equal(row, &(found.name(), would_be), &expected);
    }

    /// Decides a command, compares the answer with the row, and commits unless it says `later:`.
    fn submit(&mut self, row: &Row<'_>, shard: usize, command: &Command) -> Answer {
        let answer = self.cluster.submit(shard, command);
        self.compare(row, &answer);
        if !row.later {
            self.cluster.commit_all();
        }
        answer
    }

    fn compare(&self, row: &Row<'_>, answer: &Answer) {
        let (found, about) = match answer {
            Answer::Decided(decision) => {
                let repeated = if decision.repeated { " repeated" } else { "" };
                let part = decision
                    .part
                    .map_or(String::new(), |part| format!(" {} for {}", part.approved, part.asked));
                let found = format!("{}{part}{repeated}", decision.reason.name());
                (found, self.names.label(decision.authorization))
            }
            Answer::Done(_) => ("done".to_owned(), String::new()),
            Answer::Refused(refusal) => (format!("refused {refusal:?}"), String::new()),
            Answer::HoldEnded(end) => (ended(*end).to_owned(), String::new()),
            Answer::Transferred(outcome) => (format!("{outcome:?}"), String::new()),
            Answer::Busy => ("busy".to_owned(), String::new()),
        };
        let expected = match (row.expected, row.verb) {
            (Some(expected), _) => expected,
            (None, "auth" | "advise" | "pay" | "post" | "reverse" | "void" | "expire") => {
                row.fail("wants an expectation")
            }
            (None, _) => "done",
        };
        match expected.split_once(" of ") {
            Some((expected, original)) => {
                expect_equal(row, &(found.as_str(), about.as_str()), &(expected, original));
            }
            None => expect_equal(row, &found.as_str(), &expected),
        }
    }
}

/// What there was to end, in a word.
pub(crate) const fn ended(end: HoldEnd) -> &'static str {
    match end {
        HoldEnd::GivenBack(_) => "given_back",
        HoldEnd::HeldNothing => "held_nothing",
        HoldEnd::BegunAgain => "begun_again",
        HoldEnd::NotThere => "not_there",
    }
}

fn expect_equal<T: PartialEq + std::fmt::Debug>(row: &Row<'_>, found: &T, expected: &T) {
    if found != expected {
        row.fail(&format!("found {found:?}, expected {expected:?}"));
    }
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::from_alphabetic(code).unwrap_or_else(|| panic!("{code} is no currency"))
}

/// `12.50` with the decimals of its currency, none more and none fewer.
fn minor_units(row: &Row<'_>, text: &str, currency: Currency) -> MinorUnits {
    let (major, minor) = text.split_once('.').unwrap_or((text, ""));
    if minor.len() != usize::from(currency.exponent()) {
        row.fail(&format!("{currency} has {} decimals", currency.exponent()));
    }
    MinorUnits(row.parsed(&format!("{major}{minor}")))
}

/// The fifteenth of a month of 2000 to 2099.
fn month(yymm: i64) -> Timestamp {
    let (year, month) = (2000 + yymm / 100, yymm % 100);
    let (mut low, mut high) = (946_684_800_i64, 4_102_444_800_i64);
    // The calendar is the domain's: search it instead of writing it down again.
    while low < high {
        let middle = (low + high) / 2;
        let (y, m) = Timestamp::from_unix_seconds(middle).year_and_month();
        if (i64::from(y), i64::from(m)) < (year, month) { low = middle + 1 } else { high = middle }
    }
    Timestamp::from_unix_seconds(low + 14 * 86_400)
}
