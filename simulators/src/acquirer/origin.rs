//! Where transactions come from: a shop terminal, a cash machine, a web shop. Must only hold what
//! such a place puts into every message of its own.

/// DE32 of this acquirer.
pub(super) const ACQUIRER: &str = "999001";

/// A kind of place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Channel {
    /// A chip card in a shop terminal.
    Pos,
    /// Cash from a machine.
    Atm,
    /// A purchase in a web shop.
    Ecommerce,
    /// A card number typed in by an order clerk.
    KeyEntered,
}

impl Channel {
    /// A word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Channel::Pos => "POS purchase",
            Channel::Atm => "ATM withdrawal",
            Channel::Ecommerce => "e-commerce purchase",
            Channel::KeyEntered => "key-entered purchase",
        }
    }

    /// DE3.
    pub(super) const fn processing_code(self) -> &'static str {
        match self {
            Channel::Atm => "010000", // cash
            Channel::Pos | Channel::Ecommerce | Channel::KeyEntered => "000000",
        }
    }

    /// DE18 (ISO 18245).
    pub(super) const fn merchant_type(self) -> &'static str {
        match self {
            Channel::Pos => "5411",
            Channel::Atm => "6011",
            Channel::Ecommerce => "5942",
            Channel::KeyEntered => "5964",
        }
    }

    /// DE22: two digits for how the number was read, one for whether a PIN can be entered.
    pub(super) const fn entry_mode(self) -> &'static str {
        match self {
            Channel::Pos | Channel::Atm => "051", // chip, PIN can be entered
            Channel::Ecommerce => "812",          // electronic commerce, no PIN
            Channel::KeyEntered => "010",         // typed in, PIN ability unknown
        }
    }

    /// DE25.
    pub(super) const fn condition(self) -> &'static str {
        match self {
            Channel::Pos | Channel::Atm => "00", // normal presentment
            Channel::Ecommerce => "59",          // electronic commerce
            Channel::KeyEntered => "08",         // mail or telephone order
        }
    }

    /// DE41, DE42 and DE43.
    pub(super) const fn place(self) -> [&'static str; 3] {
        match self {
            Channel::Pos => {
                ["SHOP0001", "GROCER000000001", "CORNER GROCER            VALLETTA     MT"]
            }
            Channel::Atm => {
                ["CASH0001", "ATMS00000000001", "HARBOUR STREET 7         VALLETTA     MT"]
            }
            Channel::Ecommerce => {
                ["WEB00001", "BOOKS0000000001", "BOOKS BY WIRE            DUBLIN       IE"]
            }
            Channel::KeyEntered => {
                ["DESK0001", "FLOWERS00000001", "FLOWERS BY TELEPHONE     LISBON       PT"]
            }
        }
    }
}
