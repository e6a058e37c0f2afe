//! One row of a scenario table, taken apart: words, named options, expectation. It owns the
//! complaint when a row cannot be understood, so that a misspelt row fails instead of passing.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// `[later:] verb words... [name value]... [-> expectation]`
pub(crate) struct Row<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    /// Leave the record on its way to the journal.
    pub(crate) later: bool,
    pub(crate) verb: &'a str,
    words: RefCell<std::collections::VecDeque<&'a str>>,
    options: RefCell<BTreeMap<&'a str, &'a str>>,
    pub(crate) expected: Option<&'a str>,
}

/// Words that are followed by a value.
const OPTIONS: [&str; 79] = [
    "abroad",
    "acq",
    "against",
    "aged",
    "alike",
    "as",
    "asks",
    "at",
    "atc",
    "barred",
    "billed",
    "bin",
    "bins",
    "by",
    "chan",
    "chip",
    "class",
    "code",
    "codes",
    "country",
    "de7",
    "differs",
    "entry",
    "exp",
    "fallback",
    "fault",
    "fee",
    "fee-within",
    "floor",
    "form",
    "funding",
    "holder",
    "hours",
    "in",
    "instead",
    "jump",
    "jump-is",
    "key",
    "kind",
    "last",
    "least",
    "leaving",
    "length",
    "link",
    "lower",
    "mark",
    "may",
    "mcc",
    "most",
    "names",
    "new",
    "of",
    "onto",
    "own",
    "part",
    "pin",
    "pins",
    "refuses",
    "reports",
    "rrn",
    "said",
    "script",
    "seq",
    "settled",
    "shadow",
    "stan",
    "status",
    "taken",
    "term",
    "time",
    "to",
    "tolerates",
    "trace",
    "under",
    "use",
    "value",
    "window",
    "within",
    "zone",
];

impl<'a> Row<'a> {
    /// `None` for an empty row or a comment.
    pub(crate) fn parse(number: usize, line: &'a str) -> Option<Self> {
        let text = line.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            return None;
        }
        let (step, expected) = match text.split_once("->") {
            Some((step, expected)) => (step.trim(), Some(expected.trim())),
            None => (text, None),
        };
        let (later, step) = match step.strip_prefix("later:") {
            Some(step) => (true, step.trim()),
            None => (false, step),
        };
        let mut parts = step.split_whitespace();
        let verb = parts.next().unwrap_or_default();
        let mut words = std::collections::VecDeque::new();
        let mut options = BTreeMap::new();
        while let Some(part) = parts.next() {
            if OPTIONS.contains(&part) {
                let value = parts.next();
                options.insert(part, value.unwrap_or_else(|| panic!("row {number}: {part} what?")));
            } else {
                words.push_back(part);
            }
        }
        let (words, options) = (RefCell::new(words), RefCell::new(options));
        Some(Self { number, text, later, verb, words, options, expected })
    }

    pub(crate) fn fail(&self, why: &str) -> ! {
        panic!("row {}: `{}`: {why}", self.number, self.text)
    }

    /// The next word, which must be there.
    pub(crate) fn word(&self, what: &str) -> &'a str {
        let word = self.words.borrow_mut().pop_front();
        word.unwrap_or_else(|| self.fail(&format!("wants {what}")))
    }

    pub(crate) fn optional_word(&self) -> Option<&'a str> {
        self.words.borrow_mut().pop_front()
    }

    /// The value of a named option.
    pub(crate) fn option(&self, name: &str) -> Option<&'a str> {
        debug_assert!(OPTIONS.contains(&name));
        self.options.borrow_mut().remove(name)
    }

    pub(crate) fn number_option<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let value = self.option(name)?;
        Some(value.parse().unwrap_or_else(|_| self.fail(&format!("{name} wants a number"))))
    }

    pub(crate) fn parsed<T: std::str::FromStr>(&self, word: &str) -> T {
        word.parse().unwrap_or_else(|_| self.fail(&format!("`{word}` is not a number")))
    }

    /// Everything was understood.
    pub(crate) fn done(&self) {
        if let Some(word) = self.words.borrow().front() {
            self.fail(&format!("`{word}` is one word too many"));
        }
        if let Some(name) = self.options.borrow().keys().next() {
            self.fail(&format!("{name} means nothing here"));
        }
    }
}
