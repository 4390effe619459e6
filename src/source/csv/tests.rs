use crate::model::Digest;
use crate::source::fixtures::{Folder, build, id, json, list, rebuild, shown, single};
use crate::source::{Fetched, Pool, Refresh, Source, SourceFault};

const LICENCES: &str = "Licence Number,status,points,expires,open\n\
    A1,current,3,2026-12-01,true\n\
    B2,\"revoked, \"\"twice\"\"\nthen again\",,2026-01-31,false\n\
    C3,current,0,2026-06-30,true\n\
    C3,lapsed,12,2025-06-30,true\n";

const ANSWER: [&str; 5] =
    ["licence_no! string", "status! string", "points integer", "expires! string date", "open! boolean"];

const FILE: &str =
    "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[source.columns]\nlicence_no = \"Licence Number\"\n";

fn licences(base: &Folder) -> Source {
    let text = format!(
        "{FILE}[[operation]]\nid = \"check\"\nlookup = {{ licence_no = \"Licence Number\" }}\n\
         [[operation]]\nid = \"some\"\nlookup = {{ licence_no = \"Licence Number\" }}\n\
         [[operation]]\nid = \"all\"\n"
    );
    let question = ["licence_no! string key"];
    let operations = vec![
        single("check", &question, &ANSWER),
        list("some", &question, &ANSWER),
        list("all", &[], &ANSWER),
    ];
    build(&text, operations, base).unwrap()
}

/// Asks and gives the document's text; `None` is no match.
fn ask(source: &Source, operation: &str, question: &str) -> Result<Option<String>, SourceFault> {
    let question = json(question);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pool = Pool::new();
    match runtime.block_on(source.fetch(&pool, &id(operation), question.root(), &|_| None, deadline))? {
        Fetched::NoMatch => Ok(None),
        Fetched::Document(found) => Ok(Some(String::from_utf8(found.node().raw().to_vec()).unwrap())),
    }
}

