//! Cards whose numbers another processor makes: one that refuses, is away, gives the same number
//! twice or one that cannot be; and cards that are asked for and not waited for. Whatever it does,
//! an order is one card or none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin_api::cards::processor::{
    CardOrder, InProcess, MadeCard, NewPin, Pending, Processor, ProcessorFault, Told,
};
use admin_api::cards::{
    By, CardModule, CardSettings, Cards, Channel, Holder, JobSettings, JobState, KeyNames,
    NewReplacement, NewVirtual, OwnedCard, Processors, SetBy, ShownLock,
};
use admin_api::programmes::SaidProgramme;
use switch_domain::{AsciiText, Expiry, KeyLabel, LockCode, Pan, Timestamp};
use switch_security::{KeyHandle, KeyUsage, PanKeys, SoftwareModule};
use uuid::Uuid;

use crate::world::{NOW, World, key, text};

/// What it does with the next order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    Makes,
    Refuses,
    IsAway,
    /// Of another range.
    Strange,
    /// Without a check digit.
    Broken,
    /// Of another month than was asked for.
    OtherMonth,
}

/// A processor that remembers its orders.
pub(crate) struct Far {
    conduct: Mutex<Conduct>,
    made: Mutex<BTreeMap<Uuid, Vec<u8>>>,
    told: AtomicUsize,
    turn: Mutex<i64>,
}

impl Far {
    fn new() -> Arc<Self> {
        let (conduct, made) = (Mutex::new(Conduct::Makes), Mutex::default());
        Arc::new(Self { conduct, made, told: AtomicUsize::new(0), turn: Mutex::new(0) })
    }

    pub(crate) fn does(&self, conduct: Conduct) {
        *self.conduct.lock().expect("no panic") = conduct;
    }

    /// It is told one thing after the other, by the name that it gave.
    fn tells(&self, told: Told) -> Pending<'_, ()> {
        let before = std::mem::replace(&mut *self.turn.lock().expect("no panic"), told.turn);
        assert!(told.turn > before && told.card.as_str() == "far-1", "{told:?} after {before}");
        let away = *self.conduct.lock().expect("no panic") == Conduct::IsAway;
        self.told.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { if away { Err(ProcessorFault::Unavailable) } else { Ok(()) } })
    }
}

fn number(payload: &str) -> Vec<u8> {
    let mut digits = payload.as_bytes().to_vec();
    digits.push(Pan::check_digit(payload.as_bytes()));
    digits
}

impl Processor for Far {
    fn gives_again(&self) -> bool {
        true
    }

    fn pin_key(&self) -> Option<&KeyLabel> {
        None
    }

    fn create<'a>(&'a self, order: &'a CardOrder) -> Pending<'a, MadeCard> {
        let conduct = *self.conduct.lock().expect("no panic");
        let mut made = self.made.lock().expect("no panic");
        let next = made.len();
        let digits = match conduct {
            Conduct::Makes | Conduct::OtherMonth => made
                .entry(order.reference)
                .or_insert_with(|| number(&format!("99999912{next:07}")))
                .clone(),
            Conduct::Strange => number("999999880000001"),
            Conduct::Broken => b"9999991200000011".to_vec(),
            Conduct::Refuses => return Box::pin(async { Err(ProcessorFault::Refused) }),
            Conduct::IsAway => return Box::pin(async { Err(ProcessorFault::Unavailable) }),
        };
        let other = Expiry::from_yymm(3507).expect("a month");
        let expiry = if conduct == Conduct::OtherMonth { other } else { order.expiry };
        Box::pin(async move {
            let pan = Pan::from_digits(&digits).expect("digits");
            let reference = AsciiText::new(b"far-1").expect("short");
            Ok(MadeCard { reference, pan, expiry })
        })
    }

    fn activate(&self, told: Told) -> Pending<'_, ()> {
        self.tells(told)
    }

    fn renew(&self, told: Told, _: Expiry) -> Pending<'_, ()> {
        self.tells(told)
    }

    fn change_pin<'a>(&'a self, told: Told, _: &'a NewPin<'a>) -> Pending<'a, ()> {
        self.tells(told)
    }

    fn stop(&self, told: Told, _: LockCode) -> Pending<'_, ()> {
        self.tells(told)
    }

    fn unstop(&self, told: Told) -> Pending<'_, ()> {
        self.tells(told)
    }

    fn retire(&self, told: Told) -> Pending<'_, ()> {
        self.tells(told)
    }
}

struct NoKeys;

impl KeyNames for NoKeys {
    fn key(&self, _: &str, _: KeyUsage) -> Option<KeyHandle> {
        None
    }
}

