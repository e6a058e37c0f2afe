//! A form as it was sent. It owns its limits, and that none is taken which a page of ours did not
//! send.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use zeroize::Zeroize;

use crate::forgery::{MEMBER, is_from_here, is_proved};
use crate::refused::Refused;
use crate::session::Token;

/// The longest form, in bytes.
pub const MOST_OF_A_FORM: usize = 64 * 1024;
/// Members of one.
const MOST_MEMBERS: usize = 128;

/// The members of a form, as a person typed them. What was typed is wiped when it goes: there are
/// passwords among it.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        let members = form_urlencoded::parse(body).take(MOST_MEMBERS);
        Self(members.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// What a member has, without the spaces around it; nothing where it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.exactly(name).trim()
    }

    /// What a member has, as it was typed.
    pub(crate) fn exactly(&self, name: &str) -> &str {
        let member = self.0.iter().find(|(of, _)| of == name);
        member.map_or("", |(_, value)| value.as_str())
    }

    /// The same, where there is anything.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Under which key what it asks for is done once, however often it is sent.
    pub(crate) fn key(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.some("key")?).ok()
    }

    /// Reads it off a request, and looks where it comes from.
    async fn of(request: Request) -> Result<(Option<Token>, Self), Refused> {
        let headers = request.headers();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        if !is_from_here(headers) || headers.get(header::CONTENT_TYPE) != Some(&form) {
            metrics::counter!("cardswitch_panel_forged_total").increment(1);
            return Err(Refused::ours(
                StatusCode::FORBIDDEN,
                "NOT_FROM_HERE",
                "this form was not sent from a page of the panel: open it, and send it from there",
            ));
        }
        let token = Token::of(headers);
        let read = Limited::new(request.into_body(), MOST_OF_A_FORM).collect().await;
        let body: Bytes = match read {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                return Err(Refused::ours(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "BODY_TOO_LARGE",
                    "the form is longer than 64 KiB, or did not come whole: shorten it",
                ));
            }
        };
        Ok((token, Self::read(&body)))
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

/// A form of somebody who has a session.
pub(crate) struct Sent(pub(crate) Form);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let (token, form) = Form::of(request).await?;
        if token.is_some_and(|token| is_proved(&token, Some(form.exactly(MEMBER)))) {
            return Ok(Self(form));
        }
        metrics::counter!("cardswitch_panel_forged_total").increment(1);
        Err(Refused::ours(
            StatusCode::FORBIDDEN,
            "OLD_FORM",
            "this form was made for another session: open the page again, and send it from there",
        ))
    }
}

/// A form of somebody who has none yet.
pub(crate) struct SentByNobody(pub(crate) Form);

impl<S: Send + Sync> FromRequest<S> for SentByNobody {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        Form::of(request).await.map(|(_, form)| Self(form))
    }
}
