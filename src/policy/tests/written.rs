//! What is written reads the same again: every shipped agreement of format 2, and what is awkward to write.

use std::path::Path;
use std::sync::Arc;

use super::samples;
use crate::model::{Check, Digest, FieldPath, Literal, Rows, Test, Transform};
use crate::policy::agreement::Agreement;
use crate::policy::{load, written};

/// Without what is of the file and not of the agreement: where things stand, and the seal.
fn bare(mut agreement: Agreement) -> Agreement {
    agreement.digest = Digest::of(b"");
    agreement.file = String::new();
    agreement.seal = None;
    agreement.parties.iter_mut().for_each(|party| party.line = 0);
    agreement.law.iter_mut().for_each(|law| law.line = 0);
    agreement
}

fn reads_the_same(name: &str, agreement: Agreement) {
    let text = written(&agreement);
    let again =
        load("written.toml", text.as_bytes()).unwrap_or_else(|faults| panic!("{name}: {faults}\n{text}"));
    assert_eq!(bare(again), bare(agreement), "{name}\n{text}");
}

fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.parent().unwrap().ends_with("agreements")
            && path.extension().is_some_and(|end| end == "toml")
        {
            out.push(path);
        }
    }
}

#[test]
fn every_shipped_agreement_is_written_as_it_was_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("policies/scenarios"), &mut found);
    files(&root.join("tests/golden/agreements"), &mut found);
    let mut whole = 0;
    for path in found {
        let name = path.display().to_string();
        let agreement = load(&name, &std::fs::read(&path).unwrap()).unwrap();
        if agreement.particulars.is_some() {
            whole += 1;
            reads_the_same(&name, agreement);
        }
    }
    assert!(whole >= 15, "{whole} of format 2");
}

#[test]
fn what_is_awkward_to_write_reads_the_same() {
    let mut agreement = samples::load(&samples::whole());
    agreement.title = "A \"quoted\" title \\ of O'Neil, à la Mòrag # not a comment".to_owned();
    let release = Arc::make_mut(&mut agreement.release);
    let path = |text: &str| FieldPath::parse(text).unwrap();
    let changes = [
        Transform::Round { to: 5.0 },
        Transform::Round { to: 0.25 },
        Transform::MaskKeepLast { characters: 4 },
        Transform::CodeMap { table: [("a \"b\"".to_owned(), "c\\d".to_owned())].into() },
    ];
    for ((_, transform), change) in release.fields.iter_mut().zip(changes) {
        *transform = change;
    }
    let tests = [
        Check::Is(Literal::Text("] = \"x\"".to_owned())),
        Check::NotIn(vec![Literal::Number(1.0), Literal::Number(-2.5)]),
        Check::In(vec![Literal::Integer(1), Literal::Integer(-2)]),
        Check::AtLeast(Literal::Date("2026-12-01".to_owned())),
        Check::AtMost(Literal::Integer(i64::MIN)),
        Check::Is(Literal::Boolean(false)),
        Check::Within { months: 0, days: 14 },
        Check::Within { months: 18, days: 3 },
        Check::NotBeforeToday,
    ];
    release.rows = Rows::Any(tests.into_iter().map(|check| Test { field: path("status"), check }).collect());
    reads_the_same("awkward", agreement);
}
