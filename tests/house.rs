//! The house rules of `ARCHITECTURE.md` and `CONTRIBUTING.md` as a test: floors, one door for each
//! foreign crate, sizes, names and leftovers. One crate has no walls the compiler would keep, so
//! this reads the sources as text, after TigerBeetle's `tidy.zig`.
//!
//! A rule is a function from a path and a text to what is wrong in it; the tests at the end show
//! that each catches a planted violation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The floors, lowest first. A module may name modules of lower floors only, so those of one floor
/// never import one another. `crypto` and `json` lie below the other words, `clock` and `config`
/// below the other ground works, `https` above them: it speaks over `tls`. Tests are free: an oracle may live anywhere.
const FLOORS: &[&[&str]] = &[
    &["crypto", "json"],
    &["merkle", "model"],
    &["clock", "config", "stop"],
    &["journal", "observe", "store", "tls"],
    &["https"],
    &["contract", "directory", "ledger", "minimise", "policy", "signature", "source", "token"],
    &["desk"],
    &["inbound"],
    &["admin", "serve"],
    &["app"],
    &["cli"],
    &["main", "lib"],
];
/// What is pure: these floors touch no file, socket, thread or environment.
const WORDS: &[&str] = &["crypto", "json", "merkle", "model"];
const IMPURE: &[&str] =
    &["tokio::", "std::fs::", "std::net::", "std::process::", "std::env::", "std::thread::", "std::os::"];

/// Foreign crates and the only modules that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("aws_lc_rs", &["crypto"]),
    ("cedar_policy", &["policy"]),
    ("clap", &["cli", "main"]),
    ("crossbeam_epoch", &["store"]),
    ("csv", &["source"]),
    ("hyper", &["admin", "cli", "https", "inbound", "serve", "source"]),
    ("hyper_util", &["admin", "cli", "https", "inbound", "serve", "source"]),
    ("jsonschema", &["contract"]),
    ("jsonwebtoken", &["token"]),
    ("oauth2", &["token"]),
    ("p12_keystore", &["tls"]),
    ("prometheus_client", &["observe"]),
    ("rcgen", &["tls"]),
    ("regex_syntax", &["contract"]),
    ("rustls", &["tls"]),
    ("scrypt", &["crypto"]),
    ("sfv", &["signature"]),
    ("sled", &["store"]),
    ("tokio_rustls", &["tls"]),
    ("toml", &["config"]),
    ("tracing_subscriber", &["observe"]),
    ("webpki", &["tls"]),
    ("x509_parser", &["tls"]),
    ("zstd", &["journal"]),
];
/// What is made once, on the roof, and handed down; `(maker, its own module)`.
const MADE_ON_THE_ROOF: &[(&str, &str)] =
    &[("Clock::new", "clock"), ("Ledger::open", "ledger"), ("Store::open", "store")];

const FILE_LINES_MAX: usize = 400;
const LINE_CHARS_MAX: usize = 120;
const TEXT_LINE_CHARS_MAX: usize = 180;
/// Names that say nothing; split, so that this file does not hold them.
const EMPTY_NAMES: &[&str] =
    &["common", "manager", "util", "utils", concat!("help", "er"), concat!("help", "ers")];
const LEFTOVERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln"];
/// Without these in `Cargo.toml` a rule nobody reads would be gone unnoticed.
const LINTS: &[&str] = &[
    "unsafe_code = \"forbid\"",
    "unwrap_used = \"deny\"",
    "expect_used = \"deny\"",
    "panic = \"deny\"",
    "indexing_slicing = \"deny\"",
    "string_slice = \"deny\"",
    "disallowed_methods = \"deny\"",
    "too_many_lines = \"deny\"",
    "allow_attributes_without_reason = \"deny\"",
];

/// A line, from 1, and what is wrong in it.
type Fault = (usize, String);
type Rule = fn(&str, &str) -> Vec<Fault>;

/// Rules over `src/**/*.rs`, beside those over all Rust and over every text.
const SOURCE_RULES: &[Rule] = &[floors, doors, purity, roof, file_size, file_doc, printing];
const RUST_RULES: &[Rule] = &[line_length, names, leftovers];
const TEXT_RULES: &[Rule] = &[private_keys];

// --- reading Rust as text ---

