//! Rows about verification: what a programme asks for, what a card is compared with, what was found
//! of a message, and what is counted of a card.

use std::sync::Arc;

use switch_domain::{
    CardSecurityTerms, Chip, ChipDifference, ChipDifferences, ChipFact, ChipFacts, CounterRules,
    CryptogramType, Evidence, Finding, LowerCounter, PinMethod, PinReference, ServiceCode,
    Unverified,
};
use switch_engine::Act;

use super::row::Row;
use super::{CARDS, CONTROL, World, expect_equal, minor_units};

impl World {
    /// `verified PROGRAMME [pins N] [codes N] [alike yes] [lower take] [jump N] [jump-is refused]
    /// [floor A] [refuses FACT]`, `unverified PROGRAMME`
    pub(super) fn verification(&mut self, row: &Row<'_>) {
        let name = row.word("a programme");
        let (programme, currency) = self.names.programme(row, name);
        let defaults = CardSecurityTerms::default();
        let floor = row.option("floor").map(|amount| minor_units(row, amount, currency));
        let terms = CardSecurityTerms {
            pin: Some(PinMethod::Pvv),
            pin_limit: row.number_option("pins").unwrap_or(defaults.pin_limit),
            code_limit: row.number_option("codes").unwrap_or(defaults.code_limit),
            answers_alike: row.option("alike") == Some("yes"),
            counter: CounterRules {
                lower: match row.option("lower") {
                    Some("take") => LowerCounter::Take,
                    _ => LowerCounter::Decline,
                },
                jump: row.number_option("jump").unwrap_or_default(),
                declines_jump: row.option("jump-is") == Some("refused"),
            },
            fallback_floor: floor.unwrap_or(defaults.fallback_floor),
            refused_facts: row.option("refuses").map(|name| facts(row, name)).unwrap_or_default(),
            ..defaults
        };
        let terms = (row.verb == "verified").then(|| Box::new(terms));
        self.manage(row, CONTROL, Act::SetCardSecurity { programme, terms });
    }

    /// `card-data CARD CODE [seq N]`, `set-pin CARD DIGITS`, `reset-code CARD`, `await CARD seq N`,
    /// `renew CARD exp YYMM [code CODE seq N]`
    pub(super) fn references(&mut self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let act = match row.verb {
            "card-data" => {
                let code = ServiceCode::new(row.parsed(row.word("a service code")));
                let sequence = row.number_option("seq").unwrap_or_default();
                Act::SetCardData { card, service_code: code.ok(), sequence }
            }
            "set-pin" => {
                let digits = row.word("digits").as_bytes();
                let reference = PinReference::pvv(1, digits);
                let reference = reference.unwrap_or_else(|_| row.fail("no reference"));
                Act::SetPinReference { card, reference }
            }
            "await" => {
                let sequence = row.number_option("seq");
                Act::AwaitPlastic { card, sequence: sequence.unwrap_or_default() }
            }
            "renew" => {
                let yymm = row.number_option("exp").unwrap_or_else(|| row.fail("wants exp YYMM"));
                let code = row.number_option("code").and_then(|code| ServiceCode::new(code).ok());
                let plastic = code.zip(row.number_option("seq"));
                Act::RenewCard { card, expiry: super::messages::expiry(row, yymm), plastic }
            }
            _ => Act::ResetCardCode { card },
        };
        self.manage(row, CARDS, act);
    }

    /// `chip-pin CARD known|pends`: whether its chip may have another PIN.
    pub(super) fn look_at_chip_pin(&self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let counters = self.cluster.states[CARDS].counters_of(card);
        let pends = counters.is_some_and(switch_domain::CardCounters::chip_pin_pends);
        let found = if pends { "pends" } else { "known" };
        expect_equal(row, &found, &row.word("known or pends"));
    }

    /// `tries CARD N`: wrong PINs that are not forgiven.
    pub(super) fn look_at_tries(&self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let expected: u32 = row.parsed(row.word("how many"));
        expect_equal(row, &self.cluster.states[CARDS].pin_tries(card), &expected);
    }

    /// `locked CARD CODE|no`
    pub(super) fn look_at_lock(&self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let lock = self.cluster.states[CARDS].card(card).and_then(|card| card.lock);
        let expected = row.word("a lock code or no");
        let found = lock.map_or("no".to_owned(), |lock| lock.number().to_string());
        expect_equal(row, &found.as_str(), &expected);
    }

