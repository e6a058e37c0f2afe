//! Any schedule of fees, and any fee that was charged, that the domain can express.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switch_domain::{
    Amount, BalanceId, BasisPoints, CardForm, CardId, ChargedBy, Country, Event, FeeCharged,
    FeeEffect, FeeEvent, FeeRule, FeeSchedule, FeeTotals, MinorUnits, PartnerId, Price, PriceTerms,
    ProgrammeId, Surroundings, Taken,
};

use crate::arbitrary::{amount, currency, text};

pub(crate) fn event() -> impl Strategy<Value = FeeEvent> {
    let own = "[a-z0-9_]{1,20}".prop_map(|name| {
        FeeEvent::from_name(&format!("other:{name}")).expect("a name of a partner's own")
    });
    prop_oneof![select(FeeEvent::known().collect::<Vec<_>>()), own]
}

pub(crate) fn taken() -> impl Strategy<Value = Taken> {
    select(vec![Taken::AtOnce, Taken::Invoiced])
}

fn rule() -> impl Strategy<Value = FeeRule> {
    let form = option::of(select(vec![CardForm::Virtual, CardForm::Physical]));
    let term = || 0_i64..=1_000_000_000_000;
    let terms = (term(), 0_u16..=10_000, term(), option::of(term()));
    (event(), form, terms, taken()).prop_map(|(event, form, (fixed, rate, least, above), taken)| {
        let most = above.map(|above| MinorUnits(above.max(least)));
        let rate = BasisPoints::new(rate).expect("at most the whole");
        let terms = PriceTerms { fixed: MinorUnits(fixed), rate, least: MinorUnits(least), most };
        FeeRule { event, form, price: Price::new(terms).expect("a price"), taken }
    })
}

fn schedule() -> impl Strategy<Value = FeeSchedule> {
    let by = select(vec![ChargedBy::Platform, ChargedBy::Partner]);
    let around = option::of((0_usize..=3, Just(["ES", "FR", "PT", "JP"])));
    (currency(), by, vec(rule(), 0..6), around).prop_map(|(currency, by, mut rules, around)| {
        let mut seen = std::collections::HashSet::new();
        rules.retain(|rule| seen.insert((rule.event, rule.form)));
        let around = around.map_or_else(Surroundings::default, |(others, codes)| {
            let mut all = codes.map(|code| Country::from_code(code).expect("listed")).into_iter();
            Surroundings { home: all.next(), region: all.take(others).collect() }
        });
        let schedule = FeeSchedule::new(currency, by, rules).expect("each once");
        schedule.within(around).expect("a region")
    })
}

pub(crate) fn events() -> impl Strategy<Value = Event> {
    let set = (any::<i64>(), option::of(schedule())).prop_map(|(programme, schedule)| {
        let (programme, schedule) = (ProgrammeId(programme), schedule.map(Box::new));
        Event::FeesSet { programme, schedule }
    });
    let charged = charged().prop_map(|one| Event::FeeCharged(Box::new(one)));
    prop_oneof![set, charged]
}

fn charged() -> impl Strategy<Value = FeeCharged> {
    let ids = (any::<i64>(), any::<i64>(), option::of(any::<i64>()));
    let fee = (event(), amount(), currency(), taken(), text());
    (ids, fee).prop_map(|((balance, partner, card), fee)| {
        let (event, minor, currency, taken, reference) = fee;
        FeeCharged {
            balance: BalanceId(balance),
            partner: PartnerId(partner),
            card: card.map(CardId),
            event,
            amount: Amount { minor, currency },
            taken,
            reference,
        }
    })
}

pub(crate) fn totals() -> impl Strategy<Value = FeeTotals> {
    (amount(), amount(), amount()).prop_map(|(held, charged, invoiced)| FeeTotals {
        held,
        charged,
        invoiced,
    })
}

pub(crate) fn effect() -> impl Strategy<Value = FeeEffect> {
    (totals(), totals(), vec(charged(), 0..3)).prop_map(|(own, completed, lines)| FeeEffect {
        own,
        completed,
        lines,
    })
}
