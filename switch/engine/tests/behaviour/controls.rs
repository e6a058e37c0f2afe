//! Spend controls: what each declines and with which reason, what counts towards limits and what
//! gives back, whole lives of purchases under a limit, changes of a control while purchases go on.
//! After each row the books are audited, which includes that what was used is what authorizations
//! say.

use switch_domain::{Event, MinorUnits, Record};
use switch_engine::ControlLimits;

use crate::harness::{CARDS, World};

const SET_UP: &str = "
    partner acme
    pool deposit EUR 100000.00
    programme gold deposit
    balance alice 5000.00
    card c1 alice exp 2912
    card c2 alice exp 2912
    balance bob 5000.00
    card b1 bob exp 2912
    now 2026-11-27T12:00:00Z
";

fn check(table: &str) -> World {
    let mut world = World::after(SET_UP);
    world.run(table);
    world
}

#[test]
fn uses_are_forbidden_one_by_one() {
    for (uses, purchase, reason) in [
        ("atm", "chan atm kind cash", "use_not_permitted"),
        ("pos", "chan pos", "use_not_permitted"),
        ("ecommerce", "chan ecommerce entry ecommerce", "use_not_permitted"),
        ("contactless", "entry contactless", "use_not_permitted"),
        ("contactless", "entry contactless_stripe", "use_not_permitted"),
        ("stripe", "entry stripe", "use_not_permitted"),
        ("cash_back", "kind cash-back", "cash_back_not_permitted"),
    ] {
        check(&format!(
            "
            auth c1 1.00 stan 1 {purchase} -> approved
            control off card c1 forbid use {uses}
            auth c1 1.00 stan 2 {purchase} -> {reason}
            auth c2 1.00 stan 3 {purchase} -> approved    # another card
            auth c1 1.00 stan 4 chan pos entry manual -> {}
            auth c1 1.00 stan 5 kind refund {} -> approved   # what gives money is never stopped
            remove-control off
            auth c1 1.00 stan 6 {purchase} -> approved
            ",
            if uses == "pos" { "use_not_permitted" } else { "approved" },
            if purchase.contains("kind") { "" } else { purchase },
        ));
    }
}

#[test]
fn lists_forbid_what_is_on_them_or_all_that_is_not() {
    check(
        "
        control casinos card c1 forbid mcc 7995,7800-7802
        auth c1 1.00 stan 1 mcc 7995 -> category_not_permitted
        auth c1 1.00 stan 2 mcc 7801 -> category_not_permitted
        auth c1 1.00 stan 3 mcc 7803 -> approved
        control home balance alice allow country ES,PT
        auth c1 1.00 stan 4 country ES -> approved
        auth c2 1.00 stan 5 country DE -> country_not_permitted
        auth c2 1.00 stan 6 -> country_not_permitted      # it does not say where it is
        auth b1 1.00 stan 7 country DE -> approved
        remove-control home
        control away card c2 forbid abroad ES
        auth c2 1.00 stan 8 country ES -> approved
        auth c2 1.00 stan 9 country DE -> country_not_permitted
        auth c2 1.00 stan 10 -> approved                  # it does not say where it is
        control shop card b1 allow at SHOP-1,SHOP-2
        auth b1 1.00 stan 11 at SHOP-2 -> approved
        auth b1 1.00 stan 12 at SHOP-3 -> merchant_not_permitted
        ",
    );
    // Everything that a control names must fit.
    check(
        "
        control cash-abroad programme gold forbid use atm abroad ES
        auth c1 1.00 stan 1 chan atm kind cash country DE -> country_not_permitted
        auth c1 1.00 stan 2 chan atm kind cash country ES -> approved
        auth c1 1.00 stan 3 country DE -> approved
        ",
    );
}

#[test]
fn hours_are_those_of_their_zone() {
    check(
        "
        control shop card c1 allow hours 31/540/1020 zone Europe/Madrid   # mon-fri 09:00-17:00
        now 2026-11-27T07:59:59Z
        auth c1 1.00 stan 1 -> hours_not_permitted
        now 2026-11-27T08:00:00Z
        auth c1 1.00 stan 2 -> approved
        now 2026-11-27T16:00:00Z
        auth c1 1.00 stan 3 -> hours_not_permitted
        now 2026-11-28T10:00:00Z                                         # Saturday
        auth c1 1.00 stan 4 -> hours_not_permitted
        control night card c2 forbid hours 127/1320/360 zone Europe/Madrid
        now 2026-11-28T22:00:00Z
        auth c2 1.00 stan 5 -> hours_not_permitted
        now 2026-11-29T05:00:00Z
        auth c2 1.00 stan 6 -> approved
        ",
    );
}

