//! What a simulated provider says of whom, and what it does wrong when told to. Must decide by what
//! was asked and what it was told alone, so that a repeat is answered alike.

use std::time::Duration;

/// What is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// They are who they say.
    Verified,
    /// It was not shown; the reference says why in a word.
    Rejected(&'static str),
    /// Nothing yet, so many times; then they are verified.
    Later(u64),
}

impl Verdict {
    /// Of somebody with this family name: `Denied` is on a list, `Forged` has a bad document,
    /// `Waiting` takes two more questions; everybody else is verified.
    #[must_use]
    pub fn of(family_name: &str) -> Self {
        match family_name {
            "Denied" => Self::Rejected("SANCTIONS"),
            "Forged" => Self::Rejected("DOCUMENT"),
            "Waiting" => Self::Later(2),
            _ => Self::Verified,
        }
    }
}

/// What is done with a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// It is answered, with this verdict whatever the name.
    Say(Verdict),
    /// It is answered so much later.
    Late(Duration),
    /// It is answered with this status.
    Status(u16),
    /// It is sent elsewhere: a redirect.
    Redirect,
    /// It is answered with bytes that are no answer.
    Garbage,
    /// It is answered at a length that no answer has.
    TooLong,
    /// The answer comes twice in one body.
    Twice,
    /// The answer is to another inquiry.
    Other,
    /// The connection ends without an answer.
    Cut,
    /// Half of the answer comes, and the connection ends.
    Half,
}

impl std::str::FromStr for Conduct {
    type Err = String;

    /// As on a command line: `verify`, `late:250`, `status:503`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        Ok(match (name, value) {
            ("verify", "") => Self::Say(Verdict::Verified),
            ("reject", "") => Self::Say(Verdict::Rejected("TOLD")),
            ("later", times) => Self::Say(Verdict::Later(times.parse().map_err(|_| "a number")?)),
            ("late", millis) => {
                Self::Late(Duration::from_millis(millis.parse().map_err(|_| "milliseconds")?))
            }
            ("status", status) => {
                let status = status.parse().ok().filter(|status| (300..600).contains(status));
                Self::Status(status.ok_or("a status from 300 to 599")?)
            }
            ("redirect", "") => Self::Redirect,
            ("garbage", "") => Self::Garbage,
            ("too-long", "") => Self::TooLong,
            ("twice", "") => Self::Twice,
            ("other", "") => Self::Other,
            ("cut", "") => Self::Cut,
            ("half", "") => Self::Half,
            _ => return Err(format!("{text}: see --help for what there is")),
        })
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

    /// What is done with one more; none: it is answered by the name.
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
    for wrong in ["", "status:200", "status:x", "late", "later:", "cut:1", "nothing"] {
        assert!(wrong.parse::<Conduct>().is_err(), "{wrong}");
    }
    assert_eq!(Verdict::of("Denied"), Verdict::Rejected("SANCTIONS"));
    assert_eq!(Verdict::of("Lovelace"), Verdict::Verified);
}
