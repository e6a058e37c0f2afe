//! What something would cost (issue 10): asked of the schedule that is in force. It owns that the
//! rules which go are told one by one, with what is taken in all; nothing is charged, or reserved.

use switch_domain::{
    CardForm, Channel, Cost, Country, FeeEvent, FeeMoment, FeeSchedule, MinorUnits, Taken,
};

/// What is asked about.
#[derive(Clone, Debug)]
pub enum WhatFor {
    /// These, by their names.
    Events(Vec<FeeEvent>),
    /// The use of a card: all that it costs, authorized and cleared.
    Use {
        /// Where it is presented.
        channel: Channel,
        /// Where the merchant is; none is at home.
        country: Option<Country>,
        /// Whether the merchant asks in another currency.
        is_converted: bool,
    },
}

/// A rule that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotedFee {
    /// Its number in the schedule, from zero.
    pub rule: usize,
    /// What for.
    pub event: FeeEvent,
    /// How much.
    pub fee: MinorUnits,
    /// How.
    pub taken: Taken,
}

/// What it would cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Rule by rule; nothing where it is free.
    pub fees: Vec<QuotedFee>,
    /// All of it, by how it is taken.
    pub cost: Cost,
}

impl WhatFor {
    /// The events of it, where the programme is at home as its schedule says.
    fn events(&self, schedule: &FeeSchedule) -> Vec<FeeEvent> {
        match self {
            Self::Events(events) => events.clone(),
            Self::Use { channel, country, is_converted } => {
                let place = schedule.around().place_of(*country);
                let of = |moment| {
                    let converted = is_converted.then_some(FeeEvent::Conversion(moment));
                    [Some(FeeEvent::Use(*channel, place, moment)), converted]
                };
                FeeMoment::ALL.into_iter().flat_map(of).flatten().collect()
            }
        }
    }
}

impl Quote {
    /// By a schedule; without an amount what has none costs its fixed part.
    #[must_use]
    pub fn of(
        schedule: &FeeSchedule,
        what: &WhatFor,
        form: CardForm,
        amount: Option<MinorUnits>,
    ) -> Self {
        let mut quote = Self::default();
        for event in what.events(schedule) {
            let Some(rule) = schedule.rule_of(event, form) else { continue };
            let number = schedule.rules().iter().position(|one| one == rule).unwrap_or_default();
            let price = &rule.price;
            let fee = amount.map_or_else(|| price.of_act(), |amount| price.of_amount(amount));
            let sum = match rule.taken {
                Taken::AtOnce => &mut quote.cost.at_once,
                Taken::Invoiced => &mut quote.cost.invoiced,
            };
            *sum = MinorUnits(sum.0.saturating_add(fee.0));
            quote.fees.push(QuotedFee { rule: number, event, fee, taken: rule.taken });
        }
        quote
    }
}
