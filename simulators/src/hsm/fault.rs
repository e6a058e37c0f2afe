//! What a simulated HSM does wrong when told to. Must happen to commands and never to the
//! diagnostics with which a connection begins, so that a fault finds its client at work.

use std::time::Duration;

/// What goes wrong with the answer to a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is none, and the connection stays.
    Hang,
    /// Half of it comes, and then nothing.
    Half,
    /// It comes under a header that nobody used.
    WrongHeader,
    /// It comes under the header of the command behind it, which gets none.
    HeaderOfNext,
    /// It has the letters of another command's answer.
    WrongLetters,
    /// It has this error code and nothing else.
    Code([u8; 2]),
    /// There is none: the connection is reset.
    Reset,
    /// It comes so much later.
    Late(Duration),
    /// It comes twice.
    Twice,
    /// It says that it is longer than any answer.
    TooLong,
    /// It is too short for an answer.
    TooShort,
    /// It is good, and something follows in the same frame.
    MoreThanAsked,
}

impl std::str::FromStr for Fault {
    type Err = String;

    /// As on a command line: `hang`, `code:68`, `late:250`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let fault = match (name, value) {
            ("hang", "") => Self::Hang,
            ("half", "") => Self::Half,
            ("wrong-header", "") => Self::WrongHeader,
            ("header-of-next", "") => Self::HeaderOfNext,
            ("wrong-letters", "") => Self::WrongLetters,
            ("reset", "") => Self::Reset,
            ("twice", "") => Self::Twice,
            ("too-long", "") => Self::TooLong,
            ("too-short", "") => Self::TooShort,
            ("more-than-asked", "") => Self::MoreThanAsked,
            ("code", code) => {
                let code: [u8; 2] = code.as_bytes().try_into().map_err(|_| "two characters")?;
                Self::Code(code)
            }
            ("late", millis) => {
                let millis: u64 = millis.parse().map_err(|_| "milliseconds")?;
                Self::Late(Duration::from_millis(millis))
            }
            _ => return Err(format!("{text}: see --help for the faults that there are")),
        };
        Ok(fault)
    }
}

/// A fault, and which commands it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What happens.
    pub fault: Fault,
    /// To commands of these letters; `None`: to all but echoes and status, with which clients see
    /// whether a unit is well.
    pub only: Option<[u8; 2]>,
    /// To so many of them; `None`: to all from now on.
    pub times: Option<u64>,
}

impl Plan {
    /// To all commands but those of health, from now on.
    #[must_use]
    pub const fn always(fault: Fault) -> Self {
        Self { fault, only: None, times: None }
    }

    /// To the next one.
    #[must_use]
    pub const fn once(fault: Fault) -> Self {
        Self { fault, only: None, times: Some(1) }
    }

    /// To commands of these letters alone.
    #[must_use]
    pub const fn to(self, letters: [u8; 2]) -> Self {
        Self { only: Some(letters), ..self }
    }

    /// Whether it is for a command; counts it if so.
    pub(super) fn strikes(&mut self, letters: [u8; 2]) -> bool {
        let meant = match self.only {
            Some(only) => only == letters,
            None => !matches!(&letters, b"B2" | b"NO"),
        };
        // A connection begins with it: what fails there fails for another reason.
        if !meant || &letters == b"NC" || self.times == Some(0) {
            return false;
        }
        self.times = self.times.map(|times| times - 1);
        true
    }
}

#[test]
fn faults_strike_whom_they_are_for_and_so_often() {
    let mut once = Plan::once(Fault::Hang);
    assert!(!once.strikes(*b"B2") && !once.strikes(*b"NC"));
    assert!(once.strikes(*b"CY") && !once.strikes(*b"CY"));
    let mut echoes = Plan::always("code:15".parse().unwrap()).to(*b"B2");
    assert!(echoes.strikes(*b"B2") && echoes.strikes(*b"B2") && !echoes.strikes(*b"CY"));
    assert_eq!("late:250".parse(), Ok(Fault::Late(Duration::from_millis(250))));
    for wrong in ["", "code:1", "late:x", "hang:1", "nothing"] {
        assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
    }
}
