//! The service over a world, with a sender that does as it is told.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use admin_api::kyc::{KycState, Mover, Moving};
use admin_api::webhooks::{
    Endpoint, EndpointUrl, Feeder, LookedUp, Message, NewEndpoint, Outcome, Outgoing, Resolver,
    Runner, Said, Sending, WebhookKeyFile, WebhookSecret, WebhookSender, WebhookSettings, Webhooks,
};
use switch_domain::{PartnerId, Timestamp};
use switch_security::{Component, LocalMasterKey, LocalMasterKeys};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::world::{World, at, key, moving};

/// Answers every name with a public address, but those that begin with `inside`.
pub(super) struct Names;

impl Resolver for Names {
    fn look_up<'a>(&'a self, name: &'a str) -> LookedUp<'a> {
        let address = if name.starts_with("inside") { "10.0.0.1" } else { "192.0.3.1" };
        let found: IpAddr = address.parse().expect("an address");
        Box::pin(async move { Ok(vec![found]) })
    }
}

/// What was sent where: the path, and the message.
pub(super) type Sent = (String, Outgoing);

/// A sender that keeps what it is to send, and says what it was told to.
#[derive(Default)]
pub(super) struct Scripted {
    sent: Mutex<Vec<Sent>>,
    /// By path: what is said next; then it is delivered.
    says: Mutex<HashMap<String, VecDeque<Said>>>,
    /// Paths that hang until they are let go.
    hangs: Mutex<Vec<String>>,
    let_go: Notify,
}

impl Scripted {
    pub(super) fn says(&self, path: &str, said: impl IntoIterator<Item = Said>) {
        self.says.lock().expect("sound").entry(path.to_owned()).or_default().extend(said);
    }

    pub(super) fn hangs(&self, path: &str) {
        self.hangs.lock().expect("sound").push(path.to_owned());
    }

    pub(super) fn let_go(&self) {
        self.hangs.lock().expect("sound").clear();
        self.let_go.notify_waiters();
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("sound").clone()
    }

    /// What was sent to a path: member `member` of each body.
    pub(super) fn told(&self, path: &str, member: &str) -> Vec<String> {
        let sent = self.sent();
        let of = sent.iter().filter(|(to, _)| to == path);
        of.map(|(_, message)| {
            let body: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
            let found = body.pointer(member).unwrap_or(&serde_json::Value::Null);
            found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned)
        })
        .collect()
    }
}

impl WebhookSender for Scripted {
    fn send<'a>(&'a self, url: &'a EndpointUrl, message: Outgoing) -> Sending<'a> {
        let path = url.path().to_owned();
        self.sent.lock().expect("sound").push((path.clone(), message));
        Box::pin(async move {
            loop {
                let waits = self.let_go.notified();
                if !self.hangs.lock().expect("sound").contains(&path) {
                    break;
                }
                waits.await;
            }
            let next =
                self.says.lock().expect("sound").get_mut(&path).and_then(VecDeque::pop_front);
            next.unwrap_or_else(|| said(204))
        })
    }
}

/// An answer with this status.
pub(super) fn said(status: u16) -> Said {
    let outcome = match status {
        200..=299 => Outcome::Delivered,
        300..=399 => Outcome::Redirect,
        410 => Outcome::Gone,
        _ => Outcome::Status,
    };
    Said { outcome, status: Some(status), retry_after: None, answer: format!("said {status}") }
}

pub(super) struct Hooks {
    pub(super) world: World,
    pub(super) webhooks: Webhooks,
    pub(super) sender: Arc<Scripted>,
    pub(super) runner: Runner,
    pub(super) feeder: Feeder,
    _folder: tempfile::TempDir,
}

impl Hooks {
    pub(super) async fn new() -> Self {
        Self::with(WebhookSettings::default()).await
    }

