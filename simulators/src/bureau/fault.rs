//! What a bureau does wrong when told to. Must change its report and nothing else: the cards are
//! made.

/// A thing that is wrong with a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BureauFault {
    /// There is none yet.
    Late,
    /// It is cut off half-way.
    Partial,
    /// Every line comes twice.
    Duplicated,
    /// Its first line is damaged.
    Damaged,
    /// Its end says another number of lines.
    WrongCount,
    /// It has a whole card number in its first line.
    Unmasked,
    /// Its first line is about an order that nobody made.
    Unknown,
    /// The number in its first line ends otherwise.
    OtherNumber,
}

impl BureauFault {
    /// Every one once.
    pub const ALL: [Self; 8] = [
        Self::Late,
        Self::Partial,
        Self::Duplicated,
        Self::Damaged,
        Self::WrongCount,
        Self::Unmasked,
        Self::Unknown,
        Self::OtherNumber,
    ];

    /// As on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Partial => "partial",
            Self::Duplicated => "duplicated",
            Self::Damaged => "damaged",
            Self::WrongCount => "wrong-count",
            Self::Unmasked => "unmasked",
            Self::Unknown => "unknown",
            Self::OtherNumber => "other-number",
        }
    }

    /// Whether the run has been reported with it, though not well.
    pub(super) const fn reports(self) -> bool {
        matches!(self, Self::Duplicated)
    }
}

impl std::str::FromStr for BureauFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == text);
        found.ok_or_else(|| format!("{text}: see --help for what there is"))
    }
}
