//! Verification in decisions: what is needed where, what a finding comes to, what is counted and
//! forgiven, what is recorded and told.

use switch_domain::{DecidedBy, Event, Finding, Reason, Unverified};

use crate::harness::{World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 100000.00
    programme gold deposit
    balance alice 5000.00
    card c1 alice exp 2712
    set-pin c1 1234
";

/// A world whose programme has its cards verified, on these terms.
fn verified(terms: &str) -> World {
    World::after(&format!("{CARD}\nverified gold {terms}\n"))
}

/// Where and how the card is used, what was found, and what that comes to.
#[test]
fn what_is_needed_follows_from_channel_and_entry_and_what_cannot_be_verified_declines() {
    const ROWS: &str = "
        chan pos entry chip | chip right atc 1 | approved
        chan pos entry chip | | cryptogram_required
        chan pos entry contactless | | cryptogram_required
        chan pos entry chip | chip wrong atc 1 | cryptogram_incorrect
        chan pos entry chip | chip no-key atc 1 | verification_key_missing
        chan pos entry chip | chip no-reference atc 1 | verification_reference_missing
        chan pos entry chip | chip malformed atc 1 | verification_data_invalid
        chan pos entry chip | chip unavailable atc 1 | verification_unavailable
        chan pos entry chip | chip unknown-profile atc 1 | cryptogram_profile_unknown
        chan pos entry chip | chip right atc 1 asks tc | cryptogram_not_a_request
        chan pos entry chip | chip right atc 1 asks aac | cryptogram_not_a_request
        chan pos entry chip | chip right atc 1 differs amount | chip_data_differ
        chan pos entry chip | chip right atc 1 differs amount tolerates amount | approved
        chan pos entry chip | chip right atc 1 differs date tolerates amount | chip_data_differ
        chan pos entry chip | chip right atc 1 value wrong | card_value_incorrect
        chan pos entry chip | chip right atc 1 value no-key | approved
        chan pos entry stripe | value right | approved
        chan pos entry stripe | | card_value_required
        chan pos entry stripe | value wrong | card_value_incorrect
        chan pos entry stripe | value unavailable | verification_unavailable
        chan pos entry stripe | value right fallback yes | fallback_refused
        chan pos entry contactless_stripe | | approved
        chan pos entry contactless_stripe | value wrong | card_value_incorrect
        chan pos entry manual | | card_code_required
        chan pos entry manual | code right | approved
        chan ecommerce entry ecommerce | code right | approved
        chan ecommerce entry ecommerce | | card_code_required
        chan ecommerce entry ecommerce | code wrong | card_code_incorrect
        chan ecommerce entry ecommerce | code no-key | verification_key_missing
        chan ecommerce entry ecommerce | code right against 7 | verification_unavailable
        chan atm entry chip | chip right atc 1 | pin_required
        chan atm entry chip | chip right atc 1 pin right | approved
        chan atm entry chip | chip right atc 1 pin wrong | incorrect_pin
        chan atm entry chip | chip right atc 1 pin no-key | verification_key_missing
        chan atm entry chip | chip right atc 1 pin no-reference | verification_reference_missing
        chan atm entry chip | chip right atc 1 pin unavailable | verification_unavailable
        chan atm entry chip | chip right atc 1 pin skipped | verification_unavailable
        chan atm entry chip | chip right atc 1 pin right against 7 | verification_unavailable
        chan atm entry stripe | value right pin right | approved
        chan pos entry chip | chip right atc 1 pin right | approved
        chan pos entry chip | chip right atc 1 pin wrong | incorrect_pin
        chan pos entry chip | chip right atc 1 pin no-key | verification_key_missing
    ";
    for row in ROWS.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut parts = row.split('|').map(str::trim);
        let [used, found, reason] = [(); 3].map(|()| parts.next().expect("three parts"));
        verified("").run(&format!("auth c1 1.00 stan 1 {used} {found} -> {reason}"));
        // A programme that has nothing verified looks at nothing.
        World::after(CARD).run(&format!("auth c1 1.00 stan 1 {used} {found} -> approved"));
    }
}