#[test]
fn a_card_for_one_merchant_is_for_the_first_that_was_granted() {
    check(
        "
        control one card c1 one-merchant
        auth c1 9000.00 stan 1 at SHOP-1 -> insufficient_funds
        auth c1 10.00 stan 2 at SHOP-2 -> approved
        auth c1 10.00 stan 3 at SHOP-1 -> merchant_not_permitted
        auth c1 10.00 stan 4 at SHOP-2 -> approved
        reverse stan 2 -> reversal_accepted
        auth c1 10.00 stan 5 at SHOP-1 -> merchant_not_permitted
        reverse stan 4 -> reversal_accepted
        auth c1 10.00 stan 6 at SHOP-1 -> approved        # nothing is left of the other
        restart
        auth c1 10.00 stan 7 at SHOP-2 -> merchant_not_permitted
        ",
    );
}

#[test]
fn amounts_are_limited_at_once_and_over_a_window() {
    check(
        "
        control big card c1 amount 100.00
        auth c1 100.01 stan 1 -> amount_limit_exceeded
        auth c1 100.00 stan 2 -> approved
        auth c1 1.00 stan 3 onto 2 -> amount_limit_exceeded      # a purchase is one transaction
        control day card c1 amount 150.00 window day zone Europe/Madrid
        auth c1 100.00 stan 4 -> approved
        auth c1 50.01 stan 5 -> amount_limit_exceeded
        used day c1 100.00 1
        auth c1 50.00 stan 6 -> approved
        used day c1 150.00 2
        auth c1 0.00 stan 7 kind inquiry -> approved
        auth c1 5.00 stan 8 kind refund -> approved
        used day c1 150.00 2
        now 2026-11-27T22:59:59Z
        auth c1 0.01 stan 9 -> amount_limit_exceeded
        now 2026-11-27T23:00:00Z                                 # midnight in Madrid
        auth c1 100.00 stan 10 -> approved
        used day c1 100.00 1
        ",
    );
    check(
        "
        control cash card c1 amount 60.00 window month use atm
        auth c1 60.00 stan 1 chan atm kind cash -> approved
        auth c1 0.01 stan 2 chan atm kind cash -> amount_limit_exceeded
        auth c1 500.00 stan 3 -> approved                        # no cash
        auth c2 60.00 stan 4 chan atm kind cash -> approved
        now 2026-11-30T23:59:59Z
        auth c1 0.01 stan 5 chan atm kind cash -> amount_limit_exceeded
        now 2026-12-01T00:00:00Z
        auth c1 60.00 stan 6 chan atm kind cash -> approved
        ",
    );
}

#[test]
fn the_cards_of_a_balance_share_its_limit_and_those_of_a_programme_each_have_their_own() {
    check(
        "
        control family balance alice count 2 window week
        control each programme gold amount 30.00 window day
        auth c1 30.00 stan 1 -> approved
        auth c1 0.01 stan 2 -> amount_limit_exceeded
        auth c2 30.00 stan 3 -> approved
        auth c2 0.01 stan 4 -> amount_limit_exceeded
        used family alice 60.00 2
        used each c1 30.00 1
        used each c2 30.00 1
        now 2026-11-28T12:00:00Z
        auth c2 1.00 stan 5 -> count_limit_exceeded              # the same week
        auth b1 30.00 stan 6 -> approved
        now 2026-11-30T00:00:00Z                                 # Monday
        auth c2 1.00 stan 7 -> approved
        ",
    );
}

#[test]
fn a_rolling_window_lets_go_part_by_part() {
    check(
        "
        control roll card c1 count 3 window rolling:24
        auth c1 1.00 stan 1 -> approved
        now 2026-11-27T20:00:00Z
        auth c1 1.00 stan 2 -> approved
        auth c1 1.00 stan 3 -> approved
        auth c1 1.00 stan 4 -> count_limit_exceeded
        now 2026-11-28T12:59:59Z
        auth c1 1.00 stan 5 -> count_limit_exceeded              # the hour of the first is not over
        now 2026-11-28T13:00:00Z
        auth c1 1.00 stan 6 -> approved
        auth c1 1.00 stan 7 -> count_limit_exceeded
        now 2026-11-28T21:00:00Z
        auth c1 1.00 stan 8 -> approved
        auth c1 1.00 stan 9 -> approved
        auth c1 1.00 stan 10 -> count_limit_exceeded
        ",
    );
}

/// Twenty-three and twenty-five hours, both one day.
#[test]
fn a_day_turns_over_in_its_zone_on_the_days_of_daylight_saving() {
    for (before, last, after) in [
        ("2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"),
    ] {
        check(&format!(
            "
            control day card c1 count 1 window day zone Europe/Madrid
            now {before}
            auth c1 1.00 stan 1 -> approved
            now {last}
            auth c1 1.00 stan 2 -> count_limit_exceeded
            now {after}
            auth c1 1.00 stan 3 -> approved
            "
        ));
    }
}

