//! A node with a programme and one card, over a database whose journal has parts of three rows.

use std::path::Path;
use std::time::Duration;

use switch_domain::{
    Acquirer, Amount, AsciiText, BalanceId, Bin, BinRange, CardId, CardStatus, Channel, Currency,
    CustomerId, EntryMode, Expiry, Fingerprint, Funding, IdempotencyKey, LinkId, Merchant,
    MessageClass, MessageFacts, MessageKey, MinorUnits, OriginalReference, PartnerId, PoolId,
    PoolKind, ProgrammeId, VaultRef,
};
use switch_shard::{
    Act, Admission, ArchiveError, ArchiveOptions, ArchivedRange, AuditFrom, AuditReport, Authorize,
    Command, Increment, Manage, Node, ProjectionSettings, Reply, ReplyOutcome, ReplyTo, Reverse,
    Running, ShardSettings, Submission, TakeoverMode, archive, audit, start,
};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{SealedPan, Store, StoreOptions, fresh_owner};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Rows of a part.
pub(crate) const PART: u32 = 3;
pub(crate) const BIN: Bin = Bin(99_999_912);
pub(crate) const PRINT: Fingerprint = Fingerprint([7; 16]);

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) struct Serving {
    pub(crate) node: Node,
    running: Running,
    keys: u64,
    link: mpsc::UnboundedSender<Reply>,
    replies: mpsc::UnboundedReceiver<Reply>,
}

pub(crate) fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("listed")
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

pub(crate) fn settings() -> ShardSettings {
    let projection = ProjectionSettings {
        pace: Duration::from_millis(1),
        flush_interval: Duration::from_millis(10),
        ..ProjectionSettings::default()
    };
    ShardSettings { data_shards: 1, journal_part_rows: PART, projection, ..Default::default() }
}

impl World {
    /// A database without shards.
    pub(crate) async fn empty() -> Self {
        let database = fresh_database().await;
        let store = open(&database).await;
        store.migrate().await.expect("migrations");
        Self { database, store, directory: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) async fn new() -> Self {
        let world = Self::empty().await;
        world.run("INSERT INTO shard_group (group_id, shards) VALUES (0, 2)").await;
        // More than the tests fill: nothing makes parts ahead here.
        world
            .run(
                "SELECT make_journal_part(shard, piece * 3 - 1, 3)
                FROM generate_series(0, 1) AS shard, generate_series(1, 20) AS piece",
            )
            .await;
        world
    }

    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self.store.pool()).await.expect("statement");
    }

    pub(crate) async fn run_text(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(self.store.pool()).await.expect("statement");
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.store.pool()).await.expect("a count")
    }

    /// Serves; the first time with a card to be issued.
    pub(crate) async fn serve(&self) -> Serving {
        self.serve_with(settings()).await
    }

    pub(crate) async fn serve_with(&self, settings: ShardSettings) -> Serving {
        self.take_over(settings, TakeoverMode::RefuseIfOwned).await
    }

    /// The same, at once or by force over one that was killed.
    pub(crate) async fn take_over(&self, settings: ShardSettings, mode: TakeoverMode) -> Serving {
        let started = start(&self.store, settings, mode).await;
        let (node, running) = started.expect("a node");
        let (link, replies) = mpsc::unbounded_channel();
        Serving { node, running, keys: 0, link, replies }
    }

    pub(crate) fn options(&self) -> ArchiveOptions {
        ArchiveOptions {
            directory: self.directory.path().join("archive"),
            shard: None,
            up_to: None,
            keep_tables: false,
        }
    }

    pub(crate) async fn archive(&self) -> Result<Vec<ArchivedRange>, ArchiveError> {
        archive(&self.store, &self.options()).await
    }

    /// From the last snapshot, and from the first row through the archive.
    pub(crate) async fn audits(&self) -> [AuditReport; 2] {
        let directory = self.options().directory;
        let short = audit(&self.store, &AuditFrom::LastSnapshot(directory.clone())).await;
        let whole = audit(&self.store, &AuditFrom::Genesis(directory)).await;
        [short.expect("an audit"), whole.expect("an audit")]
    }

    pub(crate) async fn expect_balanced(&self) -> [AuditReport; 2] {
        let audits = self.audits().await;
        for report in &audits {
            assert_eq!(report.findings, [""; 0], "{report:?}");
        }
        audits
    }

    pub(crate) fn archived(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) async fn close(self) {
        self.store.pool().close().await;
        self.database.close().await;
    }
}

