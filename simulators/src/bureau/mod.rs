//! A personalisation bureau: it takes files from an exchange directory, makes soft cards of them,
//! and reports which cards exist, wrongly when told to. The file is opened by the switch's own
//! reader, which its own tests judge; what stands in a record is compared with what this package
//! computes. Must make cards of test numbers alone, and never print one.

mod desk;
mod fault;
mod report;
mod soft_card;

pub use desk::{Bureau, BureauKeys, Worked};
pub use fault::BureauFault;
pub use soft_card::{read_soft_card, read_soft_cards};