    /// `script CARD KIND STANDING|none`: the last command for the chip.
    pub(super) fn look_at_script(&self, row: &Row<'_>) {
        let card = self.names.card(row, row.word("a card"));
        let counters = self.cluster.states[CARDS].counters_of(card);
        let script = counters.and_then(|counters| counters.script);
        let found = script.map_or(("none", ""), |one| (one.kind.name(), one.standing.name()));
        let expected = (row.word("a kind or none"), row.optional_word().unwrap_or_default());
        expect_equal(row, &found, &expected);
    }

    /// `[pin F] [new F] [script F] [code F] [value F] [fallback yes] [against N]`, and of a chip
    /// `[chip F] [atc N] [seq N] [asks arqc|tc|aac] [differs D] [tolerates D] [reports FACT]`: a
    /// finding is `right`, `wrong`, or why there is none. Nothing of it: nothing was sent.
    pub(super) fn evidence(&self, row: &Row<'_>, card: &str) -> Option<Box<Evidence>> {
        let known = self.names.cards.get(card).map(|(id, _)| *id);
        let card = known.and_then(|id| self.cluster.states[CARDS].card(id));
        let version = card.and_then(|card| card.references.as_deref()).map_or(0, |one| one.version);
        let finding = |name| row.option(name).map_or(Finding::Absent, |word| finding(row, word));
        let (pin, code, stripe) = (finding("pin"), finding("code"), finding("value"));
        let cryptogram = row.option("chip").map(|word| self::finding(row, word));
        let (atc, kind) = (row.number_option("atc"), row.option("asks"));
        let (differs, tolerated) = (row.option("differs"), row.option("tolerates"));
        let (sequence, reports) = (row.number_option("seq"), row.option("reports"));
        let chip = cryptogram.map(|cryptogram| Chip {
            atc: atc.unwrap_or_else(|| row.fail("a chip has an atc")),
            sequence: sequence.unwrap_or_default(),
            cryptogram,
            kind: match kind {
                None | Some("arqc") => CryptogramType::Request,
                Some("tc") => CryptogramType::Certificate,
                _ => CryptogramType::Refusal,
            },
            differs: differs.map(|name| difference(row, name)).unwrap_or_default(),
            tolerated: tolerated.map(|name| difference(row, name)).unwrap_or_default(),
            facts: reports.map(|name| facts(row, name)).unwrap_or_default(),
        });
        let fallback = row.option("fallback") == Some("yes");
        let references = row.number_option("against").unwrap_or(version);
        let (new_pin, script) = (finding("new"), finding("script"));
        let found = Evidence { references, stripe, code, pin, new_pin, script, chip, fallback };
        let nothing = Evidence { references, ..Evidence::default() };
        (found != nothing).then(|| Box::new(found))
    }

    /// A programme's terms, as the shard of cards sees them.
    pub(crate) fn terms_in_force(&self) -> Vec<Arc<CardSecurityTerms>> {
        let programmes = self.cluster.states[CARDS].control().programmes.values();
        programmes.filter_map(|programme| programme.security.clone()).collect()
    }
}

fn finding(row: &Row<'_>, word: &str) -> Finding {
    match word {
        "right" => Finding::Matched,
        "wrong" => Finding::Mismatched,
        "no-key" => Finding::Unverified(Unverified::NoKey),
        "no-reference" => Finding::Unverified(Unverified::NoReference),
        "malformed" => Finding::Unverified(Unverified::Malformed),
        "unavailable" => Finding::Unverified(Unverified::Unavailable),
        "unknown-profile" => Finding::Unverified(Unverified::UnknownProfile),
        "skipped" => Finding::Unverified(Unverified::Skipped),
        _ => row.fail("no such finding"),
    }
}

fn facts(row: &Row<'_>, name: &str) -> ChipFacts {
    let fact = ChipFact::from_name(name).unwrap_or_else(|| row.fail("no such fact"));
    [fact].into_iter().collect()
}

fn difference(row: &Row<'_>, name: &str) -> ChipDifferences {
    let one = ChipDifference::from_name(name).unwrap_or_else(|| row.fail("no such difference"));
    [one].into_iter().collect()
}