/// Somebody with an account whose cards are made far away.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) far: Arc<Far>,
    pub(crate) cards: Cards,
    pub(crate) holder: Holder,
    balance: Uuid,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::with(JobSettings::default()).await
    }

    async fn with(jobs: JobSettings) -> Self {
        let world = World::new().await;
        let far = Far::new();
        let keys = PanKeys::generate().expect("keys");
        let module = Arc::new(SoftwareModule::new(&keys).expect("a module"));
        let others: [(String, Arc<dyn Processor>); 1] = [("far".to_owned(), far.clone())];
        let processors = Processors::new(InProcess::new(module.clone()), others);
        let module = CardModule { module, keys: Arc::new(NoKeys) };
        let jobs = JobSettings { pause: Duration::from_secs(1), ..jobs };
        let settings = CardSettings { most: 3, jobs, ..CardSettings::default() };
        let over = (world.services.clone(), world.users.clone());
        let cards = Cards::new(over, module, processors, settings);
        let chosen = "INSERT INTO programme_processor VALUES ($1, 'far', now(), 'test')";
        let chosen = sqlx::query(chosen).bind(world.one.programme.0);
        chosen.execute(world.store.pool()).await.expect("chosen");
        let customer = world.verified("u-1").await;
        let (partner, programme) = (world.one.partner, world.one.programme);
        let opened = world.users.open_balance_for(
            partner,
            customer,
            programme,
            key("open"),
            text("operator:1"),
        );
        let balance = opened.await.expect("an account").public_id;
        let holder = Holder { partner, customer };
        Self { world, far, cards, holder, balance }
    }

    pub(crate) fn wanted(&self) -> NewVirtual {
        NewVirtual {
            balance: self.balance,
            programme: SaidProgramme::default(),
            currency: None,
            holder_name: Some("ANA RUIZ".to_owned()),
            reference: None,
        }
    }

    pub(crate) async fn issue(&self, name: &str) -> Result<i64, &'static str> {
        let made = self.cards.issue_virtual(self.holder, &self.wanted(), by(name, NOW)).await;
        made.map(|owned| owned.card.id.0).map_err(|problem| problem.code)
    }

    /// As if its maker had died before it noted that there is a card.
    async fn cut_off(&self, name: &str) -> Uuid {
        let order = Uuid::from_bytes(key(name).0);
        let cut = "UPDATE card_profile SET card_id = NULL, made_at = NULL WHERE order_id = $1";
        let cut = sqlx::query(cut).bind(order).execute(self.world.store.pool());
        cut.await.expect("cut off");
        order
    }

    async fn owned(&self, card: i64) -> OwnedCard {
        self.cards.of_holder(self.holder, &card.to_string()).await.expect("it is")
    }

    async fn orders(&self) -> i64 {
        self.world.count("SELECT count(*) FROM card_profile").await
    }
}

