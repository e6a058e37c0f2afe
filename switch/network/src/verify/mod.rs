//! Verification of card and holder before a request is submitted: what a message presents is given
//! to the security module, and what that finds goes with the request as its evidence. It owns what
//! is asked for of which message and under which key; it judges nothing, and nothing of a PIN, a
//! track or a value goes further than here.

mod compare;
mod finding;
mod pin_service;
mod rules;

use codecs::iso8583::Version;
use switch_domain::{
    CardSecurityTerms, Chip, ChipDifferences, CryptogramType, EntryMode, Evidence, Finding,
    PinMethod, ServiceCode, Unverified,
};
use switch_security::{
    CardValueKind, CryptogramProfile, DecimalisationTable, Decisions, EncryptedPin, Ibm3624,
    KeyHandle, KeyUsage, ProfileName, Verified, VerifyCardValue, VerifyCryptogram, VerifyPin,
};
use switch_shard::{Authorize, CardReference};

use crate::presented::{ChipFault, Presented, PresentedChip, PresentedPin};
use finding::{Step, unknown};
pub(crate) use pin_service::PinService;

pub use rules::{CardCheckRules, CardChecks, CardKeys, UnusableChip, Waits};

/// The response codes (8A) that the chip is told: it is told no more than approved or declined.
pub(crate) const APPROVED: [u8; 2] = *b"00";
pub(crate) const DECLINED: [u8; 2] = *b"05";

/// What was found, and what may be answered.
pub(crate) struct Found {
    pub(crate) evidence: Evidence,
    pub(crate) answers: Answers,
}

/// What there is for the answer, by what is decided.
#[derive(Default)]
pub(crate) struct Answers {
    /// What the chip may be told: of a right cryptogram that asked for a decision.
    pub(crate) chip: Option<Verified>,
    /// Of a request about the PIN. Apart, because few are.
    pub(crate) service: Option<Box<PinService>>,
}

/// What is being found out about one request.
pub(crate) struct Inquiry<'m> {
    evidence: Evidence,
    stripe: Step<'m, ()>,
    code: Step<'m, ()>,
    pin: Step<'m, ()>,
    cryptogram: Step<'m, Verified>,
    /// Of a request about the PIN.
    service: Option<Box<pin_service::Steps<'m>>>,
}

impl Inquiry<'_> {
    /// What is found at once.
    pub(crate) fn now(self) -> Found {
        let Self { evidence, stripe, code, pin, cryptogram, service } = self;
        let found = (stripe.now().0, code.now().0, pin.now().0);
        let found = gathered(evidence, found, cryptogram.now());
        match service {
            None => found,
            Some(service) => found.with_service(service.now()),
        }
    }

    /// What is found, waiting for it: all at a time.
    pub(crate) async fn wait(self) -> Found {
        let Self { evidence, stripe, code, pin, cryptogram, service } = self;
        let serving = async {
            match service {
                None => None,
                Some(service) => Some(service.wait().await),
            }
        };
        let (stripe, code, pin, cryptogram, served) =
            tokio::join!(stripe.wait(), code.wait(), pin.wait(), cryptogram.wait(), serving);
        let found = gathered(evidence, (stripe.0, code.0, pin.0), cryptogram);
        match served {
            None => found,
            Some(served) => found.with_service(served),
        }
    }

    /// What is said where nobody waits any longer, or no more wait.
    pub(crate) fn given_up(&self) -> Found {
        let Self { evidence, stripe, code, pin, cryptogram, service } = self;
        let found = (given_up(stripe), given_up(code), given_up(pin));
        let found = gathered(*evidence, found, (given_up(cryptogram), None));
        match service {
            None => found,
            Some(service) => found.with_service(service.given_up()),
        }
    }
}

impl Found {
    /// With what was made for a service of the PIN.
    fn with_service(mut self, served: pin_service::Served) -> Self {
        let (new_pin, script) = served;
        (self.evidence.new_pin, self.evidence.script) = (new_pin.0, script.0);
        let service = PinService { reference: new_pin.1, script: script.1 };
        self.answers.service = Some(Box::new(service));
        self
    }
}

/// What is known without the module, and that it did not say for all else.
const fn given_up<T>(step: &Step<'_, T>) -> Finding {
    match step {
        Step::Known(finding) => *finding,
        Step::Asked(_) => Finding::Unverified(Unverified::Unavailable),
    }
}

fn gathered(
    mut evidence: Evidence,
    (stripe, code, pin): (Finding, Finding, Finding),
    (cryptogram, chip): (Finding, Option<Verified>),
) -> Found {
    (evidence.stripe, evidence.code, evidence.pin) = (stripe, code, pin);
    if let Some(read) = &mut evidence.chip {
        read.cryptogram = cryptogram;
    }
    Found { evidence, answers: Answers { chip, service: None } }
}

