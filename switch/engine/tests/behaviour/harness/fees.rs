//! Rows about fees: `fees`, `no-fees`, `around`, `charge`, `give-back`. A schedule is made a rule
//! at a time, each a command of its own.

use switch_domain::{
    AsciiText, BasisPoints, CardForm, ChargedBy, Country, FeeEvent, FeeRule, FeeSchedule,
    FeeTotals, MinorUnits, Price, PriceTerms, ProgrammeId, Surroundings, Taken,
};
use switch_engine::Act;

use super::row::Row;
use super::{CARDS, CONTROL, World, currency, expect_equal, minor_units};

fn country(row: &Row<'_>, code: &str) -> Country {
    Country::from_code(code).unwrap_or_else(|_| row.fail("no such country"))
}

fn event(row: &Row<'_>) -> FeeEvent {
    let name = row.word("an event");
    FeeEvent::from_name(name).unwrap_or_else(|| row.fail("nothing is charged for that"))
}

fn taken(row: &Row<'_>) -> Taken {
    match row.option("taken") {
        None => Taken::AtOnce,
        Some("invoiced") => Taken::Invoiced,
        Some(_) => row.fail("a fee is taken at once or invoiced"),
    }
}

impl World {
    /// `fees PROGRAMME EVENT FIXED RATE [least A] [most A] [taken invoiced] [form virtual|physical]
    /// [in CUR]` adds a rule; `around PROGRAMME HOME [REGION]`, with commas, says where it is;
    /// `partner-charges PROGRAMME`; `no-fees PROGRAMME`.
    pub(super) fn schedule(&mut self, row: &Row<'_>) {
        let (programme, of_programme) = self.names.programme(row, row.word("a programme"));
        let schedule = match row.verb {
            "no-fees" => None,
            verb => {
                let of = row.option("in").map_or(of_programme, currency);
                let before = self.cluster.states[CONTROL].fees_of(programme);
                let mut rules = before.map_or_else(Vec::new, |one| one.rules().to_vec());
                let mut around = before.map_or_else(Default::default, |one| one.around().clone());
                let mut by = before.map_or(ChargedBy::Platform, FeeSchedule::charged_by);
                match verb {
                    "around" => {
                        let home = Some(country(row, row.word("a country")));
                        let region = row.optional_word().unwrap_or_default().split(',');
                        let region = region.filter(|code| !code.is_empty());
                        let region = region.map(|code| country(row, code)).collect();
                        around = Surroundings { home, region };
                    }
                    "partner-charges" => by = ChargedBy::Partner,
                    _ => rules.push(rule(row, of)),
                }
                let schedule = FeeSchedule::new(of, by, rules).and_then(|one| one.within(around));
                Some(Box::new(schedule.unwrap_or_else(|error| row.fail(&error.to_string()))))
            }
        };
        self.manage(row, CONTROL, Act::SetFees { programme, schedule });
    }

    /// `charge BALANCE EVENT FEE [of CARD] [taken invoiced]`, `give-back` the same.
    pub(super) fn charge(&mut self, row: &Row<'_>) {
        let (balance, currency) = self.names.balance_and_currency(row, row.word("a balance"));
        let event = event(row);
        let fee = minor_units(row, row.word("a fee"), currency);
        let card = row.option("of").map(|name| self.names.card(row, name));
        let (taken, reference) = (taken(row), AsciiText::new(b"2027-06").expect("short"));
        let act = match row.verb {
            "charge" => Act::ChargeFee { balance, card, event, fee, taken, reference },
            _ => Act::RefundFee { balance, card, event, fee, taken, reference },
        };
        self.manage(row, CARDS, act);
    }

    /// `fees-of LABEL HELD CHARGED INVOICED`: where the fees of a purchase stand.
    pub(super) fn look_at_fees(&self, row: &Row<'_>) {
        let label = row.word("an authorization");
        let Some(id) = self.names.authorizations.get(label) else { row.fail("no such message") };
        let found = self.cluster.states[CARDS].authorization(*id);
        let Some(one) = found else { row.fail("it is not remembered") };
        let next = || minor_units(row, row.word("an amount"), one.currency);
        let (held, charged, invoiced) = (next(), next(), next());
        expect_equal(row, &one.fee_totals(), &FeeTotals { held, charged, invoiced });
    }

    /// The programme of that name.
    pub(crate) fn programme_called(&self, name: &str) -> ProgrammeId {
        self.names.programmes[name].0
    }
}

fn rule(row: &Row<'_>, of: switch_domain::Currency) -> FeeRule {
    let event = event(row);
    let fixed = minor_units(row, row.word("a fixed part"), of);
    let rate = BasisPoints::new(row.parsed(row.word("basis points")));
    let amount = |option| row.option(option).map(|text| minor_units(row, text, of));
    let terms = PriceTerms {
        fixed,
        rate: rate.unwrap_or_else(|| row.fail("more than the whole")),
        least: amount("least").unwrap_or(MinorUnits::ZERO),
        most: amount("most"),
    };
    let form = row.option("form").map(|form| match form {
        "virtual" => CardForm::Virtual,
        "physical" => CardForm::Physical,
        _ => row.fail("a card is virtual or physical"),
    });
    let price = Price::new(terms).unwrap_or_else(|error| row.fail(&error.to_string()));
    FeeRule { event, form, price, taken: taken(row) }
}
