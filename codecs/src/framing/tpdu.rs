//! The transport header some terminal links put in front of every message: five bytes, an
//! identifier and two addresses. Must only be carried and answered, never interpreted.

/// Identifier, destination address, source address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tpdu {
    /// Usually 0x60.
    pub id: u8,
    /// Address it goes to.
    pub destination: [u8; 2],
    /// Address it comes from.
    pub source: [u8; 2],
}

impl Tpdu {
    /// Bytes it takes.
    pub const LEN: usize = 5;

    /// With identifier 0x60.
    #[must_use]
    pub const fn new(destination: [u8; 2], source: [u8; 2]) -> Tpdu {
        Tpdu { id: 0x60, destination, source }
    }

    /// The header of the answer: addresses exchanged.
    #[must_use]
    pub const fn reply(self) -> Tpdu {
        Tpdu { id: self.id, destination: self.source, source: self.destination }
    }

    /// As on the wire.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Tpdu::LEN] {
        let ([d0, d1], [s0, s1]) = (self.destination, self.source);
        [self.id, d0, d1, s0, s1]
    }

    /// From the wire.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Tpdu::LEN]) -> Tpdu {
        let [id, d0, d1, s0, s1] = bytes;
        Tpdu { id, destination: [d0, d1], source: [s0, s1] }
    }
}