#[test]
fn what_comes_later_of_a_purchase_and_what_gives_money_back_needs_nothing() {
    verified("").run(
        "
        auth c1 10.00 stan 1 chip right atc 1                   -> approved
        auth c1 5.00 stan 2 onto 1                              -> approved
        pay c1 15.00 stan 3 to 1                                -> approved
        pay c1 5.00 stan 4 kind refund                          -> approved
        advise c1 5.00 stan 5                                   -> advice_accepted
        stand-in 5 agreed
        advise c1 5.00 stan 6 chip wrong atc 2                  -> advice_accepted
        stand-in 6 forced cryptogram_incorrect
        advise c1 5.00 stan 7 chip right atc 2 asks tc          -> advice_accepted
        stand-in 7 agreed
        auth c1 1.00 stan 8 chip right atc 2                    -> cryptogram_replayed
        ",
    );
}

#[test]
fn the_third_wrong_pin_says_so_and_locks_and_no_later_one_is_looked_at() {
    let mut world = verified("");
    world.run(
        "
        auth c1 1.00 stan 1 chip right atc 1 pin wrong      -> incorrect_pin
        auth c1 1.00 stan 2 chip right atc 2 pin wrong      -> incorrect_pin
        tries c1 2
        locked c1 no
        restart
        auth c1 1.00 stan 3 chip right atc 3 pin wrong      -> pin_tries_exceeded
        tries c1 3
        locked c1 6
        auth c1 1.00 stan 4 chip right atc 4 pin right      -> locked_pin_tries_exceeded
        auth c1 1.00 stan 5 chip right atc 5 pin wrong      -> locked_pin_tries_exceeded
        tries c1 3
        auth c1 1.00 stan 3 chip right atc 3 pin right      -> pin_tries_exceeded repeated
        unlock c1
        tries c1 0
        auth c1 1.00 stan 6 chip right atc 6 pin wrong      -> incorrect_pin
        auth c1 1.00 stan 7 chip right atc 7 pin right      -> approved
        tries c1 0
        ",
    );
    // Nobody learns of a PIN that was not looked at, not even who reads the record.
    for (stan, pin) in [
        (1, Finding::Mismatched),
        (3, Finding::Mismatched),
        (4, Finding::Unverified(Unverified::Skipped)),
        (5, Finding::Unverified(Unverified::Skipped)),
        (7, Finding::Matched),
    ] {
        assert_eq!(recorded(&world, stan), pin, "{stan}");
    }
    world.run("restart\nlocked c1 no\ntries c1 0");
}

fn recorded(world: &World, stan: u64) -> Finding {
    let records = world.cluster.committed_records();
    let of_stan = records.iter().find_map(|record| match &record.event {
        Event::Authorized(one) if one.facts.key.stan == stan => one.evidence.as_deref(),
        _ => None,
    });
    of_stan.expect("recorded").pin
}

#[test]
fn what_is_forgiven_is_forgiven_once_it_is_committed() {
    verified("").run(
        "
        auth c1 1.00 stan 1 chip right atc 1 pin wrong          -> incorrect_pin
        auth c1 1.00 stan 2 chip right atc 2 pin wrong          -> incorrect_pin
        later: auth c1 1.00 stan 3 chip right atc 3 pin right   -> approved
        tries c1 2
        later: auth c1 1.00 stan 4 chip right atc 4 pin wrong   -> pin_tries_exceeded
        locked c1 6
        commit 1
        tries c1 1
        commit
        locked c1 6
        restart
        tries c1 1
        locked c1 6
        ",
    );
}

/// A lock for another reason is neither lifted nor made worse, and unlocking it forgives nothing.
#[test]
fn another_lock_hides_the_pin_and_keeps_the_tries() {
    verified("").run(
        "
        auth c1 1.00 stan 1 chip right atc 1 pin wrong      -> incorrect_pin
        lock c1 7
        auth c1 1.00 stan 2 chip right atc 2 pin wrong      -> locked_suspected_fraud
        auth c1 1.00 stan 3 chip right atc 3 pin right      -> locked_suspected_fraud
        tries c1 1
        unlock c1
        tries c1 1
        set-pin c1 4321
        tries c1 0
        ",
    );
}

