//! How the stand-in answers one request. Must remember every first answer, and give it again to a
//! repeat.

use std::collections::HashMap;

use anyhow::Result;

use super::fault::{Fault, Misbehaviour};
use crate::demo_file::TestCard;
use crate::iso::Message;

/// Fields of an answer taken over from its request.
const TAKEN_OVER: [u8; 14] = [2, 3, 4, 7, 11, 12, 13, 25, 32, 37, 41, 42, 49, 70];

/// What makes two requests the same one: class and function, DE11, 12, 32, 37, 41.
type Key = Vec<Vec<u8>>;

/// What was answered: DE38 and DE39.
type Decision = (Option<String>, String);

/// The stand-in. Answers a request with what its card is to answer, everything else with 00.
#[derive(Debug)]
pub struct Issuer {
    by_pan: HashMap<String, String>,
    faults: Vec<Fault>,
    counts: HashMap<String, u64>,
    decided: HashMap<Key, Decision>,
    first_code: HashMap<String, String>,
    approvals: u32,
}

impl Issuer {
    /// For these cards; an unlisted one is answered 14.
    #[must_use]
    pub fn new(cards: &[TestCard], faults: &[Fault]) -> Issuer {
        let expected = |card: &TestCard| (card.pan.digits().to_owned(), card.expect.clone());
        Issuer {
            by_pan: cards.iter().map(expected).collect(),
            faults: faults.to_vec(),
            counts: HashMap::new(),
            decided: HashMap::new(),
            first_code: HashMap::new(),
            approvals: 0,
        }
    }

    /// How many requests of this type came (see [`Fault::at`]).
    #[must_use]
    pub fn count(&self, at: &str) -> u64 {
        self.counts.get(at).copied().unwrap_or(0)
    }

    /// The answer, and what is to go wrong with it.
    ///
    /// # Errors
    /// When the request has a type that cannot be answered.
    pub fn answer(&mut self, request: &Message) -> Result<(Message, Option<Misbehaviour>)> {
        let mti = request.mti();
        let function = if mti.get(2..3) == Some("2") { "30" } else { "10" };
        let answered = format!("{}{function}", mti.get(..2).unwrap_or_default());
        let mut answer = Message::new(&answered)?;
        answer.copy_from(request, &TAKEN_OVER);
        let key = key(request);
        let known = self.decided.get(&key).cloned();
        let at = if known.is_some() && mti.ends_with('0') { "again" } else { mti }.to_owned();
        let fault = self.due(&at);
        let pan = pan(request);
        let (mut approval_code, mut code) = known.unwrap_or_else(|| self.decide(request, &pan));
        self.decided.insert(key, (approval_code.clone(), code.clone()));
        match fault {
            Some(Misbehaviour::WrongResponseCode) => code = "96".to_owned(),
            Some(Misbehaviour::OldApprovalCode) => {
                approval_code = self.first_code.get(&pan).cloned();
            }
            _ => {}
        }
        if let Some(approval_code) = approval_code {
            answer.set(38, approval_code)?;
        }
        answer.set(39, code)?;
        match fault {
            Some(Misbehaviour::Omit(field)) => answer.remove(field),
            Some(Misbehaviour::Change(field)) => {
                let length = answer.bytes(field).map_or(1, <[u8]>::len);
                answer.set(field, vec![b'9'; length])?;
            }
            Some(Misbehaviour::WrongType) => answer = answer.retyped("0210")?,
            _ => {}
        }
        Ok((answer, fault))
    }

    fn due(&mut self, at: &str) -> Option<Misbehaviour> {
        let count = self.counts.entry(at.to_owned()).or_default();
        let nth = *count;
        *count += 1;
        self.faults.iter().find(|fault| fault.at == at && fault.nth == nth).map(|fault| fault.what)
    }

    fn decide(&mut self, request: &Message, pan: &str) -> Decision {
        if !["010", "020"].iter().any(|asks| request.mti().starts_with(asks)) {
            return (None, "00".to_owned());
        }
        if request.text(3).is_some_and(|code| code.starts_with("92")) {
            return (None, "40".to_owned());
        }
        let code = self.by_pan.get(pan).map_or("14", String::as_str).to_owned();
        if code != "00" {
            return (None, code);
        }
        self.approvals += 1;
        let approval_code = format!("{:06X}", self.approvals & 0xFF_FFFF);
        self.first_code.entry(pan.to_owned()).or_insert_with(|| approval_code.clone());
        (Some(approval_code), code)
    }
}

fn pan(request: &Message) -> String {
    let track = request.text(35).and_then(|track| track.split('=').next());
    request.text(2).or(track).unwrap_or_default().to_owned()
}

fn key(request: &Message) -> Key {
    let field = |number: u8| request.bytes(number).unwrap_or_default().to_vec();
    let class = request.mti().get(..3).unwrap_or_default().as_bytes().to_vec();
    let mut key = vec![class];
    key.extend([11, 12, 32, 37, 41].map(field));
    key
}
