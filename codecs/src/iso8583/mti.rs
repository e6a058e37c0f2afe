//! The message type identifier: four digits that say version, class, function and origin
//! (ISO 8583:1987 clause 4.1). Must not decide whether a type is served: that is the link's affair.

use std::fmt;

/// A message type identifier, held as its four decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mti([u8; 4]);

impl Mti {
    /// 0100, authorization request.
    pub const AUTHORIZATION_REQUEST: Mti = Mti([0, 1, 0, 0]);
    /// 0110, authorization response.
    pub const AUTHORIZATION_RESPONSE: Mti = Mti([0, 1, 1, 0]);
    /// 0120, authorization advice.
    pub const AUTHORIZATION_ADVICE: Mti = Mti([0, 1, 2, 0]);
    /// 0200, financial request.
    pub const FINANCIAL_REQUEST: Mti = Mti([0, 2, 0, 0]);
    /// 0220, financial advice.
    pub const FINANCIAL_ADVICE: Mti = Mti([0, 2, 2, 0]);
    /// 0400, acquirer reversal request.
    pub const REVERSAL_REQUEST: Mti = Mti([0, 4, 0, 0]);
    /// 0410, acquirer reversal response.
    pub const REVERSAL_RESPONSE: Mti = Mti([0, 4, 1, 0]);
    /// 0420, acquirer reversal advice.
    pub const REVERSAL_ADVICE: Mti = Mti([0, 4, 2, 0]);
    /// 0800, network management request.
    pub const NETWORK_REQUEST: Mti = Mti([0, 8, 0, 0]);
    /// 0810, network management response.
    pub const NETWORK_RESPONSE: Mti = Mti([0, 8, 1, 0]);

    /// From four digit values, each 0 to 9; `None` if one is larger.
    #[must_use]
    pub const fn from_digits(digits: [u8; 4]) -> Option<Mti> {
        let [a, b, c, d] = digits;
        if a <= 9 && b <= 9 && c <= 9 && d <= 9 { Some(Mti(digits)) } else { None }
    }

    /// From four ASCII digits, e.g. `"0100"`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Mti> {
        let &[a, b, c, d] = text.as_bytes() else { return None };
        Mti::from_digits([a, b, c, d].map(|byte| byte.wrapping_sub(b'0')))
    }

    /// The four digit values, first to last.
    #[must_use]
    pub const fn digits(self) -> [u8; 4] {
        self.0
    }

    /// First digit, the version: 0 is 1987, 1 is 1993, 2 is 2003.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.0[0]
    }

    /// Second digit, the class: 1 authorization, 2 financial, 4 reversal, 8 network management.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.0[1]
    }

    /// Third digit, the function: 0 request, 1 its response, 2 advice, 3 its response.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.0[2]
    }

    /// Fourth digit, who began it and whether this is a repeat: 0 acquirer, 1 acquirer repeat,
    /// 2 issuer, 3 issuer repeat, 4 other, 5 other repeat.
    #[must_use]
    pub const fn origin(self) -> u8 {
        self.0[3]
    }

    /// True for a request, an advice or a notification: an even function digit.
    #[must_use]
    pub const fn is_request(self) -> bool {
        self.function() & 1 == 0
    }

    /// True when the origin digit marks a repeat (odd, up to 5), as 0101 and 0401.
    #[must_use]
    pub const fn is_repeat(self) -> bool {
        self.origin() & 1 == 1 && self.origin() <= 5
    }

    /// The same type without the repeat mark: 0101 gives 0100; others are returned as they are.
    #[must_use]
    pub const fn without_repeat(self) -> Mti {
        let Mti([version, class, function, origin]) = self;
        if self.is_repeat() { Mti([version, class, function, origin & !1]) } else { self }
    }

    /// The type that answers this request: 0100 and 0101 give 0110, 0401 gives 0410, 0420 gives
    /// 0430. `None` when this is itself a response, or a notification, which takes none.
    #[must_use]
    pub const fn response(self) -> Option<Mti> {
        let Mti([version, class, function, origin]) = self.without_repeat();
        match function {
            0 | 2 | 6 => Some(Mti([version, class, function | 1, origin])),
            _ => None,
        }
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mti([a, b, c, d]) = self;
        write!(f, "{a}{b}{c}{d}")
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mti({self})")
    }
}
