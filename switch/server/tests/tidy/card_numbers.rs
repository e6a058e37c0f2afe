//! Finds numbers that could be somebody's card. A real number must never be committed, not even in
//! a test; ours come from a range no scheme issues, or are the numbers schemes print for testing.

use super::source::SourceFile;

/// Shortest and longest card numbers in use (ISO/IEC 7812-1 allows up to 19 digits).
const DIGITS: std::ops::RangeInclusive<usize> = 14..=19;

/// The range of our demo and tests: major industry identifier 9 (national use), country code 999.
const OURS: &str = "9999";

/// Numbers that schemes and acquirers publish for testing; no card carries them.
const PUBLISHED_FOR_TESTS: [&str; 10] = [
    "4111111111111111",
    "4012888888881881",
    "4000000000000002",
    "4242424242424242",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
];

/// Vectors whose numbers a generator drew from a seed: card numbers of five test BINs, with a right
/// check digit, and parts of them; and card numbers of two test BINs in tokens.
const DRAWN: [&str; 2] =
    ["switch/security/tests/vectors/card-crypto.json", "admin-api/tests/vectors/jwe.json"];

/// Card-like numbers outside the test ranges: digits in one run, or in groups as on a card.
pub(crate) fn outside_test_ranges(file: &SourceFile) -> Vec<String> {
    // Checksums of crates, not written by anybody.
    if file.path == "Cargo.lock" || DRAWN.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let suspects = runs(line).into_iter().filter(|run| is_suspect(run));
            // The number itself is not repeated: the report may be public.
            suspects.map(move |run| {
                let (path, start) = (&file.path, &run[..4]);
                format!("{path}:{}: {} digits from {start}", number + 1, run.len())
            })
        })
        .collect()
}

fn is_suspect(run: &str) -> bool {
    DIGITS.contains(&run.len())
        && !run.starts_with('0') // no issuer: ISO/TC 68's own industry identifier
        && !run.starts_with(OURS)
        && !PUBLISHED_FOR_TESTS.contains(&run)
        && !is_timestamp(run)
        && passes_luhn(run)
}

/// `YYYYMMDDhhmmss` of this century.
fn is_timestamp(run: &str) -> bool {
    let pair = |at: usize| run.get(at..at + 2).and_then(|two| two.parse::<u8>().ok());
    run.len() == 14
        && run.starts_with("20")
        && pair(4).is_some_and(|month| (1..=12).contains(&month))
        && pair(6).is_some_and(|day| (1..=31).contains(&day))
        && pair(8).is_some_and(|hour| hour < 24)
}

/// ISO/IEC 7812-1 annex B.
fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|digit| u32::from(digit - b'0'))
        .enumerate()
        .map(|(position, digit)| match (position % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Numbers standing by themselves: not inside a word or a hexadecimal string, but also before the
/// `D` that separates number and expiry on track 2. Groups of four with one space, hyphen or
/// underscore between them are joined.
fn runs(line: &str) -> Vec<String> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let (digits, end) = number_at(bytes, at);
        let after = bytes.get(end).copied();
        let track = after == Some(b'D') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        let stands_alone = !before.is_some_and(is_word) && (track || !after.is_some_and(is_word));
        // Expiry, service code and discretionary data, behind the number on track 2.
        let rest_of_track = before == Some(b'=') && at >= 2 && bytes[at - 2].is_ascii_digit();
        if stands_alone && !rest_of_track {
            found.push(digits);
        }
        at = end;
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The digits from `start` on, separators between groups left out, and where they end.
fn number_at(bytes: &[u8], start: usize) -> (String, usize) {
    let mut digits = String::new();
    let mut at = start;
    loop {
        let group = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits.extend(bytes[at..at + group].iter().map(|byte| char::from(*byte)));
        at += group;
        let separator = bytes.get(at).copied();
        let next = bytes.get(at + 1..).unwrap_or_default();
        let next_group = next.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let joined = match separator {
            Some(b' ' | b'-' | b'_') => group == 4 && (1..=4).contains(&next_group),
            _ => false,
        };
        if !joined {
            return (digits, at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number in a scheme's range that passes Luhn, made here so that it stands nowhere.
    fn real_looking(prefix: &str, length: usize) -> String {
        let body = format!("{prefix}{}", "7".repeat(length - prefix.len() - 1));
        let complete = (0..10).map(|check| format!("{body}{check}"));
        complete.into_iter().find(|number| passes_luhn(number)).unwrap()
    }

    fn caught(line: &str) -> usize {
        outside_test_ranges(&SourceFile::new("a.md", line)).len()
    }

    #[test]
    fn a_number_like_a_real_card_is_caught() {
        for length in DIGITS {
            let number = real_looking("45", length);
            for line in [
                number.clone(),
                format!("pan = \"{number}\""),
                format!("track 2 {number}=2912101"),
                format!("track 2 {number}D2912101"),
                format!("{number},{number}"),
            ] {
                assert!(caught(&line) >= 1, "{line}");
            }
        }
        let number = real_looking("52", 16);
        for separator in ["-", " ", "_"] {
            let groups = [&number[..4], &number[4..8], &number[8..12], &number[12..]];
            assert_eq!(caught(&groups.join(separator)), 1, "{separator}");
        }
    }

    #[test]
    fn test_numbers_and_other_digits_pass() {
        let number = real_looking("45", 16);
        let wrong_check = format!("{}{}", &number[..15], (number.as_bytes()[15] - b'0' + 1) % 10);
        for line in [
            real_looking("999999", 16),
            real_looking("9999", 19),
            PUBLISHED_FOR_TESTS.join(" and "),
            wrong_check,
            format!("sha256:a{number}"),
            format!("{number}ff00"),
            format!("1111111{number}"),
            "0000000000000000".to_owned(),
            "20261123101500".to_owned(),
            "4111 1111 1111 1111".to_owned(),
            "946_684_800_000_000".to_owned(),
            format!("9999991234567890={}", real_looking("2912", 17)),
        ] {
            assert_eq!(caught(&line), 0, "{line}");
        }
    }

    #[test]
    fn the_report_does_not_repeat_the_number() {
        let number = real_looking("45", 16);
        let report = outside_test_ranges(&SourceFile::new("a.md", &number)).join("");
        assert!(!report.contains(&number[..7]), "{report}");
    }

    #[test]
    fn published_numbers_are_card_numbers() {
        for number in PUBLISHED_FOR_TESTS {
            assert!(passes_luhn(number), "{number}");
        }
    }
}
