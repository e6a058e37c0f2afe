//! What a resharding must not lose: several accounts in several shards, with holds, answers, early
//! reversals and commands; and the questions that show whether all of it is still there.

use switch_domain::{
    Amount, AsciiText, BalanceId, BinRange, CardId, CardStatus, Channel, ChargedBy, CustomerId,
    CustomerState, EntryMode, Expiry, FeeEvent, FeeRule, FeeSchedule, Fingerprint, Funding,
    IdempotencyKey, LinkId, Merchant, MessageClass, MessageFacts, MinorUnits, OriginalReference,
    PartnerId, PoolId, PoolKind, Price, PriceTerms, ProgrammeId, Reason, Taken,
};
use switch_shard::{
    Act, Authorize, Command, Decision, ReplyOutcome, Reverse, ShardSettings, TakeoverMode, reshard,
};
use switch_shard::{ReshardFailed, ReshardOptions, ReshardReport};
use switch_store::Store;

use crate::world::{BIN, Serving, World, euro, key_of, settings, text, vault_row};

/// Accounts, each with a card.
pub(crate) const HOLDERS: u8 = 8;
const DEPOSIT: i64 = 1_000_000;
const TOP_UP: i64 = 10_000;
/// What is held beside each purchase for its fee.
const FEE: i64 = 3;

#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) card: CardId,
    pub(crate) balance: BalanceId,
    pub(crate) print: Fingerprint,
}

/// What was set up, and what is held of each account.
pub(crate) struct Estate {
    pub(crate) pool: PoolId,
    pub(crate) holders: Vec<Holder>,
    pub(crate) held: Vec<i64>,
    /// How many purchases hold it.
    pub(crate) open: Vec<i64>,
    programme: ProgrammeId,
    /// Answers that were given: to whom, for which STAN and amount.
    answers: Vec<(usize, u32, i64, Decision)>,
    next_stan: u32,
    next_key: u64,
}

pub(crate) fn shards(data_shards: u16) -> ShardSettings {
    ShardSettings { data_shards, ..settings() }
}

pub(crate) async fn reshard_to(store: &Store, n: u16) -> Result<ReshardReport, ReshardFailed> {
    let mode = TakeoverMode::RefuseIfOwned;
    reshard(store, ReshardOptions { data_shards: n, journal_part_rows: 3, mode }).await
}

impl World {
    pub(crate) async fn reshard(&self, data_shards: u16) -> ReshardReport {
        reshard_to(&self.store, data_shards).await.expect("resharded")
    }
}

