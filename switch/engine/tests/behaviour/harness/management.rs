//! Rows that stand for management commands, and the two that bundle them for setting up: `pool` and
//! `balance`, which make something and give it money.

use switch_domain::{
    AsciiText, BalanceId, BalanceState, Bin, BinRange, CardId, CardStatus, CustomerState, Funding,
    IdempotencyKey, LockCode, LockCodes, OutsideAsk, PartnerId, PartnerState, PoolId, PoolKind,
    ProgrammeId, VaultRef,
};
use switch_engine::{Act, Answer, Command, Manage};

use super::messages::{DEMO_BIN, expiry};
use super::row::Row;
use super::{CARDS, CONTROL, World, currency, minor_units};

fn name_of(text: &str) -> AsciiText<40> {
    AsciiText::new(text.as_bytes()).expect("short and printable")
}

fn named_key(name: &str) -> IdempotencyKey {
    let mut bytes = [0xff; 16];
    for (slot, byte) in bytes.iter_mut().zip(name.bytes()) {
        *slot = byte;
    }
    IdempotencyKey(bytes)
}

impl World {
    pub(super) fn management(&mut self, row: &Row<'_>) {
        match row.verb {
            "partner" | "suspend" | "resume" => self.partner(row),
            "rename-partner" | "rename-programme" => self.rename(row),
            "partial-minimum" => self.partial_minimum(row),
            "pool" | "open-pool" | "reload" => self.pool(row),
            "programme" => self.programme(row),
            "balance" | "open-balance" | "credit" => self.balance(row),
            "block" | "unblock" | "close" | "block-customer" | "unblock-customer" => {
                self.state_of_balance(row);
            }
            "card" => self.card(row),
            "activate" | "remove" | "lock" | "unlock" => self.change_card(row),
            "control" | "change-control" | "remove-control" => self.control(row),
            "rate" | "no-rate" | "foreign" | "domestic" => self.currencies(row),
            "fees" | "no-fees" | "around" | "partner-charges" => self.schedule(row),
            "charge" | "give-back" => self.charge(row),
            "verified" | "unverified" => self.verification(row),
            "card-data" | "set-pin" | "reset-code" | "await" | "renew" => self.references(row),
            "lock-outside" | "unlock-outside" => self.lock_outside(row),
            _ => row.fail("an unknown step"),
        }
    }

    /// One command under the row's key, or a fresh one. Gives the identifier that it made.
    pub(crate) fn manage(&mut self, row: &Row<'_>, shard: usize, act: Act) -> Option<i64> {
        self.keys += 1;
        let mut fresh = [0; 16];
        fresh[..8].copy_from_slice(&self.keys.to_be_bytes());
        let key = row.option("key").map_or(IdempotencyKey(fresh), named_key);
        let actor = name_of("operator:7");
        match self.submit(row, shard, &Command::Manage(Manage { key, actor, act })) {
            Answer::Done(made) => made,
            _ => None,
        }
    }

    fn partner(&mut self, row: &Row<'_>) {
        let name = row.word("a partner");
        let state = match row.verb {
            "suspend" => PartnerState::Suspended,
            "resume" => PartnerState::Active,
            _ => {
                let act = Act::DefinePartner { name: name_of(name) };
                if let Some(id) = self.manage(row, CONTROL, act) {
                    self.names.partners.insert(name.to_owned(), PartnerId(id));
                    self.names.last_partner = Some(PartnerId(id));
                }
                return;
            }
        };
        let partner = self.names.partner(row, name);
        self.manage(row, CONTROL, Act::SetPartnerState { partner, state });
    }

    /// `rename-partner PARTNER WORD`, `rename-programme PROGRAMME WORD`
    fn rename(&mut self, row: &Row<'_>) {
        let (which, name) = (row.word("which"), name_of(row.word("a name")));
        let act = match row.verb {
            "rename-partner" => {
                Act::RenamePartner { partner: self.names.partner(row, which), name }
            }
            _ => Act::RenameProgramme { programme: self.names.programme(row, which).0, name },
        };
        self.manage(row, CONTROL, act);
    }

