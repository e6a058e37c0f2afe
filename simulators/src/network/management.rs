//! Network management: what an x800 asks for, by field 70 of 1987 and field 24 of the later
//! editions. Must stay this side's own table.

use codecs::iso8583::Version;

/// What a network management message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// 001, 801: what is sent from now on will be decided.
    SignOn,
    /// 002, 802.
    SignOff,
    /// 301, 831: are you there?
    Echo,
    /// 201, 821: a new settlement day begins.
    CutOver,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 4] =
        [Function::SignOn, Function::SignOff, Function::Echo, Function::CutOver];

    /// The field that carries it in this edition.
    #[must_use]
    pub const fn field(version: Version) -> u8 {
        match version {
            Version::V1987 => 70,
            Version::V1993 | Version::V2003 => 24,
        }
    }

    /// Three digits.
    #[must_use]
    pub const fn code(self, version: Version) -> &'static str {
        match (self, version) {
            (Function::SignOn, Version::V1987) => "001",
            (Function::SignOff, Version::V1987) => "002",
            (Function::Echo, Version::V1987) => "301",
            (Function::CutOver, Version::V1987) => "201",
            (Function::SignOn, _) => "801",
            (Function::SignOff, _) => "802",
            (Function::Echo, _) => "831",
            (Function::CutOver, _) => "821",
        }
    }

    /// The function of this code; `None` for one that this network does not do.
    #[must_use]
    pub fn of(code: &str, version: Version) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.code(version) == code)
    }
}

/// Field 39 of an answer that says yes to network management.
pub(super) const fn accepted(version: Version) -> &'static str {
    match version {
        Version::V1987 => "00",
        Version::V1993 => "800",
        Version::V2003 => "8000",
    }
}

/// Field 39 of an approval.
pub(super) const fn approved(version: Version) -> &'static str {
    match version {
        Version::V1987 => "00",
        Version::V1993 => "000",
        Version::V2003 => "0000",
    }
}
