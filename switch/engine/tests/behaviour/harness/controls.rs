//! Rows that stand for spend controls: `control`, `change-control`, `remove-control`, and `used`,
//! what was used of one.

use switch_domain::{
    AsciiText, CardUse, CardUses, Categories, ControlId, ControlRule, ControlSubject, ControlTerms,
    Country, Currency, Hours, Part, Selector, Window, ZoneName,
};
use switch_engine::Act;

use super::row::Row;
use super::{CARDS, CONTROL, World, currency, expect_equal, minor_units};

fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

impl World {
    /// `control NAME card|balance|programme WHOSE forbid|allow|one-merchant|amount A|count N
    /// [window W] [zone Z] [use U,U] [mcc M,M-M] [country C,C] [abroad C] [at M,M]
    /// [hours DAYS/FROM/TO] [shadow yes]`; `change-control` with the same; `remove-control NAME`.
    pub(super) fn control(&mut self, row: &Row<'_>) {
        let name = row.word("a control");
        if row.verb == "remove-control" {
            let (control, subject) = self.names.control(row, name);
            self.manage(row, shard_of(subject), Act::RemoveControl { control, subject });
            return;
        }
        let (kind, whose) = (row.word("card, balance or programme"), row.word("whose"));
        let (subject, currency) = self.subject(row, kind, whose);
        let terms = Box::new(ControlTerms {
            subject,
            name: text(name),
            shadow: row.option("shadow") == Some("yes"),
            rule: rule(row, currency),
            selects: selector(row),
        });
        if row.verb == "change-control" {
            let (control, _) = self.names.control(row, name);
            self.manage(row, shard_of(subject), Act::ChangeControl { control, terms });
        } else if let Some(id) = self.manage(row, shard_of(subject), Act::DefineControl(terms)) {
            self.names.controls.insert(name.to_owned(), (ControlId(id), subject));
        }
    }

    fn subject(&self, row: &Row<'_>, kind: &str, whose: &str) -> (ControlSubject, Currency) {
        match kind {
            "card" => {
                let id = self.names.card(row, whose);
                let known = self.names.cards.get(whose);
                (ControlSubject::Card(id), known.map_or(currency("EUR"), |(_, one)| *one))
            }
            "balance" => {
                let (id, currency) = self.names.balance_and_currency(row, whose);
                (ControlSubject::Balance(id), currency)
            }
            "programme" => {
                let (id, currency) = self.names.programme(row, whose);
                (ControlSubject::Programme(id), currency)
            }
            _ => row.fail("a control is for a card, a balance or a programme"),
        }
    }

    /// `used NAME HOLDER AMOUNT COUNT`: in the latest part of its window.
    pub(super) fn look_at_usage(&self, row: &Row<'_>) {
        let (control, _) = self.names.control(row, row.word("a control"));
        let holder = row.word("a card or a balance");
        let card = self.names.cards.get(holder).map(|(id, currency)| (id.0, *currency));
        let balance = || self.names.balances.get(holder).map(|(id, currency)| (id.0, *currency));
        let found = card.or_else(balance);
        let (holder, currency) = found.unwrap_or_else(|| row.fail("no such card or balance"));
        let usage = self.cluster.states[CARDS].usage(control, holder);
        let last = usage.and_then(|usage| usage.parts().last().copied());
        let (_, used) = last.unwrap_or((Part(0), Default::default()));
        let amount = minor_units(row, row.word("an amount"), currency);
        let count: i32 = row.parsed(row.word("a count"));
        expect_equal(row, &(used.amount, used.count), &(amount, count));
    }
}

const fn shard_of(subject: ControlSubject) -> usize {
    match subject {
        ControlSubject::Programme(_) => CONTROL,
        ControlSubject::Card(_) | ControlSubject::Balance(_) => CARDS,
    }
}

fn rule(row: &Row<'_>, currency: Currency) -> ControlRule {
    match row.word("a rule") {
        "forbid" => ControlRule::Forbid,
        "allow" => ControlRule::AllowOnly,
        "one-merchant" => ControlRule::OneMerchant,
        "amount" => {
            ControlRule::Amount(minor_units(row, row.word("an amount"), currency), window(row))
        }
        "count" => ControlRule::Count(row.parsed(row.word("a count")), window(row)),
        _ => row.fail("no such rule"),
    }
}

fn zone(row: &Row<'_>) -> ZoneName {
    row.option("zone").map_or_else(|| text("UTC"), text)
}

fn window(row: &Row<'_>) -> Window {
    let name = row.option("window").unwrap_or("transaction");
    match name.strip_prefix("rolling:") {
        Some(hours) => Window::Rolling(row.parsed(hours)),
        None => match name {
            "transaction" => Window::Transaction,
            "day" => Window::Day(zone(row)),
            "week" => Window::Week(zone(row)),
            "month" => Window::Month(zone(row)),
            "year" => Window::Year(zone(row)),
            "lifetime" => Window::Lifetime,
            _ => row.fail("no such window"),
        },
    }
}

fn selector(row: &Row<'_>) -> Selector {
    let list = |name| row.option(name).into_iter().flat_map(|value| value.split(','));
    let uses: Vec<_> = list("use").filter_map(CardUse::from_name).collect();
    let country = |code: &str| Country::from_code(code).unwrap_or_else(|_| row.fail("no country"));
    let category = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Categories { first: row.parsed(first), last: row.parsed(last) }
    };
    Selector {
        uses: CardUses::of(&uses),
        categories: list("mcc").map(category).collect(),
        countries: list("country").map(country).collect(),
        abroad_of: row.option("abroad").map(country),
        merchants: list("at").map(text).collect(),
        hours: row.option("hours").map(|hours| {
            let parts: Vec<u16> = hours.split('/').map(|part| row.parsed(part)).collect();
            let [days, from, to] = parts[..] else { row.fail("hours are DAYS/FROM/TO") };
            Hours { days: u8::try_from(days).expect("a week"), from, to, zone: zone(row) }
        }),
    }
}
