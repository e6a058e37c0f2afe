//! The client that sends messages: one POST a try, over TLS. It owns that a connection goes to an
//! address that was judged, that no redirect is followed, and that of an answer no more is read
//! than is kept.

use std::error::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use sha2::{Digest, Sha256};

use super::addresses::{CheckedResolver, RefusedAddress, Resolver};
use super::place::Host;
use super::{AddressRules, EndpointUrl};
use crate::tls::{Asking, TlsFault, https, read_whole};

/// How endpoints are reached.
#[derive(Clone, Debug)]
pub struct SenderSettings {
    /// Whom their certificates must come from.
    pub ca: PathBuf,
    /// What is shown to them: a certificate, and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Where messages may go.
    pub addresses: AddressRules,
    /// For a connection: its name looked up, and TCP.
    pub connect: Duration,
    /// For a try, up to the head of its answer.
    pub patience: Duration,
    /// Connections that are kept open to one place without a message, and for how long.
    pub idle_connections: usize,
    /// See `idle_connections`.
    pub idle: Duration,
    /// Characters that are kept of an answer.
    pub answer_most: u32,
}

/// For the start of an answer's body, once its head is there.
const WORDS_WITHIN: Duration = Duration::from_secs(1);

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its headers but for the usual ones: identifier, second, signatures.
    pub id: String,
    /// The second of this try, since 1970.
    pub second: i64,
    /// What it is signed with.
    pub signatures: String,
    /// The body.
    pub body: String,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken: a status of 200 to 299.
    Delivered,
    /// Another status.
    Status,
    /// A redirect, which nobody follows.
    Redirect,
    /// 410: there is nobody any more.
    Gone,
    /// No answer in time.
    Late,
    /// The name leads to where nothing goes.
    RefusedAddress,
    /// No connection, no handshake, no answer.
    Unreached,
}

impl Outcome {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Delivered,
        Self::Status,
        Self::Redirect,
        Self::Gone,
        Self::Late,
        Self::RefusedAddress,
        Self::Unreached,
    ];

    /// As in tables, answers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Gone => "gone",
            Self::Late => "late",
            Self::RefusedAddress => "refused_address",
            Self::Unreached => "unreached",
        }
    }
}

/// What an endpoint said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What came of it.
    pub outcome: Outcome,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// `Retry-After`, as it stands there.
    pub retry_after: Option<String>,
    /// The start of the answer.
    pub answer: String,
}

impl Said {
    /// Nothing was said.
    #[must_use]
    pub const fn nothing(outcome: Outcome) -> Self {
        Self { outcome, status: None, retry_after: None, answer: String::new() }
    }
}

/// A try that is under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Said> + Send + 'a>>;

/// Who sends messages.
pub trait WebhookSender: Send + Sync {
    /// Sends one, once, and waits no longer than it should.
    fn send<'a>(&'a self, url: &'a EndpointUrl, message: Outgoing) -> Sending<'a>;
}

/// Over HTTPS.
pub struct HttpsSender {
    settings: SenderSettings,
    resolver: Arc<dyn Resolver>,
    way: RwLock<Arc<Way>>,
}

type Connector = HttpsConnector<HttpConnector<CheckedResolver>>;

/// The client, by what the files were.
struct Way {
    client: Client<Connector, Full<Bytes>>,
    files: [u8; 32],
}

