//! The provider over HTTPS: one POST a question, with the personal data that are to be verified. It
//! owns that they go there and nowhere else: to the one address that is configured, over TLS alone,
//! never after a redirect, and into no log. What comes back is read by `provider`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::provider::{ANSWER_MOST, read_answer};
use super::{Asked, BadAnswer, Finding, KycProvider, KycQuestion, ProviderFault};
use crate::Personal;
use crate::tls::{Asking, TlsFault, digest_of, https, read_whole, words_of};

/// No question is longer: a text that grows would leave copies behind.
const QUESTION_ROOM: usize = 8_192;
/// What a secret may have.
const SECRET_LONG: std::ops::RangeInclusive<usize> = 16..=4_096;

/// Where a provider is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrl(Uri);

/// A text is no address of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write https://host/path, without a user, a query or a fragment")]
pub struct NotAUrl;

impl ProviderUrl {
    /// From a text.
    ///
    /// # Errors
    /// It is another scheme, or more than an address.
    pub fn parse(text: &str) -> Result<Self, NotAUrl> {
        let uri: Uri = text.parse().map_err(|_| NotAUrl)?;
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        if !secure || !host || uri.query().is_some() || text.contains(['@', '#']) {
            return Err(NotAUrl);
        }
        Ok(Self(uri))
    }

    /// With one more name at the end of the path; none where it would be too long.
    pub(crate) fn below(&self, name: &str) -> Option<Uri> {
        let mut parts = self.0.clone().into_parts();
        let path = format!("{}/{name}", self.0.path().trim_end_matches('/'));
        parts.path_and_query = Some(path.parse().ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// How a provider is reached.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Where.
    pub url: ProviderUrl,
    /// Whom its certificate must come from.
    pub ca: PathBuf,
    /// What is shown to it: a certificate, and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// A secret that is sent along.
    pub secret_file: Option<PathBuf>,
    /// For a connection: its name resolved, and TCP.
    pub connect: Duration,
    /// Connections that are kept open without a question.
    pub idle_connections: usize,
    /// For so long.
    pub idle: Duration,
}

/// Why no provider can be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoProvider {
    /// Its certificates, or ours.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The secret.
    #[error("{}: holds no secret of 16 to 4096 visible characters of ASCII", .0.display())]
    Secret(PathBuf),
}

/// A provider over HTTPS.
pub struct HttpsProvider {
    settings: ProviderSettings,
    way: RwLock<Arc<Way>>,
}

/// How it is reached, by what the files were.
struct Way {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    authorization: Option<HeaderValue>,
    files: [u8; 32],
}

impl HttpsProvider {
    /// Reads the files; a connection is made when somebody is to be asked. Blocks.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(settings: &ProviderSettings) -> Result<Self, NoProvider> {
        let way = Way::new(settings, digest(settings)?)?;
        Ok(Self { settings: settings.clone(), way: RwLock::new(Arc::new(way)) })
    }

    /// Reads the files again, and uses what is new for the questions to come; whether anything is.
    /// What cannot be used changes nothing. Blocks.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn reload(&self) -> Result<bool, NoProvider> {
        let files = digest(&self.settings)?;
        if self.way().files == files {
            return Ok(false);
        }
        let way = Arc::new(Way::new(&self.settings, files)?);
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = way;
        Ok(true)
    }

    fn way(&self) -> Arc<Way> {
        Arc::clone(&self.way.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, question: KycQuestion) -> Result<Finding, ProviderFault> {
        let (inquiry, way) = (question.inquiry, self.way());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.settings.url.0.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header("idempotency-key", inquiry.to_string());
        if let Some(authorization) = &way.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        let body = Full::new(written(&question).ok_or(ProviderFault::Unavailable)?);
        drop(question);
        let request = request.body(body).map_err(|_| ProviderFault::Unavailable)?;
        let response = way.client.request(request).await.map_err(|error| unreached(&error))?;
        if response.status() != StatusCode::OK {
            return Err(ProviderFault::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), ANSWER_MOST).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => ProviderFault::BadAnswer(BadAnswer::TooLong),
            Err(error) => unreached(error.as_ref()),
        })?;
        Ok(read_answer(inquiry, &body.to_bytes())?)
    }
}