pub(crate) fn by(name: &str, now: Timestamp) -> By {
    By { key: key(name), actor: text("operator:1"), now }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_processor_does_an_order_is_one_card_or_none() {
    let stage = Stage::start().await;
    for conduct in [Conduct::Refuses, Conduct::Strange, Conduct::Broken] {
        stage.far.does(conduct);
        assert_eq!(stage.issue("refused").await, Err("PROCESSOR_REFUSED"), "{conduct:?}");
        assert_eq!(stage.orders().await, 0, "{conduct:?}: a refusal takes the order away");
    }
    stage.far.does(Conduct::IsAway);
    assert_eq!(stage.issue("first").await, Err("PROCESSOR_UNAVAILABLE"));
    assert_eq!(stage.orders().await, 1, "it may be asked again");
    stage.far.does(Conduct::Makes);
    let first = stage.issue("first").await.expect("a card");
    assert_eq!(stage.issue("first").await, Ok(first), "and is the same card");
    // Two at once, to which the processor gives one number.
    let both = tokio::join!(stage.issue("twice"), stage.issue("twice"));
    let second = both.0.or(both.1).expect("a card");
    assert_eq!(stage.issue("twice").await, Ok(second));
    assert_ne!(first, second);
    assert_eq!(stage.far.made.lock().expect("no panic").len(), 2, "of the processor's two");
    // A number that is another order's is refused, and so is one that a card has.
    let of_first = stage.far.made.lock().expect("no panic").values().next().cloned();
    let order = Uuid::from_bytes(key("thief").0);
    stage.far.made.lock().expect("no panic").insert(order, of_first.expect("a number"));
    assert_eq!(stage.issue("thief").await, Err("PROCESSOR_REFUSED"));
    stage.far.made.lock().expect("no panic").remove(&order);
    let rows = "SELECT count(*) FROM pan_vault";
    assert_eq!(stage.world.count(rows).await, 2, "no number lies about");
    // As many as an account may have; one that is removed makes room.
    let third = stage.issue("third").await.expect("a card");
    assert_eq!(stage.issue("fourth").await, Err("EXHAUSTED"));
    let owned = stage.cards.of_holder(stage.holder, &first.to_string()).await.expect("it is");
    stage.cards.remove(&owned, by("remove", NOW)).await.expect("removed");
    stage.issue("fourth").await.expect("there is room");

    // A lock holds here though the processor is away, and is told later, or when it is asked again.
    let owned = stage.cards.of_holder(stage.holder, &second.to_string()).await.expect("it is");
    stage.far.does(Conduct::IsAway);
    let lock =
        |name| stage.cards.lock(&owned, Channel::User, LockCode::PendingQuery, by(name, NOW));
    lock("one").await.expect("it is in force");
    let is_locked =
        async || stage.world.services.node().card(owned.card.id).await.expect("it is").lock;
    assert_eq!(is_locked().await, Some(LockCode::PendingQuery));
    let unlocked = stage.cards.unlock(&owned, Channel::User, by("early", NOW)).await;
    assert_eq!(unlocked.expect_err("away").code, "PROCESSOR_UNAVAILABLE");
    assert_eq!(is_locked().await, Some(LockCode::PendingQuery), "not before the processor");
    stage.far.does(Conduct::Makes);
    let before = stage.far.told.load(Ordering::Relaxed);
    lock("two").await.expect("told");
    assert_eq!(stage.far.told.load(Ordering::Relaxed), before + 1);
    stage.cards.unlock(&owned, Channel::User, by("unlock", NOW)).await.expect("lifted");
    assert_eq!(is_locked().await, None);

    // An order that was cut off before it was noted what it came to: the same number is the same
    // card, and another one than it was given before is taken for nothing.
    let order = stage.cut_off("twice").await;
    assert_eq!(stage.issue("twice").await, Ok(second), "the same card");
    stage.cut_off("twice").await;
    stage.far.made.lock().expect("no panic").insert(order, number("999999120000077"));
    assert_eq!(stage.issue("twice").await, Ok(second), "an earlier try has made it");
    assert_eq!(stage.world.count(rows).await, 4, "and the number is kept nowhere");
    // A try that the shard refuses takes no number from the card that an earlier one made, which
    // is the answer.
    stage.cut_off("third").await;
    stage.far.does(Conduct::OtherMonth);
    assert_eq!(stage.issue("third").await, Ok(third));
    assert_eq!(stage.world.count(rows).await, 4, "the card keeps its number");
    stage.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_stays_with_the_processor_that_it_was_given_to() {
    let stage = Stage::start().await;
    stage.far.does(Conduct::IsAway);
    assert_eq!(stage.issue("one").await, Err("PROCESSOR_UNAVAILABLE"));
    let gone = sqlx::query("DELETE FROM programme_processor").execute(stage.world.store.pool());
    gone.await.expect("chosen anew");
    assert_eq!(stage.issue("one").await, Err("PROCESSOR_UNAVAILABLE"), "asked where it was");
    stage.far.does(Conduct::Makes);
    stage.issue("one").await.expect("a card");
    stage.issue("two").await.expect("a card");
    let far = "SELECT count(*) FROM card_profile WHERE processor = 'far'";
    assert_eq!(stage.world.count(far).await, 1, "new ones are the switch's own");
    assert_eq!(stage.far.made.lock().expect("no panic").len(), 1);
    stage.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_order_was_cut_off_is_its_processors_and_is_noted() {
    let stage = Stage::start().await;
    let card = stage.issue("one").await.expect("a card");
    stage.cut_off("one").await;
    let told = || stage.far.told.load(Ordering::Relaxed);
    let owned = stage.owned(card).await;
    let lock = stage.cards.lock(&owned, Channel::User, LockCode::PendingQuery, by("lock", NOW));
    lock.await.expect("locked");
    assert_eq!(told(), 1, "whoever makes it is told of it");
    stage.far.does(Conduct::IsAway);
    assert_eq!(stage.issue("nothing").await, Err("PROCESSOR_UNAVAILABLE"));
    stage.cards.settle_lost(NOW).await.expect("settled");
    assert_eq!(stage.orders().await, 3, "whoever asked may come again");
    stage.cards.settle_lost(later(86_401)).await.expect("settled");
    assert_eq!(stage.orders().await, 1, "nothing is left of what came to nothing");
    let noted = "SELECT count(*) FROM card_profile WHERE processor = 'far' AND card_id IS NOT NULL";
    assert_eq!(stage.world.count(noted).await, 1);
    let shown = stage.cards.shown(&stage.owned(card).await).await.expect("a card");
    let set_by = SetBy::Channel(Channel::User);
    assert_eq!(shown.lock, Some(ShownLock { code: LockCode::PendingQuery, set_by }));
    // One that came in another's place is noted when that is locked for good.
    stage.far.does(Conduct::Makes);
    let old = stage.owned(stage.issue("old").await.expect("a card")).await;
    stage.far.does(Conduct::IsAway);
    let (with, new) = ((stage.holder, Channel::Partner), NewReplacement::default());
    let replaced = stage.cards.replace(with, &old, &new, by("new", NOW)).await;
    assert_eq!(replaced.expect_err("away").code, "PROCESSOR_UNAVAILABLE");
    stage.far.does(Conduct::Makes);
    let new = stage.issue("new").await.expect("a card");
    stage.cut_off("new").await;
    stage.cards.settle_lost(later(86_401)).await.expect("settled");
    assert_eq!(stage.owned(old.card.id.0).await.card.lock, Some(LockCode::Replaced));
    assert_eq!(told(), 2, "as its processor knows");
    let shown = stage.cards.shown(&stage.owned(new).await).await.expect("a card");
    assert_eq!(shown.replaces, Some(old.card.id));
    stage.world.close().await;
}

// covers: SR-162
#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_tried_until_it_is_done_or_its_time_is_over() {
    let stage = Stage::start().await;
    let order = async |name: &str| {
        let job = stage.cards.order_virtual(stage.holder, &stage.wanted(), by(name, NOW)).await;
        job.expect("taken")
    };
    let state = async |job| stage.cards.job(stage.holder, job).await.expect("a job");
    stage.far.does(Conduct::IsAway);
    let (first, second) = (order("first").await, order("second").await);
    assert_eq!(order("first").await, first, "the same order");
    assert_eq!(stage.cards.step(NOW).await, Ok(2));
    assert_eq!(state(first).await, JobState::Waiting);
    assert_eq!(stage.cards.step(NOW).await, Ok(0), "not before its pause is over");
    stage.far.does(Conduct::Makes);
    assert_eq!(stage.cards.step(later(2)).await, Ok(2));
    let JobState::Done(card) = state(first).await else { panic!("{:?}", state(first).await) };
    let owned = stage.cards.of_holder(stage.holder, &card.0.to_string()).await.expect("it is");
    let shown = stage.cards.shown(&owned).await.expect("a card");
    assert_eq!((shown.holder_name.as_deref(), shown.last_four.len()), (Some("ANA RUIZ"), 4));
    assert!(matches!(state(second).await, JobState::Done(other) if other != card));
    assert_eq!(stage.cards.step(later(60)).await, Ok(0), "each is made once");

    stage.far.does(Conduct::Refuses);
    let refused = order("third").await;
    stage.cards.step(later(60)).await.expect("tried");
    assert_eq!(state(refused).await, JobState::Failed("PROCESSOR_REFUSED".into()));
    assert_eq!(stage.orders().await, 2, "and takes no place");
    stage.far.does(Conduct::IsAway);
    let late = order("fourth").await;
    stage.cards.step(later(3 * 86_400)).await.expect("tried");
    assert_eq!(state(late).await, JobState::Failed("PROCESSOR_UNAVAILABLE".into()));
    // Another customer's is not there.
    let other = Holder { customer: stage.world.verified("u-2").await, ..stage.holder };
    assert_eq!(stage.cards.job(other, first).await.expect_err("theirs").code, "NOT_FOUND");
    stage.world.close().await;
}

/// Of what waits to be made one partner has half at most.
#[tokio::test(flavor = "multi_thread")]
async fn one_partner_does_not_take_all_the_room_for_cards_that_wait() {
    let stage = Stage::with(JobSettings { waiting_most: 2, ..JobSettings::default() }).await;
    let order = async |name: &str| {
        let job = stage.cards.order_virtual(stage.holder, &stage.wanted(), by(name, NOW)).await;
        job.map_err(|problem| problem.code)
    };
    let first = order("first").await.expect("taken");
    assert_eq!(order("second").await, Err("OVERLOADED"));
    assert_eq!(order("first").await, Ok(first), "the same order is no other");
    assert_eq!(stage.cards.step(NOW).await, Ok(1));
    order("second").await.expect("there is room");
    stage.world.close().await;
}