#[derive(Debug, Clone, Copy, PartialEq)]
struct Token<'t> {
    line: usize,
    text: &'t str,
}

/// The words and signs of a Rust text, without comments and literals; `::` is one sign.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, kept) = next_token(rest, first);
        let (taken, after) = rest.split_at(length);
        if kept {
            out.push(Token { line, text: taken });
        }
        line += taken.matches('\n').count();
        rest = after;
    }
    out
}

/// The bytes of the next piece, and whether it is a token.
fn next_token(rest: &str, first: char) -> (usize, bool) {
    let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    if let Some(length) = literal(rest) {
        return (length, false);
    }
    match first {
        _ if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
        _ if rest.starts_with("/*") => (until("*/"), false),
        _ if rest.starts_with("::") => (2, true),
        c if is_word(c) => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true),
        c => (c.len_utf8(), !c.is_whitespace()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes of the string or character literal a text begins with.
fn literal(rest: &str) -> Option<usize> {
    let body = rest.trim_start_matches(['b', 'c', 'r']);
    let prefix = rest.len() - body.len();
    let marks = body.len() - body.trim_start_matches('#').len();
    let raw = prefix > 0 && rest.get(..prefix)?.ends_with('r');
    if prefix > 2 {
        None
    } else if raw && body.trim_start_matches('#').starts_with('"') {
        let end = format!("\"{}", "#".repeat(marks));
        let from = prefix + marks + 1;
        Some(rest.get(from..)?.find(&end).map_or(rest.len(), |at| from + at + end.len()))
    } else if body.starts_with('"') {
        Some(prefix + 1 + closing(body.get(1..)?, '"'))
    } else if body.starts_with('\'') && prefix <= 1 {
        // `'a'` is a character and `'a` a lifetime: a lifetime has no quote after one character.
        let inside = body.get(1..)?;
        let second = inside.chars().nth(1);
        (inside.starts_with('\\') || second == Some('\'')).then(|| prefix + 1 + closing(inside, '\''))
    } else {
        None
    }
}

/// The bytes up to and with the closing quote, past escapes.
fn closing(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    inside.len()
}

/// The tokens that are not under `#[cfg(test)]`, and how many lines the others take.
fn product<'t>(path: &str, text: &'t str) -> (Vec<Token<'t>>, usize) {
    if is_tests(path) {
        return (Vec::new(), text.lines().count());
    }
    let mut out: Vec<Token<'t>> = Vec::new();
    let mut test_lines = 0;
    let mut all = tokens(text).into_iter().peekable();
    while let Some(token) = all.next() {
        out.push(token);
        let tail = out.iter().rev().take(7).rev().map(|token| token.text);
        if !tail.eq(["#", "[", "cfg", "(", "test", ")", "]"]) {
            continue;
        }
        let start = out.iter().rev().nth(6).map_or(token.line, |hash| hash.line);
        out.truncate(out.len() - 7);
        let mut depth = 0_usize;
        let mut last = token.line;
        for token in all.by_ref() {
            last = token.line;
            match token.text {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(token.text, "}" | ";") {
                break;
            }
        }
        test_lines += 1 + last - start;
    }
    (out, test_lines)
}

fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Every path of two or more names, and of one after `use`, with `{..}` groups taken apart:
/// `use a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut before = "";
    for token in tokens.iter().copied().chain([Token { line: 0, text: ";" }]) {
        let word = token.text.starts_with(is_word);
        match token.text {
            "::" if path.is_empty() => path = "::".to_owned(),
            "::" => path.push_str("::"),
            _ if word && (before == "::" || path.is_empty()) => path.push_str(token.text),
            "{" if before == "::" => open.push(std::mem::take(&mut path)),
            _ => {
                path.clear();
                if word {
                    path.push_str(token.text);
                }
            }
        }
        if word {
            let full = [open.concat().as_str(), path.trim_start_matches("::")].concat();
            if full.contains("::") || before == "use" {
                out.push((token.line, full));
            }
        }
        if token.text == "}" {
            open.pop();
        }
        before = token.text;
    }
    out
}

/// The module of the house a file belongs to: `policy` for `src/policy/load.rs`.
fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or(inside)
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

// --- the rules ---

/// Floors import only downwards, and the modules of one floor never one another.
fn floors(path: &str, text: &str) -> Vec<Fault> {
    let here = module(path);
    let Some(level) = floor(here) else {
        return vec![(1, format!("`{here}` is on no floor: add it to the plan of the house"))];
    };
    let inside = path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let climb = "super::".repeat(inside.matches('/').count());
    let (tokens, _) = product(path, text);
    let named = paths(&tokens).into_iter().filter_map(|(line, path)| {
        let below = path.strip_prefix("crate::").or_else(|| path.strip_prefix(&climb))?;
        let there = below.split("::").next()?.to_owned();
        let higher = floor(&there).is_some_and(|other| other >= level) && there != here;
        (higher && here != "lib")
            .then(|| (line, format!("`{here}` may not import `{there}`: it is not below")))
    });
    let found: BTreeSet<Fault> = named.collect();
    found.into_iter().collect()
}

/// Each foreign crate has one door.
fn doors(path: &str, text: &str) -> Vec<Fault> {
    let here = module(path);
    let (tokens, _) = product(path, text);
    let mut found = BTreeSet::new();
    let paths = paths(&tokens);
    for (line, path) in &paths {
        let first = path.split("::").next().unwrap_or_default();
        // `use rustls::crypto::aws_lc_rs` makes the name mean that module.
        let imported = paths.iter().any(|(_, other)| other.ends_with(&format!("::{first}")));
        if let Some((name, homes)) = DOORS.iter().find(|(name, _)| *name == first)
            && !homes.contains(&here)
            && !imported
        {
            found.insert((*line, format!("`{name}` is used in {} alone", homes.join(", "))));
        }
    }
    found.into_iter().collect()
}

/// The words are pure.
fn purity(path: &str, text: &str) -> Vec<Fault> {
    if !WORDS.contains(&module(path)) {
        return Vec::new();
    }
    let (tokens, _) = product(path, text);
    let touches =
        |path: &str| IMPURE.iter().find(|impure| format!("{path}::").starts_with(**impure)).copied();
    let found: BTreeSet<Fault> = paths(&tokens)
        .into_iter()
        .filter_map(|(line, path)| Some((line, format!("a word is pure and names no `{}`", touches(&path)?))))
        .collect();
    found.into_iter().collect()
}

/// What lives as long as the process is made on the roof and handed down.
fn roof(path: &str, text: &str) -> Vec<Fault> {
    let here = module(path);
    let (tokens, _) = product(path, text);
    let makes = |path: &str| {
        MADE_ON_THE_ROOF.iter().find(|(maker, home)| {
            let is = path == *maker || path.ends_with(&format!("::{maker}"));
            is && here != *home && !matches!(here, "app" | "cli")
        })
    };
    paths(&tokens)
        .into_iter()
        .filter_map(|(line, path)| Some((line, format!("`{}` is called on the roof alone", makes(&path)?.0))))
        .collect()
}

/// Over the ceiling a noun is missing.
fn file_size(path: &str, text: &str) -> Vec<Fault> {
    let lines = text.lines().count() - product(path, text).1.min(text.lines().count());
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![(1, format!("{lines} lines outside tests; at most {FILE_LINES_MAX}"))]
}

/// Each file says what it is, and which specification it follows.
fn file_doc(path: &str, text: &str) -> Vec<Fault> {
    if is_tests(path) || text.starts_with("//! ") {
        return Vec::new();
    }
    vec![(1, "a file starts with `//!` and what it is".to_owned())]
}

/// Only the command line prints; everything else is logged or answered.
fn printing(path: &str, text: &str) -> Vec<Fault> {
    if module(path) == "cli" {
        return Vec::new();
    }
    let (tokens, _) = product(path, text);
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs
        .filter(|(name, sign)| sign.text == "!" && PRINTING.contains(&name.text))
        .map(|(name, _)| (name.line, format!("`{}!` is for cli/ alone", name.text)))
        .collect()
}

fn line_length(_: &str, text: &str) -> Vec<Fault> {
    // The formatter breaks everything but text, and a sentence in three pieces cannot be searched for.
    let most = |line: &str| if line.contains('"') { TEXT_LINE_CHARS_MAX } else { LINE_CHARS_MAX };
    numbered(text)
        .filter(|(_, line)| line.chars().count() > most(line))
        .map(|(at, _)| (at, format!("a line is at most {LINE_CHARS_MAX} characters")))
        .collect()
}

/// A module is called by a noun of the house.
fn names(path: &str, text: &str) -> Vec<Fault> {
    let empty = |name: &str| EMPTY_NAMES.contains(&name);
    let of_file = path.split(['/', '.']).filter(|name| empty(name)).map(|name| (1, name.to_owned()));
    let tokens = tokens(text);
    let of_mods = tokens
        .iter()
        .zip(tokens.iter().skip(1))
        .filter(|(word, name)| word.text == "mod" && empty(name.text))
        .map(|(_, name)| (name.line, name.text.to_owned()));
    of_file
        .chain(of_mods)
        .map(|(line, name)| (line, format!("`{name}` says nothing: find the noun")))
        .collect()
}

fn leftovers(_: &str, text: &str) -> Vec<Fault> {
    numbered(text)
        .filter(|(_, line)| line.split(|c| !is_word(c)).any(|word| LEFTOVERS.contains(&word)))
        .map(|(at, _)| (at, "an unfinished thing is an issue, not a marker".to_owned()))
        .collect()
}

/// No private key is ever committed. The armour alone may be named; a key is armour and base64.
fn private_keys(path: &str, text: &str) -> Vec<Fault> {
    if [".p12", ".pfx", ".key"].iter().any(|end| path.ends_with(end)) {
        return vec![(1, "a key file is never committed".to_owned())];
    }
    let armour =
        |line: &str| line.contains("-----BEGIN ") && line.contains(" KEY-----") && line.contains("PRIVATE");
    let base64 = |line: &str| {
        let line = line.trim().trim_end_matches("\\n");
        line.len() >= 32 && line.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
    };
    numbered(text)
        .zip(text.lines().skip(1))
        .filter(|((_, line), next)| armour(line) && base64(next))
        .map(|((at, _), _)| (at, "a private key is never committed".to_owned()))
        .collect()
}

/// A page has one title.
fn one_title(_: &str, text: &str) -> Vec<Fault> {
    let mut fenced = false;
    let mut titles = Vec::new();
    for (at, line) in numbered(text) {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced && line.starts_with("# ") {
            titles.push(at);
        }
    }
    match titles.as_slice() {
        [_] => Vec::new(),
        [] => vec![(1, "a page has a `# ` title".to_owned())],
        [_, more @ ..] => more.iter().map(|at| (*at, "a page has one `# ` title".to_owned())).collect(),
    }
}

fn lints(_: &str, text: &str) -> Vec<Fault> {
    let missing = LINTS.iter().filter(|lint| !text.lines().any(|line| line.trim() == **lint));
    missing.map(|lint| (1, format!("the lint `{lint}` is missing"))).collect()
}

/// Every file under `src` is reached by a `mod` line from `lib.rs` or `main.rs`.
fn orphans(files: &BTreeMap<String, String>) -> Vec<(String, Fault)> {
    let mut reached = BTreeSet::new();
    let mut next = vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()];
    while let Some(path) = next.pop() {
        let Some(text) = files.get(&path) else { continue };
        let folder = match path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix("/lib.rs")) {
            Some(folder) => folder,
            None => path.strip_suffix("/main.rs").unwrap_or_else(|| path.trim_end_matches(".rs")),
        };
        let tokens = tokens(text);
        for (_, name) in tokens.iter().zip(tokens.iter().skip(1)).filter(|(word, _)| word.text == "mod") {
            next.push(format!("{folder}/{}.rs", name.text));
            next.push(format!("{folder}/{}/mod.rs", name.text));
        }
        reached.insert(path);
    }
    let lost = files.keys().filter(|path| path.starts_with("src/") && path.ends_with(".rs"));
    lost.filter(|path| !reached.contains(*path))
        .map(|path| (path.clone(), (1, "no `mod` line leads here".to_owned())))
        .collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

