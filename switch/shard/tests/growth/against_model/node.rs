//! The node that is held against the model: set up as an operator would, and asked as links, the
//! management services and the sweep ask. It owns what memory must have after every arrival.

use switch_domain::{
    AsciiText, AuthorizationId, BalanceId, Bin, BinRange, CardId, CardStatus, ControlId,
    CustomerId, Expiry, Fingerprint, Funding, Hold, IdempotencyKey, LockCode, MinorUnits,
    PartnerId, PoolId, PoolKind, ProgrammeId, ShardId, Timestamp,
};
use switch_shard::{
    Act, Command, Decision, HoldEnd, Manage, Node, ReplyOutcome, ShardSettings, State, TakeoverMode,
};
use switch_store::Store;

use crate::reference::commands::{Asked, BIN, Holder, Names, euro};
use crate::reference::controls::{LIMITS, Limit, Over, Says};
use crate::reference::model::{Arrival, Key, Model};
use crate::reference::traffic;
use crate::world::{Serving, World, text, vault_row};

/// A node, while there is one, and the names of what the model has by number.
pub(crate) struct Subject {
    serving: Option<Serving>,
    pub(crate) names: Names,
    /// The model's, but for those that look at a clock: nobody here knows what it says.
    pub(crate) limits: Vec<Limit>,
    controls: Vec<ControlId>,
    /// One in each data shard that the model knows nothing of, with money of its own.
    pub(crate) bystanders: Vec<Holder>,
    store: Store,
    keys: u64,
    pub(crate) tokens: u64,
    pub(crate) voided: u32,
}

/// What was decided; `None` where nobody says.
pub(crate) fn found(outcome: ReplyOutcome) -> Option<Decision> {
    match outcome {
        ReplyOutcome::Decided(decision) => Some(decision),
        ReplyOutcome::Declined(_) | ReplyOutcome::Silent => None,
    }
}

/// The card of an arrival that is a message.
pub(crate) fn card_of(arrival: Arrival) -> usize {
    match arrival {
        Arrival::Request(ask) | Arrival::Advice(ask) => ask.key.card,
        Arrival::Reversal(undo) => undo.key.card,
        other => unreachable!("no message: {other:?}"),
    }
}

/// Whether what a control says depends on the time.
const fn looks_at_a_clock(limit: &Limit) -> bool {
    use Over::{Day, Hours, Week};
    let (Says::Amount(_, over) | Says::Count(_, over)) = limit.says else { return false };
    matches!(over, Day(_) | Week(_) | Hours(_))
}

/// The same message, marked as one that may have been sent before.
pub(crate) fn as_repeat(mut command: Command) -> Command {
    match &mut command {
        Command::Authorize(request) => request.repeat = true,
        Command::Advise(advice) => advice.request.repeat = true,
        Command::Reverse(request) => request.repeat = true,
        _ => {}
    }
    command
}

impl Subject {
    pub(crate) async fn new(
        world: &World,
        settings: ShardSettings,
        (each, deposit): (i64, i64),
    ) -> Self {
        let serving = world.serve_with(settings).await;
        let names = Names {
            holders: Vec::new(),
            pool: PoolId(0),
            programme: ProgrammeId(0),
            messages: Vec::new(),
        };
        let mut subject = Self {
            serving: Some(serving),
            names,
            limits: LIMITS.into_iter().filter(|limit| !looks_at_a_clock(limit)).collect(),
            controls: Vec::new(),
            bystanders: Vec::new(),
            store: world.store.clone(),
            keys: 0,
            tokens: 0,
            voided: 0,
        };
        let partner = Act::DefinePartner { name: text("ACME") };
        let partner = PartnerId(subject.made(partner).await);
        let (pool, programme) = subject.programme(partner, deposit, 0).await;
        subject.names.pool = pool;
        subject.names.programme = programme;
        for number in 1..=traffic::CARDS {
            let holder = subject.holder(programme, number, each).await;
            subject.names.holders.push(holder);
        }
        for limit in subject.limits.clone() {
            let terms = Box::new(subject.names.terms(&limit));
            let control = ControlId(subject.made(Act::DefineControl(terms)).await);
            subject.controls.push(control);
        }
        let (_, programme) = subject.programme(partner, 10_000_000, 1).await;
        for number in 1..=2 {
            let holder = subject.holder(programme, traffic::CARDS + number, 5_000_000).await;
            subject.bystanders.push(holder);
        }
        subject
    }