/// Who has a copied stripe or guesses a cryptogram learns nothing of the PIN.
#[test]
fn a_pin_is_told_to_nobody_without_the_card() {
    verified("").run(
        "
        auth c1 1.00 stan 1 chip wrong atc 1 pin wrong                  -> cryptogram_incorrect
        auth c1 1.00 stan 2 chip wrong atc 1 pin right                  -> cryptogram_incorrect
        auth c1 1.00 stan 3 entry stripe value wrong pin wrong          -> card_value_incorrect
        auth c1 1.00 stan 4 exp 2711 chip right atc 3 pin wrong         -> expired_card
        tries c1 0
        auth c1 9999.00 stan 5 chip right atc 4 pin wrong               -> incorrect_pin
        tries c1 1
        auth c1 9999.00 stan 6 chip right atc 5 pin right               -> insufficient_funds
        tries c1 0
        ",
    );
}

#[test]
fn a_limit_of_its_own_holds_also_where_it_was_lowered() {
    verified("pins 5").run(
        "
        auth c1 1.00 stan 1 chip right atc 1 pin wrong      -> incorrect_pin
        auth c1 1.00 stan 2 chip right atc 2 pin wrong      -> incorrect_pin
        auth c1 1.00 stan 3 chip right atc 3 pin wrong      -> incorrect_pin
        verified gold pins 3
        auth c1 1.00 stan 4 chip right atc 4 pin right      -> pin_tries_exceeded
        locked c1 no
        tries c1 3
        auth c1 1.00 stan 5 chip right atc 5                -> approved
        verified gold pins 4
        auth c1 1.00 stan 6 chip right atc 6 pin right      -> approved
        tries c1 0
        verified gold pins 0                                -> refused SecurityTermsInvalid
        verified gold pins 16                               -> refused SecurityTermsInvalid
        verified gold codes 21                              -> refused SecurityTermsInvalid
        unverified gold
        auth c1 1.00 stan 7 pin wrong                       -> approved
        ",
    );
}

/// T-15: ten wrong ones from ten merchants, and the eleventh is declined though it is right.
#[test]
fn a_printed_code_is_guessed_so_often_in_a_day() {
    let mut world = verified("");
    let used = "chan ecommerce entry ecommerce";
    for stan in 1..=10 {
        let row = format!("auth c1 1.00 stan {stan} {used} at SHOP{stan} code wrong");
        world.run(&format!("{row} -> card_code_incorrect"));
    }
    world.run(&format!(
        "
        auth c1 1.00 stan 11 {used} code right              -> card_code_tries_exceeded
        auth c1 1.00 stan 12 entry manual code right        -> card_code_tries_exceeded
        restart
        auth c1 1.00 stan 13 {used} code right              -> card_code_tries_exceeded
        auth c1 1.00 stan 14 chip right atc 1               -> approved
        reset-code c1
        auth c1 1.00 stan 15 {used} code right              -> approved
        auth c1 1.00 stan 16 {used} code wrong              -> card_code_incorrect
        "
    ));
    let mut world = verified("codes 1");
    world.run(&format!(
        "
        now 2027-06-16T12:00:00Z
        auth c1 1.00 stan 1 {used} code wrong               -> card_code_incorrect
        now 2027-06-17T11:59:59Z
        auth c1 1.00 stan 2 {used} code right               -> card_code_tries_exceeded
        now 2027-06-17T12:00:01Z
        auth c1 1.00 stan 3 {used} code right               -> approved
        "
    ));
}

/// What was compared with the code of before says nothing any more.
#[test]
fn after_a_reset_the_old_code_is_worth_nothing() {
    let used = "chan ecommerce entry ecommerce";
    verified("").run(&format!(
        "
        auth c1 1.00 stan 1 {used} code right against 1         -> approved
        later: reset-code c1
        auth c1 1.00 stan 2 {used} code right against 1         -> verification_unavailable
        auth c1 1.00 stan 3 {used} code right against 2         -> approved
        set-pin c1 4321
        auth c1 1.00 stan 4 {used} code right against 2         -> verification_unavailable
        reset-code no-card                                      -> refused NoSuchCard
        "
    ));
}

