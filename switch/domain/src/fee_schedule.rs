//! The fees of a programme, as one table. It owns which of its rules goes for what, what several of
//! them come to, and how much may be approved where a fee must fit as well. It takes no money.

use crate::{
    CardForm, Country, Currency, FeeEvent, FeeRule, MOST_OF_A_FEE, MinorUnits, Surroundings, Taken,
};

/// The most rules that a schedule may have.
pub const MOST_FEE_RULES: usize = 128;

/// The most countries that a region may have besides its programme's own.
pub const MOST_REGION_COUNTRIES: usize = 64;

/// Who charges the fees of a programme (SR-250).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChargedBy {
    /// The platform, by the rules.
    Platform,
    /// The partner, by means of its own: nothing is taken here, whatever the rules say.
    Partner,
}

/// Why rules are no schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// More than [`MOST_FEE_RULES`].
    #[error("more than {MOST_FEE_RULES} rules")]
    TooMany,
    /// Two rules go for the same event and form; these are their numbers, from zero.
    #[error("rules {0} and {1} are for the same event and form of card")]
    Twice(usize, usize),
    /// Too many countries, one of them twice or its programme's own, or no own one beside them.
    #[error(
        "a region has at most {MOST_REGION_COUNTRIES} countries, each once, beside the country of \
         its programme"
    )]
    Region,
    /// From nothing spent, or from more than a fee may be, no monthly fee can be waived.
    #[error("a monthly fee is waived from an amount above zero on, of {MOST_OF_A_FEE} at most")]
    Waived,
}

/// What something costs, by how it is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Out of the account.
    pub at_once: MinorUnits,
    /// By the invoice of the month.
    pub invoiced: MinorUnits,
}

impl Cost {
    const fn and(self, taken: Taken, fee: MinorUnits) -> Self {
        let Self { at_once, invoiced } = self;
        match taken {
            Taken::AtOnce => {
                Self { at_once: MinorUnits(at_once.0.saturating_add(fee.0)), invoiced }
            }
            Taken::Invoiced => {
                Self { at_once, invoiced: MinorUnits(invoiced.0.saturating_add(fee.0)) }
            }
        }
    }
}

/// The fees of a programme, in its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    currency: Currency,
    charged_by: ChargedBy,
    rules: Vec<FeeRule>,
    around: Surroundings,
    monthly_waived_from: Option<MinorUnits>,
}

impl FeeSchedule {
    /// Of these rules; their order does not count.
    ///
    /// # Errors
    /// There are too many, or two for the same.
    pub fn new(
        currency: Currency,
        charged_by: ChargedBy,
        rules: Vec<FeeRule>,
    ) -> Result<Self, InvalidSchedule> {
        if rules.len() > MOST_FEE_RULES {
            return Err(InvalidSchedule::TooMany);
        }
        for (number, rule) in rules.iter().enumerate() {
            let same = |one: &FeeRule| (one.event, one.form) == (rule.event, rule.form);
            if let Some(earlier) = rules.iter().take(number).position(same) {
                return Err(InvalidSchedule::Twice(earlier, number));
            }
        }
        Ok(Self {
            currency,
            charged_by,
            rules,
            around: Surroundings::default(),
            monthly_waived_from: None,
        })
    }

    /// The same for a programme of that country and region.
    ///
    /// # Errors
    /// The region is none.
    pub fn within(self, around: Surroundings) -> Result<Self, InvalidSchedule> {
        let Surroundings { home, region } = &around;
        let earlier = |number: usize| region.iter().take(number);
        let once = |(number, one): (usize, &Country)| {
            *home != Some(*one) && earlier(number).all(|other| other != one)
        };
        let placed = home.is_some() || region.is_empty();
        let few = region.len() <= MOST_REGION_COUNTRIES;
        if !placed || !few || !region.iter().enumerate().all(once) {
            return Err(InvalidSchedule::Region);
        }
        Ok(Self { around, ..self })
    }

    /// The same, where no monthly fee is charged for a card with which so much was spent in the
    /// month (SR-249).
    ///
    /// # Errors
    /// Not above zero, or above [`MOST_OF_A_FEE`].
    pub fn waiving_monthly_from(self, spent: MinorUnits) -> Result<Self, InvalidSchedule> {
        if !spent.is_positive() || spent > MOST_OF_A_FEE {
            return Err(InvalidSchedule::Waived);
        }
        Ok(Self { monthly_waived_from: Some(spent), ..self })
    }

    /// From what spending of a month on a card pays no monthly fee.
    #[must_use]
    pub const fn monthly_waived_from(&self) -> Option<MinorUnits> {
        self.monthly_waived_from
    }

    /// Its country and region.
    #[must_use]
    pub const fn around(&self) -> &Surroundings {
        &self.around
    }

    /// Of what its prices are.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Who charges.
    #[must_use]
    pub const fn charged_by(&self) -> ChargedBy {
        self.charged_by
    }

    /// Its rules, as they were given.
    #[must_use]
    pub fn rules(&self) -> &[FeeRule] {
        &self.rules
    }

    /// The rule for an event: that for the form of the card goes before that for all. `None` where
    /// nothing is charged here.
    #[must_use]
    pub fn rule_of(&self, event: FeeEvent, form: CardForm) -> Option<&FeeRule> {
        if self.charged_by == ChargedBy::Partner {
            return None;
        }
        let of = |form| self.rules.iter().find(|one| one.event == event && one.form == form);
        of(Some(form)).or_else(|| of(None))
    }

    /// What something without an amount costs.
    #[must_use]
    pub fn of_act(&self, event: FeeEvent, form: CardForm) -> Cost {
        let rule = self.rule_of(event, form);
        rule.map_or_else(Cost::default, |one| Cost::default().and(one.taken, one.price.of_act()))
    }

    /// What an amount costs that is all of these events at once: a purchase abroad is a use and a
    /// conversion.
    #[must_use]
    pub fn of_amount(&self, events: &[FeeEvent], form: CardForm, amount: MinorUnits) -> Cost {
        let rules = events.iter().filter_map(|event| self.rule_of(*event, form));
        rules.fold(Cost::default(), |cost, one| cost.and(one.taken, one.price.of_amount(amount)))
    }

    /// The most that may be approved of `there`, so that what is taken at once for it fits as well;
    /// zero where not even the smallest amount does.
    #[must_use]
    pub fn part_within(
        &self,
        events: &[FeeEvent],
        form: CardForm,
        there: MinorUnits,
    ) -> MinorUnits {
        let fits = |part: i64| {
            let fee = self.of_amount(events, form, MinorUnits(part)).at_once;
            MinorUnits(part).checked_add(fee).is_some_and(|all| all <= there)
        };
        if !there.is_positive() {
            return MinorUnits::ZERO;
        }
        if fits(there.0) {
            return there;
        }
        // A fee is never less for more, so what fits ends somewhere: it is sought by halves.
        let (mut fitting, mut past) = (0, there.0);
        while past.saturating_sub(fitting) > 1 {
            let middle = fitting.midpoint(past);
            if fits(middle) { fitting = middle } else { past = middle }
        }
        MinorUnits(fitting)
    }
}
