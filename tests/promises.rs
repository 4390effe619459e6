//! `promises.md` and `mutations/` agree with each other and with the product, so that neither goes stale
//! unseen: that each mutation is caught is what `mutations/run` sees.

#![allow(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const STAGES: [&str; 17] = [
    "accept", "identify", "route", "read", "decide", "forward", "minimise", "check", "record", "send",
    "journal", "tree", "receipts", "verifier", "index", "sources", "reload",
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn page() -> String {
    std::fs::read_to_string(root("tests/promises.md")).unwrap()
}

struct Mutation {
    name: String,
    text: String,
}

impl Mutation {
    fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(root("tests/mutations")).unwrap().map(|entry| entry.unwrap().path());
        let patches = entries.filter(|path| path.extension().is_some_and(|end| end == "patch"));
        let of = |path: PathBuf| Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        };
        patches.map(of).collect()
    }

    fn head(&self, key: &str) -> &str {
        let line = self.text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{} has no {key}", self.name))
    }

    /// As the page writes it.
    fn test(&self) -> String {
        let test = self.head("Test");
        let short = test.strip_prefix("--lib ").or_else(|| test.strip_prefix("--test "));
        short.unwrap_or_else(|| panic!("{}: {test}", self.name)).to_owned()
    }
}

fn rust_files(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_row_has_its_mutation_and_every_mutation_its_row() {
    let page = page();
    let is_row = |line: &&str| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit());
    let rows: Vec<&str> = page.lines().filter(is_row).collect();
    let mutations = Mutation::all();
    for mutation in &mutations {
        let promise = &mutation.head("Promise")[..1];
        let start = format!("| {promise} | ");
        let end = format!(" | `{}` | `{}` |", mutation.name, mutation.test());
        let found = rows.iter().filter(|row| row.starts_with(&start) && row.ends_with(&end)).count();
        assert_eq!(found, 1, "`{start}...{end}` is to be in promises.md once");
    }
    assert_eq!(rows.len(), mutations.len());
}

#[test]
fn every_promise_and_every_stage_is_broken_at_least_once() {
    let mutations = Mutation::all();
    let promises: BTreeSet<&str> = mutations.iter().map(|one| &one.head("Promise")[..1]).collect();
    assert_eq!(promises, BTreeSet::from(["1", "2", "3", "4"]));
    let stages: BTreeSet<&str> = mutations.iter().map(|one| one.head("Stage")).collect();
    assert_eq!(stages, BTreeSet::from(STAGES));
}

/// A patch whose lines are gone would be noticed only by whoever runs it.
#[test]
fn every_mutation_still_meets_the_product() {
    for mutation in Mutation::all() {
        let file = mutation.text.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap();
        let source = std::fs::read_to_string(root(file)).unwrap();
        let lines: BTreeSet<&str> = source.lines().collect();
        let body = mutation.text.lines().skip_while(|line| !line.starts_with("@@"));
        for line in body.filter_map(|line| line.strip_prefix('-')) {
            assert!(lines.contains(line), "{}: {file} has no line\n{line}", mutation.name);
        }
    }
}

#[test]
fn every_test_the_page_names_is_there() {
    let mut sources = String::new();
    ["src", "tests"].iter().for_each(|folder| rust_files(&root(folder), &mut sources));
    let page = page();
    let rows = page.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split(" | ").last());
    let tests: BTreeSet<&str> = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(tests.len() > 30, "{tests:?}");
    for test in tests {
        let name = test.rsplit([':', ' ']).next().unwrap();
        let is_there = sources.contains(&format!("fn {name}(")) || sources.contains(&format!("=> {name};"));
        assert!(is_there, "`{test}` is no test");
    }
}