// --- the tree ---

/// The text files of the tree by path, without what is built or ignored.
fn tree() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let skipped: BTreeSet<String> =
        ignored.lines().map(|line| line.trim_matches('/').to_owned()).chain([".git".to_owned()]).collect();
    let mut out = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if skipped.contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                out.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    out
}

fn inspect(path: &str, text: &str) -> Vec<Fault> {
    let rust = path.ends_with(".rs");
    let sets: [(&[Rule], bool); 5] = [
        (SOURCE_RULES, rust && path.starts_with("src/")),
        (RUST_RULES, rust),
        (TEXT_RULES, true),
        (&[one_title], path.ends_with(".md")),
        (&[lints], path == "Cargo.toml"),
    ];
    let rules = sets.iter().filter(|(_, applies)| *applies).flat_map(|(rules, _)| *rules);
    rules.flat_map(|rule| rule(path, text)).collect()
}

#[test]
fn the_house_stands() {
    let files = tree();
    assert!(files.contains_key("src/lib.rs"), "the sources were not found");
    let of_files = files
        .iter()
        .flat_map(|(path, text)| inspect(path, text).into_iter().map(move |fault| (path.clone(), fault)));
    let shown: Vec<String> = of_files
        .chain(orphans(&files))
        .map(|(path, (line, rule))| format!("{path}:{line}: {rule}"))
        .collect();
    assert!(shown.is_empty(), "house rules broken:\n{}", shown.join("\n"));
}

