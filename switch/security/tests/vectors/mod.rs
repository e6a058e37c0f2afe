//! Vectors of other implementations: `card-crypto.json`, and beside it the values that were printed
//! by others, where a file of them is at hand. It owns how they are read, which test answers for
//! which group, and that no group is left without one. It computes nothing.
#![allow(dead_code, reason = "no family needs all of it")]

use serde_json::Value;

const FILE: &str = include_str!("card-crypto.json");

/// Names a file of published values, which is no part of this project.
const PUBLISHED: &str = "CARDSWITCH_PUBLISHED_ANCHORS";

/// Groups that one family of tests answers for, with the published values that it knows.
pub(crate) struct Family {
    groups: &'static [&'static str],
    published: &'static [&'static str],
}

pub(crate) const CARD_VALUES: Family = Family {
    groups: &["cvv1", "cvv2", "icvv", "cvv_second_pass", "dcvv", "cvc3"],
    published: &[
        "CVV",
        "CVV, split keys",
        "CVV used as CAVV 3 digits (UPN 1108, result 1, second factor 00)",
        "dCVV option A",
        "dCVV option B 19 digits",
        "CVC3",
        "CVC3, IVCVC3 CD76",
    ],
};

pub(crate) const PINS: Family = Family {
    groups: &[
        "pinblock_iso0",
        "pinblock_iso1",
        "pinblock_iso2",
        "pinblock_iso3",
        "pinblock_iso4",
        "pinblock_tdes",
        "pinblock_reject",
        "pvv",
        "ibm3624",
        "pin_translate",
        "pin_verify",
    ],
    published: &["PIN block format 0", "format 4 PAN field", "PVV", "PVV / IBM natural PIN"],
};

pub(crate) const CARD_NUMBERS: Family =
    Family { groups: &["luhn", "pan_mask", "pan_hmac_sha256"], published: &[] };

pub(crate) const CRYPTOGRAMS: Family = Family {
    groups: &[
        "emv_mk_a",
        "emv_mk_b",
        "emv_session_keys",
        "arqc_visa_cvn10",
        "arqc_visa_cvn17",
        "arqc_visa_cvn18",
        "arqc_visa_cvn22",
        "arqc_mchip_cvn10h",
        "arqc_mchip_cvn11h",
        "arqc_mchip_cvn14h",
        "arqc_mchip_cvn15h",
        "arqc_reject",
    ],
    published: &[
        "ARQC card key, zero pad (CVN 10 shape)",
        "ARQC card key, 80 pad",
        "ARQC Mastercard SKD, zero pad",
        "ARQC Mastercard SKD, 80 pad (M/Chip shape)",
        "ARQC EMV CSK, zero pad",
        "ARQC EMV CSK, 80 pad (CVN 18 shape)",
        "ARPC 1 card key",
        "ARPC 1 M/Chip: card key, not session key",
        "ARPC 1 EMV CSK: session key",
        "ARPC 2 card key",
        "ARPC 2 M/Chip: card key",
        "ARPC 2 EMV CSK: session key",
        "ARQC option B 19 digits, CSK, 80 pad",
        "ARQC option B 19 digits, CSK, zero pad",
        "card master key KCVs",
        "CVN 10 ARQC, CVR 03A06010",
        "CVN 10 ARPC, ARC 3030",
        "CVN 18 ARQC, 9F10 06011203A0B800",
        "CVN 18 ARPC, CSU 00000000",
        "CVN 10 unblock script MAC",
        "CVN 18 unblock script MAC",
        "CVN 22 unblock script MAC (same ARQC)",
        "CVN 10 PIN change 9999 without current PIN",
        "option B with a second decimalisation pass",
        "option B 17 digits",
        "option A 17 digits",
    ],
};

pub(crate) const KEYS: Family = Family {
    groups: &[
        "kcv_tdes",
        "kcv_aes_cmac",
        "kcv_aes_ecb",
        "zone_key_import",
        "tr31_b",
        "tr31_d",
        "tr31_reject",
    ],
    published: &[
        "KCV TDES",
        "KCV of the well-known test key",
        "key block B unwrap",
        "key block D unwrap",
    ],
};

pub(crate) const MACS: Family = Family {
    groups: &[
        "mac_alg3_pad1",
        "mac_alg1_tdes_pad1",
        "mac_alg3_pad2",
        "mac_alg1_tdes_pad2",
        "mac_aes_cmac",
        "mac_tdes_cmac",
    ],
    published: &[
        "retail MAC, zero pad, 'Hello World !!!!'",
        "retail MAC pad 1 and pad 2",
        "AES-128 CMAC",
    ],
};

const FAMILIES: [&Family; 6] = [&CARD_VALUES, &PINS, &CARD_NUMBERS, &CRYPTOGRAMS, &KEYS, &MACS];

