//! The sandbox behind its trait: a process of its own on this machine (`cardswitch-sim sandbox`),
//! asked by a line of JSON over TCP and answered by one. It owns that numbers of the test series
//! alone go there, by their own exit; that an answer is bounded in size and time; and what is taken
//! for one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use admin_api::cards::Cards;
use admin_api::sandbox::{
    Act, EntryMode, Following, Played, Presented, Said, Sandbox, SandboxFault, ShownField,
    ShownMessage, Simulated, Simulation, Simulations,
};
use admin_api::{Plastic, Services, Steps};
use anyhow::Context;
use metrics::describe_counter;
use serde::{Deserialize, Serialize};
use switch_domain::{CardId, Currency, MinorUnits};
use switch_security::exit::test_pan_for_sandbox;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::config::ApiSandbox;

/// Bytes of an answer: two messages of at most 128 fields, shown.
const ANSWER_MOST: u64 = 65_536;
/// Room for a number, and the name of its member, in a line.
const NUMBER_ROOM: usize = 64;
/// Of a masked number as many digits stand side by side.
const DIGITS_SHOWN: usize = 6;
/// Fields of a message, and characters of one that is shown.
const FIELDS_MOST: usize = 128;
const CONTENT_MOST: usize = 1_024;

/// The service; none where none is configured.
pub(super) fn open(
    config: &ApiSandbox,
    (services, cards): (&Services, &Cards),
    plastic: Option<&Plastic>,
) -> anyhow::Result<Option<Simulations>> {
    let Some(address) = config.simulator else { return Ok(None) };
    describe_counter!(
        "cardswitch_sandbox_total",
        "Simulations of the sandbox by what they were and what came of them; of busy ones \
         api.sandbox.at_once were on their way"
    );
    let steps = plastic.cloned().map(Steps::new).transpose();
    let steps = steps.context("api.personalisation.directory")?;
    let at_once = Semaphore::new(usize::try_from(config.at_once)?);
    let simulator = LocalSimulator { address, patience: config.patience(), at_once };
    tracing::warn!(%address, "a sandbox: partners may have transactions simulated");
    let with = (services.clone(), cards.clone());
    Ok(Some(Simulations::new(with, steps, Arc::new(simulator))))
}

/// A simulator on this machine.
struct LocalSimulator {
    address: SocketAddr,
    patience: Duration,
    at_once: Semaphore,
}

impl Sandbox for LocalSimulator {
    fn simulate(&self, simulation: Simulation) -> Simulated<'_> {
        Box::pin(async move {
            let _room = self.at_once.try_acquire().map_err(|_| SandboxFault::Busy)?;
            let line = written(&simulation)?;
            let asked = timeout(self.patience, self.ask(&line)).await;
            read(&asked.map_err(|_| SandboxFault::Late)??)
        })
    }
}

impl LocalSimulator {
    /// The line that it answers with.
    async fn ask(&self, line: &[u8]) -> Result<Vec<u8>, SandboxFault> {
        let gone = |_| SandboxFault::Unreachable;
        let mut stream = TcpStream::connect(self.address).await.map_err(gone)?;
        stream.write_all(line).await.map_err(gone)?;
        let mut answer = Vec::new();
        let mut bounded = BufReader::new(stream.take(ANSWER_MOST));
        // Whether it was played before the connection broke, nobody knows.
        bounded.read_until(b'\n', &mut answer).await.map_err(|_| SandboxFault::Late)?;
        match answer.pop() {
            Some(b'\n') => Ok(answer),
            Some(_) => Err(SandboxFault::BadAnswer),
            None => Err(SandboxFault::Busy),
        }
    }
}

