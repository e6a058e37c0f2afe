//! Who reads the digits of a card number: the security module, who hands it to a hardware one, and
//! the full data of a card, which leave encrypted alone; and the sandbox, of test numbers. Those of
//! a PIN are read where a hardware module is asked to encrypt it.

use super::rust_text::{code_only, has_word};
use super::source::SourceFile;

/// A way to the digits, and where it may be taken. Defined, and then used.
const WAYS: [(&str, &[&str]); 5] = [
    (
        "digits_for_security",
        &["switch/domain/src/pan.rs", "switch/security/src/", "switch/security/tests/"],
    ),
    ("digits_for_host_command", &["switch/security/src/exit.rs", "switch/hsm/src/pan_fields.rs"]),
    (
        "pin_for_host_command",
        &[
            "switch/security/src/exit.rs",
            "switch/security/tests/audit_event.rs",
            "switch/hsm/src/commands/clear_pin.rs",
        ],
    ),
    (
        "pan_for_encrypted_answer",
        &[
            "switch/security/src/exit.rs",
            "switch/security/tests/audit_event.rs",
            "admin-api/src/service/cards/data.rs",
        ],
    ),
    (
        "test_pan_for_sandbox",
        &[
            "switch/security/src/exit.rs",
            "switch/security/tests/audit_event.rs",
            "switch/server/src/api/sandbox.rs",
        ],
    ),
];

/// Lines of code elsewhere that read digits.
pub(crate) fn elsewhere(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let lines = code.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let taken = WAYS.iter().filter(move |(way, _)| has_word(line, way));
            let wrong = taken
                .filter(|(_, places)| !places.iter().any(|place| file.path.starts_with(place)));
            wrong.map(move |(way, _)| format!("{}:{}: {way}", file.path, number + 1))
        })
        .collect()
}

#[test]
fn digits_read_elsewhere_are_caught() {
    for (way, places) in WAYS {
        let line = format!("let digits = pan.{way}();");
        for place in ["switch/network/src/desk.rs", "switch/hsm/src/client/mod.rs", "a.rs"] {
            assert_eq!(elsewhere(&SourceFile::new(place, &line)).len(), 1, "{way} in {place}");
        }
        for place in places {
            let path =
                if place.ends_with(".rs") { (*place).to_owned() } else { format!("{place}a.rs") };
            assert!(elsewhere(&SourceFile::new(&path, &line)).is_empty(), "{way} in {place}");
        }
        let in_words = SourceFile::new("a.rs", &format!("// see {way}\n"));
        assert!(elsewhere(&in_words).is_empty());
    }
}
