//! Something that is done with what a page shows, as a row of a table. It owns how all of them go:
//! one page that names what will be done and to what, and asks once; then the call; then what was
//! done, said where one came from.

use axum::Router;
use axum::extract::RawPathParams;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde_json::Value;

use super::Shown;
use crate::call::Call;
use crate::desk::{Brought, Desk};
use crate::form::{Form, Sent};
use crate::page::{Cell, Field, Page, Question};
use crate::refused::Refused;
use crate::visit::Visit;

/// How what it is done to is named: the call that reads it, and what of the answer.
pub(crate) type Named = (&'static str, fn(&Value) -> String);
/// What of the answer is shown, once.
pub(crate) type Told = fn(&Value) -> Vec<(&'static str, Cell)>;

/// An act.
pub(crate) struct Deed {
    /// Where it is asked for; its places are those of the call.
    pub(crate) at: &'static str,
    pub(crate) method: Method,
    pub(crate) call: &'static str,
    pub(crate) title: &'static str,
    /// What it will do.
    pub(crate) says: &'static str,
    pub(crate) button: &'static str,
    pub(crate) harsh: bool,
    pub(crate) of: Option<Named>,
    pub(crate) fields: fn() -> Vec<Field>,
    pub(crate) body: fn(&Form) -> Result<Option<Value>, Refused>,
    /// Where one is afterwards.
    pub(crate) back: &'static str,
    /// What was done.
    pub(crate) done: &'static str,
    /// Where the answer itself is what was wanted.
    pub(crate) tells: Option<Told>,
}

impl Deed {
    /// An act that needs nothing typed.
    pub(crate) const PLAIN: Self = Self {
        at: "",
        method: Method::POST,
        call: "",
        title: "",
        says: "",
        button: "",
        harsh: false,
        of: None,
        fields: Vec::new,
        body: |_| Ok(None),
        back: "",
        done: "",
        tells: None,
    };

    /// Its name in a query.
    fn name(&self) -> String {
        self.title.to_ascii_lowercase().replace(' ', "-")
    }

    fn call(&self, places: &[String]) -> Call {
        let call = Call::new(self.method.clone(), self.call);
        places.iter().fold(call, Call::at)
    }

    fn place(template: &'static str, places: &[String]) -> String {
        places.iter().fold(Call::get(template), Call::at).target()
    }

    async fn ask(&self, visit: &Visit, places: &[String]) -> Shown {
        if !visit.may(self.method.as_str(), self.call) {
            let what = "this is not for operators of your role";
            return Err(Refused::ours(StatusCode::FORBIDDEN, "FORBIDDEN", what));
        }
        let of = match self.of {
            Some((template, name)) => {
                let read = places.iter().fold(Call::get(template), Call::at);
                format!("{}. ", name(&visit.get(&read).await?))
            }
            None => String::new(),
        };
        let to = Self::place(self.at, places);
        let mut question = Question::new(visit, self.title, to, self.button);
        question = question.says(format!("{of}{}", self.says));
        question.harsh = self.harsh;
        question.fields = (self.fields)();
        let page = Page::new(self.title).question(Some(question));
        Ok(visit.show(page))
    }

    async fn act(&self, visit: &Visit, places: &[String], form: &Form) -> Shown {
        let body = (self.body)(form)?;
        let brought = Brought { body: body.as_ref(), key: form.key(), version: None };
        let answer = visit.ask(&self.call(places), brought).await?;
        if let Some(tells) = self.tells {
            let told = tells(&answer.read::<Value>()?);
            let page = Page::new(self.title).said(Some(self.done)).facts("Told once", told);
            return Ok(visit.show(page.back()));
        }
        let back = Self::place(self.back, places);
        Ok(Redirect::to(&format!("{back}?said={}", self.name())).into_response())
    }
}

fn places(params: &RawPathParams) -> Vec<String> {
    params.iter().map(|(_, value)| value.to_owned()).collect()
}

/// What was just done, by the name that a page was given.
pub(crate) fn said(name: &str) -> Option<&'static str> {
    let done = super::deeds::ALL.iter().find(|deed| !name.is_empty() && deed.name() == name);
    done.map(|deed| deed.done)
}

/// A page to ask and a call to make for each.
pub(crate) fn routes(deeds: &'static [Deed]) -> Router<Desk> {
    deeds.iter().fold(Router::new(), |routes, deed| {
        let asked = get(move |visit: Visit, params: RawPathParams| async move {
            deed.ask(&visit, &places(&params)).await
        });
        let asked_and_done =
            asked.post(move |visit: Visit, params: RawPathParams, sent: Sent| async move {
                deed.act(&visit, &places(&params), &sent.0).await
            });
        routes.route(deed.at, asked_and_done)
    })
}