pub(crate) async fn open(database: &TestDatabase) -> Store {
    let connect = database.url().connect_options();
    let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 3 };
    Store::connect(options).await.expect("a connection")
}

/// A card, and the account that it spends from.
#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) card: CardId,
    pub(crate) balance: BalanceId,
}

impl Serving {
    async fn done(&mut self, act: Act) -> Option<i64> {
        self.keys += 1;
        let mut key = [0; 16];
        key[8..].copy_from_slice(&self.keys.to_be_bytes());
        self.done_as(IdempotencyKey(key), act, PRINT).await
    }

    /// A command under a key; `card` is the number of a card to be issued.
    pub(crate) async fn done_as(
        &self,
        key: IdempotencyKey,
        act: Act,
        card: Fingerprint,
    ) -> Option<i64> {
        let card = matches!(act, Act::IssueCard { .. }).then_some(card);
        let manage = Manage { key, actor: text("operator:7"), act };
        self.node.manage(manage, card).await.expect("the command is done")
    }

    async fn made(&mut self, act: Act) -> i64 {
        self.done(act).await.expect("it makes an identifier")
    }

    /// A partner with a deposit, a programme, and a card with money.
    pub(crate) async fn issue(&mut self, store: &Store) -> Holder {
        let partner = PartnerId(self.made(Act::DefinePartner { name: text("ACME") }).await);
        let kind = PoolKind::Deposit;
        let pool = PoolId(self.made(Act::OpenPool { partner, kind, currency: euro() }).await);
        let amount = MinorUnits(1_000_000);
        self.done(Act::ReloadPool { pool, amount, reference: text("TRANSFER") }).await;
        let programme = Act::DefineProgramme {
            partner,
            name: text("GOLD"),
            bins: BinRange { low: BIN, high: BIN, pan_length: 16 },
            currency: euro(),
            funding: Funding::Deposit(pool),
        };
        let programme = ProgrammeId(self.made(programme).await);
        let customer = CustomerId(1);
        let balance = BalanceId(self.made(Act::OpenBalance { programme, customer }).await);
        self.done(Act::CreditBalance { balance, amount, reference: text("TOP-UP") }).await;
        let vault = vault_row(store, PRINT).await;
        let expiry = Expiry::from_yymm(4912).expect("a month");
        let status = CardStatus::Active;
        let card = CardId(self.made(Act::IssueCard { balance, vault, expiry, status }).await);
        Holder { card, balance }
    }

    async fn send(&mut self, command: Command, token: u64) -> ReplyOutcome {
        self.send_for(PRINT, command, token).await
    }

    /// A message about the card with this number.
    pub(crate) async fn send_for(
        &mut self,
        card: Fingerprint,
        command: Command,
        token: u64,
    ) -> ReplyOutcome {
        self.hand_in(card, command, token, Duration::from_secs(60));
        self.reply().await.outcome
    }

    /// Hands a message in that is no more wanted after this long.
    pub(crate) fn hand_in(
        &self,
        card: Fingerprint,
        command: Command,
        token: u64,
        patience: Duration,
    ) {
        let reply = ReplyTo::new(self.link.clone(), token);
        let deadline = Instant::now() + patience;
        let submission = Submission { command: Box::new(command), card, deadline, reply };
        assert_eq!(self.node.submit(submission), Admission::Accepted);
    }

    /// The next reply to anything that was handed in.
    pub(crate) async fn reply(&mut self) -> Reply {
        self.replies.recv().await.expect("a reply")
    }

    /// A purchase, approved.
    pub(crate) async fn buy(&mut self, holder: Holder, stan: u32, minor: i64) {
        self.buy_at(holder, stan, minor, 5411).await;
    }

