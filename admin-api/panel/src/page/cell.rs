//! One thing that is shown: a text, perhaps a way to somewhere, perhaps good or bad.

/// How something is to be taken. Never told by a colour alone: the text says it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Waiting,
    Bad,
}

impl Tone {
    /// Its class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
        }
    }

    /// Of a state of anything, by its name.
    pub(crate) fn of_state(name: &str) -> Self {
        match name {
            "ACTIVE" | "VERIFIED" | "APPROVED" | "DONE" | "DELIVERED" | "ENABLED" | "LINKED"
            | "UP" => Self::Good,
            "PENDING" | "WAITING" | "ON_HOLD" | "BOOKING" | "INACTIVE" | "ORDERED" | "SENT"
            | "PERSONALISED" | "NOT_STARTED" | "UNSEEN" => Self::Waiting,
            "BLOCKED" | "LOCKED" | "REMOVED" | "CLOSED" | "REJECTED" | "REVOKED" | "EXPIRED"
            | "REFUSED" | "FAILED" | "DISABLED" | "SUSPENDED" | "DOWN" => Self::Bad,
            _ => Self::Plain,
        }
    }
}

/// What stands in a place of a table or of a list of facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) link: Option<String>,
    pub(crate) tone: Option<Tone>,
    /// Set in figures of one width, to the right.
    pub(crate) number: bool,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn some(text: Option<impl Into<String>>) -> Self {
        Self::text(text.map_or_else(|| "\u{2013}".to_owned(), Into::into))
    }

    pub(crate) fn number(text: impl Into<String>) -> Self {
        Self { number: true, ..Self::text(text) }
    }

    pub(crate) fn to(text: impl Into<String>, link: impl Into<String>) -> Self {
        Self { link: Some(link.into()), ..Self::text(text) }
    }

    /// A state, by its name.
    pub(crate) fn state(name: &str) -> Self {
        Self { tone: Some(Tone::of_state(name)), ..Self::text(spoken(name)) }
    }

    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { tone: Some(tone), ..Self::text(text) }
    }

    /// Whether, in words.
    pub(crate) fn whether(is: bool) -> Self {
        Self::text(if is { "yes" } else { "no" })
    }

    /// A moment, to the second.
    pub(crate) fn moment(at: &str) -> Self {
        Self::text(moment(at))
    }
}

/// A name of `/admin` as people read it: `ON_HOLD` is `on hold`.
pub(crate) fn spoken(name: &str) -> String {
    name.replace('_', " ").to_lowercase()
}

/// `2026-11-28T15:04:05.123456Z` is `2026-11-28 15:04:05`: times are in UTC, as the frame says.
pub(crate) fn moment(at: &str) -> String {
    let second = at.split(['.', 'Z']).next().unwrap_or(at);
    second.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_moments_are_read_by_people() {
        assert_eq!(spoken("ON_HOLD"), "on hold");
        assert_eq!(moment("2026-11-28T15:04:05.123456Z"), "2026-11-28 15:04:05");
        assert_eq!(moment("2026-11-28T15:04:05Z"), "2026-11-28 15:04:05");
        assert_eq!(Tone::of_state("LOCKED"), Tone::Bad);
    }
}
