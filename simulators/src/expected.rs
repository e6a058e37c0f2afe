//! What each kind of test card must answer on an ISO 8583:1987 link. Must stay this peer's own
//! table, typed in from the standard's action codes, never read from the switch.

/// DE39 that a purchase on a card of this state must be answered with; `None` for a state that the
/// table does not know.
#[must_use]
pub fn response_code(state: &str) -> Option<&'static str> {
    Some(match state {
        "good" => "00",
        "lock-1" => "41",             // lost card, pick up
        "lock-2" => "43",             // stolen card, pick up
        "lock-3" => "05",             // do not honour
        "lock-4" | "short" => "51",   // not sufficient funds
        "lock-5" => "56",             // no card record
        "lock-6" | "lock-11" => "75", // PIN tries exceeded
        "lock-7" => "59",             // suspected fraud
        "lock-8" | "unknown" => "14", // invalid card number
        "expired" => "54",            // expired card
        "inactive" => "62",           // restricted card: 1987 has no code for one not activated
        _ => return None,
    })
}