    /// `partial-minimum PARTNER CURRENCY AMOUNT|none`
    fn partial_minimum(&mut self, row: &Row<'_>) {
        let partner = self.names.partner(row, row.word("a partner"));
        let currency = currency(row.word("a currency"));
        let least = row.word("an amount or none");
        let minimum = (least != "none").then(|| minor_units(row, least, currency));
        self.manage(row, CONTROL, Act::SetPartialMinimum { partner, currency, minimum });
    }

    fn partner_option(&self, row: &Row<'_>) -> PartnerId {
        match row.option("of") {
            Some(name) => self.names.partner(row, name),
            None => self.names.last_partner.unwrap_or_else(|| row.fail("of which partner?")),
        }
    }

    /// `pool KIND CUR AMOUNT [as NAME] [of PARTNER]`, `open-pool` without amount,
    /// `reload NAME AMOUNT`. A pool without a name is called by its kind.
    fn pool(&mut self, row: &Row<'_>) {
        let first = row.word("a kind or a pool");
        if row.verb == "reload" {
            self.reload(row, first);
            return;
        }
        let kind = match first {
            "credit" => PoolKind::Credit,
            "deposit" => PoolKind::Deposit,
            _ => row.fail("a pool is credit or deposit"),
        };
        let currency = currency(row.word("a currency"));
        let name = row.option("as").unwrap_or(first);
        let partner = self.partner_option(row);
        if let Some(id) = self.manage(row, CONTROL, Act::OpenPool { partner, kind, currency }) {
            self.names.pools.insert(name.to_owned(), (PoolId(id), kind, currency));
        }
        if row.verb == "pool" {
            self.reload(row, name);
        }
    }

    fn reload(&mut self, row: &Row<'_>, name: &str) {
        let (pool, currency) = self.names.pool(row, name);
        let amount = minor_units(row, row.word("an amount"), currency);
        if row.verb == "pool" && amount.is_zero() {
            return;
        }
        let reference = name_of("transfer");
        self.manage(row, CONTROL, Act::ReloadPool { pool, amount, reference });
    }

    /// `programme NAME POOL [bins LOW-HIGH] [length N] [in CUR] [funding KIND] [of PARTNER]`
    fn programme(&mut self, row: &Row<'_>) {
        let name = row.word("a programme");
        let (pool, kind, of_pool) = self.names.pool_with_kind(row, row.word("a pool"));
        let currency = row.option("in").map_or(of_pool, currency);
        let credit = row.option("funding").map_or(kind == PoolKind::Credit, |f| f == "credit");
        let funding = if credit { Funding::Credit(pool) } else { Funding::Deposit(pool) };
        let (low, high) = match row.option("bins").map(|bins| bins.split_once('-')) {
            Some(Some((low, high))) => (row.parsed(low), row.parsed(high)),
            Some(None) => row.fail("bins are LOW-HIGH"),
            None => (DEMO_BIN, DEMO_BIN),
        };
        let pan_length = row.number_option("length").unwrap_or(16);
        let act = Act::DefineProgramme {
            partner: self.partner_option(row),
            name: name_of(name),
            bins: BinRange { low: Bin(low), high: Bin(high), pan_length },
            currency,
            funding,
        };
        if let Some(id) = self.manage(row, CONTROL, act) {
            self.names.programmes.insert(name.to_owned(), (ProgrammeId(id), currency));
            self.names.last_programme = Some((ProgrammeId(id), currency));
        }
    }

