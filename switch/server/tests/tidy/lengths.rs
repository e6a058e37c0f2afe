//! How long lines, functions and files may be.

use super::rust_text::{code_only, first_test_line};
use super::source::SourceFile;

const LINE_COLUMNS: usize = 100;
const FUNCTION_LINES: usize = 70;
const TEST_FUNCTION_LINES: usize = 120;
const FILE_LINES: usize = 500;
const TEST_FILE_LINES: usize = 1200;

/// Lines of Rust with more columns than a reviewer's window. A web address cannot be broken.
pub(crate) fn long_lines(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate();
    let long = lines.filter(|(_, line)| line.chars().count() > LINE_COLUMNS);
    long.filter(|(_, line)| !line.contains("://"))
        .map(|(number, line)| {
            let columns = line.chars().count();
            format!("{}:{}: {columns} columns", file.path, number + 1)
        })
        .collect()
}

/// Functions that do not fit a screen or two. Tests are tables and may be longer.
pub(crate) fn long_functions(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let tests_from = if file.is_test() { 0 } else { first_test_line(&code) };
    functions(&code)
        .into_iter()
        .filter_map(|function| {
            let in_tests = function.first_line >= tests_from;
            let limit = if in_tests { TEST_FUNCTION_LINES } else { FUNCTION_LINES };
            let Function { name, first_line, lines } = function;
            let place = format!("{}:{}", file.path, first_line + 1);
            (lines > limit).then(|| format!("{place}: {name} has {lines} lines, limit {limit}"))
        })
        .collect()
}

/// Files that have grown past one idea.
pub(crate) fn long_files(file: &SourceFile) -> Vec<String> {
    let limit = if file.is_test() { TEST_FILE_LINES } else { FILE_LINES };
    let lines = file.text.lines().count();
    if file.is_rust() && lines > limit {
        vec![format!("{}: {lines} lines, limit {limit}", file.path)]
    } else {
        Vec::new()
    }
}

struct Function {
    name: String,
    first_line: usize,
    lines: usize,
}

/// Every function with a body in code without comments and literals.
fn functions(code: &str) -> Vec<Function> {
    let starts = code.match_indices("fn ").filter(|(start, _)| {
        let before = code[..*start].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    });
    starts
        .filter_map(|(start, _)| {
            let rest = code[start + 3..].trim_start();
            let name: String = rest
                .chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect();
            let body = body_end(&code[start..])?;
            let first_line = code[..start].matches('\n').count();
            let lines = code[start..start + body].matches('\n').count() + 1;
            (!name.is_empty()).then_some(Function { name, first_line, lines })
        })
        .collect()
}

/// Where the body ends, counted from the `fn`; `None` for a declaration without one.
fn body_end(code: &str) -> Option<usize> {
    let mut nested = 0_i32;
    let mut braces = 0_i32;
    for (at, character) in code.char_indices() {
        match character {
            '(' | '[' => nested += 1,
            ')' | ']' => nested -= 1,
            ';' if nested == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && nested == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_line_is_caught() {
        let line = "x".repeat(101);
        assert_eq!(long_lines(&SourceFile::new("a.rs", &line)), ["a.rs:1: 101 columns"]);
        for (path, line) in [
            ("a.rs", "é".repeat(100)),
            ("a.md", line.clone()),
            ("a.rs", format!("//! https://{line}")),
        ] {
            assert!(long_lines(&SourceFile::new(path, &line)).is_empty(), "{path} {line}");
        }
    }

    #[test]
    fn a_long_function_is_caught() {
        let caught = |path: &str, text: &str| long_functions(&SourceFile::new(path, text));
        assert_eq!(caught("p/src/a.rs", &function_of(70)), [""; 0]);
        assert_eq!(
            caught("p/src/a.rs", &function_of(71)),
            ["p/src/a.rs:1: long has 71 lines, limit 70"]
        );
        assert_eq!(caught("p/tests/a.rs", &function_of(120)), [""; 0]);
        assert_eq!(caught("p/tests/a.rs", &function_of(121)).len(), 1);
        let in_module = |lines| format!("\n#[cfg(test)]\nmod tests {{\n{}}}\n", function_of(lines));
        assert_eq!(caught("p/src/a.rs", &in_module(120)), [""; 0]);
        assert_eq!(caught("p/src/a.rs", &in_module(121)).len(), 1);
    }

    #[test]
    fn bodies_are_measured_past_traits_types_and_literals() {
        let text = "trait T { fn declared(&self) -> [u8; 4]; }\ntype F = fn (u8) -> u8;\n\
                    fn real(f: fn(u8)) {\n    let open = \"{\"; // {\n}\n";
        let found = functions(&code_only(text));
        let found: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.lines)).collect();
        assert_eq!(found, [("real", 3)]);
    }

    #[test]
    fn a_long_file_is_caught() {
        let text = |lines: usize| "\n".repeat(lines);
        let caught = |path, lines| long_files(&SourceFile::new(path, &text(lines))).len();
        assert_eq!([caught("a/src/b.rs", 500), caught("a/src/b.rs", 501)], [0, 1]);
        assert_eq!([caught("a/tests/b.rs", 1200), caught("a/tests/b.rs", 1201)], [0, 1]);
        assert_eq!(caught("a.json", 5000), 0);
    }
}