impl HttpsSender {
    /// Reads the files. Blocks.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(settings: SenderSettings, resolver: Arc<dyn Resolver>) -> Result<Self, TlsFault> {
        let way = Way::new(&settings, &resolver, digest(&settings)?)?;
        Ok(Self { settings, resolver, way: RwLock::new(Arc::new(way)) })
    }

    /// Reads the files again, and uses what is new for the messages to come; whether anything is.
    /// What cannot be used changes nothing. Blocks.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn reload(&self) -> Result<bool, TlsFault> {
        let files = digest(&self.settings)?;
        if self.way().files == files {
            return Ok(false);
        }
        let way = Arc::new(Way::new(&self.settings, &self.resolver, files)?);
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = way;
        Ok(true)
    }

    fn way(&self) -> Arc<Way> {
        Arc::clone(&self.way.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn said(&self, url: &EndpointUrl, message: Outgoing) -> Said {
        // An address needs no look-up, and so is judged here: the rules may be others by now.
        if let Host::Address(address) = url.host()
            && !self.settings.addresses.allows(*address)
        {
            return Said::nothing(Outcome::RefusedAddress);
        }
        let Some(request) = request(url, message) else {
            return Said::nothing(Outcome::Unreached);
        };
        let way = self.way();
        let asking = tokio::time::timeout(self.settings.patience, way.client.request(request));
        match asking.await {
            Ok(Ok(response)) => read(response, self.settings.answer_most).await,
            Ok(Err(error)) => Said::nothing(why(&error)),
            Err(_) => Said::nothing(Outcome::Late),
        }
    }
}

impl WebhookSender for HttpsSender {
    fn send<'a>(&'a self, url: &'a EndpointUrl, message: Outgoing) -> Sending<'a> {
        Box::pin(self.said(url, message))
    }
}

impl Way {
    fn new(
        settings: &SenderSettings,
        resolver: &Arc<dyn Resolver>,
        files: [u8; 32],
    ) -> Result<Self, TlsFault> {
        let resolver = CheckedResolver::new(settings.addresses, Arc::clone(resolver));
        let asking = Asking {
            ca: &settings.ca,
            own: settings.own.as_ref(),
            connect: settings.connect,
            idle_connections: settings.idle_connections,
            idle: settings.idle,
        };
        let client = https(&asking, HttpConnector::new_with_resolver(resolver))?;
        Ok(Self { client, files })
    }
}

fn request(url: &EndpointUrl, message: Outgoing) -> Option<Request<Full<Bytes>>> {
    let signatures = HeaderValue::from_str(&message.signatures).ok()?;
    Request::builder()
        .method(Method::POST)
        .uri(url.uri().clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "cardswitch-webhooks")
        .header("x-idempotency-key", &message.id)
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", message.second)
        .header("webhook-signature", signatures)
        .body(Full::new(Bytes::from(message.body)))
        .ok()
}

/// What was answered, and of the body what is kept: the rest is not read. The head says what it is;
/// nobody waits for long for the words behind it.
async fn read<B>(response: Response<B>, most: u32) -> Said
where
    B: axum::body::HttpBody<Data = Bytes> + Unpin,
{
    let status = response.status();
    let outcome = match status.as_u16() {
        200..=299 => Outcome::Delivered,
        300..=399 => Outcome::Redirect,
        410 => Outcome::Gone,
        _ => Outcome::Status,
    };
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (mut body, mut bytes) = (response.into_body(), Vec::new());
    let deadline = tokio::time::Instant::now() + WORDS_WITHIN;
    while bytes.len() < most {
        let frame = tokio::time::timeout_at(deadline, body.frame()).await;
        let Ok(Some(Ok(frame))) = frame else { break };
        let Ok(data) = frame.into_data() else { break };
        let room = most.saturating_sub(bytes.len());
        bytes.extend(data.iter().copied().take(room));
    }
    Said { outcome, status: Some(status.as_u16()), retry_after, answer: shown(&bytes) }
}

/// What can be shown of an answer: its characters, without those that steer a terminal.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

fn why(error: &(dyn Error + 'static)) -> Outcome {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let refused = match error.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<RefusedAddress>),
            None => error.is::<RefusedAddress>(),
        };
        if refused {
            return Outcome::RefusedAddress;
        }
        cause = error.source();
    }
    Outcome::Unreached
}

/// Of all files; the same bytes give the same.
fn digest(settings: &SenderSettings) -> Result<[u8; 32], TlsFault> {
    let own = settings.own.iter().flat_map(|(certificate, key)| [certificate, key]);
    let mut digest = Sha256::new();
    for path in [&settings.ca].into_iter().chain(own) {
        let bytes = read_whole(path)?;
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(&bytes);
    }
    Ok(digest.finalize().into())
}
