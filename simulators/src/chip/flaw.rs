//! What is wrong with a transaction on purpose. Must change nothing but what it names.

/// A thing that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flaw {
    /// The PIN is another.
    Pin,
    /// The chip's counter is that of its last transaction, with a right cryptogram.
    ReplayedCounter,
    /// Somebody changed the amount after the chip had signed: its cryptogram is wrong for it.
    AlteredAmount,
    /// The chip signed another amount than the message asks for: its cryptogram is right.
    OtherAmount,
    /// The cryptogram is another: a chip with another key.
    Cryptogram,
    /// The value of the stripe or the chip's track is another.
    TrackValue,
    /// The printed code is another.
    Code,
}

impl Flaw {
    /// Every one once.
    pub const ALL: [Flaw; 7] = [
        Flaw::Pin,
        Flaw::ReplayedCounter,
        Flaw::AlteredAmount,
        Flaw::OtherAmount,
        Flaw::Cryptogram,
        Flaw::TrackValue,
        Flaw::Code,
    ];

    /// A word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Flaw::Pin => "wrong PIN",
            Flaw::ReplayedCounter => "replayed counter",
            Flaw::AlteredAmount => "altered amount",
            Flaw::OtherAmount => "another amount than signed",
            Flaw::Cryptogram => "wrong cryptogram",
            Flaw::TrackValue => "wrong value of the track",
            Flaw::Code => "wrong CVV2",
        }
    }
}
