//! What a card does next: mostly what is right, and everything that can be wrong by turns. It owns
//! the order, which never lets a wrong PIN follow another on a card that is to live, and what DE39
//! each must be answered with.

use crate::chip::Flaw;

/// Cards of which one has its PIN guessed until it is locked.
const GUESSED_OF: usize = 8;
/// Wrong PINs that are answered, by the terms that the demo sets.
const TRIES: u64 = 3;
/// Rounds in which the printed code is wrong once: a card has ten such in a day.
const CODE_ROUNDS: u64 = 8;

/// Where a card is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In a shop: chip and PIN.
    Shop,
    /// In a cash machine: chip and PIN.
    CashMachine,
    /// Its number and printed code, in a web shop.
    Web,
}

/// What is wrong with a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wrong {
    /// Something of the card or the message.
    Flaw(Flaw),
    /// The last wrong PIN that there is.
    LastPin,
    /// Nothing any more: but the card's tries are used up.
    Locked,
}

impl Wrong {
    /// A word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flaw(flaw) => flaw.name(),
            Self::LastPin => "PIN tries exceeded",
            Self::Locked => "right PIN after that",
        }
    }

    /// DE39 of ISO 8583:1987 that it must be answered with.
    #[must_use]
    pub const fn response_code(self) -> &'static str {
        match self {
            Self::Flaw(Flaw::Pin) => "55",
            Self::LastPin | Self::Locked => "75",
            // A wrong cryptogram, or one over another amount: suspected fraud.
            Self::Flaw(Flaw::Cryptogram | Flaw::AlteredAmount) => "59",
            // What a copy or somebody on the way would send: security violation.
            Self::Flaw(
                Flaw::ReplayedCounter | Flaw::OtherAmount | Flaw::TrackValue | Flaw::Code,
            ) => "63",
        }
    }

    /// What of the card or message is wrong.
    #[must_use]
    pub const fn flaw(self) -> Option<Flaw> {
        match self {
            Self::Flaw(flaw) => Some(flaw),
            Self::LastPin => Some(Flaw::Pin),
            Self::Locked => None,
        }
    }
}

/// One thing that a card does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// What is wrong with it.
    pub wrong: Option<Wrong>,
}

impl Step {
    const fn right(place: Place) -> Step {
        Step { place, wrong: None }
    }

    const fn with(place: Place, flaw: Flaw) -> Step {
        Step { place, wrong: Some(Wrong::Flaw(flaw)) }
    }

    /// DE39 that it must be answered with.
    #[must_use]
    pub const fn response_code(&self) -> &'static str {
        match self.wrong {
            None => "00",
            Some(wrong) => wrong.response_code(),
        }
    }
}

/// A round of a card. What replays a counter follows what was approved with it; what is right
/// follows a wrong PIN, and so that is forgiven.
const ROUND: [Step; 12] = [
    Step::right(Place::Shop),
    Step::right(Place::CashMachine),
    Step::with(Place::CashMachine, Flaw::ReplayedCounter),
    Step::right(Place::Web),
    Step::with(Place::Shop, Flaw::Pin),
    Step::right(Place::Shop),
    Step::with(Place::Shop, Flaw::Cryptogram),
    Step::with(Place::Shop, Flaw::AlteredAmount),
    Step::right(Place::CashMachine),
    Step::with(Place::CashMachine, Flaw::OtherAmount),
    Step::with(Place::Shop, Flaw::TrackValue),
    Step::with(Place::Web, Flaw::Code),
];

/// What the card with this number does at its turn; `None` once it does nothing any more.
pub(super) fn step(card: usize, turn: u64) -> Option<Step> {
    if card % GUESSED_OF == GUESSED_OF - 1 {
        return guessed(turn);
    }
    let length = ROUND.len() as u64;
    // Cards begin at different places, after one purchase that is right.
    let Some(behind) = turn.checked_sub(1) else { return Some(Step::right(Place::Shop)) };
    let at = behind.wrapping_add(card as u64);
    let step = *ROUND.get(usize::try_from(at % length).ok()?)?;
    let many_codes = behind / length >= CODE_ROUNDS;
    let is_code = step.wrong == Some(Wrong::Flaw(Flaw::Code));
    Some(if is_code && many_codes { Step::right(Place::Web) } else { step })
}

/// Somebody has the card and tries PINs; then its holder comes.
const fn guessed(turn: u64) -> Option<Step> {
    let place = Place::CashMachine;
    let wrong = match turn {
        0 => return Some(Step::right(place)),
        turn if turn < TRIES => Wrong::Flaw(Flaw::Pin),
        TRIES => Wrong::LastPin,
        turn if turn < TRIES + 3 => Wrong::Locked,
        _ => return None,
    };
    Some(Step { place, wrong: Some(wrong) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn everything_comes_soon_and_no_card_is_locked_by_chance() {
        let mut seen = HashSet::new();
        for card in 0..16 {
            let mut wrong_pins = 0;
            for turn in 0..6 {
                seen.extend(step(card, turn).and_then(|step| step.wrong));
            }
            for turn in 0..200 {
                let Some(step) = step(card, turn) else { break };
                match step.wrong {
                    Some(Wrong::Flaw(Flaw::Pin)) => wrong_pins += 1,
                    None if step.place != Place::Web => wrong_pins = 0,
                    _ => {}
                }
                assert!(wrong_pins < TRIES, "card {card} at {turn}");
            }
        }
        assert_eq!(seen.len(), Flaw::ALL.len() + 2);
    }

    #[test]
    fn a_guessed_card_is_locked_at_the_third_and_then_rests() {
        let told: Vec<_> =
            (0..8).map_while(|turn| step(7, turn)).map(|step| step.response_code()).collect();
        assert_eq!(told, ["00", "55", "55", "75", "75", "75"]);
    }

    #[test]
    fn printed_codes_are_wrong_fewer_times_than_are_counted() {
        let wrong = |turn: &u64| step(0, *turn).unwrap().wrong == Some(Wrong::Flaw(Flaw::Code));
        assert!((0..10_000).filter(wrong).count() < 10);
    }
}