#[test]
fn what_is_taken_back_is_given_back_to_where_it_counted() {
    check(
        "
        control day card c1 amount 100.00 window day
        control few card c1 count 2 window day
        auth c1 60.00 stan 1 -> approved
        reverse stan 1 leaving 20.00 -> reversal_accepted
        used day c1 20.00 1
        used few c1 20.00 1
        reverse stan 1 own 91 -> reversal_accepted
        used day c1 0.00 0
        auth c1 50.00 stan 2 -> approved
        auth c1 50.00 stan 3 -> approved
        later: reverse stan 2 own 92 -> reversal_accepted
        later: auth c1 50.00 stan 4 -> amount_limit_exceeded      # not before it is committed
        commit
        auth c1 50.00 stan 5 -> approved
        used day c1 100.00 2
        void 5 issuer_inoperative -> issuer_inoperative
        used day c1 50.00 1
        now 2026-11-28T12:00:00Z
        auth c1 10.00 stan 6 -> approved
        reverse stan 3 own 93 -> reversal_accepted                # of yesterday: nobody's any more
        used day c1 10.00 1
        restart
        used day c1 10.00 1
        reverse stan 6 own 94 -> reversal_accepted
        used day c1 0.00 0
        ",
    );
}

#[test]
fn a_purchase_counts_for_what_it_comes_to() {
    check(
        "
        control life card c1 amount 100.00 window lifetime
        auth c1 60.00 stan 1 -> approved
        post c1 45.00 stan 2 to 1 -> advice_accepted              # the rest is set free
        used life c1 45.00 1
        auth c1 30.00 stan 3 kind preauthorization -> approved
        post c1 10.00 stan 4 to 3 last no -> advice_accepted
        used life c1 75.00 2
        auth c1 10.00 stan 5 onto 3 -> approved
        used life c1 85.00 2
        auth c1 15.01 stan 6 onto 3 -> amount_limit_exceeded
        expire 3 -> given_back                                    # 10.00 of it was settled
        used life c1 55.00 2
        pay c1 45.00 stan 7 -> approved
        pay c1 0.01 stan 8 -> amount_limit_exceeded
        reverse stan 7 leaving 5.00 own 97 class financial -> reversal_accepted
        used life c1 60.00 3
        post c1 70.00 stan 9 -> advice_accepted                   # it has happened: over the limit
        used life c1 130.00 4
        advise c1 5.00 stan 10 -> advice_accepted
        stand-in 10 forced amount_limit_exceeded
        reverse c1 stan 11 leaving 2.00 own 98 -> reversal_accepted
        change-control life card c1 amount 140.00 window lifetime
        auth c1 3.00 stan 11 -> approved                          # 1.00 was reversed before
        used life c1 137.00 6
        ",
    );
}

#[test]
fn old_and_new_both_apply_while_a_change_is_on_its_way() {
    check(
        "
        control few card c1 count 2 window day
        auth c1 1.00 stan 1 -> approved
        later: change-control few card c1 count 1 window day
        later: auth c1 1.00 stan 2 -> count_limit_exceeded        # what restricts counts at once
        commit
        auth c1 1.00 stan 3 -> count_limit_exceeded
        later: change-control few card c1 count 3 window day
        later: auth c1 1.00 stan 4 -> count_limit_exceeded        # what relaxes does not
        commit
        auth c1 1.00 stan 5 -> approved
        used few c1 2.00 2
        later: remove-control few
        later: remove-control few -> busy
        later: auth c1 1.00 stan 6 -> approved
        later: auth c1 1.00 stan 7 -> count_limit_exceeded
        commit
        auth c1 1.00 stan 8 -> approved
        restart
        auth c1 1.00 stan 9 -> approved
        ",
    );
}