#[derive(Serialize)]
struct Line {
    simulation: String,
    owner: String,
    act: ActLine,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ActLine {
    Authorization(Box<PresentedLine>),
    Advice(FollowingLine),
    Clearing(FollowingLine),
    Refund(FollowingLine),
    Reversal(FollowingLine),
    Shipment,
}

#[derive(Serialize)]
struct PresentedLine {
    card: String,
    expiry: String,
    amount: i64,
    currency: String,
    entry: &'static str,
    cash: bool,
    takes_part: bool,
    terminal: Option<String>,
    merchant: Option<String>,
    name: Option<String>,
    city: Option<String>,
    country: Option<String>,
    category: Option<String>,
}

#[derive(Serialize)]
struct FollowingLine {
    of: String,
    amount: Option<i64>,
    currency: Option<String>,
}

/// The line of a simulation. A number stands in front of the rest, where its exit puts it.
fn written(simulation: &Simulation) -> Result<Zeroizing<Vec<u8>>, SandboxFault> {
    let Simulation { id, owner, act } = simulation;
    let line = Line { simulation: id.to_string(), owner: owner.0.to_string(), act: said(act) };
    let rest = serde_json::to_vec(&line).map_err(|_| SandboxFault::Unfit)?;
    let mut text = Zeroizing::new(Vec::with_capacity(rest.len().saturating_add(NUMBER_ROOM)));
    text.push(b'{');
    if let Act::Authorization(presented) = act {
        text.extend_from_slice(b"\"number\":\"");
        test_pan_for_sandbox(&presented.pan, &mut text).map_err(|_| SandboxFault::NotATestCard)?;
        text.extend_from_slice(b"\",");
    }
    text.extend_from_slice(rest.get(1..).unwrap_or_default());
    text.push(b'\n');
    Ok(text)
}

fn said(act: &Act) -> ActLine {
    let number = |currency: Currency| format!("{:03}", currency.numeric());
    let following = |following: &Following| FollowingLine {
        of: following.of.to_string(),
        amount: following.amount.map(|(amount, _)| amount.0),
        currency: following.amount.map(|(_, currency)| number(currency)),
    };
    let presented = |presented: &Presented| {
        let Presented { card, expiry, amount, currency, at, .. } = presented;
        let at = at.clone();
        PresentedLine {
            card: card.0.to_string(),
            expiry: format!("{:04}", expiry.yymm()),
            amount: amount.0,
            currency: number(*currency),
            entry: match at.entry {
                EntryMode::Chip => "CHIP",
                EntryMode::Contactless => "CONTACTLESS",
                EntryMode::Magstripe => "MAGSTRIPE",
                EntryMode::Ecommerce => "ECOMMERCE",
                EntryMode::Manual => "MANUAL",
            },
            cash: at.cash,
            takes_part: at.takes_part,
            terminal: at.terminal,
            merchant: at.merchant,
            name: at.name,
            city: at.city,
            country: at.country,
            category: at.category,
        }
    };
    match act {
        Act::Authorization(one) => ActLine::Authorization(Box::new(presented(one))),
        Act::Advice(of) => ActLine::Advice(following(of)),
        Act::Clearing(of) => ActLine::Clearing(following(of)),
        Act::Refund(of) => ActLine::Refund(following(of)),
        Act::Reversal(of) => ActLine::Reversal(following(of)),
        Act::Shipment => ActLine::Shipment,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Answer {
    Done(Box<Done>),
    Worked {
        files: u32,
        #[serde(rename = "cards")]
        _cards: u32,
        refused: u32,
    },
    Refused(Why),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    Unreadable,
    Unknown,
    Unfit,
    Busy,
    Unreachable,
    Silent,
    NoBureau,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    #[serde(rename = "simulation")]
    _simulation: String,
    card: String,
    action: String,
    approval: Option<String>,
    amount: i64,
    currency: String,
    stan: String,
    rrn: String,
    sent: MessageLine,
    received: MessageLine,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLine {
    mti: String,
    fields: Vec<FieldLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldLine {
    field: u8,
    name: String,
    content: String,
}

/// What the line of an answer says.
fn read(line: &[u8]) -> Result<Said, SandboxFault> {
    let answer: Answer = serde_json::from_slice(line).map_err(|_| SandboxFault::BadAnswer)?;
    match answer {
        Answer::Done(done) => done.played().map(Said::Played).ok_or(SandboxFault::BadAnswer),
        Answer::Worked { files, refused, .. } => Ok(Said::Worked { files, refused }),
        Answer::Refused(why) => Err(match why {
            Why::Unreadable => SandboxFault::BadAnswer,
            Why::Unknown => SandboxFault::Unknown,
            Why::Unfit => SandboxFault::Unfit,
            Why::Busy => SandboxFault::InProgress,
            Why::Unreachable => SandboxFault::NoLink,
            Why::Silent => SandboxFault::Silent,
            Why::NoBureau => SandboxFault::NoBureau,
        }),
    }
}

impl Done {
    /// Where it has the form of one.
    fn played(self) -> Option<Box<Played>> {
        let word = |text: &str, most: usize| {
            text.len() <= most && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let approved = self.approval.as_ref().is_none_or(|code| word(code, 6));
        let fits = word(&self.action, 4) && approved && word(&self.rrn, 12) && self.amount >= 0;
        let number = self.currency.parse().ok()?;
        let played = Played {
            card: CardId(self.card.parse().ok()?),
            action: self.action,
            approval: self.approval,
            amount: MinorUnits(self.amount),
            currency: Currency::from_numeric(number).ok()?,
            stan: self.stan.parse().ok()?,
            rrn: self.rrn,
            sent: self.sent.shown()?,
            received: self.received.shown()?,
        };
        fits.then(|| Box::new(played))
    }
}

impl MessageLine {
    /// Nothing is shown of it where it is no message, or shows more of a card than may be seen.
    fn shown(self) -> Option<ShownMessage> {
        let mti = self.mti.len() == 4 && self.mti.bytes().all(|byte| byte.is_ascii_digit());
        if !mti || self.fields.len() > FIELDS_MOST {
            return None;
        }
        let fields = self.fields.into_iter().map(FieldLine::shown).collect::<Option<_>>()?;
        Some(ShownMessage { mti: self.mti, fields })
    }
}

impl FieldLine {
    fn shown(self) -> Option<ShownField> {
        let Self { field, name, content } = self;
        let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let fits = name.len() <= 100 && content.len() <= CONTENT_MOST;
        let masked = !matches!(field, 2 | 35) || longest_run(&content) <= DIGITS_SHOWN;
        let good = fits && masked && printable(&name) && printable(&content);
        good.then_some(ShownField { field, name, content })
    }
}

/// How many digits stand side by side at most.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|sign: char| !sign.is_ascii_digit());
    runs.map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use switch_domain::{Expiry, Pan, PartnerId};
    use uuid::Uuid;

    use super::*;

    fn presented(digits: &str) -> Simulation {
        let at = admin_api::sandbox::Terminal {
            entry: EntryMode::Ecommerce,
            cash: false,
            takes_part: false,
            terminal: None,
            merchant: None,
            name: None,
            city: None,
            country: Some("IE".to_owned()),
            category: None,
        };
        let presented = Presented {
            card: CardId(7),
            pan: Pan::from_digits(digits.as_bytes()).expect("digits"),
            expiry: Expiry::from_yymm(4912).expect("a month"),
            amount: MinorUnits(1_250),
            currency: Currency::from_alphabetic("EUR").expect("listed"),
            at,
        };
        let act = Act::Authorization(Box::new(presented));
        Simulation { id: Uuid::nil(), owner: PartnerId(3), act }
    }

    #[test]
    fn a_line_has_a_test_number_or_is_none() {
        let line = written(&presented("9999991200000018")).expect("a line");
        assert!(line.len() <= line.capacity() && line.ends_with(b"}\n"));
        let read: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(read["number"], "9999991200000018");
        assert_eq!(read["owner"], "3");
        let of = &read["act"]["authorization"];
        assert_eq!((&of["amount"], &of["currency"]), (&1_250.into(), &"978".into()));
        let refused = written(&presented("4111111111111111")).map(|_| ());
        assert_eq!(refused, Err(SandboxFault::NotATestCard));
    }

    #[test]
    fn an_answer_is_read_as_hostile() {
        let message = |content: &str| {
            serde_json::json!({
                "mti": "0110", "fields": [{ "field": 2, "name": "number", "content": content }]
            })
        };
        let answer = |content: &str, action: &str| {
            let done = serde_json::json!({
                "simulation": "x", "card": "7", "action": action, "approval": null,
                "amount": 1250, "currency": "978", "stan": "000001", "rrn": "000000000001",
                "sent": message(content), "received": message("999999******0018")
            });
            read(serde_json::json!({ "done": done }).to_string().as_bytes())
        };
        assert!(answer("999999******0018", "00").is_ok());
        for (content, action) in [
            ("9999991200000018", "00"),
            ("999999******0018\u{7}", "00"),
            ("999999******0018", "0\n"),
            (&"*".repeat(2_000), "00"),
        ] {
            assert!(matches!(answer(content, action), Err(SandboxFault::BadAnswer)));
        }
        for (line, fault) in [
            ("{\"refused\":\"unknown\"}", SandboxFault::Unknown),
            ("{\"refused\":\"silent\"}", SandboxFault::Silent),
            ("{\"refused\":\"other\"}", SandboxFault::BadAnswer),
            ("{\"done\":{}}", SandboxFault::BadAnswer),
            ("", SandboxFault::BadAnswer),
        ] {
            assert_eq!(read(line.as_bytes()).map(|_| ()), Err(fault), "{line}");
        }
    }
}
