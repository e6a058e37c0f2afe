//! Card testing and BIN attacks (T-13): counts what attempts fail for, by BIN, merchant and
//! acquirer, and says which merchant may try no more cards of which BIN for a while. It owns the
//! counts, the limits and the blocks.
//! It never reads a clock, does no I/O, and declines nothing: the engine does, by the verdict that
//! comes with a request. It has no card number: a BIN is all that it knows of one.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod block;
mod kind;
mod news;
mod settings;
mod state;
mod table;
mod watch;
mod window;

pub use block::{Block, Verdict};
pub use kind::{Kind, Kinds, is_remote};
pub use news::{News, Subject, What};
pub use settings::{Limits, Mode, Settings};
pub use watch::{Figures, Watch};

use switch_domain::{Acquirer, AsciiText, Bin};

/// DE42 as records keep it; messages of an acquirer without it are of one merchant.
pub type MerchantId = AsciiText<35>;

/// Who tries cards of what: a merchant of an acquirer, and a BIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The first BIN of the programme whose cards are tried: one that has many is one.
    pub bin: Bin,
    /// Whose merchant it is: a merchant's number says something within its acquirer alone.
    pub acquirer: Acquirer,
    /// The merchant.
    pub merchant: MerchantId,
}