// --- that each rule can fail ---

/// The lines a rule complains of.
fn caught(rule: Rule, path: &str, text: &str) -> Vec<usize> {
    rule(path, text).into_iter().map(|(line, _)| line).collect()
}

#[test]
fn floors_catch_an_import_upwards_or_sideways_however_it_is_written() {
    let lines = |path, text| caught(floors, path, text);
    assert_eq!(lines("src/policy/load.rs", "use crate::model::Code;\nuse crate::ledger::Entry;"), [2]);
    assert_eq!(lines("src/policy/load.rs", "use crate::{model::Code, ledger::{Entry, Receipt}};"), [1]);
    assert_eq!(lines("src/policy/load.rs", "use crate::{\n    model,\n    inbound,\n};"), [3]);
    assert_eq!(lines("src/policy/load.rs", "fn f() {\n    crate::inbound::run();\n}"), [2]);
    assert_eq!(lines("src/policy/load.rs", "use super::super::ledger::Entry;"), [1]);
    assert_eq!(lines("src/policy/mod.rs", "use super::ledger;"), [1]);
    assert_eq!(lines("src/crypto/mod.rs", "use crate::model::Digest;"), [1]);
    assert_eq!(lines("src/serve/mod.rs", "use crate::{admin, inbound};"), [1]);
    assert_eq!(lines("src/cellar/mod.rs", ""), [1]);
    assert!(
        lines("src/inbound/decide.rs", "use crate::policy::choose;\nuse super::route::Routed;").is_empty()
    );
    assert!(
        lines("src/policy/load.rs", "//! `crate::ledger`\n/* crate::ledger */\nuse super::ledger;")
            .is_empty()
    );
    assert!(lines("src/policy/load.rs", "const S: &str = \"crate::ledger::x\";").is_empty());
    assert!(
        lines("src/policy/load.rs", "#[cfg(test)]\nmod tests {\n    use crate::ledger::x;\n}").is_empty()
    );
    let after = "#[cfg(test)]\nfn of(a: [u8; 2]) {\n}\nuse crate::ledger::x;";
    assert_eq!(lines("src/policy/load.rs", after), [4]);
}

