//! What is counted of a card against a plain model of it: any order of right and wrong PINs, codes
//! and chip counters, of commits that come late, of unlocks and restarts. The model knows sums and
//! sets; it was written apart from the engine.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use crate::harness::World;

const WORLD: &str = "
    partner acme
    pool deposit EUR 100000.00
    programme gold deposit
    balance alice 50000.00
    card c1 alice exp 2712
    set-pin c1 1234
    verified gold
";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A chip transaction with this counter and, where it has a PIN, whether that is right.
    Chip {
        atc: u16,
        pin: Option<bool>,
        late: bool,
    },
    /// An order with a printed code.
    Code {
        right: bool,
        late: bool,
    },
    Commit {
        one: bool,
    },
    Unlock,
    SetPin,
    ResetCode,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let pin = prop_oneof![1 => Just(None), 1 => Just(Some(true)), 2 => Just(Some(false))];
    prop_oneof![
        8 => (1..90_u16, pin, any::<bool>())
            .prop_map(|(atc, pin, late)| Step::Chip { atc, pin, late }),
        4 => (proptest::bool::weighted(0.2), any::<bool>())
            .prop_map(|(right, late)| Step::Code { right, late }),
        2 => any::<bool>().prop_map(|one| Step::Commit { one }),
        2 => Just(Step::Unlock),
        1 => Just(Step::SetPin),
        1 => Just(Step::ResetCode),
        1 => Just(Step::Restart),
    ]
}

/// What a record that is not committed yet will forgive.
#[derive(Clone, Copy, Debug, Default)]
struct Forgives {
    pins: Option<u32>,
    codes: Option<usize>,
    unlocks: bool,
}

#[derive(Debug, Default)]
struct Model {
    wrong_pins: u32,
    forgiven_pins: u32,
    /// Of one day: nothing here lasts longer.
    wrong_codes: usize,
    forgiven_codes: usize,
    locked: bool,
    used: BTreeSet<u16>,
    on_their_way: VecDeque<Forgives>,
}

impl Model {
    fn tries(&self) -> u32 {
        self.wrong_pins - self.forgiven_pins
    }

    fn commit(&mut self, count: usize) {
        for _ in 0..count {
            let Some(one) = self.on_their_way.pop_front() else { return };
            self.forgiven_pins = self.forgiven_pins.max(one.pins.unwrap_or(0));
            self.forgiven_codes = self.forgiven_codes.max(one.codes.unwrap_or(0));
            self.locked &= !one.unlocks;
        }
    }

    fn ends(&mut self, forgives: Forgives, late: bool) {
        self.on_their_way.push_back(forgives);
        if !late {
            self.commit(self.on_their_way.len());
        }
    }

    fn chip(&mut self, atc: u16, pin: Option<bool>) -> (&'static str, Forgives) {
        let highest = self.used.iter().next_back().copied().unwrap_or(0);
        let replayed = self.used.contains(&atc);
        let forgotten = highest.saturating_sub(atc) >= 64;
        if !forgotten {
            self.used.insert(atc);
        }
        let mut forgives = Forgives::default();
        let said = match (pin, self.tries()) {
            _ if self.locked => "locked_pin_tries_exceeded",
            (Some(_), 3..) => "pin_tries_exceeded",
            _ if forgotten => "counter_out_of_range",
            _ if replayed => "cryptogram_replayed",
            _ if atc < highest => "counter_out_of_range",
            (Some(false), tries) => {
                self.wrong_pins += 1;
                self.locked = tries == 2;
                if self.locked { "pin_tries_exceeded" } else { "incorrect_pin" }
            }
            (Some(true), _) => {
                forgives.pins = Some(self.wrong_pins);
                "approved"
            }
            (None, _) => "approved",
        };
        (said, forgives)
    }

    fn code(&mut self, right: bool) -> &'static str {
        match right {
            _ if self.locked => "locked_pin_tries_exceeded",
            _ if self.wrong_codes - self.forgiven_codes >= 10 => "card_code_tries_exceeded",
            true => "approved",
            false => {
                self.wrong_codes += 1;
                "card_code_incorrect"
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn counters_are_those_of_a_plain_model(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut world, mut model) = (World::after(WORLD), Model::default());
        for (stan, step) in (1..).zip(steps) {
            let row = match step {
                Step::Chip { atc, pin, late } => {
                    let (said, forgives) = model.chip(atc, pin);
                    model.ends(forgives, late);
                    let pin = pin.map_or("", |right| if right { "pin right" } else { "pin wrong" });
                    let late = if late { "later: " } else { "" };
                    format!("{late}auth c1 1.00 stan {stan} chip right atc {atc} {pin} -> {said}")
                }
                Step::Code { right, late } => {
                    let said = model.code(right);
                    model.ends(Forgives::default(), late);
                    let code = if right { "right" } else { "wrong" };
                    let late = if late { "later: " } else { "" };
                    let used = "chan ecommerce entry ecommerce";
                    format!("{late}auth c1 1.00 stan {stan} {used} code {code} -> {said}")
                }
                Step::Commit { one } => {
                    model.commit(if one { 1 } else { model.on_their_way.len() });
                    if one { "commit 1".into() } else { "commit".into() }
                }
                Step::Unlock => {
                    let pins = model.locked.then_some(model.wrong_pins);
                    let unlocks = model.locked;
                    model.ends(Forgives { pins, unlocks, ..Forgives::default() }, false);
                    "unlock c1".to_owned()
                }
                Step::SetPin => {
                    let pins = Some(model.wrong_pins);
                    model.ends(Forgives { pins, ..Forgives::default() }, false);
                    format!("set-pin c1 {:04}", stan % 10_000)
                }
                Step::ResetCode => {
                    let codes = Some(model.wrong_codes);
                    model.ends(Forgives { codes, ..Forgives::default() }, false);
                    "reset-code c1".to_owned()
                }
                Step::Restart => {
                    model.commit(model.on_their_way.len());
                    "restart".to_owned()
                }
            };
            world.run(&row);
            let lock = if model.locked { "6" } else { "no" };
            world.run(&format!("tries c1 {}\nlocked c1 {lock}", model.tries()));
        }
    }
}
