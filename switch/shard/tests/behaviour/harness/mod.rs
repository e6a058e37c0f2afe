//! A node over the journal in memory, set up as an operator would, and one link to it. It owns the
//! words of the tests; what must come of them is for each test to say.

mod messages;

use std::time::Duration;

use switch_domain::{
    AsciiText, BalanceId, Bin, BinRange, CardId, CardStatus, Currency, CustomerId, Expiry,
    Fingerprint, Funding, IdempotencyKey, MinorUnits, OwnerId, PartnerId, PoolId, PoolKind,
    ProgrammeId, Record, ShardId, VaultRef,
};
use switch_shard::{
    Act, Fatal, Manage, ManageError, Node, Reply, ReplyOutcome, Running, ShardSettings,
    start_in_memory,
};
use switch_store::ModelJournalHandle;
use tokio::sync::{mpsc, watch};

pub(crate) use messages::{
    advice, approved, by_trace, declined, increment, marked, purchase, reversal, settlement, traced,
};

/// Our process, in the journal's rows.
pub(crate) const US: OwnerId = OwnerId([1; 16]);
/// Another process that wants the same shards.
pub(crate) const THEM: OwnerId = OwnerId([2; 16]);
/// The first and the second data shard.
pub(crate) const FIRST: ShardId = ShardId(1);
pub(crate) const SECOND: ShardId = ShardId(2);
/// How long a message has from its submission.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const DEMO_BIN: Bin = Bin(99_999_912);

/// A node, its journal, and a link to it.
pub(crate) struct World {
    pub(crate) journal: ModelJournalHandle,
    pub(crate) node: Node,
    running: Option<Running>,
    silent: watch::Sender<bool>,
    pub(crate) deposit: PoolId,
    pub(crate) partner: PartnerId,
    pub(crate) programme: ProgrammeId,
    replies: mpsc::UnboundedReceiver<Reply>,
    link: mpsc::UnboundedSender<Reply>,
    keys: u64,
}

/// A card, and the account that it spends from.
#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) card: CardId,
    pub(crate) balance: BalanceId,
    pub(crate) customer: CustomerId,
    pub(crate) print: Fingerprint,
}

/// The defaults, with two data shards: what is between them has to show.
pub(crate) fn two_shards() -> ShardSettings {
    ShardSettings { data_shards: 2, ..ShardSettings::default() }
}

impl World {
    /// A node with a programme funded by a deposit of one million.
    pub(crate) async fn new() -> Self {
        Self::with(two_shards(), 1_000_000).await
    }

    /// A node with other limits, and a programme funded by this much.
    pub(crate) async fn with(settings: ShardSettings, deposit: i64) -> Self {
        let journal = ModelJournalHandle::new();
        let silent = watch::Sender::new(false);
        let (node, running) = start_in_memory(&journal, silent.subscribe(), settings, US);
        let (link, replies) = mpsc::unbounded_channel();
        let (partner, pool, programme) = (PartnerId(0), PoolId(0), ProgrammeId(0));
        let mut world = Self {
            journal,
            node,
            running: Some(running),
            silent,
            deposit: pool,
            partner,
            programme,
            replies,
            link,
            keys: 0,
        };
        world.partner = PartnerId(world.made(Act::DefinePartner { name: text("ACME") }).await);
        let act =
            Act::OpenPool { partner: world.partner, kind: PoolKind::Deposit, currency: euro() };
        world.deposit = PoolId(world.made(act).await);
        world.reload(deposit).await;
        world.programme = ProgrammeId(world.made(world.programme_act(DEMO_BIN)).await);
        world
    }

    /// A command that defines a programme with cards of one BIN.
    pub(crate) fn programme_act(&self, bin: Bin) -> Act {
        Act::DefineProgramme {
            partner: self.partner,
            name: text("GOLD"),
            bins: BinRange { low: bin, high: bin, pan_length: 16 },
            currency: euro(),
            funding: Funding::Deposit(self.deposit),
        }
    }

    /// Books money into the deposit.
    pub(crate) async fn reload(&mut self, amount: i64) {
        let act = Act::ReloadPool {
            pool: self.deposit,
            amount: MinorUnits(amount),
            reference: text("TRANSFER"),
        };
        self.done(act).await;
    }