#[test]
fn doors_catch_a_foreign_crate_elsewhere() {
    let lines = |path, text| caught(doors, path, text);
    assert_eq!(lines("src/ledger/mod.rs", "\nuse sled::Db;"), [2]);
    assert_eq!(lines("src/ledger/mod.rs", "use sled;"), [1]);
    assert_eq!(lines("src/ledger/mod.rs", "use {std::fmt, sled::Db};"), [1]);
    assert_eq!(lines("src/ledger/mod.rs", "fn f() { let x = ::rustls::version(); }"), [1]);
    assert!(lines("src/store/open.rs", "use sled::Db;").is_empty());
    let module_of_rustls =
        "use rustls::crypto::{self, aws_lc_rs};\nfn f() { aws_lc_rs::default_provider(); }";
    assert!(lines("src/tls/mod.rs", module_of_rustls).is_empty());
    assert!(lines("src/ledger/mod.rs", "use super::sled::Db; let csv = 1; x.csv::<u8>();").is_empty());
}

#[test]
fn words_catch_what_is_not_pure() {
    let text = "use std::{fmt, fs};\nuse tokio::net::TcpStream;\nuse std::net::IpAddr;\n";
    assert_eq!(caught(purity, "src/merkle/tree.rs", text), [1, 2, 3]);
    assert!(caught(purity, "src/journal/mod.rs", text).is_empty());
}