    /// The same at a merchant of this category.
    pub(crate) async fn buy_at(&mut self, holder: Holder, stan: u32, minor: i64, category: u16) {
        self.authorize(purchase(holder, stan, minor, category)).await;
    }

    /// An increment of an authorization, approved.
    pub(crate) async fn add(&mut self, holder: Holder, stan: u32, original: u32, minor: i64) {
        let request = purchase(holder, stan, minor, 5411);
        let reference = OriginalReference {
            key: key(MessageClass::AuthorizationRequest, original).as_original(),
            class: None,
            transmitted: 0,
            rrn: AsciiText::EMPTY,
            network_trace: Default::default(),
        };
        let increment = Increment { reference, named: true, replaces: false };
        self.authorize(Authorize { adds_to: Some(Box::new(increment)), ..request }).await;
    }

    async fn authorize(&mut self, request: Authorize) {
        let token = request.facts.key.stan;
        let outcome = self.send(Command::Authorize(request), token).await;
        let ReplyOutcome::Decided(decision) = outcome else { panic!("{outcome:?}") };
        assert!(decision.reason.is_approval(), "{decision:?}");
    }

    /// A reversal of a purchase.
    pub(crate) async fn reverse(&mut self, own: u32, original: u32) {
        let reverse = Reverse {
            link: LinkId(1),
            key: key(MessageClass::ReversalRequest, own),
            reference: OriginalReference {
                key: key(MessageClass::AuthorizationRequest, original).as_original(),
                class: None,
                transmitted: 0,
                rrn: AsciiText::EMPTY,
                network_trace: Default::default(),
            },
            standing: None,
            repeat: false,
        };
        let outcome = self.send(Command::Reverse(reverse), u64::from(own)).await;
        assert!(matches!(outcome, ReplyOutcome::Decided(_)), "{outcome:?}");
    }

    /// So many purchases of one cent each, one a row.
    pub(crate) async fn buy_many(&mut self, holder: Holder, stans: std::ops::Range<u32>) {
        for stan in stans {
            self.buy(holder, stan, 1).await;
        }
    }

    /// Whether a reply has come.
    pub(crate) fn has_reply(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Ends where it is, as the end of the process would.
    pub(crate) fn kill(self) {
        self.running.kill();
    }

    /// Stops, with everything projected and flushed to the head.
    pub(crate) async fn stop(self) {
        self.running.stop(Duration::from_secs(60)).await.expect("a clean stop");
    }
}

/// A number in the vault, by its keyed hash.
pub(crate) async fn vault_row(store: &Store, fingerprint: Fingerprint) -> VaultRef {
    let pan = SealedPan {
        fingerprint,
        key_id: "k1".into(),
        nonce: vec![1; 12],
        ciphertext: vec![1; 32],
        last_four: "0018".into(),
    };
    store.vault().insert_pan(&pan).await.expect("a free number")
}

pub(crate) fn purchase(holder: Holder, stan: u32, minor: i64, category: u16) -> Authorize {
    Authorize {
        link: LinkId(1),
        facts: MessageFacts {
            key: key(MessageClass::AuthorizationRequest, stan),
            transmitted: 0,
            channel: Channel::Pos,
            entry: EntryMode::Chip,
            kind: switch_domain::TransactionType::Purchase,
            merchant: Merchant { category, id: text("MERCHANT0000001") },
            country: None,
            network_trace: Default::default(),
        },
        bin: BIN,
        card: Some(holder.card),
        expiry: None,
        fault: None,
        amount: Amount { minor: MinorUnits(minor), currency: euro() },
        terms: Default::default(),
        repeat: false,
        network: None,
        adds_to: None,
        completes: None,
        evidence: None,
        blocked: false,
    }
}

fn key(class: MessageClass, stan: u32) -> MessageKey {
    key_of(PRINT, class, stan)
}

pub(crate) fn key_of(card: Fingerprint, class: MessageClass, stan: u32) -> MessageKey {
    MessageKey {
        acquirer: Acquirer::Institution(text("999001")),
        class,
        stan: stan.into(),
        local_time: 615_120_000,
        terminal: text("TERM0001"),
        rrn: AsciiText::EMPTY,
        card,
    }
}
