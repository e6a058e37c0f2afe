//! A simulation as a message of an acquirer. Must leave out what a terminal of that kind would not
//! know: there is no chip data, no PIN and no printed code in a sandbox.

use anyhow::{Result, ensure};

use super::asked::{Entry, Following, Presented};
use super::book::Kept;
use crate::acquirer::{
    Channel, Numbers, Original, Purchase, completion_of, partial_reversal_of, purchase, reversal_of,
};
use crate::demo_file::{TestCard, TestPan};
use crate::iso::Message;

/// What terminals say that go on with a part of the amount: in DE63, as `iso87-ascii` has it.
const TAKES_PART: &str = "PARTIAL";
/// DE38 of who approved in our stead.
const STAND_IN: &str = "STANDI";

/// The authorization request of a card that is presented.
pub(super) fn authorization(
    presented: &Presented,
    pan: TestPan,
    numbers: &Numbers,
) -> Result<Message> {
    let Presented { expiry, amount, currency, entry, cash, .. } = presented;
    let channel = match (entry, cash) {
        (Entry::Chip | Entry::Contactless | Entry::Magstripe, true) => Channel::Atm,
        (Entry::Chip | Entry::Contactless | Entry::Magstripe, false) => Channel::Pos,
        (Entry::Ecommerce, false) => Channel::Ecommerce,
        (Entry::Manual, false) => Channel::KeyEntered,
        (Entry::Ecommerce | Entry::Manual, true) => anyhow::bail!("no machine pays that out"),
    };
    let (state, expect) = (String::new(), String::new());
    let card = TestCard { pan, expiry: expiry.clone(), state, expect };
    let what = Purchase { channel, card: &card, minor: *amount, currency };
    let mut message = purchase(&what, numbers)?;
    match entry {
        Entry::Contactless => message.set(22, "071")?,
        Entry::Magstripe => message.set(22, "901")?,
        Entry::Chip | Entry::Ecommerce | Entry::Manual => {}
    }
    placed(&mut message, presented)?;
    if presented.takes_part {
        message.set(63, TAKES_PART)?;
    }
    Ok(message)
}

/// Where it was, as far as that is said.
fn placed(message: &mut Message, presented: &Presented) -> Result<()> {
    for (field, said) in
        [(18, &presented.category), (41, &presented.terminal), (42, &presented.merchant)]
    {
        if let Some(said) = said {
            message.set(field, said)?;
        }
    }
    // Name in 25 characters, city in 13, country in two.
    let place = message.text(43).unwrap_or_default().to_owned();
    let part = |range: std::ops::Range<usize>, said: &Option<String>| {
        let usual = place.get(range.clone()).unwrap_or_default();
        let said = said.as_deref().unwrap_or(usual);
        ensure!(said.is_ascii() && said.len() <= range.len(), "a part of DE43 is too long");
        Ok(format!("{said:<0$}", range.len()))
    };
    let name = part(0..25, &presented.name)?;
    let city = part(25..38, &presented.city)?;
    let country = part(38..40, &presented.country)?;
    message.set(43, format!("{name}{city}{country}"))
}

/// What a network says that approved a request in our stead: the same in all that tells requests
/// apart.
pub(super) fn advice(of: &Kept, following: &Following, numbers: &Numbers) -> Result<Message> {
    ensure!(of.request.mti().starts_with("010"), "only authorizations are approved in our stead");
    let mut advice = of.request.clone().retyped("0120")?;
    advice.set(7, &numbers.transmitted)?;
    advice.set(38, STAND_IN)?;
    advice.set(39, "00")?;
    if let Some(amount) = following.amount {
        ensure!(amount > 0, "nothing is approved for nothing");
        advice.set(4, amount.to_string())?;
    }
    Ok(advice)
}

/// What settles an authorization.
pub(super) fn clearing(of: &Kept, following: &Following, numbers: &Numbers) -> Result<Message> {
    ensure!(of.request.mti().starts_with("01"), "only authorizations are cleared");
    let amount = following.amount.or_else(|| approved(of)).unwrap_or_default();
    ensure!(amount > 0, "nothing is cleared for nothing");
    let mut clearing = completion_of(&of.request, &Original::of(&of.request)?, numbers, amount)?;
    for field in [38, 39, 63] {
        clearing.remove(field);
    }
    Ok(clearing)
}

/// The same the other way.
pub(super) fn refund(of: &Kept, following: &Following, numbers: &Numbers) -> Result<Message> {
    clearing(of, following, numbers)?.with(3, "200000")
}

/// What takes a message back, all of it or down to what is to stand.
pub(super) fn reversal(of: &Kept, following: &Following, numbers: &Numbers) -> Result<Message> {
    let original = Original::of(&of.request)?;
    let reversal = match following.amount {
        None => reversal_of(&of.request, &original, numbers)?,
        Some(standing) => partial_reversal_of(&of.request, &original, numbers, standing)?,
    };
    reversal.retyped("0420")
}

/// What was approved of a request: a part of it, perhaps.
fn approved(of: &Kept) -> Option<u64> {
    let amount = of.answer.as_ref().and_then(|answer| answer.text(4));
    amount.or_else(|| of.request.text(4))?.parse().ok()
}