/// A request with what it presents.
pub(crate) struct Case<'a> {
    pub(crate) presented: &'a Presented,
    pub(crate) request: &'a Authorize,
    pub(crate) reference: &'a CardReference,
    /// Of the message's dialect.
    pub(crate) version: Version,
    /// The message says that the stripe was read since the chip could not be.
    pub(crate) fallback: bool,
    /// It asks for a decision; an advice does not.
    pub(crate) asks: bool,
}

impl Case<'_> {
    /// Whether the card has a chip, by its stripe or by what is on file; it may where neither says.
    fn may_have_chip(&self) -> bool {
        let of_track = self.presented.track.as_ref().and_then(|read| read.track.service_code);
        let codes = [of_track, self.reference.references.service_code];
        codes.into_iter().flatten().any(ServiceCode::has_chip) || codes == [None; 2]
    }
}

impl CardChecks {
    /// Asks for all that there is to be found out.
    pub(crate) fn ask<'m>(&'m self, case: &Case<'_>) -> Inquiry<'m> {
        let (chip, cryptogram) = self.chip(case);
        let evidence = Evidence {
            references: case.reference.references.version,
            chip,
            fallback: case.fallback && case.may_have_chip(),
            ..Evidence::default()
        };
        let (stripe, code, pin) = (self.stripe(case), self.code(case), self.pin(case));
        Inquiry { evidence, stripe, code, pin, cryptogram, service: self.pin_service(case) }
    }

