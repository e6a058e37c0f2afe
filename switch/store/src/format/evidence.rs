//! What was found out about card and holder, as it is stored: in records, and as one line of words
//! in a column of `card_authorization`. It owns both forms both ways.

use prost::Message;
use switch_domain::{
    Chip, ChipDifference, ChipDifferences, ChipFact, ChipFacts, CryptogramType, Evidence, Finding,
    Unverified,
};

use super::read::{Read, illegal, narrow};

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredEvidence {
    #[prost(uint32, tag = "1")]
    references: u32,
    /// Findings: 0 absent, 1 matched, 2 mismatched, from 10 on unverified.
    #[prost(uint32, tag = "2")]
    stripe: u32,
    #[prost(uint32, tag = "3")]
    code: u32,
    #[prost(uint32, tag = "4")]
    pin: u32,
    #[prost(bool, tag = "5")]
    fallback: bool,
    #[prost(message, optional, tag = "6")]
    chip: Option<StoredChip>,
    #[prost(uint32, tag = "40")]
    new_pin: u32,
    #[prost(uint32, tag = "41")]
    script: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StoredChip {
    #[prost(uint32, tag = "1")]
    atc: u32,
    #[prost(uint32, tag = "2")]
    sequence: u32,
    #[prost(uint32, tag = "3")]
    cryptogram: u32,
    /// 1 asks, 2 approved, 3 declined.
    #[prost(uint32, tag = "4")]
    kind: u32,
    #[prost(uint32, tag = "5")]
    differs: u32,
    #[prost(uint32, tag = "6")]
    tolerated: u32,
    #[prost(uint32, tag = "7")]
    facts: u32,
}

/// The first number of what is unverified.
const UNVERIFIED: u32 = 10;

fn finding_code(finding: Finding) -> u32 {
    match finding {
        Finding::Absent => 0,
        Finding::Matched => 1,
        Finding::Mismatched => 2,
        Finding::Unverified(why) => {
            let place = Unverified::ALL.iter().position(|one| *one == why).unwrap_or_default();
            UNVERIFIED.saturating_add(u32::try_from(place).unwrap_or(0))
        }
    }
}

fn finding(code: u32) -> Read<Finding> {
    Ok(match code {
        0 => Finding::Absent,
        1 => Finding::Matched,
        2 => Finding::Mismatched,
        _ => {
            let place = code.checked_sub(UNVERIFIED).and_then(|one| usize::try_from(one).ok());
            let why = place.and_then(|place| Unverified::ALL.get(place).copied());
            Finding::Unverified(why.ok_or_else(|| illegal("finding", code))?)
        }
    })
}

const KINDS: [(u32, CryptogramType); 3] =
    [(1, CryptogramType::Request), (2, CryptogramType::Certificate), (3, CryptogramType::Refusal)];

pub(super) fn write(found: &Evidence) -> StoredEvidence {
    StoredEvidence {
        references: found.references,
        stripe: finding_code(found.stripe),
        code: finding_code(found.code),
        pin: finding_code(found.pin),
        fallback: found.fallback,
        chip: found.chip.as_ref().map(|chip| StoredChip {
            atc: u32::from(chip.atc),
            sequence: u32::from(chip.sequence),
            cryptogram: finding_code(chip.cryptogram),
            kind: KINDS.iter().find(|one| one.1 == chip.kind).map_or(0, |one| one.0),
            differs: chip.differs.bits(),
            tolerated: chip.tolerated.bits(),
            facts: chip.facts.bits(),
        }),
        new_pin: finding_code(found.new_pin),
        script: finding_code(found.script),
    }
}

pub(super) fn read(stored: &StoredEvidence) -> Read<Box<Evidence>> {
    let chip = |chip: &StoredChip| -> Read<Chip> {
        let kind = KINDS.iter().find(|one| one.0 == chip.kind).map(|one| one.1);
        Ok(Chip {
            atc: narrow("transaction counter", chip.atc)?,
            sequence: narrow("sequence number", chip.sequence)?,
            cryptogram: finding(chip.cryptogram)?,
            kind: kind.ok_or_else(|| illegal("kind of cryptogram", chip.kind))?,
            differs: ChipDifferences::from_bits(chip.differs),
            tolerated: ChipDifferences::from_bits(chip.tolerated),
            facts: ChipFacts::from_bits(chip.facts),
        })
    };
    Ok(Box::new(Evidence {
        references: stored.references,
        stripe: finding(stored.stripe)?,
        code: finding(stored.code)?,
        pin: finding(stored.pin)?,
        chip: stored.chip.as_ref().map(chip).transpose()?,
        fallback: stored.fallback,
        new_pin: finding(stored.new_pin)?,
        script: finding(stored.script)?,
    }))
}

/// As words, each `name=value`: what is absent is left out.
pub(crate) fn evidence_words(found: &Evidence) -> String {
    let mut words = vec![format!("references={}", found.references)];
    let rows = [
        ("stripe", found.stripe),
        ("code", found.code),
        ("pin", found.pin),
        ("new_pin", found.new_pin),
        ("script", found.script),
    ];
    for (name, finding) in rows {
        if finding != Finding::Absent {
            words.push(format!("{name}={}", finding.name()));
        }
    }
    if let Some(chip) = &found.chip {
        words.push(format!("cryptogram={}", chip.cryptogram.name()));
        words.push(format!("kind={}", chip.kind.name()));
        words.push(format!("atc={}", chip.atc));
        words.push(format!("sequence={}", chip.sequence));
        let differences = [("differs", chip.differs), ("tolerated", chip.tolerated)];
        for (name, set) in differences.into_iter().filter(|(_, set)| !set.is_empty()) {
            let names: Vec<_> = set.iter().map(ChipDifference::name).collect();
            words.push(format!("{name}={}", names.join(",")));
        }
        if !chip.facts.is_empty() {
            let names: Vec<_> = chip.facts.iter().map(ChipFact::name).collect();
            words.push(format!("facts={}", names.join(",")));
        }
    }
    if found.fallback {
        words.push("fallback=yes".into());
    }
    words.join(" ")
}

/// From the words; `None` where they are none of these.
pub(crate) fn evidence_from_words(words: &str) -> Option<Evidence> {
    let mut found = Evidence::default();
    for word in words.split(' ') {
        let (name, value) = word.split_once('=')?;
        match name {
            "references" => found.references = value.parse().ok()?,
            "stripe" => found.stripe = Finding::from_name(value)?,
            "code" => found.code = Finding::from_name(value)?,
            "pin" => found.pin = Finding::from_name(value)?,
            "new_pin" => found.new_pin = Finding::from_name(value)?,
            "script" => found.script = Finding::from_name(value)?,
            "fallback" => found.fallback = true,
            _ => {
                let chip = found.chip.get_or_insert(NO_CHIP);
                chip_word(chip, name, value)?;
            }
        }
    }
    Some(found)
}

const NO_CHIP: Chip = Chip {
    atc: 0,
    sequence: 0,
    cryptogram: Finding::Absent,
    kind: CryptogramType::Request,
    differs: ChipDifferences::NONE,
    tolerated: ChipDifferences::NONE,
    facts: ChipFacts::NONE,
};

fn chip_word(chip: &mut Chip, name: &str, value: &str) -> Option<()> {
    let differences = || value.split(',').map(ChipDifference::from_name).collect::<Option<_>>();
    match name {
        "cryptogram" => chip.cryptogram = Finding::from_name(value)?,
        "kind" => chip.kind = CryptogramType::from_name(value)?,
        "atc" => chip.atc = value.parse().ok()?,
        "sequence" => chip.sequence = value.parse().ok()?,
        "differs" => chip.differs = differences()?,
        "tolerated" => chip.tolerated = differences()?,
        "facts" => {
            chip.facts = value.split(',').map(ChipFact::from_name).collect::<Option<_>>()?;
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Evidence> {
        let findings = [Finding::Absent, Finding::Matched, Finding::Mismatched];
        let findings = findings.into_iter().chain(Unverified::ALL.map(Finding::Unverified));
        findings.enumerate().flat_map(|(place, finding)| {
            KINDS.into_iter().map(move |(number, kind)| Evidence {
                references: number,
                stripe: finding,
                code: if place % 2 == 0 { Finding::Absent } else { finding },
                pin: finding,
                chip: (place % 3 != 0).then(|| Chip {
                    atc: u16::MAX,
                    sequence: 3,
                    cryptogram: finding,
                    kind,
                    differs: ChipDifferences::from_bits(number * 5),
                    tolerated: ChipDifferences::from_bits(number),
                    facts: ChipFacts::from_bits(number * 77),
                }),
                fallback: place % 2 == 0,
                new_pin: if place % 2 == 0 { finding } else { Finding::Absent },
                script: finding,
            })
        })
    }

    #[test]
    fn what_is_written_is_read_again_in_both_forms() {
        for found in all() {
            assert_eq!(read(&write(&found)).map(|one| *one), Ok(found));
            let words = evidence_words(&found);
            assert_eq!(evidence_from_words(&words), Some(found), "{words}");
        }
        let none = evidence_words(&Evidence::default());
        assert_eq!(none, "references=0");
        assert_eq!(evidence_from_words("pin=perhaps"), None);
        assert_eq!(evidence_from_words("nonsense"), None);
        assert!(finding(3).is_err() && finding(17).is_err());
    }
}
