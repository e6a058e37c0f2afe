//! What came of a simulation, as a line of JSON has it. Must show of a message what people may see:
//! numbers masked, nothing of tracks, PIN blocks and chip data but their length.

use serde::Serialize;

use super::book::Kept;
use crate::iso::Message;

/// One line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    /// The switch has answered.
    Done(Box<Done>),
    /// The bureau has worked.
    Worked { files: u32, cards: u32, refused: u32 },
    /// Nothing was done, or nobody knows.
    Refused(Why),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    /// The line cannot be read.
    Unreadable,
    /// There is no such simulation, or it is somebody else's, or it was forgotten.
    Unknown,
    /// What is asked for does not go with that simulation, or with a message.
    Unfit,
    /// The same simulation is on its way.
    Busy,
    /// The switch's link cannot be reached, or does not let this acquirer sign on.
    Unreachable,
    /// The switch did not answer. Whether it decided is not known; the same again asks again.
    Silent,
    /// This simulator has no bureau, or its directory cannot be used.
    NoBureau,
}

/// An answer of the switch.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    simulation: String,
    card: String,
    /// DE39.
    action: String,
    /// DE38.
    approval: Option<String>,
    /// DE4 of the answer.
    amount: u64,
    /// ISO 4217, three digits.
    currency: String,
    /// DE11 and DE37 of the message that was sent.
    stan: String,
    rrn: String,
    sent: Shown,
    received: Shown,
}

/// A message, field by field.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    mti: String,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    field: u8,
    name: &'static str,
    content: String,
}

impl Done {
    /// Of a simulation that was answered.
    pub(super) fn of(simulation: &str, kept: &Kept, answer: &Message) -> Self {
        let text = |message: &Message, field: u8| {
            message.text(field).map(|text| text.trim_end().to_owned()).unwrap_or_default()
        };
        let (sent, card) = (&kept.request, kept.card.clone());
        let amount = answer.text(4).or_else(|| sent.text(4));
        Self {
            simulation: simulation.to_owned(),
            card,
            action: text(answer, 39),
            approval: Some(text(answer, 38)).filter(|code| !code.is_empty()),
            amount: amount.and_then(|digits| digits.parse().ok()).unwrap_or_default(),
            currency: text(sent, 49),
            stan: text(sent, 11),
            rrn: text(sent, 37),
            sent: Shown::of(sent),
            received: Shown::of(answer),
        }
    }
}

impl Shown {
    fn of(message: &Message) -> Self {
        let fields = message.described();
        let fields = fields.map(|(field, name, content)| Field { field, name, content });
        Self { mti: message.mti().to_owned(), fields: fields.collect() }
    }
}