#[test]
fn a_counter_of_a_chip_is_taken_once() {
    verified("").run(
        "
        auth c1 1.00 stan 1 chip right atc 100                  -> approved
        auth c1 1.00 stan 1 chip right atc 100 mark repeat      -> approved repeated
        auth c1 1.00 stan 2 chip right atc 100                  -> cryptogram_replayed
        auth c1 1.00 stan 3 chip right atc 99                   -> counter_out_of_range
        auth c1 1.00 stan 4 chip right atc 99                   -> cryptogram_replayed
        auth c1 1.00 stan 5 chip right atc 100 seq 1            -> approved
        auth c1 1.00 stan 6 chip wrong atc 60000                -> cryptogram_incorrect
        auth c1 1.00 stan 7 chip right atc 101                  -> approved
        auth c1 9999.00 stan 8 chip right atc 102               -> insufficient_funds
        auth c1 1.00 stan 9 chip right atc 102                  -> cryptogram_replayed
        restart
        auth c1 1.00 stan 10 chip right atc 101                 -> cryptogram_replayed
        auth c1 1.00 stan 11 chip right atc 65535               -> approved
        auth c1 1.00 stan 12 chip right atc 103                 -> counter_out_of_range
        ",
    );
    verified("lower take jump 50 jump-is refused").run(
        "
        auth c1 1.00 stan 1 chip right atc 100                  -> approved
        auth c1 1.00 stan 2 chip right atc 98                   -> approved
        auth c1 1.00 stan 3 chip right atc 98                   -> cryptogram_replayed
        auth c1 1.00 stan 4 chip right atc 37                   -> approved
        auth c1 1.00 stan 5 chip right atc 36                   -> counter_out_of_range
        auth c1 1.00 stan 6 chip right atc 150                  -> approved
        auth c1 1.00 stan 7 chip right atc 201                  -> counter_out_of_range
        auth c1 1.00 stan 8 chip right atc 202                  -> approved
        ",
    );
}

#[test]
fn what_chip_and_terminal_report_declines_by_its_name() {
    verified("refuses on_exception_file jump 5").run(
        "
        auth c1 1.00 stan 1 chip right atc 1 reports on_exception_file -> chip_report_refused
        auth c1 1.00 stan 2 chip right atc 2 reports script_failed              -> approved
        auth c1 1.00 stan 3 chip right atc 90                                   -> approved
        ",
    );
}

/// E-07: whether a card has a chip is for its service code to say, whatever DE22 does.
#[test]
fn the_stripe_of_a_chip_card_is_taken_up_to_an_amount() {
    verified("floor 20.00").run(
        "
        auth c1 50.00 stan 1 entry stripe value right               -> approved
        card-data c1 201 seq 1
        auth c1 20.00 stan 2 entry stripe value right               -> approved
        auth c1 20.01 stan 3 entry stripe value right               -> fallback_refused
        card-data c1 101 seq 1
        auth c1 20.01 stan 4 entry stripe value right               -> approved
        auth c1 20.01 stan 5 entry stripe value right fallback yes  -> fallback_refused
        ",
    );
}

/// T-14: who guesses is answered alike; inside it is known what was wrong, and a repeat hears the
/// same, whatever the terms are by then.
#[test]
fn without_the_card_what_was_wrong_is_not_told() {
    let used = "chan ecommerce entry ecommerce";
    let mut world = verified("alike yes");
    world.run(&format!(
        "
        auth no-card 1.00 stan 1 {used} code wrong                  -> not_honoured
        auth c1 1.00 stan 2 {used} exp 2711 code right              -> not_honoured
        auth c1 1.00 stan 3 {used} code wrong                       -> not_honoured
        auth c1 1.00 stan 4 {used} code right                       -> approved
        auth c1 9999.00 stan 5 {used} code right                    -> insufficient_funds
        auth no-card 1.00 stan 6                                    -> invalid_card_number
        auth c1 1.00 stan 7 exp 2711                                -> expired_card
        verified gold
        auth c1 1.00 stan 3 {used} code right                       -> not_honoured repeated
        auth no-card 1.00 stan 8 {used}                             -> invalid_card_number
        "
    ));
    let reasons: Vec<Reason> = world
        .cluster
        .committed_records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Authorized(one) if one.answered.is_some() => Some(one.reason),
            _ => None,
        })
        .collect();
    let guessed = [Reason::InvalidCardNumber, Reason::ExpiredCard, Reason::CardCodeIncorrect];
    assert_eq!(reasons, guessed);
    assert!(!world.terms_in_force()[0].answers_alike);
}

