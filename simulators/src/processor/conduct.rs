//! What a simulated processor does wrong when told to. Must leave what it knows of its cards as if
//! it had done right, but for what it never did.

use std::time::Duration;

/// What is done with a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// It is done, and answered so much later.
    Late(Duration),
    /// It is done, and never answered.
    Silent,
    /// It is done, and the connection ends without an answer.
    Cut,
    /// It is done, half of the answer comes, and the connection ends.
    Half,
    /// It is not done, and refused with a code.
    Refuse,
    /// It is not done, and answered with this status and no code.
    Status(u16),
    /// It is sent elsewhere: a redirect.
    Redirect,
    /// It is done, and answered with bytes that are no answer.
    Garbage,
    /// It is done, and answered at a length that no answer has.
    TooLong,
    /// It is done, and the answer comes twice in one body.
    Twice,
    /// It is done, and the answer is to another reference.
    Other,
    /// An order gets another number than before.
    OtherNumber,
    /// An order gets the number of the first card that was made.
    Taken,
    /// An order gets a number of another range.
    Outside,
    /// An order gets a number whose check digit is wrong.
    NoCheckDigit,
    /// The number comes in clear.
    InClear,
    /// The number stands in the name of the card, which comes in clear.
    Named,
}

/// Those without a value, as on a command line.
const NAMED: [(&str, Conduct); 15] = [
    ("silent", Conduct::Silent),
    ("cut", Conduct::Cut),
    ("half", Conduct::Half),
    ("refuse", Conduct::Refuse),
    ("redirect", Conduct::Redirect),
    ("garbage", Conduct::Garbage),
    ("too-long", Conduct::TooLong),
    ("twice", Conduct::Twice),
    ("other", Conduct::Other),
    ("other-number", Conduct::OtherNumber),
    ("taken", Conduct::Taken),
    ("outside", Conduct::Outside),
    ("no-check-digit", Conduct::NoCheckDigit),
    ("in-clear", Conduct::InClear),
    ("named", Conduct::Named),
];

impl std::str::FromStr for Conduct {
    type Err = String;

    /// As on a command line: `cut`, `late:250`, `status:503`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, conduct)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*conduct);
        }
        match text.split_once(':') {
            Some(("late", millis)) => {
                let millis = millis.parse().map_err(|_| "milliseconds")?;
                Ok(Self::Late(Duration::from_millis(millis)))
            }
            Some(("status", status)) => {
                let status = status.parse().ok().filter(|status| (300..600).contains(status));
                Ok(Self::Status(status.ok_or("a status from 300 to 599")?))
            }
            _ => Err(format!("{text}: see --help for what there is")),
        }
    }
}

/// What is done with the questions to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What.
    pub conduct: Conduct,
    /// With so many of them; `None`: with all from now on.
    pub times: Option<u64>,
}

impl Plan {
    /// With all from now on.
    #[must_use]
    pub const fn always(conduct: Conduct) -> Self {
        Self { conduct, times: None }
    }

    /// With the next one.
    #[must_use]
    pub const fn once(conduct: Conduct) -> Self {
        Self { conduct, times: Some(1) }
    }

    /// What is done with one more; none: what is right.
    pub(super) fn next(&mut self) -> Option<Conduct> {
        if self.times == Some(0) {
            return None;
        }
        self.times = self.times.map(|times| times - 1);
        Some(self.conduct)
    }
}

#[test]
fn plans_are_read_and_last_so_long() {
    let mut once = Plan::once("status:503".parse().unwrap());
    assert_eq!((once.next(), once.next()), (Some(Conduct::Status(503)), None));
    let mut always = Plan::always("late:250".parse().unwrap());
    let late = Some(Conduct::Late(Duration::from_millis(250)));
    assert_eq!((always.next(), always.next()), (late, late));
    for (name, conduct) in NAMED {
        assert_eq!(name.parse(), Ok(conduct));
    }
    for wrong in ["", "status:200", "status:x", "late", "late:x", "cut:1", "nothing"] {
        assert!(wrong.parse::<Conduct>().is_err(), "{wrong}");
    }
}
