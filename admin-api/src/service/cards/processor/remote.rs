//! A processor elsewhere, over HTTPS (docs/processors.md): one POST a question, each under our
//! reference. It owns that questions go to the one address that is configured, with our
//! certificate, never after a redirect; how long and how many at a time; and what is taken for a
//! refusal. Everything else that comes back, or does not, is no answer: it may be asked again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use switch_domain::{Expiry, KeyLabel, LockCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use uuid::Uuid;

use super::answer::{self, ANSWER_MOST, BadAnswer};
use super::breaker::Breaker;
use super::question::{self, Ask};
use super::{CardOrder, MadeCard, NewPin, Pending, Processor, ProcessorFault, Told};
use crate::http::now;
use crate::jwe::{
    InvalidPlatformKey, KeyRules, OpenPolicy, Openable, PlatformKey, PlatformKeys, PublishedKey,
    RsaBits,
};
use crate::kyc::ProviderUrl;
use crate::tls::{Asking, TlsFault, digest_of, https, words_of};

const CALLS: &str = "cardswitch_processor_calls_total";
const SECONDS: &str = "cardswitch_processor_seconds";
const OPEN: &str = "cardswitch_processor_given_a_rest";

/// How a processor is reached.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// Where; the name of what is asked for comes behind it.
    pub url: ProviderUrl,
    /// Whom its certificate must come from.
    pub ca: PathBuf,
    /// What is shown to it: a certificate, and its key.
    pub own: (PathBuf, PathBuf),
    /// For a connection: its name looked up, and TCP.
    pub connect: Duration,
    /// For an answer, the connection included.
    pub patience: Duration,
    /// Questions at a time; one more is not asked.
    pub at_once: usize,
    /// Connections that are kept open without a question.
    pub idle_connections: usize,
    /// For so long.
    pub idle: Duration,
    /// Questions without an answer in a row; then it is asked no more,
    pub failures: u32,
    /// for so long.
    pub rest: Duration,
    /// The zone PIN key that is shared with it; empty: it takes no PINs.
    pub pin_key: KeyLabel,
}

/// Why a processor cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoProcessor {
    /// Its certificates, or ours.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The key that it encrypts to.
    #[error("the key for answers: {0}")]
    Key(#[from] InvalidPlatformKey),
}

/// A processor elsewhere.
pub struct RemoteProcessor {
    name: String,
    settings: RemoteSettings,
    /// What numbers are encrypted to: made with each start, and in memory alone.
    keys: PlatformKeys,
    published: PublishedKey,
    way: RwLock<Arc<Way>>,
    places: Semaphore,
    breaker: Mutex<Breaker>,
}

/// How it is reached, by what the files were.
struct Way {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    files: [u8; 32],
}

/// Why a question has no answer that can be used.
enum Fault {
    /// It will not, for this reason.
    Refused(String),
    /// As many questions are on their way as may be.
    Busy,
    /// It failed too often, and is given a rest.
    Resting,
    /// It did not answer in time.
    Late,
    /// It cannot be reached, or ended the connection.
    Unreached(String),
    /// Another status than 200, and no refusal.
    Status(u16),
    /// What it said is no answer.
    Bad(BadAnswer),
    /// Ours: the question was not made.
    Unasked,
}

