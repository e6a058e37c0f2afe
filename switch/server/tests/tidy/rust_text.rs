//! Rust source with comments and literals blanked out, so that checks see only code. It keeps every
//! line where it was.

/// The same text with the inside of comments, strings and character literals replaced by spaces.
pub(crate) fn code_only(text: &str) -> String {
    let mut blanker = Blanker { input: text.chars().collect(), at: 0, output: String::new() };
    blanker.run();
    blanker.output
}

struct Blanker {
    input: Vec<char>,
    at: usize,
    output: String,
}

impl Blanker {
    fn run(&mut self) {
        while let Some(character) = self.peek(0) {
            match character {
                '/' if self.peek(1) == Some('/') => self.line_comment(),
                '/' if self.peek(1) == Some('*') => self.block_comment(),
                '"' => self.string(),
                'r' if !self.inside_word() && self.raw_string_hashes().is_some() => {
                    self.raw_string();
                }
                '\'' if self.is_character_literal() => self.character(),
                _ => self.keep(),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.input.get(self.at + ahead).copied()
    }

    fn keep(&mut self) {
        self.output.extend(self.peek(0));
        self.at += 1;
    }

    fn blank(&mut self) {
        let blank = if self.peek(0) == Some('\n') { '\n' } else { ' ' };
        self.output.push(blank);
        self.at += 1;
    }

    /// `br"..."` has its `r` after one letter; any other word ending in r is no prefix.
    fn inside_word(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map(|at| self.input[at]);
        let is_word = |character: Option<char>| {
            character.is_some_and(|character| character.is_alphanumeric() || character == '_')
        };
        match before(1) {
            Some('b' | 'c') => is_word(before(2)),
            other => is_word(other),
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|character| character != '\n') {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek(0).is_some() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.blank();
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.blank();
                }
                _ => {}
            }
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.keep();
        while let Some(character) = self.peek(0) {
            match character {
                '"' => return self.keep(),
                '\\' => {
                    self.blank();
                    self.blank();
                }
                _ => self.blank(),
            }
        }
    }

    fn raw_string_hashes(&self) -> Option<usize> {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_string(&mut self) {
        let hashes = self.raw_string_hashes().unwrap_or(0);
        for _ in 0..hashes + 2 {
            self.blank();
        }
        while self.peek(0).is_some() {
            let ends = self.peek(0) == Some('"')
                && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            if ends {
                for _ in 0..=hashes {
                    self.blank();
                }
                return;
            }
            self.blank();
        }
    }

    /// `'a'` and `'\n'` are characters, `'a` is a lifetime.
    fn is_character_literal(&self) -> bool {
        self.peek(1) == Some('\\') || self.peek(2) == Some('\'')
    }

    fn character(&mut self) {
        self.blank();
        if self.peek(0) == Some('\\') {
            self.blank();
        }
        self.blank();
        while self.peek(0).is_some_and(|character| character != '\'') {
            self.blank();
        }
        self.blank();
    }
}

/// Whether `code` has `word` with no letter, digit or underscore around it.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The line, counted from 0, where the unit tests at the end of a source file begin.
pub(crate) fn first_test_line(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let begins = lines.iter().enumerate().position(|(number, line)| {
        line.starts_with("#[cfg(test)]")
            && lines[number + 1..].iter().find(|next| !next.starts_with("#[")).is_some_and(|next| {
                next.trim_start_matches("pub(crate) ").starts_with("mod ") && next.contains('{')
            })
    });
    begins.unwrap_or(usize::MAX)
}

#[test]
fn comments_and_literals_vanish_and_lines_stay() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("f(\"x \\\" {\") {", "f(\"      \") {"),
        ("r\"{\" }", "     }"),
        ("br#\"{\"\"#; }", "b       ; }"),
        ("for\"{\"", "for\" \""),
        ("'{' '\\'' '\\u{7b}' }", "                  }"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("\"a\nb\" c", "\" \n \" c"),
    ];
    for (text, expected) in cases {
        assert_eq!(code_only(text), expected, "{text}");
    }
}

#[test]
fn words_are_whole() {
    assert!(has_word("use rand::Rng;", "rand"));
    for none in ["operand", "rand_core", "branding", ""] {
        assert!(!has_word(none, "rand"), "{none}");
    }
}

#[test]
fn unit_tests_are_found_at_the_end() {
    assert_eq!(first_test_line("fn a() {}\n#[cfg(test)]\nmod tests {\n}\n"), 1);
    assert_eq!(first_test_line("#[cfg(test)]\nuse b;\nfn a() {}\n"), usize::MAX);
    assert_eq!(first_test_line("#[cfg(test)]\nmod tests;\nfn a() {}\n"), usize::MAX);
}