    fn key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        if name.is_empty() { None } else { self.keys.card_key(name, usage) }
    }

    /// The value of the track. A chip's track has one of its own: that of the stripe is wrong there
    /// (C-03).
    fn stripe(&self, case: &Case<'_>) -> Step<'_, ()> {
        let Some(read) = &case.presented.track else { return Step::Known(Finding::Absent) };
        let [first, second] = self.rules.value_at;
        let Some(claimed) = read.track.value(if read.is_first { first } else { second }) else {
            return Step::Known(Finding::Absent);
        };
        let kind = match (case.request.facts.entry, read.track.service_code) {
            (EntryMode::Chip | EntryMode::Contactless, _) => CardValueKind::Icvv,
            // A value of every transaction's own, for which programmes have no key yet.
            (EntryMode::ContactlessStripe, _) => return unknown(Unverified::NoKey),
            (_, Some(service_code)) => CardValueKind::Cvv { service_code },
            (_, None) => return unknown(Unverified::NoReference),
        };
        let Some(expiry) = read.track.expiry else { return unknown(Unverified::NoReference) };
        let terms = &case.reference.terms;
        let Some(key) = self.key(terms.keys.cvk.as_str(), KeyUsage::C0) else {
            return unknown(Unverified::NoKey);
        };
        let pan = &case.presented.pan;
        let command = VerifyCardValue { key, pan, expiry, kind, claimed: &claimed };
        Step::Asked(self.module.verify_card_value(command))
    }

    /// The printed code: of the card's month, whatever month the message names.
    fn code(&self, case: &Case<'_>) -> Step<'_, ()> {
        let claimed = match &case.presented.code {
            None => return Step::Known(Finding::Absent),
            Some(Err(())) => return unknown(Unverified::Malformed),
            Some(Ok(claimed)) => claimed,
        };
        let CardReference { terms, references, expiry, .. } = case.reference;
        let label = terms.keys.code_key(references.code_generation);
        let key = label.and_then(|label| self.key(label.as_str(), KeyUsage::C0));
        let Some(key) = key else { return unknown(Unverified::NoKey) };
        let kind = CardValueKind::Cvv2 { order: terms.code_expiry };
        let pan = &case.presented.pan;
        let command = VerifyCardValue { key, pan, expiry: *expiry, kind, claimed };
        Step::Asked(self.module.verify_card_value(command))
    }

    /// The PIN. Where its tries are used up nobody asks, since nobody may be told.
    fn pin(&self, case: &Case<'_>) -> Step<'_, ()> {
        let Some(presented) = &case.presented.pin else { return Step::Known(Finding::Absent) };
        let CardReference { terms, references, .. } = case.reference;
        if case.reference.tries_exceeded {
            return unknown(Unverified::Skipped);
        }
        let (pin, key, ibm3624) = match self.readable(presented, terms) {
            Ok(readable) => readable,
            Err(why) => return unknown(why),
        };
        let Some(reference) = &references.pin else { return unknown(Unverified::NoReference) };
        let pan = &case.presented.pan;
        Step::Asked(self.module.verify_pin(VerifyPin { pin, pan, reference, key, ibm3624 }))
    }

    /// A PIN as the module takes it, and with what it is compared.
    fn readable<'a>(
        &self,
        presented: &'a Result<PresentedPin, ()>,
        terms: &CardSecurityTerms,
    ) -> Result<(EncryptedPin<'a>, KeyHandle, Ibm3624), Unverified> {
        if self.rules.pin.key.is_empty() {
            return Err(Unverified::NoKey);
        }
        // Length and format are no guess of a PIN; what a block holds is never told apart (C-25).
        let Ok(presented) = presented else { return Err(Unverified::Malformed) };
        let (usage, ibm3624) = match terms.pin.as_ref().ok_or(Unverified::NoKey)? {
            PinMethod::Pvv => (KeyUsage::V2, Some(Ibm3624::default())),
            PinMethod::Offset { decimalisation, .. } => {
                let table = DecimalisationTable::from_digits(decimalisation);
                let with = |table| Ibm3624 { table, ..Ibm3624::default() };
                (KeyUsage::V1, table.map(with))
            }
        };
        let zone = self.rules.pin.key(presented.key_index);
        let zone = zone.and_then(|name| self.key(name, KeyUsage::P0));
        let key = self.key(terms.keys.pvk.as_str(), usage);
        let (Some(zone), Some(key), Some(ibm3624)) = (zone, key, ibm3624) else {
            return Err(Unverified::NoKey);
        };
        let pin = EncryptedPin { block: &presented.block, format: presented.format, key: zone };
        Ok((pin, key, ibm3624))
    }

    /// What the chip says, and whether it is the card's.
    fn chip(&self, case: &Case<'_>) -> (Option<Chip>, Step<'_, Verified>) {
        let chip = match &case.presented.chip {
            None => return (None, Step::Known(Finding::Absent)),
            Some(Ok(chip)) => chip,
            Some(Err(ChipFault::Unreadable | ChipFault::Incomplete)) => {
                return (Some(nothing_said()), unknown(Unverified::Malformed));
            }
        };
        let terms = &case.reference.terms;
        let profile = profile(terms, chip.issuer_data());
        let of_card = profile.map(|profile| profile.facts(chip.issuer_data()));
        let sequence = chip.sequence().or(case.presented.sequence).unwrap_or_default();
        let said = Chip {
            atc: chip.counter,
            sequence,
            cryptogram: Finding::Absent,
            kind: chip.kind,
            differs: compare::differences(chip, case.presented, case.request, case.version),
            tolerated: self.rules.tolerated,
            facts: chip.terminal_facts().iter().chain(of_card.unwrap_or_default().iter()).collect(),
        };
        let Some(profile) = profile else {
            return (Some(said), unknown(Unverified::UnknownProfile));
        };
        let key = self.key(terms.keys.imk_ac.as_str(), KeyUsage::E0);
        let (Some(key), Some(name)) = (key, ProfileName::new(profile.name)) else {
            return (Some(said), unknown(Unverified::NoKey));
        };
        // Only a card that asks gets an answer (E-02, E-04).
        let asks = case.asks && chip.kind == CryptogramType::Request;
        let answers = asks.then(|| profile.decisions(APPROVED, DECLINED));
        (Some(said), self.cryptogram(case, chip, (key, name), answers))
    }

    fn cryptogram(
        &self,
        case: &Case<'_>,
        chip: &PresentedChip,
        (key, profile): (KeyHandle, ProfileName),
        answers: Option<Decisions>,
    ) -> Step<'_, Verified> {
        let sequence = chip.sequence().or(case.presented.sequence).unwrap_or_default();
        let pan = &case.presented.pan;
        Step::Asked(chip.with_data(|data| {
            self.module.verify_cryptogram(VerifyCryptogram {
                profile,
                key,
                pan,
                sequence,
                chip: data,
                cryptogram: chip.cryptogram,
                answers,
            })
        }))
    }
}

/// The first profile of the programme that the card says it is of.
fn profile(terms: &CardSecurityTerms, issuer_data: &[u8]) -> Option<&'static CryptogramProfile> {
    let mut named =
        terms.profiles.iter().filter_map(|name| CryptogramProfile::named(name.as_str()));
    named.find(|profile| profile.made(issuer_data))
}

/// A chip whose data cannot be used.
const fn nothing_said() -> Chip {
    Chip {
        atc: 0,
        sequence: 0,
        cryptogram: Finding::Absent,
        kind: CryptogramType::Request,
        differs: ChipDifferences::NONE,
        tolerated: ChipDifferences::NONE,
        facts: switch_domain::ChipFacts::NONE,
    }
}
