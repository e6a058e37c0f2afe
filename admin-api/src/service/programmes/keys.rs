//! Keys of a programme, by their names: what each is for, and the check value of the one that has
//! the name. It owns that a programme names no key that is not there, or is for something else. No
//! key comes here.

use std::sync::Arc;

use switch_domain::{
    CardSecurityTerms, Circumstances, KeyLabel, NeededChecks, PinMethod, SecurityKeys,
};
use switch_security::KeyUsage;

use crate::Problem;
use crate::cards::KeyNames;

/// What a key of a programme is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRole {
    /// Card values of stripe and chip.
    Cvk,
    /// Printed codes.
    Cvk2,
    /// PIN references.
    Pvk,
    /// Cryptograms.
    ImkAc,
    /// The integrity of scripts.
    ImkSmi,
    /// The confidentiality of scripts.
    ImkSmc,
}

impl KeyRole {
    /// What such a key may be used for; a PIN may be verified in two ways.
    const fn usages(self, pin: Option<PinMethod>) -> &'static [KeyUsage] {
        match self {
            Self::Cvk | Self::Cvk2 => &[KeyUsage::C0],
            Self::Pvk => match pin {
                Some(PinMethod::Pvv) => &[KeyUsage::V2],
                Some(PinMethod::Offset { .. }) => &[KeyUsage::V1],
                None => &[KeyUsage::V2, KeyUsage::V1],
            },
            Self::ImkAc => &[KeyUsage::E0],
            Self::ImkSmi => &[KeyUsage::E2],
            Self::ImkSmc => &[KeyUsage::E1],
        }
    }

    /// The member that names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cvk => "cvk",
            Self::Cvk2 => "cvk2",
            Self::Pvk => "pvk",
            Self::ImkAc => "imkAc",
            Self::ImkSmi => "imkSmi",
            Self::ImkSmc => "imkSmc",
        }
    }
}

/// A key that a programme names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// What it is for.
    pub role: KeyRole,
    /// What it is called.
    pub name: String,
    /// Its check value, where whoever keeps it says one.
    pub check_value: Option<String>,
}

/// Every key that is named, in the order of the members; of printed codes in theirs.
fn named(keys: &SecurityKeys) -> impl Iterator<Item = (KeyRole, &KeyLabel)> {
    let codes = keys.cvk2.iter().map(|label| (KeyRole::Cvk2, label));
    let before = std::iter::once((KeyRole::Cvk, &keys.cvk));
    let behind = [
        (KeyRole::Pvk, &keys.pvk),
        (KeyRole::ImkAc, &keys.imk_ac),
        (KeyRole::ImkSmi, &keys.imk_smi),
        (KeyRole::ImkSmc, &keys.imk_smc),
    ];
    before.chain(codes).chain(behind).filter(|(_, label)| !label.is_empty())
}

/// As they are shown.
pub(super) fn shown(names: &dyn KeyNames, terms: &CardSecurityTerms) -> Vec<NamedKey> {
    let one = |(role, label): (KeyRole, &KeyLabel)| {
        let values = role.usages(terms.pin).iter();
        let check_value =
            values.filter_map(|usage| names.check_value(label.as_str(), *usage)).next();
        NamedKey { role, name: label.to_string(), check_value }
    };
    named(&terms.keys).map(one).collect()
}

/// That each of them is there for what it is to be for.
pub(super) fn check(
    names: &dyn KeyNames,
    keys: &SecurityKeys,
    terms: Option<&Arc<CardSecurityTerms>>,
) -> Result<(), Problem> {
    let pin = terms.and_then(|terms| terms.pin);
    let most = SecurityKeys::MOST_CODE_KEYS;
    if keys.cvk2.len() > most {
        return Err(Problem::field("keys.cvk2", format!("at most {most}")));
    }
    let is_pvv = || names.key(keys.pvk.as_str(), KeyUsage::V2).is_some();
    if terms.is_none() && !keys.pvk.is_empty() && !is_pvv() {
        let what = "one for PVVs (V2); for offsets `cardswitch security terms` says how they are";
        return Err(Problem::field("keys.pvk", what));
    }
    if terms.is_none() && named(keys).next().is_none() {
        let what = "at least one key; where none is said, its cards are not verified";
        return Err(Problem::field("keys", what));
    }
    terms.map_or(Ok(()), |terms| leaves_what_is_needed(keys, terms))?;
    for (role, label) in named(keys) {
        let usages = role.usages(pin);
        if !usages.iter().any(|usage| names.key(label.as_str(), *usage).is_some()) {
            let what = "there is no such key, or it is for something else: `cardswitch keys list`";
            return Err(Problem::field(format!("keys.{}", role.name()), what));
        }
    }
    if keys.cvk2.iter().any(KeyLabel::is_empty) {
        return Err(Problem::field("keys.cvk2", "names of keys"));
    }
    Ok(())
}

/// The terms of a programme whose cards were not verified before: what it has keys for is needed
/// where it usually is, and nothing is that could not be verified.
pub(super) fn first_terms(keys: &SecurityKeys) -> CardSecurityTerms {
    // A key for PVVs verifies PINs in one way alone.
    let pin = (!keys.pvk.is_empty()).then_some(PinMethod::Pvv);
    let mut terms = CardSecurityTerms { pin, ..CardSecurityTerms::default() };
    for (role, needed) in checks(&mut terms.needed) {
        if !named(keys).any(|(of, _)| of == role) {
            *needed = Circumstances::NONE;
        }
    }
    terms
}

/// What is verified by which key.
fn checks(needed: &mut NeededChecks) -> [(KeyRole, &mut Circumstances); 5] {
    let NeededChecks { pin, stripe, chip_value, code, cryptogram } = needed;
    [
        (KeyRole::Pvk, pin),
        (KeyRole::Cvk, stripe),
        (KeyRole::Cvk, chip_value),
        (KeyRole::Cvk2, code),
        (KeyRole::ImkAc, cryptogram),
    ]
}

/// That no key goes by which something is verified that the terms need: cards would be declined.
fn leaves_what_is_needed(keys: &SecurityKeys, terms: &CardSecurityTerms) -> Result<(), Problem> {
    let mut needed = terms.needed;
    let has = |keys: &SecurityKeys, role: KeyRole| named(keys).any(|(of, _)| of == role);
    for (role, needed) in checks(&mut needed) {
        if *needed != Circumstances::NONE && has(&terms.keys, role) && !has(keys, role) {
            let what = "the programme's terms need what it verifies: `cardswitch security terms`";
            return Err(Problem::field(format!("keys.{}", role.name()), what));
        }
    }
    Ok(())
}