/// T-13: at a merchant that is refused a BIN nothing is told of any card, right or wrong, and a PIN
/// that came is not looked at; what rests on an earlier purchase is no attempt.
#[test]
fn at_a_blocked_merchant_every_card_is_answered_alike() {
    let used = "chan ecommerce entry ecommerce";
    for alike in ["alike yes", ""] {
        let mut world = verified(alike);
        world.run(&format!(
            "
            auth c1 1.00 stan 1 {used} code right                           -> approved
            auth no-card 1.00 stan 2 {used} code wrong barred yes           -> attempts_blocked
            auth c1 1.00 stan 3 {used} exp 2711 code right barred yes       -> attempts_blocked
            auth c1 1.00 stan 4 {used} code wrong barred yes                -> attempts_blocked
            auth c1 1.00 stan 5 {used} code right barred yes                -> attempts_blocked
            auth c1 1.00 stan 6 chip right atc 1 pin wrong barred yes       -> attempts_blocked
            tries c1 0
            auth c1 1.00 stan 5 {used} code right mark repeat       -> attempts_blocked repeated
            auth c1 1.00 stan 1 {used} code right barred yes                -> approved repeated
            pay c1 1.00 stan 7 to 1 {used} barred yes                       -> approved
            advise c1 1.00 stan 8 {used} barred yes                         -> advice_accepted
            reverse c1 stan 8                                              -> reversal_accepted of 8
            auth c1 1.00 stan 9 {used} code right                           -> approved
            "
        ));
        let records = world.cluster.committed_records();
        let refused = records.iter().filter_map(|record| match &record.event {
            Event::Authorized(one) if one.reason == Reason::AttemptsBlocked => Some(one),
            _ => None,
        });
        for one in refused {
            let trace = one.trace.as_deref().expect("of a decline");
            assert_eq!(trace.decided_by, DecidedBy::Check(30));
            let told = (one.answered, one.reason.action_code_1987());
            assert_eq!(told, (None, Reason::NotHonoured.action_code_1987()));
        }
    }
}

#[test]
fn one_change_of_a_programme_waits_for_the_other() {
    check(&format!(
        "{CARD}
        later: verified gold
        later: foreign gold 100 0               -> busy
        commit
        foreign gold 100 0
        auth c1 1.00 stan 1 entry stripe        -> card_value_required
        later: set-pin c1 1111
        later: reset-code c1                    -> busy
        commit
        "
    ));
}

// covers: SR-179, SR-180
#[test]
fn sr_179_a_new_pin_pends_until_chip_and_pin_are_granted_online() {
    let mut world = verified("");
    world.run(
        "
        chip-pin c1 known
        card-data c1 201
        chip-pin c1 known
        set-pin c1 4321
        chip-pin c1 pends
        restart
        chip-pin c1 pends
        auth c1 1.00 stan 1 entry contactless chip right atc 1 pin right -> approved
        auth c1 1.00 stan 2 chan pos entry chip chip right atc 2         -> approved
        auth c1 1.00 stan 3 chan pos entry chip chip right atc 3 pin wrong -> incorrect_pin
        auth c1 9000.00 stan 4 chan pos entry chip chip right atc 4 pin right -> insufficient_funds
        advise c1 1.00 stan 5 chan pos entry chip chip right atc 5 pin right -> advice_accepted
        chip-pin c1 pends
        set-pin c1 4321
        auth c1 1.00 stan 6 chan pos entry chip chip right atc 6 pin right -> approved
        chip-pin c1 known
        restart
        chip-pin c1 known
        auth c1 1.00 stan 7 chan pos entry chip chip right atc 7 pin right -> approved
        reset-code c1
        chip-pin c1 known
        set-pin c1 9876
        set-pin c1 6789
        chip-pin c1 pends
        auth c1 1.00 stan 8 chan atm entry chip chip right atc 8 pin right -> approved
        chip-pin c1 known
        ",
    );
}