impl Way {
    fn new(settings: &ProviderSettings, files: [u8; 32]) -> Result<Self, NoProvider> {
        let asking = Asking {
            ca: &settings.ca,
            own: settings.own.as_ref(),
            connect: settings.connect,
            idle_connections: settings.idle_connections,
            idle: settings.idle,
        };
        let client = https(&asking, HttpConnector::new())?;
        let authorization = settings.secret_file.as_deref().map(bearer).transpose()?;
        Ok(Self { client, authorization, files })
    }
}

/// Of all files.
fn digest(settings: &ProviderSettings) -> Result<[u8; 32], TlsFault> {
    let own = settings.own.iter().flat_map(|(certificate, key)| [certificate, key]);
    digest_of([&settings.ca].into_iter().chain(own).chain(&settings.secret_file))
}

impl KycProvider for HttpsProvider {
    fn ask(&self, question: KycQuestion) -> Asked<'_> {
        Box::pin(self.answer(question))
    }
}

impl std::fmt::Debug for HttpsProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsProvider").field("url", &self.settings.url.0).finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    inquiry: Uuid,
    given_name: &'a str,
    family_name: &'a str,
    birth_date: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// A question as JSON, wiped when it has been sent.
fn written(question: &KycQuestion) -> Option<Bytes> {
    let of = &question.profile;
    let optional = [&of.email, &of.phone, &of.street, &of.city, &of.postal_code, &of.country];
    let optional = optional.map(|text| text.as_ref().map(Personal::expose));
    let [email, phone, street, city, postal_code, country] = optional;
    let written = Question {
        inquiry: question.inquiry,
        given_name: of.given_name.expose(),
        family_name: of.family_name.expose(),
        birth_date: of.birth_date.expose(),
        email,
        phone,
        street,
        city,
        postal_code,
        country,
        language: of.language.as_ref().map(Personal::expose),
    };
    let mut room = Zeroizing::new(Vec::with_capacity(QUESTION_ROOM));
    serde_json::to_writer(&mut *room, &written).ok()?;
    Some(Bytes::from_owner(room))
}

/// `Bearer`, and what stands in the file.
fn bearer(path: &Path) -> Result<HeaderValue, NoProvider> {
    let bytes = read_whole(path)?;
    let secret = bytes.trim_ascii();
    let visible = secret.iter().all(u8::is_ascii_graphic);
    if !SECRET_LONG.contains(&secret.len()) || !visible {
        return Err(NoProvider::Secret(path.to_owned()));
    }
    let text = Zeroizing::new([b"Bearer ", secret].concat());
    let value = HeaderValue::from_maybe_shared(Bytes::from_owner(text));
    let mut value = value.map_err(|_| NoProvider::Secret(path.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there was no answer goes into the log.
fn unreached(error: &(dyn Error + 'static)) -> ProviderFault {
    let error = words_of(error);
    tracing::warn!(error, "the provider of verifications gives no answer");
    ProviderFault::Unavailable
}

#[cfg(test)]
mod tests {
    use super::ProviderUrl;

    #[test]
    fn a_provider_is_asked_over_tls_and_at_an_address_alone() {
        for good in ["https://kyc.example", "https://kyc.example:8443/v1/x", "https://[::1]:1/"] {
            assert!(ProviderUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "kyc.example",
            "http://kyc.example",
            "https://",
            "https:///v1",
            "https://user@kyc.example",
            "https://kyc.example/?a=1",
            "https://kyc.example/#a",
            "/v1",
            "https://kyc example/",
        ] {
            assert!(ProviderUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