impl RemoteProcessor {
    /// Reads the files and makes a key; a connection is made when something is to be asked. Blocks,
    /// up to seconds.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(name: &str, settings: RemoteSettings) -> Result<Self, NoProcessor> {
        describe();
        let way = Way::new(&settings, digest(&settings)?)?;
        let key = PlatformKey::generate(RsaBits::Bits3072, &KeyRules::default())?;
        let published = PublishedKey::of(&key);
        gauge!(OPEN, "processor" => name.to_owned()).set(0.0);
        Ok(Self {
            name: name.to_owned(),
            keys: PlatformKeys::new(key),
            published,
            way: RwLock::new(Arc::new(way)),
            places: Semaphore::new(settings.at_once.min(Semaphore::MAX_PERMITS)),
            breaker: Mutex::new(Breaker::new(settings.failures, settings.rest)),
            settings,
        })
    }

    /// Reads the files again, and uses what is new for the questions to come; whether anything is.
    /// What cannot be used changes nothing. Blocks.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn reload(&self) -> Result<bool, NoProcessor> {
        let files = digest(&self.settings)?;
        if self.way().files == files {
            return Ok(false);
        }
        let way = Arc::new(Way::new(&self.settings, files)?);
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = way;
        Ok(true)
    }

    /// As the configuration calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn way(&self) -> Arc<Way> {
        Arc::clone(&self.way.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place among the questions that are on their way. An order waits for one; who is told of a
    /// card holds its row meanwhile, and does not.
    async fn place(&self, ask: Ask) -> Option<SemaphorePermit<'_>> {
        match ask {
            Ask::Create => {
                let waiting = tokio::time::timeout(self.settings.patience, self.places.acquire());
                waiting.await.ok()?.ok()
            }
            _ => self.places.try_acquire().ok(),
        }
    }

    /// Does what asks, where it may be asked now and in its time, and counts what comes of it.
    async fn within_limits<T>(
        &self,
        (ask, reference): (Ask, Uuid),
        asking: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, ProcessorFault> {
        let began = Instant::now();
        let answer = match self.place(ask).await {
            None => Err(Fault::Busy),
            Some(_) if !self.breaker().admits(Instant::now()) => Err(Fault::Resting),
            Some(_place) => {
                let within = tokio::time::timeout(self.settings.patience, asking).await;
                let answer = within.unwrap_or(Err(Fault::Late));
                let is_alive = matches!(answer, Ok(_) | Err(Fault::Refused(_) | Fault::Unasked));
                self.note(is_alive);
                histogram!(SECONDS, "processor" => self.name.clone()).record(began.elapsed());
                answer
            }
        };
        let outcome = answer.as_ref().map_or_else(Fault::name, |_| "done");
        let (processor, call) = (self.name.clone(), ask.name());
        counter!(CALLS, "processor" => processor, "call" => call, "outcome" => outcome)
            .increment(1);
        answer.map_err(|fault| {
            let (processor, said) = (&self.name, fault.said());
            tracing::warn!(processor, call, %reference, outcome, said, "a processor did not do it");
            match fault {
                Fault::Refused(_) => ProcessorFault::Refused,
                _ => ProcessorFault::Unavailable,
            }
        })
    }

    /// Whether it answers.
    fn note(&self, is_alive: bool) {
        let now = Instant::now();
        let (processor, rest) = (self.name.clone(), self.settings.rest);
        if is_alive {
            if self.breaker().answered() {
                gauge!(OPEN, "processor" => processor.clone()).set(0.0);
                tracing::info!(processor, "the processor answers again");
            }
        } else if self.breaker().failed(now) {
            gauge!(OPEN, "processor" => processor.clone()).set(1.0);
            tracing::warn!(processor, ?rest, "the processor is asked no more for a while");
        }
    }

    /// Asks once; the answer as it came.
    async fn ask(
        &self,
        (ask, reference): (Ask, Uuid),
        question: Option<Bytes>,
    ) -> Result<Bytes, Fault> {
        let json = HeaderValue::from_static("application/json");
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.settings.url.below(ask.name()).ok_or(Fault::Unasked)?)
            .header(header::CONTENT_TYPE, json.clone())
            .header(header::ACCEPT, json)
            .header("idempotency-key", reference.to_string())
            .body(Full::new(question.ok_or(Fault::Unasked)?))
            .map_err(|_| Fault::Unasked)?;
        let asked = self.way().client.request(request).await;
        let response = asked.map_err(|error| Fault::Unreached(words_of(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MOST).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) if status == StatusCode::OK => Fault::Bad(BadAnswer::TooLong),
            Ok(_) => Fault::Status(status.as_u16()),
            Err(error) => Fault::Unreached(words_of(error.as_ref())),
        })?;
        let body = body.to_bytes();
        if status == StatusCode::OK {
            return Ok(body);
        }
        let again = StatusCode::REQUEST_TIMEOUT == status
            || StatusCode::TOO_EARLY == status
            || StatusCode::TOO_MANY_REQUESTS == status;
        let why = answer::refusal(&body).filter(|_| status.is_client_error() && !again);
        Err(why.map_or(Fault::Status(status.as_u16()), Fault::Refused))
    }

    async fn made(&self, order: &CardOrder) -> Result<MadeCard, Fault> {
        let question = question::order(order, &self.published);
        let answer = self.ask((Ask::Create, order.reference), question).await?;
        let sealed = answer::made(order.reference, &answer).map_err(Fault::Bad)?;
        let bad = |_| Fault::Bad(BadAnswer::DoesNotOpen);
        let policy = OpenPolicy { rsa_oaep_sha1: false, ..OpenPolicy::default() };
        let token = Openable::check(&sealed.token, &self.keys, &policy, now()).map_err(bad)?;
        let opened = tokio::task::spawn_blocking(move || token.open()).await;
        let payload = opened.map_err(|_| Fault::Unasked)?.map_err(bad)?;
        sealed.opened(&payload).map_err(Fault::Bad)
    }

    /// Tells what becomes of a card.
    fn tell(&self, ask: Ask, told: Told, question: Option<Bytes>) -> Pending<'_, ()> {
        Box::pin(self.within_limits((ask, told.reference), async move {
            let answer = self.ask((ask, told.reference), question).await?;
            answer::done(told.reference, &answer).map_err(Fault::Bad)
        }))
    }
}