    /// A customer with money and an active card, in a data shard. The number names all of them.
    pub(crate) async fn holder(&mut self, shard: ShardId, number: u8, money: i64) -> Holder {
        let customer = CustomerId(i64::from(number));
        let balance = self.account(shard, customer).await;
        let amount = MinorUnits(money);
        self.done(Act::CreditBalance { balance, amount, reference: text("TOP-UP") }).await;
        let print = Fingerprint([number; 16]);
        let manage = self.command(issue(balance));
        let made = self.node.manage(manage, Some(print)).await.expect("the card is issued");
        let card = CardId(made.expect("a card has an identifier"));
        Holder { card, balance, customer, print }
    }

    /// An empty account in a data shard.
    pub(crate) async fn account(&mut self, shard: ShardId, customer: CustomerId) -> BalanceId {
        let mut manage = self.command(Act::OpenBalance { programme: self.programme, customer });
        // Accounts are spread over the data shards by the upper half of the key.
        manage.key.0[..8].copy_from_slice(&u64::from(shard.0 - 1).to_be_bytes());
        let made = self.node.manage(manage, None).await.expect("the account is opened");
        let balance = BalanceId(made.expect("an account has an identifier"));
        assert_eq!(balance.shard(), shard, "the harness chose the shard by the key");
        balance
    }

    /// A command under a key of its own.
    pub(crate) fn command(&mut self, act: Act) -> Manage {
        self.keys += 1;
        let mut key = [0; 16];
        key[8..].copy_from_slice(&self.keys.to_be_bytes());
        Manage { key: IdempotencyKey(key), actor: text("operator:7"), act }
    }

    /// Does a command that must succeed and make something.
    pub(crate) async fn made(&mut self, act: Act) -> i64 {
        self.done(act).await.expect("it makes an identifier")
    }

    /// Does a command that must succeed.
    pub(crate) async fn done(&mut self, act: Act) -> Option<i64> {
        let manage = self.command(act);
        self.node.manage(manage, None).await.expect("the command is done")
    }

    /// Starts a command and does not wait for its result.
    pub(crate) fn begin(&mut self, act: Act) -> Started {
        let manage = self.command(act);
        let node = self.node.clone();
        tokio::spawn(async move { node.manage(manage, None).await })
    }

    /// The replies that have come, by token, once nothing more happens at this moment.
    pub(crate) async fn replies(&mut self) -> Vec<(u64, ReplyOutcome)> {
        settle().await;
        let mut came = Vec::new();
        while let Ok(reply) = self.replies.try_recv() {
            came.push((reply.token, reply.outcome));
        }
        came.sort_by_key(|(token, _)| *token);
        came
    }

    /// How many questions the tables were asked.
    pub(crate) fn questions(&self) -> u64 {
        self.journal.questions()
    }

    /// The tables answer no question from now on, or do again.
    pub(crate) fn tables_are_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// The tasks of the node, to be stopped.
    pub(crate) fn stopping(&mut self) -> Running {
        self.running.take().expect("a node is stopped once")
    }

    /// Why the node has to end, if it has to.
    pub(crate) fn fatal(&self) -> Option<Fatal> {
        self.running.as_ref().and_then(|running| running.fatal().borrow().clone())
    }

    /// What is held on an account, committed.
    pub(crate) async fn held(&self, balance: BalanceId) -> i64 {
        self.node.balance(balance).await.expect("the account is there").held.0
    }

    /// The records of a shard's journal, row by row.
    pub(crate) fn rows(&self, shard: ShardId) -> Vec<Vec<Record>> {
        let rows = self.journal.rows(shard);
        rows.iter().map(|row| row.decode().expect("a row can be read")).collect()
    }

    /// The events of a shard's journal from row `first` on.
    pub(crate) fn events_from(&self, shard: ShardId, first: usize) -> Vec<switch_domain::Event> {
        self.rows(shard).into_iter().skip(first).flatten().map(|record| record.event).collect()
    }

    /// The books of every shard balance.
    pub(crate) async fn audit(&self) {
        for shard in self.node.shards() {
            let faults = self.node.read(shard, switch_shard::State::books).await;
            assert_eq!(faults.expect("the shard runs"), [], "books of shard {shard}");
        }
    }
}

/// A command on its way.
pub(crate) type Started = tokio::task::JoinHandle<Result<Option<i64>, ManageError>>;

/// Lets every task run until all of them wait for something: only then does a paused clock move.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets this much time pass, and everything happen that falls due meanwhile.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
    settle().await;
}

pub(crate) fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("EUR is a currency")
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

/// A card that outlives the tests, whose clock is the wall's.
fn issue(balance: BalanceId) -> Act {
    Act::IssueCard {
        balance,
        vault: VaultRef { row: 1, version: 1 },
        expiry: Expiry::from_yymm(4912).expect("a month"),
        status: CardStatus::Active,
    }
}
