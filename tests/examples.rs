//! The examples of files in `docs/`: each that is whole is read by the code that reads such files, and each that is a
//! part of one is known to be. An example that nobody can copy is worse than none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::site::{Site, run};
use tolbooth::token::Outsider;
use tolbooth::{policy, source};

/// What an example is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// An agreement or a grant.
    Agreement,
    /// The head of a dataset file: whole with a source behind it.
    DatasetHead,
    DatasetSource,
    Issuer,
    PolicyTests,
    /// Of a file that is shown whole elsewhere, or with keys that only a tool can make; who holds it.
    Part(&'static str),
}

/// Every example by its page, in the order of the page.
const EXAMPLES: [(&str, &[Kind]); 7] = [
    (
        "agreement-file.md",
        &[
            Kind::Part("answers that tests/agreement_new.rs gives in full"),
            Kind::Part("the organisation's file that `tolbooth init` writes in full"),
            Kind::Agreement,
            Kind::Part("a table of hours, policies/scenarios"),
            Kind::Part("two keys of a whole agreement of format 2, tests/golden/agreements"),
            Kind::Part("members.toml, whose keys and CAs `tolbooth init` makes"),
        ],
    ),
    ("configuration.md", &[Kind::Issuer]),
    ("grant-file.md", &[Kind::Agreement]),
    ("policy-tests.md", &[Kind::PolicyTests]),
    ("signing.md", &[Kind::Part("tests/signing_page.rs")]),
    ("source-mapping.md", &[Kind::DatasetHead, Kind::DatasetSource, Kind::DatasetSource]),
    (
        "templates.md",
        &[
            Kind::Part("the head of policies/templates/child-protection-check.toml"),
            Kind::Part("an entry of members.toml"),
        ],
    ),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The TOML examples of a page.
fn examples(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside: Option<String> = None;
    for line in page.lines() {
        match (&mut inside, line) {
            (None, "```toml") => inside = Some(String::new()),
            (Some(_), "```") => found.extend(inside.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// Every page with an example, and what they are.
fn pages() -> BTreeMap<String, Vec<String>> {
    let files = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let all = pages.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, examples(&std::fs::read_to_string(path).unwrap()))
    });
    all.filter(|(_, examples)| !examples.is_empty()).collect()
}

fn of_kind(kind: Kind) -> Vec<(String, String)> {
    let pages = pages();
    let all =
        EXAMPLES.iter().flat_map(|(page, kinds)| kinds.iter().zip(&pages[*page]).map(move |one| (page, one)));
    let of = all.filter(|(_, (known, _))| **known == kind);
    of.map(|(page, (_, text))| (format!("docs/{page}"), text.clone())).collect()
}

#[test]
fn every_example_is_known_and_what_begins_as_a_file_is_whole() {
    let known: BTreeMap<String, usize> =
        EXAMPLES.iter().map(|(page, kinds)| ((*page).to_owned(), kinds.len())).collect();
    let there: BTreeMap<String, usize> =
        pages().iter().map(|(page, all)| (page.clone(), all.len())).collect();
    assert_eq!(there, known);
}

#[test]
fn agreements_and_grants_are_read() {
    let found = of_kind(Kind::Agreement);
    assert_eq!(found.len(), 2);
    for (page, text) in found {
        let agreement = policy::load(&page, text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(agreement.grant.is_some(), page.ends_with("grant-file.md"));
    }
}

#[test]
fn dataset_files_are_read() {
    let [(page, head)] = of_kind(Kind::DatasetHead).try_into().unwrap();
    let sources = of_kind(Kind::DatasetSource);
    assert_eq!(sources.len(), 2);
    for (_, behind) in sources {
        source::load(&page, &format!("{head}\n{behind}")).unwrap_or_else(|faults| panic!("{faults}"));
    }
}

#[test]
fn an_issuers_file_and_policy_tests_are_read() {
    let site = Site::new("examples");
    let [(page, text)] = of_kind(Kind::Issuer).try_into().unwrap();
    let authority = std::fs::read(site.home.join("certs/nhs-lomond-ca.pem")).unwrap();
    let mut read = |_: &Path| Ok(authority.clone());
    Outsider::load(&page, &text, &site.home, &mut read, &[]).unwrap_or_else(|faults| panic!("{faults}"));
    let [(_, text)] = of_kind(Kind::PolicyTests).try_into().unwrap();
    std::fs::create_dir_all(site.home.join("policies/tests")).unwrap();
    std::fs::write(site.home.join("policies/tests/example.toml"), &text).unwrap();
    let judged = run(&site.home, &["policy", "test", "--json"]);
    for name in ["a nurse is told of a registered child", "not in another role"] {
        assert!(judged.out.contains(name), "{judged:?}");
    }
    // A word that nobody knows supposes nothing, unseen: it is no test at all.
    let supposed = |categories: &str| {
        let text = format!("{text}suppose = {{ categories = [\"{categories}\"] }}\n");
        std::fs::write(site.home.join("policies/tests/example.toml"), text).unwrap();
        run(&site.home, &["policy", "test"])
    };
    for known in ["health", "criminal_offence", "safe_address"] {
        assert!(!supposed(known).err.contains("is not known here"), "{known}");
    }
    let mistyped = supposed("safe_adress");
    assert!(
        mistyped.code == Some(1) && mistyped.err.contains("`safe_adress` is not known here"),
        "{mistyped:?}"
    );
    assert!(mistyped.err.contains("safe_address") && mistyped.err.contains("example.toml:"), "{mistyped:?}");
}
