//! A provider that says what it was told to, in the bytes that one would send.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use admin_api::kyc::{Asked, Finding, KycProvider, KycQuestion, ProviderFault, read_answer};
use uuid::Uuid;

/// What it does next.
#[derive(Clone, Debug)]
enum Next {
    Says(String),
    Refuses,
    IsSilent,
}

/// A provider that says what it was told to, one answer after the other; then it has nothing yet.
#[derive(Debug, Default)]
pub(crate) struct SimulatedProvider {
    next: Mutex<VecDeque<Next>>,
    asked: Mutex<Vec<Uuid>>,
}

impl SimulatedProvider {
    /// Answers with these bytes; `{inquiry}` stands for what it is asked.
    pub(crate) fn will_say(&self, answer: &str) {
        self.then(Next::Says(answer.to_owned()));
    }

    /// Answers so, in the right shape.
    pub(crate) fn will_find(&self, outcome: &str) {
        let answer = r#"{"inquiry":"{inquiry}","outcome":"OUTCOME","reference":"SIM-1"}"#;
        self.will_say(&answer.replace("OUTCOME", outcome));
    }

    /// Does not serve.
    pub(crate) fn will_refuse(&self) {
        self.then(Next::Refuses);
    }

    /// Never answers.
    pub(crate) fn will_be_silent(&self) {
        self.then(Next::IsSilent);
    }

    fn then(&self, next: Next) {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).push_back(next);
    }

    /// The inquiries that it was asked, in that order.
    pub(crate) fn asked(&self) -> Vec<Uuid> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl KycProvider for SimulatedProvider {
    fn ask(&self, question: KycQuestion) -> Asked<'_> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(question.inquiry);
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Box::pin(async move {
            match next {
                None => Ok(Finding::NothingYet),
                Some(Next::Refuses) => Err(ProviderFault::Unavailable),
                Some(Next::IsSilent) => std::future::pending().await,
                Some(Next::Says(answer)) => {
                    let answer = answer.replace("{inquiry}", &question.inquiry.to_string());
                    Ok(read_answer(question.inquiry, answer.as_bytes())?)
                }
            }
        })
    }
}
