//! What a request to change or to unblock a PIN takes besides verification: what the new PIN will
//! be compared with, and the command for the card's chip. It owns which command that is and under
//! which keys. Whether the request is granted is not known here: what is made of one that is not is
//! dropped, and it goes nowhere without an approval.

use switch_domain::{Finding, PinReference, TransactionType, Unverified};
use switch_security::{
    GeneratePinReference, KeyUsage, PinMethod, ProfileName, ProtectScript, Script, ScriptCommand,
    ScriptKeys,
};

use super::finding::{Step, unknown};
use super::{CardChecks, Case, profile};

/// What an approval brings about, as far as it could be made.
#[derive(Default)]
pub(crate) struct PinService {
    /// What the PIN is compared with from then on; `None` where it stays.
    pub(crate) reference: Option<PinReference>,
    /// The command for the chip; `None` where the card has none.
    pub(crate) script: Option<Script>,
}

/// What is being made.
pub(super) struct Steps<'m> {
    new_pin: Step<'m, PinReference>,
    script: Step<'m, Script>,
}

/// The new PIN and the command, each with what was found of it.
pub(super) type Served = ((Finding, Option<PinReference>), (Finding, Option<Script>));

impl Steps<'_> {
    pub(super) fn now(self) -> Served {
        (self.new_pin.now(), self.script.now())
    }

    pub(super) async fn wait(self) -> Served {
        tokio::join!(self.new_pin.wait(), self.script.wait())
    }

    pub(super) const fn given_up(&self) -> Served {
        ((super::given_up(&self.new_pin), None), (super::given_up(&self.script), None))
    }
}

impl CardChecks {
    /// Asks for what a service of the PIN takes; `None` of any other request.
    pub(super) fn pin_service<'m>(&'m self, case: &Case<'_>) -> Option<Box<Steps<'m>>> {
        let kind = case.request.facts.kind;
        if !kind.is_of_pin() || !case.asks {
            return None;
        }
        let changes = kind == TransactionType::PinChange;
        let new_pin = if changes { self.new_pin(case) } else { Step::Known(Finding::Absent) };
        Some(Box::new(Steps { new_pin, script: self.script(case, changes) }))
    }

    /// By the method and with the key index of the present one.
    fn new_pin(&self, case: &Case<'_>) -> Step<'_, PinReference> {
        let Some(presented) = &case.presented.new_pin else { return Step::Known(Finding::Absent) };
        let terms = &case.reference.terms;
        let (pin, key, ibm3624) = match self.readable(presented, terms) {
            Ok(readable) => readable,
            Err(why) => return unknown(why),
        };
        let method = match &case.reference.references.pin {
            Some(PinReference::Pvv { key_index, .. }) => PinMethod::Pvv { key_index: *key_index },
            Some(PinReference::Offset { .. }) => PinMethod::Ibm3624(ibm3624),
            None => return unknown(Unverified::NoReference),
        };
        let pan = &case.presented.pan;
        let command = GeneratePinReference { pin, pan, method, key };
        Step::Asked(self.module.generate_pin_reference(command))
    }

    /// For the chip that asks, bound to its cryptogram.
    fn script(&self, case: &Case<'_>, changes: bool) -> Step<'_, Script> {
        let chip = match &case.presented.chip {
            None => return Step::Known(Finding::Absent),
            Some(Err(_)) => return unknown(Unverified::Malformed),
            Some(Ok(chip)) => chip,
        };
        let terms = &case.reference.terms;
        let profile = profile(terms, chip.issuer_data());
        let Some(profile) = profile.and_then(|profile| ProfileName::new(profile.name)) else {
            return unknown(Unverified::UnknownProfile);
        };
        let keys = &terms.keys;
        let of = |name: &str, usage| self.key(name, usage);
        let integrity = of(keys.imk_smi.as_str(), KeyUsage::E2);
        let confidentiality = of(keys.imk_smc.as_str(), KeyUsage::E1);
        let cryptogram = of(keys.imk_ac.as_str(), KeyUsage::E0);
        let (Some(integrity), Some(confidentiality), Some(cryptogram)) =
            (integrity, confidentiality, cryptogram)
        else {
            return unknown(Unverified::NoKey);
        };
        let command = match &case.presented.new_pin {
            _ if !changes => ScriptCommand::UnblockPin,
            None => return Step::Known(Finding::Absent),
            Some(new) => match self.readable(new, terms) {
                Ok((new, ..)) => ScriptCommand::ChangePin { new, current: None },
                Err(why) => return unknown(why),
            },
        };
        Step::Asked(self.module.protect_script(ProtectScript {
            profile,
            keys: ScriptKeys { integrity, confidentiality, cryptogram },
            pan: &case.presented.pan,
            sequence: chip.sequence().or(case.presented.sequence).unwrap_or_default(),
            atc: chip.counter,
            cryptogram: chip.cryptogram,
            position: 0,
            command,
        }))
    }
}
