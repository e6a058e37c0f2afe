//! The way in and out: name, password and code; and another password.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Shown;
use crate::call::Call;
use crate::desk::{Answer, Brought, Desk};
use crate::form::{Sent, SentByNobody};
use crate::page::{Field, Framed, Page, Question};
use crate::refused::Refused;
use crate::session::{Token, forgotten};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/sign-in", get(asked).post(sign_in))
        .route("/panel/sign-out", post(sign_out))
        .route("/panel/password", get(password).post(change_password))
}

#[derive(Deserialize)]
struct Why {
    again: Option<String>,
}

fn page() -> Page {
    let question = Question::of_nobody("Sign in", "/panel/sign-in", "Sign in")
        .field(Field::line("name", "Name").filled_by("username"))
        .field(Field::line("password", "Password").kind("password").filled_by("current-password"))
        .field(
            Field::line("code", "Code")
                .filled_by("one-time-code")
                .help("The six digits that your authenticator application shows."),
        );
    Page::new("Sign in").question(Some(question))
}

async fn asked(Query(why): Query<Why>) -> Response {
    let again = why.again.map(|_| "You have no open session: sign in.");
    Framed::alone(page().said(again)).into_ok()
}

/// What has the browser keep the session that was opened.
fn opened(answer: &Answer, to: &'static str) -> Shown {
    #[derive(Deserialize)]
    struct Opened {
        token: String,
    }
    let opened: Opened = answer.read()?;
    let cookie = Token::new(Zeroizing::new(opened.token)).kept();
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
}

async fn sign_in(
    State(desk): State<Desk>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    sent: SentByNobody,
) -> Shown {
    let form = sent.0;
    let typed = json!({
        "name": form.text("name"),
        "password": form.exactly("password"),
        "code": form.text("code"),
    });
    let call = Call::post("/admin/sessions");
    let brought = Brought { body: Some(&typed), ..Brought::default() };
    match desk.ask((None, origin), &call, brought).await {
        Ok(answer) => opened(&answer, "/panel"),
        Err(refused) => {
            // Which of the three was wrong is not told, here neither.
            let wrong = refused.status == StatusCode::UNAUTHORIZED;
            let says =
                if wrong { "Name, password or code are wrong.".to_owned() } else { refused.says() };
            Ok(Framed::alone(page().warning(says)).with_status(refused.status))
        }
    }
}

async fn sign_out(visit: Visit, _: Sent) -> Shown {
    let call = Call::new(axum::http::Method::DELETE, "/admin/sessions/current");
    visit.ask(&call, Brought::default()).await?;
    Ok(([(header::SET_COOKIE, forgotten())], Redirect::to("/panel/sign-in")).into_response())
}

fn password_page(visit: &Visit) -> Page {
    let new = |name, label| Field::line(name, label).kind("password").filled_by("new-password");
    let question = Question::new(visit, "Choose a password", "/panel/password", "Change")
        .says("All your other sessions end.")
        .field(
            Field::line("current", "Password of now")
                .kind("password")
                .filled_by("current-password"),
        )
        .field(new("new", "New password").help("At least 12 characters, without your name."))
        .field(new("again", "The new password again"));
    let first = visit.operator.must_change_password;
    let first =
        first.then_some("This password was given to you by somebody else: choose your own.");
    Page::new("Password").said(first).question(Some(question))
}

async fn password(visit: Visit) -> Response {
    visit.show(password_page(&visit))
}

async fn change_password(visit: Visit, sent: Sent) -> Shown {
    let form = sent.0;
    if form.exactly("new") != form.exactly("again") {
        let page = password_page(&visit).warning("The new password and its repeat differ.");
        return Ok(Framed::of(&visit, page).with_status(StatusCode::BAD_REQUEST));
    }
    let typed = json!({
        "currentPassword": form.exactly("current"),
        "newPassword": form.exactly("new"),
    });
    match visit.act(&Call::post("/admin/password"), &form, Some(&typed)).await {
        Ok(answer) => opened(&answer, "/panel"),
        Err(refused) if refused.status == StatusCode::UNAUTHORIZED => Err(refused),
        Err(refused) => Ok(refused_here(&visit, &refused)),
    }
}

fn refused_here(visit: &Visit, refused: &Refused) -> Response {
    let page = password_page(visit).warning(refused.says());
    Framed::of(visit, page).with_status(refused.status)
}
