//! The client's requests as messages: what a terminal's acquirer puts into each. Made from what was
//! asked alone, so that a repeat is the same message. Fields are the simulators'.

use anyhow::{Context, Result, bail};
use simulators::acquirer::{
    Channel, NetworkCode, Numbers, Original, Purchase, Variant, completion_of, increment_of,
    network_management, partial_reversal_of, purchase, reversal_of, varied,
};
use simulators::demo_file::TestCard;
use simulators::iso::Message;

use super::requests::{Deck, Draw};
use crate::checker::asks::AskKind;
use crate::checker::history::{Ask, Stan, What};

/// Euro.
const CURRENCY: &str = "978";

/// STAN of echoes.
const ECHO: Stan = 999_999;

impl Deck {
    /// The message, the same each time but for its type.
    pub(crate) fn message(&self, draw: &Draw) -> Result<Message> {
        let message = match draw.what {
            What::Ask(ask) => self.ask(draw.stan, ask)?,
            What::Reversal { of, standing, advice } => {
                let (request, own) = (self.asked_for(of)?, numbers(draw.stan));
                let original = Original::of(&request)?;
                let left = standing.unsigned_abs();
                let reversal = match standing {
                    0 => reversal_of(&request, &original, &own)?,
                    _ => partial_reversal_of(&request, &original, &own, left)?,
                };
                if advice { reversal.retyped("0420")? } else { reversal }
            }
        };
        if !draw.repeat {
            return Ok(message);
        }
        let mti = message.mti().to_owned();
        let first = mti.strip_suffix('0').context("the type of a first message")?;
        message.retyped(&format!("{first}1"))
    }

    /// An echo: is there a switch?
    pub(crate) fn echo(&self) -> Result<Message> {
        network_management(NetworkCode::Echo, &numbers(ECHO))
    }

    /// The message of a request that another names.
    fn asked_for(&self, stan: Stan) -> Result<Message> {
        match self.what(stan) {
            Some(What::Ask(ask)) => self.ask(stan, ask),
            _ => bail!("STAN {stan} asks for nothing"),
        }
    }

    fn ask(&self, stan: Stan, ask: Ask) -> Result<Message> {
        let (numbers, minor) = (numbers(stan), ask.amount.unsigned_abs());
        if let Some(of) = ask.of {
            let request = self.asked_for(of)?;
            let original = Original::of(&request)?;
            return match ask.kind {
                AskKind::Increment => increment_of(&request, &original, &numbers, minor),
                AskKind::Completion => completion_of(&request, &original, &numbers, minor),
                _ => completion_of(&request, &original, &numbers, minor)?.retyped("0200"),
            };
        }
        let card = self.card(ask.card)?;
        let purchase = purchase_message(stan, ask.kind, card, minor)?;
        match ask.kind {
            AskKind::CashBack => purchase.with(3, "090000"),
            AskKind::Preauthorization => purchase.with(25, "06"),
            AskKind::RefundAuthorization => purchase.with(3, "200000"),
            AskKind::Verification => varied(purchase, Variant::Verification),
            AskKind::Inquiry => varied(purchase, Variant::Inquiry),
            AskKind::Advice => varied(purchase, Variant::Advice),
            AskKind::DeclinedAdvice => varied(purchase, Variant::DeclinedAdvice),
            AskKind::Payment => varied(purchase, Variant::Payment),
            AskKind::Refund => varied(purchase, Variant::Refund),
            AskKind::FinancialAdvice => varied(purchase, Variant::FinancialAdvice),
            _ => Ok(purchase),
        }
    }
}

fn purchase_message(stan: Stan, kind: AskKind, card: &TestCard, minor: u64) -> Result<Message> {
    let channel = match (kind, stan % 3) {
        (AskKind::Cash, _) => Channel::Atm,
        (AskKind::CashBack | AskKind::Preauthorization, _) | (_, 0) => Channel::Pos,
        (_, 1) => Channel::Ecommerce,
        _ => Channel::KeyEntered,
    };
    purchase(&Purchase { channel, card, minor, currency: CURRENCY }, &numbers(stan))
}

/// Made from the STAN alone, so that a repeat is the same message.
fn numbers(stan: Stan) -> Numbers {
    let second = stan % 60;
    Numbers {
        stan: format!("{stan:06}"),
        rrn: format!("633012{stan:06}"),
        transmitted: format!("11251200{second:02}"),
        local_time: format!("1300{second:02}"),
        local_date: "1125".into(),
    }
}
