//! What is counted of corporations. It owns the names of these metrics.

use metrics::{counter, describe_counter};

use super::KybState;

const CREATED: &str = "cardswitch_corporations_total";
const MOVES: &str = "cardswitch_kyb_moves_total";
const DOCUMENTS: &str = "cardswitch_corporation_documents_total";
const REFUSED: &str = "cardswitch_corporation_documents_refused_total";

pub(super) fn describe() {
    describe_counter!(CREATED, "Corporations that were created");
    describe_counter!(MOVES, "Moves of corporations' verification, by where they went");
    describe_counter!(DOCUMENTS, "Documents of corporations that were kept, by what they are");
    describe_counter!(REFUSED, "Documents of corporations that were refused, by why");
}

pub(super) fn created() {
    counter!(CREATED).increment(1);
}

pub(super) fn moved(to: KybState) {
    counter!(MOVES, "to" => to.name()).increment(1);
}

pub(super) fn kept(media: &'static str) {
    counter!(DOCUMENTS, "media" => media).increment(1);
}

pub(super) fn refused(why: &'static str) {
    counter!(REFUSED, "why" => why).increment(1);
}