    /// A programme with a BIN and a deposit of its own.
    async fn programme(
        &mut self,
        partner: PartnerId,
        deposit: i64,
        number: u32,
    ) -> (PoolId, ProgrammeId) {
        let kind = PoolKind::Deposit;
        let pool = Act::OpenPool { partner, kind, currency: euro() };
        let pool = PoolId(self.made(pool).await);
        let (amount, reference) = (MinorUnits(deposit), text("TRANSFER"));
        self.done(Act::ReloadPool { pool, amount, reference }).await;
        let bin = Bin(BIN.0 + number);
        let programme = Act::DefineProgramme {
            partner,
            name: text("GOLD"),
            bins: BinRange { low: bin, high: bin, pan_length: 16 },
            currency: euro(),
            funding: Funding::Deposit(pool),
        };
        (pool, ProgrammeId(self.made(programme).await))
    }

    async fn holder(&mut self, programme: ProgrammeId, number: usize, money: i64) -> Holder {
        let customer = CustomerId(i64::try_from(number).expect("few"));
        let balance = BalanceId(self.made(Act::OpenBalance { programme, customer }).await);
        let (amount, reference) = (MinorUnits(money), text("TOP-UP"));
        self.done(Act::CreditBalance { balance, amount, reference }).await;
        let print = Fingerprint([u8::try_from(number).expect("few"); 16]);
        let vault = vault_row(&self.store, print).await;
        let expiry = Expiry::from_yymm(4912).expect("a month");
        let issue = Act::IssueCard { balance, vault, expiry, status: CardStatus::Active };
        let card = CardId(self.command(issue, Some(print)).await.expect("a card"));
        Holder { card, balance, print }
    }

    pub(crate) fn serving(&mut self) -> &mut Serving {
        self.serving.as_mut().expect("a node serves")
    }

    fn node(&self) -> &Node {
        &self.serving.as_ref().expect("a node serves").node
    }

