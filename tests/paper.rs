//! Agreements on paper: the page an officer reads says everything the file says, hostile words stay words, what
//! changed names every change, and the pages of all whole agreements are kept in `tests/golden/pages`.
//!
//! `TOLBOOTH_WRITE_GOLDEN=1 cargo test --test paper` writes those pages anew: read what `git diff` says of them
//! before you commit it, since it is what officers will read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use tolbooth::desk::paper::{self, Change, Direction, Document};
use tolbooth::model::MemberId;
use tolbooth::policy::{self, Agreement, Kind};
use toml::Value;

use support::scratch::Scratch;

const TOLBOOTH: &str = env!("CARGO_BIN_EXE_tolbooth");

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn whole(name: &str) -> String {
    text(&format!("tests/golden/agreements/{name}.toml"))
}

/// The files of agreements, with the name of their page.
fn all() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (folder, kind) in [("policies/agreements", "shipped"), ("tests/golden/agreements", "whole")] {
        for entry in std::fs::read_dir(root(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "toml") {
                let name = path.file_stem().unwrap().to_str().unwrap();
                out.push((format!("{kind}-{name}"), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    out.sort();
    assert!(out.len() >= 5, "{}", out.len());
    out
}

/// The grant that docs/grant-file.md shows whole.
fn grant() -> String {
    let page = text("docs/grant-file.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    example.split_once("```\n").unwrap().0.to_owned()
}

fn loaded(text: &str) -> Agreement {
    policy::load("agreement.toml", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn name_of(member: &MemberId) -> String {
    match member.as_str() {
        "glenmore" => "Glenmore Council",
        "nhs-lomond" => "NHS Lomond",
        "police-caledonia" => "Police Caledonia",
        "fire-caledonia" => "Fire Caledonia",
        other => other,
    }
    .to_owned()
}

fn page(text: &str) -> Document {
    paper::page(&loaded(text), &name_of, None)
}

fn changes(old: &str, new: &str) -> Vec<Change> {
    paper::changes(&loaded(old), &loaded(new), &name_of)
}

/// A file with words in place of others, which have to be there.
fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "no `{old}`");
        text.replacen(old, new, 1)
    })
}

/// Versions of agreements that are worth keeping the changes of: name, old, new.
fn pairs() -> Vec<(&'static str, String, String)> {
    let child = whole("child-protection");
    let wider = edited(
        &child,
        &[
            ("version = 3", "version = 4"),
            ("transform = \"year_of_birth\", ", ""),
            ("\"category\", ", ""),
            (
                "    { field = \"registered\"",
                "    { field = \"category\", why = \"Which risk.\" },\n    { field = \"registered\"",
            ),
            ("\"ed_clinician\", \"ed_nurse\"", "\"ed_clinician\", \"ed_nurse\", \"ed_porter\""),
            ("per_minute = 30", "per_minute = 60"),
            ("within = \"P12M\"", "within = \"P24M\""),
            ("reason = \"code\"", "reason = \"none\""),
            ("\"profiling\", ", ""),
            ("until = 2028-11-30", "until = 2029-11-30"),
            ("01632 960123", "01632 960125"),
            ("APD-014", "APD-015"),
        ],
    );
    let old = text("policies/agreements/glenmore-nhs-lomond-child-protection.toml");
    vec![
        ("changes-that-widen", child.clone(), wider.clone()),
        ("changes-that-narrow", wider, child.clone()),
        ("changes-from-format-1", old, child.clone()),
        ("changes-of-comments-alone", child.clone(), edited(&child, &[("# 1 Parties", "# One. Parties")])),
    ]
}

#[test]
fn the_pages_are_those_in_the_folder() {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: &str, document: &Document| {
        made.insert(format!("{name}.txt"), paper::text(document));
        made.insert(format!("{name}.html"), paper::html(document));
    };
    all().iter().for_each(|(name, text)| add(name, &page(text)));
    add("grant", &page(&grant()));
    for (name, old, new) in pairs() {
        add(name, &paper::changes_page(&loaded(&old), &loaded(&new), &name_of));
    }
    let folder = root("tests/golden/pages");
    if std::env::var_os("TOLBOOTH_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        made.iter().for_each(|(name, page)| std::fs::write(folder.join(name), page).unwrap());
    }
    let kept = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let kept: BTreeSet<String> = kept.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(kept, made.keys().cloned().collect(), "a page for each, and no other");
    for (name, page) in made {
        let kept = std::fs::read_to_string(folder.join(&name)).unwrap();
        let differs = kept.lines().zip(page.lines()).find(|(kept, made)| kept != made);
        assert!(
            kept == page,
            "{name} is not what is made now, first at {differs:?}; TOLBOOTH_WRITE_GOLDEN=1 writes it anew"
        );
    }
}

/// Agreements that between them hold every key the field list knows.
fn every_key() -> Vec<String> {
    let child = whole("child-protection");
    let sch8 = "special_categories = [\"health\"]";
    let taxi = edited(
        &whole("taxi-licence"),
        &[
            ("special_categories = []", sch8),
            ("criminal_offence = false", "criminal_offence = true"),
            (
                "basis = \"art6_1_e\"",
                "basis = \"art6_1_e\"\nart9 = \"art9_2_g\"\nsch1 = [\"sch1_12\"]\nart10_sch1 = \"sch1_10\"\npolicy_document = \"APD-1\"\nconfidentiality = \"court_order\"",
            ),
            (
                "basis = \"s35_necessary_for_task\"",
                "basis = \"s35_necessary_for_task\"\nsch8 = \"sch8_1\"\npolicy_document = \"APD-2\"\ncompetent_by = \"An Act\"",
            ),
            (
                "# 5 Privacy",
                "[impact.dpia]\nstatus = \"approved\"\nreference = \"D-1\"\ndate = 2026-01-01\nresidual_risk = \"low\"\nnext_review = 2027-01-01\n\n# 5 Privacy",
            ),
        ],
    );
    let premises = edited(
        &whole("premises"),
        &[
            ("public = true", "public = false\nexemption = \"FOISA s.31\""),
            (
                "location = \"UK\"",
                "location = \"Ireland\"\ntransfer = [{ country = \"Ireland\", mechanism = \"adequacy\" }]",
            ),
            ("response = \"single_record\"", "response = \"aggregate\""),
            ("[data.rows]", "small_number = { below = 5, round_to = 5, secondary = true }\n\n[data.rows]"),
            (
                "# 5 Privacy",
                "[impact.dpia]\nstatus = \"not_needed\"\nwhy = \"Nobody is in it.\"\n\n# 5 Privacy",
            ),
        ],
    );
    let view = "0".repeat(64);
    let sealed = format!("{child}\n[seal]\nview = \"sha256:{view}\"\n");
    let trial = edited(
        &text("policies/agreements/glenmore-police-caledonia-taxi-licence.toml"),
        &[("per_minute = 60", "per_minute = 60\nper_user_per_day = 40\nrows_per_answer = 1")],
    );
    let mut files = vec![sealed, taxi, premises, trial];
    let shipped = all().into_iter().filter(|(name, _)| name.starts_with("shipped-"));
    files.extend(shipped.map(|(_, text)| text));
    files
}

#[test]
fn every_key_is_said_once_with_its_row_of_the_table() {
    let mut said: BTreeSet<(u8, &str)> = BTreeSet::new();
    for file in every_key() {
        let agreement = loaded(&file);
        let format = if agreement.particulars.is_some() { 2 } else { 1 };
        let mut keys = BTreeSet::new();
        for one in paper::sayings(&agreement, &name_of) {
            assert!(one.field.is_some(), "{} has no row in the field table", one.key);
            assert!(keys.insert(one.key.clone()), "{} is said twice", one.key);
            said.insert((format, one.path()));
        }
    }
    for field in policy::fields().filter(|field| !matches!(field.kind, Kind::Table)) {
        let is_said = |format| !field.formats.has(format) || said.contains(&(format, field.path));
        assert!(is_said(2), "{} is not said of format 2", field.path);
        // Trials say no law, and those that are shipped are sealed by nobody.
        let in_none = field.path.starts_with("law.") || field.path == "seal.view";
        assert!(is_said(1) || in_none, "{} is not said of format 1", field.path);
    }
}

#[test]
fn every_saying_is_on_both_pages() {
    for file in every_key() {
        let (agreement, document) = (loaded(&file), page(&file));
        let (flat, html) = (unwrapped(&paper::text(&document)), paper::html(&document));
        for one in paper::sayings(&agreement, &name_of) {
            let in_table = one.path() == "data.release";
            let line = format!("{}: {} [{}]", one.label, one.shown, one.held.as_str());
            assert!(in_table || flat.contains(&unwrapped(&line)), "the text has no `{line}`");
            assert!(flat.contains(&unwrapped(&one.shown)), "the text has no `{}`", one.shown);
            let shown = one.shown.replace('&', "&amp;").replace('\'', "&#39;");
            assert!(html.contains(&format!(">{shown}</td>")), "the HTML has no `{shown}`");
        }
        let digest = agreement.digest.to_string();
        assert!(flat.trim_end().ends_with(&digest) && html.contains(&digest));
    }
}

fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn text_has_eighty_columns() {
    let changed =
        pairs().into_iter().map(|(_, old, new)| paper::changes_page(&loaded(&old), &loaded(&new), &name_of));
    let pages = all().into_iter().map(|(_, text)| text).chain([grant()]);
    for document in pages.map(|text| page(&text)).chain(changed) {
        for line in paper::text(&document).lines() {
            let one_word = !line.trim_start().contains(' ');
            assert!(line.chars().count() <= 80 || one_word, "{line}");
        }
    }
}

/// The tags of a page in order, without what stands between them.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

#[test]
fn hostile_words_stay_words() {
    let child = whole("child-protection");
    // As TOML writes them, and no longer than a title may be.
    let hostile = "</td></p><script>alert(1)</script><a href=\\\"x\\\" onclick='y'>&lt; &amp;";
    let hidden = "it is\\u200B safe \\u2060to read and\\u00AD that is all of it, so far";
    // Every text a file may hold freely, each in turn.
    let free = [
        "Child protection status check by A&E",
        "A child at risk is recognised in the hour in which it matters.",
        "A telephone call took hours and was often not made; without the child's own entry nobody can be warned.",
        "to promote the welfare of children in need",
        "Social work case management",
        "The question itself.",
        "looked-after",
        "CRWIA-2026-4",
        "A registration made today may show tomorrow.",
        "Runs the gateway of Glenmore Council.",
        "Nothing is kept, and so nothing is returned.",
        "Head of Children's Services",
    ];
    let benign = paper::html(&page(&child));
    for words in free {
        for evil in [hostile, hidden] {
            let text = edited(&child, &[(words, evil)]);
            let document = page(&text);
            let html = paper::html(&document);
            assert_eq!(tags(&html).len(), tags(&benign).len(), "`{words}` made a tag");
            assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{words}");
            let shown = [html, paper::text(&document)];
            for page in shown {
                assert!(!page.contains(['\u{200b}', '\u{2060}', '\u{ad}']), "{words}");
                assert!(
                    evil.starts_with('<') || page.contains("[U+200B]"),
                    "{words}: what is hidden is not named"
                );
            }
        }
    }
}

/// What changes the order of words is refused by the loader, as it is and as an escape; and if something came past it,
/// the page would name it.
#[test]
fn words_that_would_be_read_in_another_order_are_neither_loaded_nor_shown() {
    let child = whole("child-protection");
    for (at, words) in [
        (10, "Child protection status check by A&E"),
        (11, "Emergency department staff of NHS Lomond"),
        (61, "to promote the welfare of children in need"),
        (24, "Head of Children's Services"),
        (24, "children@glenmore.example"),
        (100, "pre-birth"),
    ] {
        for escape in ["\\u202E", "\\u2066", "\\u200F", "\\u0007"] {
            let evil = edited(&child, &[(words, &format!("{words}{escape}"))]);
            let faults = policy::load("x.toml", evil.as_bytes()).unwrap_err().to_string();
            assert!(faults.contains(&format!("x.toml:{at}:")), "{words}{escape}: {faults}");
        }
    }
    let mut document = page(&child);
    document.title.push_str("\u{202e}elbat\u{202c}\u{7}");
    for shown in [paper::text(&document), paper::html(&document)] {
        assert!(shown.contains("[U+202E]elbat[U+202C][U+0007]"), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{202c}', '\u{7}']));
    }
}

/// A grant's page says what was asked, what was decided and what leaves, and names nobody it is about.
#[test]
fn the_page_of_a_grant_says_all_it_says() {
    let agreement = loaded(&grant());
    let document = page(&grant());
    let (flat, html) = (unwrapped(&paper::text(&document)), paper::html(&document));
    let said = paper::sayings(&agreement, &name_of);
    for one in &said {
        let line = format!("{}: {} [{}]", one.label, one.shown, one.held.as_str());
        let in_table = one.path() == "data.release";
        assert!(in_table || flat.contains(&unwrapped(&line)), "the text has no `{line}`");
        let shown = one.shown.replace('&', "&amp;").replace('\'', "&#39;");
        assert!(html.contains(&format!(">{shown}</td>")), "the HTML has no `{shown}`");
    }
    let root: Value = toml::from_str(&grant()).unwrap();
    for table in ["grant", "request", "decision"] {
        for key in root[table].as_table().unwrap().keys() {
            let key = format!("{table}.{key}");
            assert!(said.iter().any(|one| one.key == key), "{key} is said nowhere");
        }
    }
    let held = |key: &str| said.iter().find(|one| one.key == key).unwrap().held.as_str();
    assert_eq!(
        (held("grant.expires"), held("subject"), held("request.power")),
        ("enforced", "enforced", "promised")
    );
    assert!(
        flat.contains("from 4 December 2026 at 10:15:00 GMT until 7 December 2026 at 10:15:00 GMT"),
        "{flat}"
    );
    assert!(flat.contains("1 subject, by chi, whom the file does not name"), "{flat}");
    assert!(flat.trim_end().ends_with(&agreement.digest.to_string()));
    assert!(!flat.contains("c0ffee"), "a commitment is nothing to read");
}

#[test]
fn the_html_stands_by_itself_and_is_in_order() {
    for (name, text) in all().into_iter().chain([("grant".to_owned(), grant())]) {
        let html = paper::html(&page(&text));
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en-GB\">"));
        for foreign in ["<script", "<link", "<img", "<iframe", " src=", "@import", "url(", " on", "<form"] {
            let found = tags(&html).into_iter().any(|tag| format!("<{tag}").contains(foreign));
            assert!(!found && !html.contains("@import") && !html.contains("url("), "{name}: {foreign}");
        }
        let links = html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for link in links {
            let id = link.strip_prefix('#').unwrap_or_else(|| panic!("{name} leads to {link}"));
            assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{name}: {link} leads nowhere");
        }
        let levels: Vec<u32> = tags(&html)
            .into_iter()
            .filter_map(|tag| tag.strip_prefix('h')?.chars().next()?.to_digit(10))
            .collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "one title");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
        for table in html.split("<table").skip(1) {
            let table = table.split("</table>").next().unwrap();
            assert!(table.contains("<caption>") && table.contains("scope=\"col\""), "{name}: {table}");
            let rows = table.split("<tr").skip(2);
            rows.for_each(|row| assert!(row.contains("scope=\"row\""), "{name}: {row}"));
        }
    }
}

/// Where a value stands: names, and places in lists.
type Place = Vec<String>;

fn places(value: &Value, at: &Place, out: &mut Vec<Place>) {
    let mut go = |name: String, value: &Value| {
        let place: Place = at.iter().cloned().chain([name]).collect();
        out.push(place.clone());
        places(value, &place, out);
    };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| go(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| go(at.to_string(), value)),
        _ => {}
    }
}

fn written(value: &Value) -> String {
    let listed = |items: Vec<String>| items.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", listed(items.iter().map(written).collect())),
        Value::Table(table) => {
            let inside = table.iter().map(|(key, value)| format!("\"{key}\" = {}", written(value)));
            format!("{{ {} }}", listed(inside.collect()))
        }
        Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(is) => is.to_string(),
        Value::Datetime(date) => date.to_string(),
    }
}

fn file_of(root: &Value) -> String {
    let table = root.as_table().unwrap();
    table.iter().map(|(key, value)| format!("\"{key}\" = {}\n", written(value))).collect()
}

fn parent<'v>(root: &'v mut Value, place: &[String]) -> &'v mut Value {
    place[..place.len() - 1].iter().fold(root, |value, name| match value {
        Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
        table => &mut table[name.as_str()],
    })
}

/// The codes of the lists that have this one.
fn alike(code: &str) -> Vec<&'static str> {
    const MORE: &[&[&str]] = &[
        &["fact", "opinion"],
        &["sch1_2", "sch1_10", "sch1_12", "sch1_6", "sch1_18"],
        &["PT24H", "PT1H", "P1Y"],
        &["P12M", "P13M"],
        &["not_stored", "P1M"],
        &["year_of_birth", "none"],
    ];
    let more = MORE.iter().filter(|list| list.contains(&code)).flat_map(|list| list.iter().copied());
    let of_fields = policy::fields().flat_map(|field| match field.kind {
        Kind::Word(codes) | Kind::Words(codes) | Kind::SomeWords(codes)
            if codes.iter().any(|(known, _)| *known == code) =>
        {
            codes
        }
        _ => &[],
    });
    let all: BTreeSet<&str> = of_fields.map(|(code, _)| *code).chain(more).collect();
    all.into_iter().filter(|other| *other != code).collect()
}

/// Other values that might stand where this one does.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let codes = alike(text);
            let more = if codes.is_empty() {
                vec![format!("{text}x"), text.replace('1', "2"), "Z1234568".to_owned()]
            } else {
                codes.into_iter().map(str::to_owned).collect()
            };
            more.into_iter().filter(|other| other != text).map(Value::String).collect()
        }
        Value::Integer(number) => vec![Value::Integer(number + 1), Value::Integer(number - 1)],
        Value::Float(number) => vec![Value::Float(number / 2.0)],
        Value::Boolean(is) => vec![Value::Boolean(!is)],
        Value::Datetime(date) => {
            let date: jiff::civil::Date = date.to_string().parse().unwrap();
            let near = [date.tomorrow().unwrap(), date.yesterday().unwrap()];
            near.map(|date| Value::Datetime(date.to_string().parse().unwrap())).to_vec()
        }
        Value::Array(_) | Value::Table(_) => Vec::new(),
    }
}

/// What a page calls a place in a file: by ids in place of numbers.
fn key_of(root: &Value, place: &[String]) -> String {
    let mut value = root;
    let mut key: Vec<String> = Vec::new();
    for name in place {
        value = match value {
            Value::Array(items) => &items[name.parse::<usize>().unwrap()],
            table => &table[name.as_str()],
        };
        if name.parse::<usize>().is_err() {
            key.push(name.clone());
            continue;
        }
        let id = ["member", "id", "field"].iter().find_map(|id| value.get(id)?.as_str());
        match (id, value.as_str()) {
            _ if key.first().is_some_and(|first| first == "data")
                && key.get(1).is_some_and(|one| one == "rows") => {}
            (Some(id), _) => key.push(id.to_owned()),
            (None, Some(field)) if key == ["data", "release"] => key.push(field.to_owned()),
            (None, None) => key.push((name.parse::<usize>().unwrap() + 1).to_string()),
            (None, Some(_)) => {}
        }
    }
    if key.starts_with(&["data".to_owned(), "rows".to_owned()]) {
        key.truncate(2);
    }
    if key.starts_with(&["data".to_owned(), "release".to_owned()]) {
        key.truncate(3);
    }
    key.join(".")
}

/// A party, system, field or item whose name is changed is another: its old and new keys are named.
fn names(change: &Change, keys: &[String]) -> bool {
    let above = |key: &str| key.rsplit_once('.').map_or(key.to_owned(), |(above, _)| above.to_owned());
    keys.iter().any(|key| {
        let is_identity = key.ends_with(".member") || key.ends_with(".id");
        change.key.starts_with(key.as_str())
            || key.starts_with(&change.key)
            || (is_identity && change.key.starts_with(&above(key)))
            || (key == "data.all_rows" && change.key == "data.rows")
    })
}

#[test]
fn whatever_one_key_is_changed_to_the_page_names_it() {
    let mut judged = 0;
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for text in every_key() {
        let whole: Value = toml::from_str(&text).unwrap();
        let old = policy::load("old.toml", text.as_bytes()).unwrap();
        let mut all = Vec::new();
        places(&whole, &Vec::new(), &mut all);
        for place in all {
            let mut tried: Vec<Value> = Vec::new();
            let mut here = whole.clone();
            let above = parent(&mut here, &place);
            let last = place.last().unwrap();
            let value = match &*above {
                Value::Array(items) => items[last.parse::<usize>().unwrap()].clone(),
                table => table[last.as_str()].clone(),
            };
            for other in others(&value) {
                let mut changed = whole.clone();
                match parent(&mut changed, &place) {
                    Value::Array(items) => items[last.parse::<usize>().unwrap()] = other,
                    Value::Table(table) => drop(table.insert(last.clone(), other)),
                    _ => {}
                }
                tried.push(changed);
            }
            let mut without = whole.clone();
            match parent(&mut without, &place) {
                Value::Array(items) => drop(items.remove(last.parse().unwrap())),
                Value::Table(table) => drop(table.remove(last)),
                _ => {}
            }
            tried.push(without);
            for changed in tried {
                let new = file_of(&changed);
                let Ok(new) = policy::load("new.toml", new.as_bytes()) else { continue };
                judged += 1;
                let keys = [key_of(&whole, &place)];
                let found = paper::changes(&old, &new, &name_of);
                let named = found.iter().any(|change| names(change, &keys));
                // What may be said or left out and means the same.
                let same =
                    old == Agreement { digest: old.digest, file: old.file.clone(), ..lines_of(new, &old) };
                assert!(named || same, "{}: not among {found:?}", place.join("."));
                reached.insert(keys[0].clone());
            }
        }
    }
    assert!(judged > 500 && reached.len() > 150, "{judged} judged, of {} keys", reached.len());
}

/// Lines in the file say nothing to anybody.
fn lines_of(mut new: Agreement, old: &Agreement) -> Agreement {
    new.parties.iter_mut().zip(&old.parties).for_each(|(new, old)| new.line = old.line);
    new.law.iter_mut().zip(&old.law).for_each(|(new, old)| new.line = old.line);
    new
}

#[test]
fn what_widens_stands_first_and_what_nobody_judged_with_it() {
    let (_, old, new) = pairs().remove(0);
    let found = changes(&old, &new);
    let directions: Vec<Direction> = found.iter().map(|change| change.direction).collect();
    assert!(directions.is_sorted(), "{directions:?}");
    let of = |key: &str| found.iter().find(|change| change.key == key).map(|change| change.direction);
    for key in [
        "data.release.category",
        "data.release.date_of_birth",
        "data.withhold",
        "data.rows",
        "party.nhs-lomond.system.ed-trak.roles",
        "limits.per_minute",
        "access.reason",
        "purpose.prohibited",
        "dates.until",
    ] {
        assert_eq!(of(key), Some(Direction::Wider), "{key}");
    }
    assert_eq!(of("party.glenmore.contact.telephone"), Some(Direction::Aside));
    let back = changes(&new, &old);
    assert!(back.iter().all(|change| change.direction != Direction::Wider), "{back:?}");
    for (edit, wanted) in [
        (("to promote the welfare", "to see to the welfare"), Direction::Unjudged),
        (("user = \"user_pseudonym\"", "user = \"named_user\""), Direction::Narrower),
        (("assurance = \"certificate\"", "assurance = \"token\""), Direction::Narrower),
        (("consumer = \"not_stored\"", "consumer = \"P1Y\""), Direction::Wider),
        (("until = 2028-11-30\n", ""), Direction::Wider),
        (("from = 2026-12-01", "from = 2026-11-01"), Direction::Wider),
        (("sample_review = { fraction = 0.1, days = 7 }\n", ""), Direction::Wider),
        // One required signature fewer, and no ceiling any more.
        (
            (
                "caldicott_guardian = { office = \"Caldicott Guardian\", email = \"caldicott@nhs-lomond.example\" }\n",
                "",
            ),
            Direction::Wider,
        ),
        (("template = \"digital-office/child-protection-check@2\"\n", ""), Direction::Wider),
        (("child-protection-check@2", "child-protection-check@3"), Direction::Unjudged),
        (("public = true", "public = false\nexemption = \"FOISA s.31\""), Direction::Wider),
    ] {
        let child = whole("child-protection");
        let found = changes(&child, &edited(&child, &[edit]));
        assert_eq!(found.first().map(|change| change.direction), Some(wanted), "{edit:?}: {found:?}");
    }
}

#[test]
fn a_limit_that_goes_and_an_hour_that_comes_widen() {
    let widens = |whole: &str, (from, to): (&str, &str)| {
        let changed = edited(whole, &[(from, to)]);
        let of = |old: &str, new: &str| {
            changes(old, new).iter().map(|change| change.direction).collect::<Vec<_>>()
        };
        assert_eq!(of(whole, &changed), [Direction::Wider], "{from} to {to}");
        assert_eq!(of(&changed, whole), [Direction::Narrower], "{to} to {from}");
    };
    let (taxi, premises) = (whole("taxi-licence"), whole("premises"));
    for (from, to) in [
        ("per_day = 200\n", "per_day = 201\n"),
        ("per_day = 200\n", ""),
        ("per_user_per_day = 40\n", ""),
        ("rows_per_answer = 1\n", "rows_per_answer = 2\n"),
        ("rows_per_answer = 1\n", ""),
    ] {
        widens(&taxi, (from, to));
    }
    for (from, to) in [
        ("monday = [\"07:00-19:00\"]", "monday = [\"07:00-19:01\"]"),
        ("\"08:00-12:00\", \"13:00-17:00\"", "\"08:00-17:00\""),
        ("saturday =", "sunday = [\"10:00-11:00\"]\nsaturday ="),
    ] {
        widens(&premises, (from, to));
    }
    // Earlier, and ending earlier: more on one side and less on the other.
    let moved = edited(&premises, &[("monday = [\"07:00-19:00\"]", "monday = [\"06:00-18:00\"]")]);
    assert_eq!(changes(&premises, &moved)[0].direction, Direction::Unjudged);
}

#[test]
fn the_page_says_who_signed_and_that_a_changed_file_is_signed_by_nobody() {
    let scratch = Scratch::new("paper");
    let run = |folder: PathBuf, words: &[&str]| {
        let done = Command::new(TOLBOOTH).current_dir(folder).args(words).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        unwrapped(&String::from_utf8(done.stdout).unwrap())
    };
    run(scratch.path().to_owned(), &["init", "glenmore"]);
    let home = scratch.path().join("glenmore");
    let files =
        std::fs::read_dir(home.join("policies/agreements")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "toml")).unwrap();
    let page = || run(home.clone(), &["agreement", "page", file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    let controllers: Vec<String> = loaded(&text).controllers().map(|member| format!(".{member},")).collect();
    let end = page().split_once("Who signs").unwrap().1.to_owned();
    assert_eq!(controllers.len(), 2);
    controllers.iter().for_each(|member| assert!(end.contains(member.as_str()), "{member}: {end}"));
    assert!(!end.contains("not signed"), "{end}");
    std::fs::write(&file, format!("{text}# changed\n")).unwrap();
    let end = page().split_once("Who signs").unwrap().1.to_owned();
    assert_eq!(end.matches("not signed").count(), 2, "{end}");
    assert!(end.contains("It is not in force: changed after it was signed."), "{end}");
}

#[test]
fn the_commands_show_pages_and_changes() {
    let run = |words: &[&str]| {
        let done =
            Command::new(TOLBOOTH).current_dir(root("tests/golden/agreements")).args(words).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, page, _) = run(&["agreement", "page", "child-protection.toml"]);
    assert_eq!(code, Some(0));
    assert!(page.contains("not known here: the list of members was not read"), "{page}");
    let (code, html, _) = run(&["agreement", "page", "child-protection.toml", "--html"]);
    assert!(code == Some(0) && html.starts_with("<!DOCTYPE html>"));
    let (_, json, _) = run(&["agreement", "page", "child-protection.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["says"].as_array().unwrap().len() > 100);
    let (_, json, _) = run(&["agreement", "changes", "child-protection.toml", "taxi-licence.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["changes"][0]["direction"], "wider");
    let (code, _, told) = run(&["agreement", "page", "child-protection.toml", "--members", "none.toml"]);
    assert!(code == Some(1) && told.contains("none.toml"), "{told}");
    let scratch = Scratch::new("paper-grant");
    let file = scratch.path().join("grant.toml");
    std::fs::write(&file, grant()).unwrap();
    let (code, page, _) = run(&["agreement", "page", file.to_str().unwrap()]);
    assert!(code == Some(0) && page.starts_with("Single-use grant glenmore-nhs-lomond-one-child"), "{page}");
    let changes = run(&["agreement", "changes", "child-protection.toml", file.to_str().unwrap()]);
    assert!(changes.0 == Some(1) && changes.2.contains("has no versions"), "{changes:?}");
    for refused in [["page", "refused/kind-and-controllers-disagree.toml"], ["page", "none.toml"]] {
        let (code, page, told) = run(&["agreement", refused[0], refused[1]]);
        assert!(code == Some(1) && page.is_empty() && told.contains(refused[1]), "{told}");
    }
}