impl Processor for RemoteProcessor {
    fn gives_again(&self) -> bool {
        true
    }

    fn pin_key(&self) -> Option<&KeyLabel> {
        Some(&self.settings.pin_key).filter(|key| !key.is_empty())
    }

    fn create<'a>(&'a self, order: &'a CardOrder) -> Pending<'a, MadeCard> {
        Box::pin(self.within_limits((Ask::Create, order.reference), self.made(order)))
    }

    fn activate(&self, told: Told) -> Pending<'_, ()> {
        self.tell(Ask::Activate, told, question::act(&told, None))
    }

    fn renew(&self, told: Told, until: Expiry) -> Pending<'_, ()> {
        self.tell(Ask::Renew, told, question::renewal(&told, until))
    }

    fn change_pin<'a>(&'a self, told: Told, pin: &'a NewPin<'a>) -> Pending<'a, ()> {
        let key = self.settings.pin_key.as_str();
        self.tell(Ask::Pin, told, question::pin(&told, pin, key))
    }

    fn stop(&self, told: Told, code: LockCode) -> Pending<'_, ()> {
        self.tell(Ask::Stop, told, question::act(&told, Some(code.number())))
    }

    fn unstop(&self, told: Told) -> Pending<'_, ()> {
        self.tell(Ask::Unstop, told, question::act(&told, None))
    }

    fn retire(&self, told: Told) -> Pending<'_, ()> {
        self.tell(Ask::Retire, told, question::act(&told, None))
    }
}

impl Way {
    fn new(settings: &RemoteSettings, files: [u8; 32]) -> Result<Self, TlsFault> {
        let asking = Asking {
            ca: &settings.ca,
            own: Some(&settings.own),
            connect: settings.connect,
            idle_connections: settings.idle_connections,
            idle: settings.idle,
        };
        Ok(Self { client: https(&asking, HttpConnector::new())?, files })
    }
}

fn digest(settings: &RemoteSettings) -> Result<[u8; 32], TlsFault> {
    let (certificate, key) = &settings.own;
    digest_of([&settings.ca, certificate, key])
}

impl Fault {
    /// As metrics label it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Busy => "busy",
            Self::Resting => "resting",
            Self::Late => "late",
            Self::Unreached(_) => "unreached",
            Self::Status(_) => "status",
            Self::Bad(_) => "bad_answer",
            Self::Unasked => "unasked",
        }
    }

    /// For the log: our words, those of the library, and codes of capitals.
    fn said(&self) -> String {
        match self {
            Self::Refused(code) => code.clone(),
            Self::Status(status) => status.to_string(),
            Self::Unreached(words) => words.clone(),
            Self::Bad(bad) => bad.to_string(),
            Self::Busy | Self::Resting | Self::Late | Self::Unasked => String::new(),
        }
    }
}

fn describe() {
    describe_counter!(
        CALLS,
        "Questions to processors elsewhere, by processor, call and outcome: done, refused, late, \
         unreached, status (another than 200), bad_answer; busy and resting were not sent"
    );
    describe_histogram!(
        SECONDS,
        metrics::Unit::Seconds,
        "From a question to a processor's answer, or to the end of patience"
    );
    describe_gauge!(OPEN, "Whether a processor failed so often in a row that it is asked no more");
}
