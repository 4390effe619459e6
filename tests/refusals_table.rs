//! `docs/refusals.md` and the one Rust table of refusals (`src/model/outcome.rs`) agree row by row.

use tolbooth::model::{Code, Outcome};

const PAGE: &str = include_str!("../docs/refusals.md");

/// The rows of the table under the heading whose header row begins with `| <first> |`, as cells.
fn rows(page: &str, first: &str) -> Vec<Vec<String>> {
    let header = format!("| {first} |");
    page.lines()
        .skip_while(|line| !line.starts_with(&header))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The row a code must have.
fn row(code: Code) -> Vec<String> {
    let retry = if code.retry() { "yes" } else { "no" };
    vec![
        format!("`{code}`"),
        code.status().to_string(),
        retry.to_owned(),
        code.fixer().as_str().to_owned(),
        code.sentence().to_owned(),
    ]
}

#[test]
fn the_page_and_the_rust_table_agree_row_by_row() {
    let wanted: Vec<Vec<String>> = Code::ALL.iter().copied().map(row).collect();
    assert!(!wanted.is_empty());
    assert_eq!(rows(PAGE, "code"), wanted);
}

#[test]
fn the_page_names_every_outcome() {
    let outcomes = [
        Outcome::Answered,
        Outcome::NoMatch,
        Outcome::Refused,
        Outcome::Unrecorded,
        Outcome::Explained,
        Outcome::OwnView,
        Outcome::LogRead,
    ];
    let named: Vec<String> = rows(PAGE, "`Tolbooth-Outcome`").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(named, outcomes.map(|outcome| format!("`{}`", outcome.as_str())));
}

#[test]
fn a_changed_page_would_be_noticed() {
    let changed = PAGE.replacen("| `not_agreed` | 403 |", "| `not_agreed` | 404 |", 1);
    assert_ne!(rows(&changed, "code"), rows(PAGE, "code"));
    let shorter = PAGE.replacen("| `guardrail` |", "", 1);
    assert_ne!(rows(&shorter, "code").len(), Code::ALL.len());
}

#[test]
fn codes_are_stable_words_and_sentences_are_sentences() {
    for code in Code::ALL {
        assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        assert!(matches!(code.status(), 400..=599), "{code}");
        let sentence = code.sentence();
        assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase), "{code}");
    }
}