    /// Accounts are opened in one data shard and the other by turns, by the key's first half.
    async fn command(&mut self, act: Act, card: Option<Fingerprint>) -> Option<i64> {
        self.keys += 1;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&(self.keys / 3 % 2).to_be_bytes());
        key[8..].copy_from_slice(&self.keys.to_be_bytes());
        let manage = Manage { key: IdempotencyKey(key), actor: AsciiText::EMPTY, act };
        match self.node().manage(manage, card).await {
            Ok(made) => made,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn done(&mut self, act: Act) {
        self.command(act, None).await;
    }

    async fn made(&mut self, act: Act) -> i64 {
        self.command(act, None).await.expect("it makes an identifier")
    }

    /// A message as who sends it would: as a repeat where it was answered before, or where memory
    /// may have let go what stands in its place. A request that is not marked is not looked up, so
    /// that a reversal which came before it and names it by the network's identifier alone is not
    /// found once memory has let it go: such requests are marked, too.
    pub(crate) fn marked(&self, model: &Model, arrival: Arrival) -> Command {
        let Asked::Message(command) = self.names.asked(arrival) else { unreachable!("a message") };
        let command = *command;
        let in_its_place = match arrival {
            Arrival::Request(ask) => {
                let there = model.there(ask.key.card, ask.key.stan, ask.key.terminal);
                there != "nothing" || model.is_awaited(ask)
            }
            _ => false,
        };
        let repeat = in_its_place || model.was_answered(arrival);
        if repeat { as_repeat(command) } else { command }
    }

    /// Whether it has to be looked up.
    pub(crate) async fn is_forgotten(&self, command: &Command, arrival: Arrival) -> bool {
        let (command, shard) = (command.clone(), self.shard_of(card_of(arrival)));
        let forgotten = move |state: &State| state.forgotten_by(&command).is_some();
        self.node().read(shard, forgotten).await.expect("the shard serves")
    }

    pub(crate) fn shard_of(&self, card: usize) -> ShardId {
        self.names.holders[card].balance.shard()
    }

    pub(crate) async fn send(&mut self, command: Command, arrival: Arrival) -> ReplyOutcome {
        self.tokens += 1;
        let (token, print) = (self.tokens, self.names.holders[card_of(arrival)].print);
        self.serving().send_for(print, command, token).await
    }

    /// The hold of an authorization lived its life.
    pub(crate) async fn expire(&self, id: AuthorizationId, key: Key, held: i64) {
        let shard = self.shard_of(key.card);
        let known = move |state: &State| state.authorization(id).and_then(Hold::of);
        let known = self.node().read(shard, known).await.expect("the shard serves");
        let hold = match known {
            Some(hold) => hold,
            None => self.hold_of_its_row(id, key).await,
        };
        let end = self.node().expire(hold).await;
        let expected =
            if held > 0 { HoldEnd::GivenBack(MinorUnits(held)) } else { HoldEnd::HeldNothing };
        assert_eq!(end, Some(expected), "{hold:?}");
    }

    /// What memory let go is in the tables.
    async fn hold_of_its_row(&self, id: AuthorizationId, key: Key) -> Hold {
        let row = sqlx::query_as(
            "SELECT (extract(epoch FROM decided_at) * 1000000)::int8, incremented
            FROM card_authorization WHERE id = $1",
        );
        let row: (i64, i64) = row.bind(id.0).fetch_one(self.store.pool()).await.expect("its row");
        Hold {
            authorization: id,
            balance: self.names.holders[key.card].balance,
            decided_at: Timestamp(row.0),
            original: self.names.message_key(key).as_original(),
            incremented: MinorUnits(row.1),
        }
    }

    /// Memory has what the model has.
    pub(crate) async fn expect_equal(&self, model: &Model, told: &str) {
        let (mut level, mut held) = (0, 0);
        let pool = self.names.pool;
        for shard in self.node().shards() {
            let look = move |state: &State| {
                let balances = state.balances().map(|one| (one.id, one.ledger.0, one.held.0));
                (state.share(pool), balances.collect::<Vec<_>>())
            };
            let (share, balances) = self.node().read(shard, look).await.expect("the shard serves");
            level += share.level.0;
            held += share.held.0;
            for (id, ledger, held) in balances {
                let number = self.names.holders.iter().position(|one| one.balance == id);
                let Some(number) = number else { continue };
                let expected = (model.accounts[number].ledger, model.held(number));
                assert_eq!((ledger, held), expected, "{told}, account {number}");
            }
        }
        assert_eq!((level, held), (model.deposit, model.deposit_held()), "{told}, deposit");
        assert_eq!(model.held_by_messages(), model.deposit_held(), "{told}");
    }

    /// What was used of each control is what the model adds up from its purchases.
    pub(crate) async fn expect_used(&self, model: &Model, told: &str) {
        let card = model.touched;
        let holders = self.limits.iter().map(|limit| self.names.holder(limit, card));
        let places: Vec<_> = self.controls.iter().copied().zip(holders).collect();
        let look = move |state: &State| -> Vec<_> {
            places.iter().map(|(id, holder)| state.usage(*id, *holder).cloned()).collect()
        };
        let found = self.node().read(self.shard_of(card), look).await.expect("the shard serves");
        for (number, (limit, usage)) in self.limits.iter().zip(found).enumerate() {
            let used = |at: usize| model.messages[at].used();
            let expected = model.controls.parts((number, card), &used).into_iter();
            let usage = usage.unwrap_or_default();
            let found = usage.parts().iter();
            let found = found.map(|(part, used)| (part.0, (used.amount.0, used.count)));
            let (found, expected) = (limit.comparable(found), limit.comparable(expected));
            assert_eq!(found, expected, "{told}, {} of card {card}", limit.name);
        }
    }

    /// What is held is what is open, and ledgers are what was posted, as far as memory goes.
    pub(crate) async fn expect_books(&self) {
        for shard in self.node().shards() {
            let faults = self.node().read(shard, State::books).await;
            assert_eq!(faults.expect("the shard serves"), []);
        }
        for (number, holder) in self.names.holders.iter().enumerate() {
            let card = self.node().card(holder.card).await.expect("a card");
            assert!(card.lock.is_none_or(|lock| lock == LockCode::SuspectedFraud), "{number}");
        }
    }

    pub(crate) async fn stop_node(&mut self) {
        self.serving.take().expect("a node serves").stop().await;
    }

    pub(crate) fn kill_node(&mut self) {
        self.serving.take().expect("a node serves").kill();
    }

    pub(crate) async fn start(&mut self, world: &World, of: ShardSettings, mode: TakeoverMode) {
        self.serving = Some(world.take_over(of, mode).await);
    }

    /// Stops for good: the names that were given, and how many approvals came too late.
    pub(crate) async fn stop(mut self) -> (Names, u32) {
        self.stop_node().await;
        (self.names, self.voided)
    }
}