/// One vector: what goes in, and what has to come out.
pub(crate) struct Vector<'a>(&'a Value);

impl<'a> Vector<'a> {
    /// What it is called.
    pub(crate) fn id(&self) -> &'a str {
        let name = ["id", "what"].iter().find_map(|name| self.0[name].as_str());
        name.expect("a vector has a name")
    }

    /// The input of this name: it must be there.
    pub(crate) fn input(&self, name: &str) -> &'a Value {
        self.0["in"].get(name).unwrap_or_else(|| panic!("{}: no input {name}", self.id()))
    }

    /// The output of this name: it must be there.
    pub(crate) fn output(&self, name: &str) -> &'a Value {
        self.0["out"].get(name).unwrap_or_else(|| panic!("{}: no output {name}", self.id()))
    }

    /// An input that is text; `None` where it is null or not there.
    pub(crate) fn optional(&self, name: &str) -> Option<&'a str> {
        self.0["in"][name].as_str()
    }

    /// An input that is text.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.input(name).as_str().unwrap_or_else(|| panic!("{}: {name} is no text", self.id()))
    }

    /// An input that is hexadecimal.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        decode(self.text(name))
    }

    /// An input that is a small number.
    pub(crate) fn number(&self, name: &str) -> u8 {
        let number = self.input(name).as_u64().and_then(|number| u8::try_from(number).ok());
        number.unwrap_or_else(|| panic!("{}: {name} is no small number", self.id()))
    }

    /// An output that is text.
    pub(crate) fn expected(&self, name: &str) -> &'a str {
        self.output(name).as_str().unwrap_or_else(|| panic!("{}: {name} is no text", self.id()))
    }

    /// An output that is hexadecimal.
    pub(crate) fn expected_bytes(&self, name: &str) -> Vec<u8> {
        decode(self.expected(name))
    }
}

fn decode(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).expect("hexadecimal")
}

/// Checks each vector of each group of a family, and prints how many there were. A group that is
/// not there, or has another number of vectors than the file says, is a failure.
pub(crate) fn check_groups(family: &Family, check: impl FnMut(&str, &Vector<'_>)) {
    check_only(family.groups, check);
}

/// The same of some groups alone: what they claim is claimed by the family's own test.
pub(crate) fn check_only(groups: &[&str], mut check: impl FnMut(&str, &Vector<'_>)) {
    let file: Value = serde_json::from_str(FILE).expect("JSON");
    for name in groups {
        let groups = file["groups"].as_array().expect("groups");
        let group = groups.iter().find(|group| group["group"] == *name);
        let group = group.unwrap_or_else(|| panic!("there is no group {name}"));
        let vectors = group["vectors"].as_array().expect("vectors");
        let stated = file["counts"][name].as_u64().expect("a count");
        assert_eq!(vectors.len() as u64, stated, "vectors of {name}");
        for vector in vectors {
            check(name, &Vector(vector));
        }
        println!("{name}: {stated} vectors");
    }
}

/// Checks each published value of a family, where a file of them is at hand, and prints how many
/// there were; says so where there is no such file.
pub(crate) fn check_published(family: &Family, mut check: impl FnMut(&str, &Vector<'_>)) {
    let Some(path) = std::env::var_os(PUBLISHED) else {
        println!("published values: {PUBLISHED} names no file, and none were checked");
        return;
    };
    let text = std::fs::read_to_string(&path).expect("the file of published values");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let anchors = file["anchors"].as_array().expect("anchors");
    for name in family.published {
        let of_name = anchors.iter().filter(|anchor| anchor["what"] == *name);
        let checked = of_name.map(|anchor| check(name, &Vector(anchor))).count();
        assert!(checked > 0, "there is no published value {name}");
        println!("{name}: {checked} published");
    }
    // Each is some family's: a value that nobody knows of would be checked by nobody.
    for anchor in anchors {
        let claimed = FAMILIES
            .iter()
            .any(|family| family.published.iter().any(|name| anchor["what"] == *name));
        assert!(claimed, "nobody answers for {}", anchor["what"]);
    }
}

/// Every group is one family's, and no family has a group that there is not.
#[test]
fn each_group_of_vectors_is_claimed_by_one_family() {
    let file: Value = serde_json::from_str(FILE).expect("JSON");
    let counts = file["counts"].as_object().expect("counts");
    let mut there: Vec<_> = counts.keys().map(String::as_str).collect();
    let groups = FAMILIES.iter().flat_map(|family| family.groups.iter().copied());
    let mut claimed: Vec<_> = groups.collect();
    there.sort_unstable();
    claimed.sort_unstable();
    assert_eq!(claimed, there);
    let vectors: u64 = counts.values().filter_map(Value::as_u64).sum();
    println!("{} groups, {vectors} vectors", claimed.len());
}