#[test]
fn what_is_no_control_is_refused() {
    check(
        "
        control a card no-card forbid -> refused NoSuchCard
        control a balance no-balance forbid -> refused NoSuchBalance
        control a programme no-programme forbid -> refused NoSuchProgramme
        control a card c1 amount 0.00 -> refused ControlInvalid
        control a card c1 count 0 window day -> refused ControlInvalid
        control a card c1 count 5 -> refused ControlInvalid
        control a card c1 count 5 window rolling:0 -> refused ControlInvalid
        control a card c1 count 5 window rolling:8785 -> refused ControlInvalid
        control a card c1 count 5 window day zone Nowhere/Else -> refused NoSuchZone
        control a card c1 forbid hours 127/60/120 zone Nowhere/Else -> refused NoSuchZone
        control a card c1 forbid hours 0/60/120 -> refused ControlInvalid
        control a card c1 forbid mcc 5500-5400 -> refused ControlInvalid
        control a card c1 count 5 window day
        change-control a card c1 count 6 window week -> refused ControlCountsOtherwise
        change-control a card c1 count 6 window day use atm -> refused ControlCountsOtherwise
        change-control a card c2 count 6 window day -> refused NoSuchControl
        change-control a card c1 count 0 window day -> refused ControlInvalid
        change-control a card c1 count 6 window day
        remove-control a
        remove-control a -> refused NoSuchControl
        ",
    );
    let mut world = World::after(SET_UP);
    for number in 0..32 {
        world.run(&format!("control c{number} card c1 forbid mcc {}", 1000 + number));
    }
    world.run("control one-more card c1 forbid mcc 2000 -> refused TooManyControls");
    let long: Vec<String> = (0..101).map(|number| (2000 + number).to_string()).collect();
    let long = long.join(",");
    world.run(&format!("control long card c2 forbid mcc {long} -> refused ControlListTooLong"));
    // As the node is set; what is there stays when that is lowered, and can be changed.
    let lower = ControlLimits { per_subject: 2, list: 3 };
    world.cluster.states[CARDS].limit_controls(lower);
    world.run(
        "
        change-control c7 card c1 forbid mcc 1007 shadow yes
        remove-control c8
        control one-more card c1 forbid mcc 2000 -> refused TooManyControls
        control a card c2 forbid mcc 1,2,3,4     -> refused ControlListTooLong
        control a card c2 forbid mcc 1,2,3
        control b card c2 forbid country ES
        control c card c2 forbid country PT      -> refused TooManyControls
        control d balance alice forbid mcc 1
        ",
    );
    world.cluster.states[CARDS].limit_controls(ControlLimits::MOST);
    world.run("control one-more card c1 forbid mcc 2000");
}

#[test]
fn a_control_in_shadow_declines_nothing_and_is_noted() {
    let world = check(
        "
        control quiet card c1 amount 10.00 window day shadow yes
        control real card c1 forbid mcc 7995
        auth c1 8.00 stan 1 -> approved
        auth c1 8.00 stan 2 -> approved
        auth c1 8.00 stan 3 mcc 7995 -> category_not_permitted
        auth c1 1.00 stan 4 -> approved
        used quiet c1 17.00 3
        ",
    );
    let (shadow, real) = (world.names.controls["quiet"].0, world.names.controls["real"].0);
    let records = world.cluster.committed_records();
    let of = |stan: u64| -> (Option<_>, Vec<_>) {
        let found = records.iter().find_map(|record| match &record.event {
            Event::Authorized(one) if one.facts.key.stan == stan => Some(one),
            _ => None,
        });
        let findings = found.expect("recorded").findings.clone().unwrap_or_default();
        (findings.declined_by, findings.would_decline)
    };
    assert_eq!(of(1), (None, vec![]));
    assert_eq!(of(2), (None, vec![shadow]));
    assert_eq!(of(3), (Some(real), vec![shadow]));
    assert_eq!(of(4), (None, vec![shadow]));
}

/// Two hundred at once, none of them committed: what restricts counts when it is decided.
#[test]
fn a_burst_gets_exactly_what_the_limit_lets_through() {
    let mut world = check(
        "
        control five card c1 count 5 window day
        control sum card c2 amount 99.99 window day
        ",
    );
    for stan in 1..=200 {
        let expected = if stan <= 5 { "approved" } else { "count_limit_exceeded" };
        world.run(&format!("later: auth c1 1.00 stan {stan} -> {expected}"));
    }
    for stan in 201..=400 {
        let expected = if stan <= 233 { "approved" } else { "amount_limit_exceeded" };
        world.run(&format!("later: auth c2 3.00 stan {stan} -> {expected}"));
    }
    world.run("commit");
    world.run("used five c1 5.00 5");
    world.run("used sum c2 99.00 33");
}

/// Where nothing is controlled, a record says nothing of controls.
#[test]
fn without_controls_nothing_is_stated() {
    let world = check("auth c1 1.00 stan 1 -> approved");
    let authorized = |record: &&Record| matches!(record.event, Event::Authorized(_));
    let records = world.cluster.committed_records();
    let record = records.iter().find(authorized).expect("recorded");
    assert!(record.effects.usage.is_empty());
    assert_eq!(record.effects.balance.map(|delta| delta.held), Some(MinorUnits(100)));
    let Event::Authorized(one) = &record.event else { panic!("{:?}", record.event) };
    assert_eq!(one.findings, None);
}
