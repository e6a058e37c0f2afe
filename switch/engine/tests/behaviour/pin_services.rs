//! Requests to change and to unblock a PIN: what they are granted for, and what is known of the
//! command that the answer took along for the chip.

use crate::harness::{World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 100000.00
    programme gold deposit
    balance alice 5000.00
    card c1 alice exp 2712
    set-pin c1 1234
    verified gold
";

/// Of which card, for what, what was found, and what that comes to.
#[test]
fn a_service_of_the_pin_is_granted_with_all_that_it_takes_and_never_without_verification() {
    const ROWS: &str = "
        | pin-change CHIP pin right new right script right | approved
        | pin-change CHIP pin wrong new right script right | incorrect_pin
        | pin-change CHIP new right script right | pin_required
        | pin-change CHIP pin no-key new right script right | verification_key_missing
        | pin-change chip wrong atc 1 pin right new right script right | cryptogram_incorrect
        | pin-change CHIP pin right script right | function_not_supported
        | pin-change CHIP pin right new wrong script wrong | verification_data_invalid
        | pin-change CHIP pin right new right | function_not_supported
        | pin-change CHIP pin right new unavailable script right | verification_unavailable
        | pin-change CHIP pin right new right script unavailable | verification_unavailable
        | pin-change CHIP pin right new right script no-key | verification_key_missing
        | pin-change CHIP asks tc pin right new right script right | cryptogram_not_a_request
        | pin-change entry manual code right pin right new right | cryptogram_required
        | pin-change | function_not_supported
    card-data c1 201 | pin-change entry stripe value right pin right new right | fallback_refused
        card-data c1 101 | pin-change entry stripe value right pin right new right | approved
        card-data c1 101 | pin-change entry stripe value right pin right | function_not_supported
        | pin-unblock CHIP pin right script right | approved
        | pin-unblock CHIP pin right | function_not_supported
        | pin-unblock CHIP pin wrong script right | incorrect_pin
        card-data c1 101 | pin-unblock entry stripe value right pin right | cryptogram_required
    ";
    let rows = ROWS.replace("CHIP", "chip right atc 1");
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut parts = row.split('|').map(str::trim);
        let [data, asked, reason] = [(); 3].map(|()| parts.next().expect("three parts"));
        let ask = |reason| format!("auth c1 0.00 stan 1 kind {asked} -> {reason}");
        World::after(CARD).run(&format!("{data}\n{}", ask(reason)));
        // Of a programme that has nothing verified nobody is granted a PIN.
        World::after(&CARD.replace("verified gold", "")).run(&ask("function_not_supported"));
    }
}

/// What such requests have in common.
const CHANGE: &str = "kind pin-change pin right new right";
const UNBLOCK: &str = "kind pin-unblock pin right script right";

#[test]
fn what_became_of_a_command_is_what_the_chip_says_of_it_first() {
    check(&format!(
        "{CARD}
        script c1 none
        auth c1 0.00 stan 1 {CHANGE} script no-key chip right atc 1   -> verification_key_missing
        script c1 none
        auth c1 0.00 stan 2 {CHANGE} script right chip right atc 2    -> approved
        script c1 change_pin sent
        restart
        script c1 change_pin sent
        auth c1 1.00 stan 3 chip wrong atc 3 reports script_failed    -> cryptogram_incorrect
        script c1 change_pin sent
        auth c1 1.00 stan 4 chip right atc 3                          -> approved
        script c1 change_pin sent
        auth c1 1.00 stan 5 chip right atc 4 reports script_performed -> approved
        script c1 change_pin performed
        auth c1 1.00 stan 6 chip right atc 5 reports script_failed    -> approved
        script c1 change_pin performed
        auth c1 0.00 stan 7 {UNBLOCK} chip right atc 6                -> approved
        script c1 unblock_pin sent
        auth c1 0.00 stan 7 {UNBLOCK} chip right atc 6                -> approved repeated
        auth c1 1.00 stan 8 chip right atc 7 reports script_failed    -> approved
        script c1 unblock_pin failed
        restart
        script c1 unblock_pin failed
        "
    ));
}

/// Wrong PINs are forgiven by the right one, as ever, and by nothing else.
#[test]
fn who_unblocks_a_chip_has_all_tries_again() {
    check(&format!(
        "{CARD}
        auth c1 1.00 stan 1 chip right atc 1 pin wrong                -> incorrect_pin
        auth c1 1.00 stan 2 chip right atc 2 pin wrong                -> incorrect_pin
        tries c1 2
        auth c1 0.00 stan 3 {UNBLOCK} chip right atc 3                -> approved
        tries c1 0
        auth c1 1.00 stan 4 chip right atc 4 pin wrong                -> incorrect_pin
        auth c1 1.00 stan 5 chip right atc 5 pin wrong                -> incorrect_pin
        auth c1 1.00 stan 6 chip right atc 6 pin wrong                -> pin_tries_exceeded
        locked c1 6
        auth c1 0.00 stan 7 {UNBLOCK} chip right atc 7                -> locked_pin_tries_exceeded
        tries c1 3
        "
    ));
}