    pub(super) async fn with(settings: WebhookSettings) -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().expect("a directory");
        let webhooks = serve(&world, &folder, settings);
        let sender = Arc::new(Scripted::default());
        let runner = Runner::new(webhooks.clone(), Arc::clone(&sender) as _);
        let feeder = Feeder::new(webhooks.clone());
        Self { world, webhooks, sender, runner, feeder, _folder: folder }
    }

    /// As after a restart: nothing of what was under way is known.
    pub(super) async fn restarts(&mut self) {
        self.runner = self.another();
        self.until_nothing_is_claimed().await;
    }

    /// The runner of another switch over the same database.
    pub(super) fn another(&self) -> Runner {
        Runner::new(self.webhooks.clone(), Arc::clone(&self.sender) as _)
    }

    /// Returns when the database knows that those who held something are gone.
    pub(super) async fn until_nothing_is_claimed(&self) {
        let held = "SELECT count(*) FROM pg_locks JOIN webhook_endpoint AS e
            ON (classid::int8 << 32 | objid::int8)
                = hashtextextended('cardswitch webhook ' || e.id, 0)
            WHERE locktype = 'advisory'";
        while self.world.count(held).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Registers an endpoint of a partner.
    pub(super) async fn registers(
        &self,
        partner: PartnerId,
        path: &str,
        kinds: &[&str],
    ) -> (Endpoint, WebhookSecret) {
        self.registers_at(partner, (path, 0), kinds).await
    }

    /// The same so long after the beginning.
    pub(super) async fn registers_at(
        &self,
        partner: PartnerId,
        (path, seconds): (&str, i64),
        kinds: &[&str],
    ) -> (Endpoint, WebhookSecret) {
        let url = format!("https://hooks.example{path}");
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        let new = NewEndpoint { url: &url, description: "", kinds: &kinds };
        let under = (key(&format!("{} {path}", partner.0)), at(seconds));
        self.webhooks.register(partner, new, under).await.expect("registered")
    }

    /// Something happens to a customer of the first tenant: one message.
    pub(super) async fn moves(&self, customer: Uuid, seconds: i64) {
        let users = &self.world.users;
        let now = users.customer(self.world.one.partner, customer).await.expect("a customer").kyc;
        let to = match now {
            KycState::Verified => KycState::Revoked,
            KycState::Pending => KycState::Verified,
            _ => KycState::Pending,
        };
        let moving = Moving { now: at(seconds), ..moving(to, Mover::Partner) };
        users.move_kyc(self.world.one.partner, customer, moving).await.expect("moved");
    }

    /// Sends whatever is due, and waits for all of it; how many were sent.
    pub(super) async fn runs(&mut self, now: Timestamp) -> usize {
        let mut sent = 0;
        loop {
            sent += self.runner.begin(now).await.expect("begun");
            if !self.runner.end_one(now).await {
                return sent;
            }
        }
    }

    /// Makes messages of all that the journal has.
    pub(super) async fn feeds(&self, now: Timestamp) -> u64 {
        let mut made = 0;
        loop {
            let fed = self.feeder.step(now).await.expect("fed");
            if fed.rows == 0 {
                return made;
            }
            made += fed.messages;
        }
    }

    /// The messages of an endpoint of the first tenant, the oldest first.
    pub(super) async fn messages(&self, endpoint: &Endpoint) -> Vec<Message> {
        let of = (endpoint.partner, endpoint.public_id);
        let mut all = self.webhooks.messages(of, None, (None, 200)).await.expect("messages");
        all.reverse();
        all
    }

    /// How far they are.
    pub(super) async fn states(&self, endpoint: &Endpoint) -> Vec<(&'static str, i32)> {
        let all = self.messages(endpoint).await;
        all.iter().map(|message| (message.state.name(), message.attempts)).collect()
    }
}

pub(super) fn serve(
    world: &World,
    folder: &tempfile::TempDir,
    settings: WebhookSettings,
) -> Webhooks {
    let components: Vec<_> =
        ["a.lmk", "b.lmk"].iter().map(|name| folder.path().join(name)).collect();
    for path in &components {
        Component::generate().expect("random").save(path).expect("saved");
    }
    let masters = LocalMasterKeys::new(LocalMasterKey::load(&components).expect("a key"));
    let file = WebhookKeyFile::new(folder.path().join("webhooks.key"));
    let seal = file.load_or_make(&masters).expect("a key");
    Webhooks::new(world.services.clone(), settings, seal, Arc::new(Names))
}