    /// `balance NAME AMOUNT [under PROGRAMME] [holder CUSTOMER]`, `open-balance` without amount,
    /// `credit NAME AMOUNT`. The holder has the name of the balance unless the row says otherwise.
    fn balance(&mut self, row: &Row<'_>) {
        let name = row.word("a balance");
        if row.verb != "credit" {
            let (programme, currency) = match row.option("under") {
                Some(programme) => self.names.programme(row, programme),
                None => self.names.last_programme.unwrap_or_else(|| row.fail("no programme yet")),
            };
            let customer = self.names.customer(row.option("holder").unwrap_or(name));
            if let Some(id) = self.manage(row, CARDS, Act::OpenBalance { programme, customer }) {
                self.names.balances.insert(name.to_owned(), (BalanceId(id), currency));
            }
        }
        if row.verb != "open-balance" {
            let (balance, currency) = self.names.balance_and_currency(row, name);
            let amount = minor_units(row, row.word("an amount"), currency);
            if row.verb == "balance" && amount.is_zero() {
                return;
            }
            let reference = name_of("top-up");
            self.manage(row, CARDS, Act::CreditBalance { balance, amount, reference });
        }
    }

    fn state_of_balance(&mut self, row: &Row<'_>) {
        let name = row.word("a balance or a customer");
        let act = match row.verb {
            "block-customer" | "unblock-customer" => Act::SetCustomerState {
                customer: self.names.customer(name),
                state: match row.verb {
                    "block-customer" => CustomerState::Blocked,
                    _ => CustomerState::Active,
                },
            },
            verb => Act::SetBalanceState {
                balance: self.names.balance(row, name),
                state: match verb {
                    "block" => BalanceState::Blocked,
                    "close" => BalanceState::Closed,
                    _ => BalanceState::Active,
                },
            },
        };
        self.manage(row, CARDS, act);
    }

    /// `card NAME BALANCE exp YYMM [status active|inactive|removed]`
    fn card(&mut self, row: &Row<'_>) {
        let name = row.word("a card");
        let (balance, currency) = self.names.balance_and_currency(row, row.word("a balance"));
        let yymm = row.number_option("exp").unwrap_or_else(|| row.fail("wants exp YYMM"));
        let status = match row.option("status").unwrap_or("active") {
            "active" => CardStatus::Active,
            "inactive" => CardStatus::Inactive,
            _ => CardStatus::Removed,
        };
        let act = Act::IssueCard {
            balance,
            vault: VaultRef { row: 1, version: 1 },
            expiry: expiry(row, yymm),
            status,
        };
        if let Some(id) = self.manage(row, CARDS, act) {
            self.names.cards.insert(name.to_owned(), (CardId(id), currency));
        }
    }

    fn change_card(&mut self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let act = match row.verb {
            "activate" => Act::ActivateCard { card },
            "remove" => Act::RemoveCard { card },
            "unlock" => Act::UnlockCard { card },
            _ => {
                let number = row.parsed(row.word("a lock code"));
                let lock = LockCode::from_number(number);
                Act::LockCard { card, lock: lock.unwrap_or_else(|| row.fail("no lock code")) }
            }
        };
        self.manage(row, CARDS, act);
    }

    /// `lock-outside CARD CODE [may CODES]`, `unlock-outside CARD [CODE] [may CODES]`: the card
    /// `unknown` is one that the directory does not have, and codes have commas between.
    fn lock_outside(&mut self, row: &Row<'_>) {
        let code = |word: &str| {
            LockCode::from_number(row.parsed(word)).unwrap_or_else(|| row.fail("no lock code"))
        };
        let name = row.word("a card");
        let card = (name != "unknown").then(|| self.names.card(row, name));
        let ask = match row.verb {
            "lock-outside" => OutsideAsk::Lock(code(row.word("a lock code"))),
            _ => OutsideAsk::Unlock(row.optional_word().map(code)),
        };
        let may =
            row.option("may").map_or(LockCodes::NONE, |codes| codes.split(',').map(code).collect());
        self.manage(row, CARDS, Act::LockOutside { card, ask, may });
    }
}