#[test]
fn rows_are_found_by_key_and_typed() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let source = licences(&base);
    assert_eq!(
        ask(&source, "check", r#"{"licence_no":"A1"}"#).unwrap().unwrap(),
        r#"{"licence_no":"A1","status":"current","points":3,"expires":"2026-12-01","open":true}"#
    );
    // An empty cell is absent; quotes, delimiters and newlines in a quoted cell are its own.
    assert_eq!(
        ask(&source, "check", r#"{"licence_no":"B2"}"#).unwrap().unwrap(),
        r#"{"licence_no":"B2","status":"revoked, \"twice\"\nthen again","expires":"2026-01-31","open":false}"#
    );
    for unknown in ["a1", "A1 ", "A", "Z9", "A11"] {
        assert_eq!(ask(&source, "check", &format!(r#"{{"licence_no":"{unknown}"}}"#)).unwrap(), None);
    }
}

#[test]
fn several_rows_are_a_fault_for_one_record_and_fine_for_a_list() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let source = licences(&base);
    assert!(matches!(ask(&source, "check", r#"{"licence_no":"C3"}"#), Err(SourceFault::Invalid(_))));
    let some = json(&ask(&source, "some", r#"{"licence_no":"C3"}"#).unwrap().unwrap());
    assert_eq!(some.root().len(), 2);
    assert_eq!(some.root().pointer("/1/status").unwrap().text().unwrap(), "lapsed");
    assert_eq!(ask(&source, "some", r#"{"licence_no":"Z9"}"#).unwrap().unwrap(), "[]");
    assert_eq!(json(&ask(&source, "all", "{}").unwrap().unwrap()).root().len(), 4);
}

#[test]
fn an_empty_key_is_never_looked_up() {
    let base = Folder::new();
    base.write("l.csv", format!("{LICENCES},stray,1,2026-12-01,true\n"));
    let source = licences(&base);
    assert!(matches!(ask(&source, "check", r#"{"licence_no":""}"#), Err(SourceFault::Question(_))));
    assert!(matches!(ask(&source, "check", "{}"), Err(SourceFault::Question(_))));
}

#[test]
fn delimiter_mark_and_line_ends_of_a_spreadsheet_are_read() {
    let base = Folder::new();
    let text = "\u{feff}".to_owned() + &LICENCES.replace(',', ";").replace('\n', "\r\n") + "\r\n";
    base.write("l.csv", text);
    let file = FILE.replace("file =", "delimiter = \";\"\nfile =");
    let text = format!("{file}[[operation]]\nid = \"all\"\n");
    let source = build(&text, vec![list("all", &[], &ANSWER)], &base).unwrap();
    let all = json(&ask(&source, "all", "{}").unwrap().unwrap());
    assert_eq!(all.root().len(), 4);
    assert_eq!(all.root().pointer("/0/licence_no").unwrap().text().unwrap(), "A1");
}

/// One column `v` of this kind with this cell.
fn cell(kind: &str, cell: &str) -> Result<Option<String>, SourceFault> {
    let base = Folder::new();
    base.write("l.csv", format!("k,v\n1,{cell}\n"));
    let text = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[[operation]]\nid = \"all\"\n";
    let source = build(text, vec![list("all", &[], &[&format!("v! {kind}")])], &base).unwrap();
    Ok(ask(&source, "all", "{}")?.map(|text| text.trim_matches(['[', ']']).to_owned()))
}

#[test]
fn a_cell_is_exactly_of_its_type() {
    for (kind, good, wanted) in [
        ("integer", "-12", "-12"),
        ("integer", "0", "0"),
        ("number", "1.50", "1.50"),
        ("number", "-1e3", "-1e3"),
        ("boolean", "true", "true"),
        ("string", " a ", "\" a \""),
        ("string", "007", "\"007\""),
        ("string date", "2024-02-29", "\"2024-02-29\""),
        ("string? date", "", "null"),
        ("integer?", "", "null"),
    ] {
        assert_eq!(cell(kind, good).unwrap().unwrap(), format!("{{\"v\":{wanted}}}"), "{kind} {good}");
    }
    assert_eq!(cell("integer", "").unwrap().unwrap(), "{}");
    for (kind, bad) in [
        ("integer", "1.0"),
        ("integer", "+1"),
        ("integer", "01"),
        ("integer", "-0"),
        ("integer", "1e3"),
        ("integer", " 1"),
        ("integer", "9223372036854775808"),
        ("integer", "-"),
        ("number", ".5"),
        ("number", "1."),
        ("number", "NaN"),
        ("number", "1e999"),
        ("number", "\"1,5\""),
        ("number", " 1"),
        ("boolean", "TRUE"),
        ("boolean", "1"),
        ("boolean", "yes"),
        ("string date", "2026-13-01"),
        ("string date", "2025-02-29"),
        ("string date", "01/12/2026"),
        ("string date", "2026-12-01T00:00:00"),
        ("string date", "20261201"),
    ] {
        let fault = cell(kind, bad).unwrap_err();
        assert!(matches!(&fault, SourceFault::Invalid(_)), "{kind} {bad}");
        assert!(!fault.to_string().contains(bad), "{fault}");
    }
}

fn time(cell: &str) -> Result<Option<String>, SourceFault> {
    let base = Folder::new();
    base.write("l.csv", format!("at;on\n{cell}\n"));
    let text = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\ndelimiter = \";\"\n[source.formats]\n\
        at = { format = \"%Y-%m-%d %H:%M:%S\", zone = \"Europe/London\" }\non = { format = \"%d/%m/%Y\" }\n\
        [[operation]]\nid = \"all\"\n";
    let operations = vec![list("all", &[], &["at! string date-time", "on! string date"])];
    ask(&build(text, operations, &base).unwrap(), "all", "{}")
}

#[test]
fn times_have_a_declared_format_and_zone() {
    assert_eq!(
        time("2017-07-01 01:00:00;31/01/2026").unwrap().unwrap(),
        r#"[{"at":"2017-07-01T01:00:00+01:00","on":"2026-01-31"}]"#
    );
    assert_eq!(time("2017-12-01 01:00:00;").unwrap().unwrap(), r#"[{"at":"2017-12-01T01:00:00+00:00"}]"#);
    for (cell, why) in [
        ("2017-10-29 01:30:00;", "an hour the zone has twice"),
        ("2017-03-26 01:30:00;", "an hour the zone has not"),
        ("2017-10-01;", "no time"),
        ("2017-10-01 01:00:00Z;", "something after it"),
        ("2017-07-01 01:00:00;2026-01-31", "another format"),
        ("2017-07-01 01:00:00;31/02/2026", "no such day"),
    ] {
        assert!(matches!(time(cell), Err(SourceFault::Invalid(_))), "{why}");
    }
}

#[test]
fn a_file_that_reads_two_ways_is_refused_whole() {
    for (file, wanted) in [
        (&b""[..], "has no header"),
        (b"k,v\n1,\"x\n2,y\n", "l.csv:2: a quoted cell begins here and is never closed"),
        (b"k,v\n1,x\"y\n", "l.csv:2: a quote where none can be"),
        (b"k,v\n1,\"x\" \n", "a quote where none can be"),
        (b"k,v\n1\n", "l.csv:2: has not as many cells as the header"),
        (b"k,v\n\"a\nb\",x\n1,2,3\n", "l.csv:4: has not as many"),
        (b"k,v\n1,\xe9\n", "l.csv:2: not UTF-8"),
        (b"k,v\r1,2\r", "a carriage return without its newline"),
        (b"k\0,\0v\0\n\0a\0,\0x\0\n\0", "zero bytes"),
        (b"k,V\n1,x\n", "l.csv:1: there is no column `v`"),
        (b"v,v\n1,2\n", "the column `v` is there twice"),
    ] {
        let base = Folder::new();
        base.write("l.csv", file);
        let text = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[[operation]]\nid = \"all\"\n";
        let shown = shown(build(text, vec![list("all", &[], &["v! string", "w string"])], &base));
        assert!(shown.contains(wanted), "{wanted}\nin\n{shown}");
    }
}

#[test]
fn an_integer_key_has_one_spelling() {
    let base = Folder::new();
    let text =
        "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[[operation]]\nid = \"check\"\nlookup = { n = \"n\" }\n";
    let operations = || vec![single("check", &["n! integer key"], &["v! string"])];
    base.write("l.csv", "n,v\n7,x\n");
    let source = build(text, operations(), &base).unwrap();
    assert!(ask(&source, "check", r#"{"n":7}"#).unwrap().is_some());
    base.write("l.csv", "n,v\n007,x\n");
    assert!(shown(build(text, operations(), &base)).contains("a key that has to be an integer is not one"));
}

#[test]
fn a_plan_that_cannot_work_is_refused_at_load() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let text = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[source.columns]\nnot_there = \"x\"\n[source.formats]\n\
        status = { format = \"%Y\" }\nwhen = { format = \"%Y-%m-%d\", zone = \"UTC\" }\nexpires = { format = \"%Y-%m\" }\nborn = { format = \"%d/%m/%y\" }\n\
        [[operation]]\nid = \"check\"\nlookup = { open = \"open\", expires = \"expires\" }\n";
    let question = ["licence_no! string key", "open! boolean", "expires! string"];
    let answer =
        ["status! string", "deep object", "expires string date", "when string date-time", "born string date"];
    let shown = shown(build(text, vec![single("check", &question, &answer)], &base));
    for wanted in [
        "the contract's answers have no field `not_there`",
        "only dates and date-times have a format",
        "`%Y-%m-%d` does not make a whole date and time",
        "`%Y-%m` does not make a whole date",
        "`%d/%m/%y` does not make a whole date, with all four digits of its year",
        "`deep` is not a single value",
        "the key `licence_no` of the question is not used",
        "`open` is neither text nor integer",
        "rows cannot be looked up by `expires`",
    ] {
        assert!(shown.contains(wanted), "{wanted}\nin\n{shown}");
    }
    let text = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[[operation]]\nid = \"check\"\n";
    let shown = self::shown(build(text, vec![single("check", &[], &["status! string"])], &base));
    assert!(shown.contains("wants a `lookup`"), "{shown}");
}

#[test]
fn the_view_is_told_how_columns_are_read() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let text = format!(
        "{FILE}[source.formats]\nexpires = {{ format = \"%Y-%m-%d\" }}\n[[operation]]\nid = \"all\"\n"
    );
    let source = build(&text, vec![list("all", &[], &ANSWER)], &base).unwrap();
    assert_eq!(
        source.mapping(&id("all")).unwrap().semantics,
        [
            "`expires` is written `%Y-%m-%d`",
            "`licence_no` is the column `Licence Number`",
            "rows are all of the file"
        ]
    );
    // Whoever points a look-up at another column, such as a relative's, changes what officers have signed.
    let by = |header: &str| {
        let text = format!("{FILE}[[operation]]\nid = \"check\"\nlookup = {{ licence_no = \"{header}\" }}\n");
        let source =
            build(&text, vec![single("check", &["licence_no! string key"], &ANSWER)], &base).unwrap();
        source.mapping(&id("check")).unwrap().semantics.clone()
    };
    assert!(by("Licence Number").contains(
        &"rows are those whose column `Licence Number` is `licence_no` of the question".to_owned()
    ));
    assert_ne!(by("Licence Number"), by("status"));
}

/// Replaces the file, as a host should, and looks until the source has judged it.
fn replace(base: &Folder, source: &Source, text: &str) -> Refresh {
    base.write("new.csv", text);
    std::fs::rename(base.0.join("new.csv"), base.0.join("l.csv")).unwrap();
    assert_eq!(source.refresh(), Refresh::Same, "a file seen once may still be growing");
    source.refresh()
}

#[test]
fn a_replaced_file_is_taken_and_a_bad_one_is_not() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let source = licences(&base);
    assert_eq!(source.refresh(), Refresh::Same);

    let more = format!("{LICENCES}D4,current,1,2027-01-01,true\n");
    let digest = Digest::of(more.as_bytes());
    assert_eq!(replace(&base, &source, &more), Refresh::Replaced { digest, rows: 5, rows_before: 4 });
    assert!(ask(&source, "check", r#"{"licence_no":"D4"}"#).unwrap().is_some());
    assert_eq!(replace(&base, &source, &more), Refresh::Same, "the same bytes are no replacement");

    assert!(matches!(replace(&base, &source, "Licence Number\nA1\n"), Refresh::Refused(_)));
    assert!(ask(&source, "check", r#"{"licence_no":"D4"}"#).unwrap().is_some(), "the old one stays");
    assert_eq!(source.refresh(), Refresh::Same, "a refusal is said once");
    // The good file again, and that it is good has to be said.
    assert_eq!(replace(&base, &source, &more), Refresh::Replaced { digest, rows: 5, rows_before: 5 });

    std::fs::remove_file(base.0.join("l.csv")).unwrap();
    assert_eq!(source.refresh(), Refresh::Same);
    assert!(matches!(source.refresh(), Refresh::Refused(_)));
    assert!(ask(&source, "check", r#"{"licence_no":"A1"}"#).unwrap().is_some());
}

/// A reload for another reason, while the file is being copied over or is bad.
#[test]
fn a_reload_takes_no_file_that_a_look_would_not_have_taken() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let text = format!("{FILE}[[operation]]\nid = \"all\"\n");
    let operations = || vec![list("all", &[], &ANSWER)];
    let first = build(&text, operations(), &base).unwrap();
    let rows = |source: &Source| json(&ask(source, "all", "{}").unwrap().unwrap()).root().len();
    assert_eq!(rows(&first), 4);
    // Half of it so far.
    let whole = format!("{LICENCES}D4,current,1,2027-01-01,true\n");
    let half: String = whole.lines().take(3).map(|line| format!("{line}\n")).collect();
    base.write("l.csv", &half);
    let second = rebuild(&text, operations(), &base, Some(&first)).unwrap();
    assert_eq!(rows(&second), 4);
    assert_eq!(second.refresh(), Refresh::Same);
    base.write("l.csv", &whole);
    assert_eq!(second.refresh(), Refresh::Same);
    assert!(matches!(second.refresh(), Refresh::Replaced { rows: 5, rows_before: 4, .. }));
    // A bad one is refused once, by whoever looks, and stays known as refused.
    assert!(matches!(replace(&base, &second, "Licence Number\nA1\n"), Refresh::Refused(_)));
    let third = rebuild(&text, operations(), &base, Some(&second)).unwrap();
    assert!(third.is_refused());
    assert_eq!((rows(&third), third.refresh()), (5, Refresh::Same));
    // Read in another way it has to be read anew, and told as at a start.
    let other = text.replace("[source]", "[source]\nfile_bytes_max = 10000");
    assert!(rebuild(&other, operations(), &base, Some(&third)).is_err());
}

#[test]
fn a_file_that_still_grows_is_not_read() {
    let base = Folder::new();
    base.write("l.csv", LICENCES);
    let source = licences(&base);
    for rows in 0..5 {
        base.write("l.csv", LICENCES.to_owned() + &"E5,current,1,2027-01-01,true\n".repeat(rows + 1));
        assert_eq!(source.refresh(), Refresh::Same);
        assert!(ask(&source, "check", r#"{"licence_no":"E5"}"#).unwrap().is_none());
    }
}

#[test]
fn keys_of_several_columns_and_many_rows_are_found() {
    let base = Folder::new();
    let mut text = "a,b,v\n".to_owned();
    for n in 0..2000 {
        text += &format!("{},{},{n}\n", n % 50, n / 50);
    }
    base.write("l.csv", text);
    let file = "[source]\nkind = \"csv\"\nfile = \"l.csv\"\n[[operation]]\nid = \"check\"\nlookup = { x = \"a\", y = \"b\" }\n\
        [[operation]]\nid = \"some\"\nlookup = { x = \"a\" }\n";
    let operations = vec![
        single("check", &["x! integer", "y! integer"], &["v! integer"]),
        list("some", &["x! integer"], &["v! integer"]),
    ];
    let source = build(file, operations, &base).unwrap();
    for n in 0..2000 {
        let question = format!(r#"{{"x":{},"y":{}}}"#, n % 50, n / 50);
        assert_eq!(ask(&source, "check", &question).unwrap().unwrap(), format!(r#"{{"v":{n}}}"#));
    }
    assert_eq!(ask(&source, "check", r#"{"x":50,"y":1}"#).unwrap(), None);
    let some = json(&ask(&source, "some", r#"{"x":49}"#).unwrap().unwrap());
    assert_eq!(some.root().len(), 40);
}
