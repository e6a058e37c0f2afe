//! Any spend control, and all that stands around one in records.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switch_domain::{
    AsciiText, BalanceId, CardId, CardUse, CardUses, Categories, ControlFindings, ControlId,
    ControlRule, ControlSubject, ControlTerms, Counted, Country, Event, Hours, MinorUnits, Part,
    ProgrammeId, Selector, SpendControl, Usage, UsageDelta, Used, Window,
};

fn text<const N: usize>() -> impl Strategy<Value = AsciiText<N>> {
    vec(b' '..=b'~', 0..=N).prop_map(|bytes| AsciiText::new(&bytes).expect("printable"))
}

pub(crate) fn country() -> impl Strategy<Value = Country> {
    select(vec![276, 724, 4, 840]).prop_map(|code| Country::from_numeric(code).expect("listed"))
}

fn subject() -> impl Strategy<Value = ControlSubject> {
    prop_oneof![
        any::<i64>().prop_map(|id| ControlSubject::Card(CardId(id))),
        any::<i64>().prop_map(|id| ControlSubject::Balance(BalanceId(id))),
        any::<i64>().prop_map(|id| ControlSubject::Programme(ProgrammeId(id))),
    ]
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window::Transaction),
        any::<u16>().prop_map(Window::Rolling),
        text().prop_map(Window::Day),
        text().prop_map(Window::Week),
        text().prop_map(Window::Month),
        text().prop_map(Window::Year),
        Just(Window::Lifetime),
    ]
}

fn rule() -> impl Strategy<Value = ControlRule> {
    prop_oneof![
        Just(ControlRule::Forbid),
        Just(ControlRule::AllowOnly),
        Just(ControlRule::OneMerchant),
        (any::<i64>(), window())
            .prop_map(|(most, window)| ControlRule::Amount(MinorUnits(most), window)),
        (any::<u32>(), window()).prop_map(|(most, window)| ControlRule::Count(most, window)),
    ]
}

fn selector() -> impl Strategy<Value = Selector> {
    let uses = vec(select(CardUse::ALL.to_vec()), 0..4).prop_map(|uses| CardUses::of(&uses));
    let categories = any::<(u16, u16)>().prop_map(|(first, last)| Categories { first, last });
    let hours = (any::<u8>(), any::<u16>(), any::<u16>(), text())
        .prop_map(|(days, from, to, zone)| Hours { days, from, to, zone });
    let lists = (vec(categories, 0..3), vec(country(), 0..3), vec(text(), 0..3));
    (uses, lists, option::of(country()), option::of(hours)).prop_map(
        |(uses, (categories, countries, merchants), abroad_of, hours)| Selector {
            uses,
            categories,
            countries,
            abroad_of,
            merchants,
            hours,
        },
    )
}

pub(crate) fn control() -> impl Strategy<Value = SpendControl> {
    (any::<i64>(), subject(), text(), any::<bool>(), selector(), rule()).prop_map(
        |(id, subject, name, shadow, selects, rule)| {
            let terms = ControlTerms { subject, name, shadow, selects, rule };
            SpendControl { id: ControlId(id), terms }
        },
    )
}

pub(crate) fn events() -> impl Strategy<Value = Event> {
    let defined = control().prop_map(|one| Event::ControlDefined(Box::new(one)));
    let removed = (any::<i64>(), subject())
        .prop_map(|(id, subject)| Event::ControlRemoved { control: ControlId(id), subject });
    prop_oneof![defined, removed]
}

pub(crate) fn findings() -> impl Strategy<Value = Box<ControlFindings>> {
    (any::<Option<i64>>(), any::<Vec<i64>>()).prop_map(|(declined_by, would)| {
        Box::new(ControlFindings {
            declined_by: declined_by.map(ControlId),
            would_decline: would.into_iter().map(ControlId).collect(),
        })
    })
}

pub(crate) fn counted() -> impl Strategy<Value = Counted> {
    any::<[i64; 3]>().prop_map(|[control, holder, part]| Counted {
        control: ControlId(control),
        holder,
        part: Part(part),
    })
}

pub(crate) fn delta() -> impl Strategy<Value = UsageDelta> {
    (counted(), any::<Option<i64>>(), any::<i64>(), any::<i32>()).prop_map(
        |(counted, oldest, amount, count)| UsageDelta {
            counted,
            oldest: oldest.map(Part),
            amount: MinorUnits(amount),
            count,
        },
    )
}

pub(crate) fn usage() -> impl Strategy<Value = ((ControlId, i64), Usage)> {
    let part = any::<(i64, i64, i32)>()
        .prop_map(|(part, amount, count)| (Part(part), Used { amount: MinorUnits(amount), count }));
    (any::<i64>(), any::<i64>(), vec(part, 0..3)).prop_map(|(control, holder, parts)| {
        ((ControlId(control), holder), Usage::from_parts(parts))
    })
}