#[test]
fn the_roof_catches_a_room_that_builds() {
    let text = "fn f() {\n    let clock = crate::clock::Clock::new();\n}";
    assert_eq!(caught(roof, "src/inbound/mod.rs", text), [2]);
    assert!(caught(roof, "src/app.rs", text).is_empty());
}

#[test]
fn size_catches_a_long_file_and_a_long_line_but_not_long_tests() {
    let long = "let x = 1;\n".repeat(FILE_LINES_MAX + 1);
    assert_eq!(caught(file_size, "src/a.rs", &long), [1]);
    assert!(caught(file_size, "src/a/tests.rs", &long).is_empty());
    assert!(caught(file_size, "src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")).is_empty());
    let split = format!("#[cfg(test)]\nmod tests {{\n}}\n{long}");
    assert_eq!(caught(file_size, "src/a.rs", &split), [1]);
    assert_eq!(caught(line_length, "src/a.rs", &format!("\n{}", "é".repeat(LINE_CHARS_MAX + 1))), [2]);
    assert!(caught(line_length, "src/a.rs", &"é".repeat(LINE_CHARS_MAX)).is_empty());
}

#[test]
fn names_docs_prints_and_leftovers_are_caught() {
    assert_eq!(caught(names, "src/policy/utils.rs", ""), [1]);
    assert_eq!(caught(names, "src/policy/mod.rs", "\nmod common;"), [2]);
    assert_eq!(caught(file_doc, "src/a.rs", "use std::fmt;\n"), [1]);
    assert!(caught(file_doc, "src/a/tests.rs", "use super::*;\n").is_empty());
    assert_eq!(caught(printing, "src/desk/mod.rs", "fn f() {\n    println!(\"x\");\n}"), [2]);
    assert!(caught(printing, "src/cli/mod.rs", "println!(\"x\")").is_empty());
    assert!(caught(printing, "src/desk/mod.rs", "// println!(x)\nlet s = \"println!(x)\";").is_empty());
    for marker in LEFTOVERS {
        assert_eq!(caught(leftovers, "src/a.rs", &format!("//! A.\n// {marker}: later\n")), [2]);
    }
}

#[test]
fn a_key_a_second_title_a_lost_lint_and_an_orphan_are_caught() {
    let armour = concat!("-----BEGIN EC PRI", "VATE KEY-----");
    let key = format!("x\n{armour}\n{}\n", "A".repeat(64));
    assert_eq!(caught(private_keys, "docs/a.md", &key), [2]);
    assert_eq!(caught(private_keys, "certs/a.p12", ""), [1]);
    assert!(
        caught(private_keys, "src/tls/pem.rs", &format!("let x = \"{armour}\";\nlet y = 1;\n")).is_empty()
    );
    assert_eq!(caught(one_title, "a.md", "# A\n```\n# not one\n```\n# B\n"), [5]);
    assert_eq!(caught(one_title, "a.md", "A\n"), [1]);
    assert_eq!(caught(lints, "Cargo.toml", "").len(), LINTS.len());
    let files =
        [("src/lib.rs", "mod a;"), ("src/a/mod.rs", "mod b;"), ("src/a/b.rs", ""), ("src/a/c.rs", "")];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let lost: Vec<String> = orphans(&files).into_iter().map(|(path, _)| path).collect();
    assert_eq!(lost, ["src/a/c.rs"]);
}

#[test]
fn rust_is_read_past_its_comments_and_literals() {
    let text = "a /* b\n */ 'c' '\\'' \"d \\\" e\" r#\"f \" g\"# b'h' &'life i // j\nk::l";
    let read: Vec<(usize, &str)> = tokens(text).into_iter().map(|token| (token.line, token.text)).collect();
    let wanted = [(1, "a"), (2, "&"), (2, "'"), (2, "life"), (2, "i"), (3, "k"), (3, "::"), (3, "l")];
    assert_eq!(read, wanted);
}