/// The key of a command: its first half chooses the shard of an account that it opens.
fn key(number: u64) -> IdempotencyKey {
    let mut key = [0xa5; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    IdempotencyKey(key)
}

/// A fee of so much for every purchase, whatever its amount. The deposit holds none of it.
fn fees() -> Box<FeeSchedule> {
    let terms = PriceTerms { fixed: MinorUnits(FEE), ..PriceTerms::default() };
    let rule = FeeRule {
        event: FeeEvent::from_name("pos_domestic_authorized").expect("a name"),
        form: None,
        price: Price::new(terms).expect("a price"),
        taken: Taken::AtOnce,
    };
    let schedule = FeeSchedule::new(euro(), ChargedBy::Platform, vec![rule]);
    Box::new(schedule.expect("a schedule"))
}

fn print(number: u8) -> Fingerprint {
    Fingerprint([number; 16])
}

impl Estate {
    /// Sets everything up in a group that may be new.
    pub(crate) async fn new(serving: &mut Serving, store: &Store) -> Self {
        let mut estate = Self {
            pool: PoolId(0),
            holders: Vec::new(),
            held: Vec::new(),
            open: Vec::new(),
            programme: ProgrammeId(0),
            answers: Vec::new(),
            next_stan: 1,
            next_key: 0,
        };
        let partner = Act::DefinePartner { name: text("ACME") };
        let partner = PartnerId(estate.made(serving, partner).await);
        let kind = PoolKind::Deposit;
        let pool = Act::OpenPool { partner, kind, currency: euro() };
        estate.pool = PoolId(estate.made(serving, pool).await);
        let (pool, amount) = (estate.pool, MinorUnits(DEPOSIT));
        let reload = Act::ReloadPool { pool, amount, reference: text("TRANSFER") };
        estate.command(serving, reload, print(0)).await;
        let programme = Act::DefineProgramme {
            partner,
            name: text("GOLD"),
            bins: BinRange { low: BIN, high: BIN, pan_length: 16 },
            currency: euro(),
            funding: Funding::Deposit(pool),
        };
        estate.programme = ProgrammeId(estate.made(serving, programme).await);
        let fees = Act::SetFees { programme: estate.programme, schedule: Some(fees()) };
        estate.command(serving, fees, print(0)).await;
        for _ in 0..HOLDERS {
            estate.open(serving, store).await;
        }
        estate
    }

    async fn command(&mut self, serving: &Serving, act: Act, card: Fingerprint) -> Option<i64> {
        self.next_key += 1;
        serving.done_as(key(self.next_key), act, card).await
    }

    async fn made(&mut self, serving: &Serving, act: Act) -> i64 {
        self.command(serving, act, print(0)).await.expect("it makes an identifier")
    }

    /// An account with money and a card, and the same commands again.
    pub(crate) async fn open(&mut self, serving: &Serving, store: &Store) {
        let number = u8::try_from(self.holders.len() + 1).expect("few");
        let programme = self.programme;
        let open = Act::OpenBalance { programme, customer: CustomerId(i64::from(number)) };
        let balance = BalanceId(self.made(serving, open.clone()).await);
        assert_eq!(serving.done_as(key(self.next_key), open, print(0)).await, Some(balance.0));
        let (amount, reference) = (MinorUnits(TOP_UP), text("TOP-UP"));
        self.command(serving, Act::CreditBalance { balance, amount, reference }, print(0)).await;
        let print = print(number);
        let vault = vault_row(store, print).await;
        let expiry = Expiry::from_yymm(4912).expect("a month");
        let issue = Act::IssueCard { balance, vault, expiry, status: CardStatus::Active };
        let card = CardId(self.command(serving, issue, print).await.expect("a card"));
        self.holders.push(Holder { card, balance, print });
        self.held.push(0);
        self.open.push(0);
    }

    /// Commands that were done before are not done again, whoever answers now.
    pub(crate) async fn repeat_commands(&self, serving: &Serving, first_key: u64) {
        let customer = CustomerId(1);
        let open = Act::OpenBalance { programme: self.programme, customer };
        let made = serving.done_as(key(first_key), open, print(0)).await;
        assert_eq!(made, Some(self.holders[0].balance.0));
        let (balance, amount) = (self.holders[0].balance, MinorUnits(TOP_UP));
        let again = Act::CreditBalance { balance, amount, reference: text("TOP-UP") };
        serving.done_as(key(first_key + 1), again, print(0)).await;
    }

    /// The key of the first account's opening.
    pub(crate) const FIRST_OPENED: u64 = 6;

    fn purchase(&self, holder: usize, stan: u32, minor: i64, repeat: bool) -> Command {
        let Holder { card, print, .. } = self.holders[holder];
        Command::Authorize(Authorize {
            link: LinkId(1),
            facts: MessageFacts {
                key: key_of(print, MessageClass::AuthorizationRequest, stan),
                transmitted: 0,
                channel: Channel::Pos,
                entry: EntryMode::Chip,
                kind: switch_domain::TransactionType::Purchase,
                merchant: Merchant { category: 5411, id: text("MERCHANT0000001") },
                country: None,
                network_trace: Default::default(),
            },
            bin: BIN,
            card: Some(card),
            expiry: None,
            fault: None,
            amount: Amount { minor: MinorUnits(minor), currency: euro() },
            terms: Default::default(),
            repeat,
            network: None,
            adds_to: None,
            completes: None,
            evidence: None,
            blocked: false,
        })
    }

    async fn ask(
        &self,
        serving: &mut Serving,
        holder: usize,
        stan: u32,
        minor: i64,
        repeat: bool,
    ) -> Decision {
        let purchase = self.purchase(holder, stan, minor, repeat);
        let print = self.holders[holder].print;
        match serving.send_for(print, purchase, u64::from(stan)).await {
            ReplyOutcome::Decided(decision) => decision,
            other => panic!("{other:?}"),
        }
    }

    /// A purchase whose STAN is told.
    pub(crate) async fn buy(&mut self, serving: &mut Serving, holder: usize, minor: i64) -> u32 {
        let stan = self.next_stan;
        self.next_stan += 1;
        let decision = self.ask(serving, holder, stan, minor, false).await;
        if decision.reason.is_approval() {
            self.held[holder] += minor;
            self.open[holder] += 1;
        }
        self.answers.push((holder, stan, minor, decision));
        stan
    }

    /// A reversal of a purchase that may not have come; `minor` is what it gives back.
    pub(crate) async fn reverse(
        &mut self,
        serving: &mut Serving,
        holder: usize,
        original: u32,
        minor: i64,
    ) -> Decision {
        let print = self.holders[holder].print;
        let reverse = Reverse {
            link: LinkId(1),
            key: key_of(print, MessageClass::ReversalRequest, original + 500_000),
            reference: OriginalReference {
                key: key_of(print, MessageClass::AuthorizationRequest, original).as_original(),
                class: None,
                transmitted: 0,
                rrn: AsciiText::EMPTY,
                network_trace: Default::default(),
            },
            standing: None,
            repeat: true,
        };
        self.held[holder] -= minor;
        self.open[holder] -= i64::from(minor > 0);
        match serving.send_for(print, Command::Reverse(reverse), u64::from(original)).await {
            ReplyOutcome::Decided(decision) => decision,
            other => panic!("{other:?}"),
        }
    }

    /// A purchase behind its own reversal is not approved.
    pub(crate) async fn come_after_reversal(
        &mut self,
        serving: &mut Serving,
        holder: usize,
        stan: u32,
    ) {
        let decision = self.ask(serving, holder, stan, 77, false).await;
        assert!(!decision.reason.is_approval(), "{decision:?}");
    }

    /// Every message that was answered gets that answer again.
    pub(crate) async fn repeat_messages(&self, serving: &mut Serving) {
        for (holder, stan, minor, answer) in &self.answers {
            let again = self.ask(serving, *holder, *stan, *minor, true).await;
            assert_eq!(again, Decision { repeated: true, ..*answer }, "STAN {stan}");
        }
    }

    /// Accounts, cards and the pool are as they were.
    pub(crate) async fn expect_intact(&self, serving: &Serving) {
        for (holder, (held, open)) in self.holders.iter().zip(self.held.iter().zip(&self.open)) {
            let balance = serving.node.balance(holder.balance).await.expect("an account");
            let held = held + open * FEE;
            assert_eq!((balance.ledger.0, balance.held.0), (TOP_UP, held), "{}", holder.balance);
            let card = serving.node.card(holder.card).await.expect("a card");
            assert_eq!(card.balance, holder.balance);
        }
        let sum: i64 = self.held.iter().sum();
        let share = serving.node.pool(self.pool).await;
        assert_eq!((share.level.0, share.held.0), (DEPOSIT, sum));
        assert_eq!(serving.node.pool_headroom(self.pool).0, DEPOSIT - sum);
    }

    /// Blocks or unblocks a holder, wherever accounts of theirs may be.
    pub(crate) async fn set_customer(
        &mut self,
        serving: &mut Serving,
        holder: usize,
        state: CustomerState,
    ) {
        let customer = CustomerId(i64::try_from(holder).expect("few") + 1);
        self.command(serving, Act::SetCustomerState { customer, state }, print(0)).await;
    }

    pub(crate) fn last_reason(&self) -> Reason {
        self.answers.last().expect("an answer").3.reason
    }
}
