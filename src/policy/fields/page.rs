//! The table as a page: `docs/fields.md`.

use std::fmt::Write;

use super::{Field, Formats, Held, Kind, NOT_YET, Need, fields};

const HEAD: &str = "\
# The fields of an agreement

Every key an agreement file may hold, in the order of the Scottish Information Sharing Agreement (`§` is its section).
How to write a file is in `agreement-file.md`. This page is written by `tolbooth agreement fields`, and a test holds
the two together.

How far the gateway stands behind a field is said of each:

- **enforced**: what does not meet it is refused. A test makes each of these false and sees the refusal.
- **evidenced**: the gateway does not act on it, but its record shows whether it was so.
- **promised**: a word between the parties. It is signed and kept as evidence; no machine here keeps it. Whether
  promises go together (a basis and its power, a category and its exception) is judged when the file is loaded.

A key is wanted *always*, *when* something is so, or never has to be there. Keys marked 2 came with `format = 2`, and
those marked 1 are written so in `format = 1` alone.

| key | § | format | wanted | held | what it says |
|---|---|---|---|---|---|
";

const CODES: &str = "
## Codes

A key with a closed list takes these and nothing else; a code nobody knows is refused, never passed over.

| key | code | in words |
|---|---|---|
";

const LATER: &str = "
## Not taken yet

The field list knows these too. Nothing here would hold them, so that a file with one is refused: what an officer
signs is what the gateway does.

| key | what it would say |
|---|---|
";

/// The page, whole.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    for field in fields().filter(|field| !matches!(field.kind, Kind::Table)) {
        // Writing to a text does not fail.
        let _ = writeln!(out, "{}", line(field));
    }
    out.push_str(CODES);
    for (field, (code, words)) in
        fields().flat_map(|field| codes(field.kind).iter().map(move |code| (field, code)))
    {
        let _ = writeln!(out, "| `{}` | `{code}` | {words} |", field.path);
    }
    out.push_str(LATER);
    for (key, what) in NOT_YET {
        let _ = writeln!(out, "| `{key}` | {what} |");
    }
    out
}

fn line(field: &Field) -> String {
    let format = match field.formats {
        Formats::Both => "",
        Formats::First => "1",
        Formats::Second => "2",
    };
    let held = match field.held {
        Held::Enforced => "**enforced**",
        other => other.as_str(),
    };
    let Field { path, section, .. } = field;
    format!("| `{path}` | {section} | {format} | {} | {held} | {} |", wanted(field), field.words)
}

/// A key inside a table that need not be there is wanted when the table is.
fn wanted(field: &Field) -> String {
    let inside = |table: &&Field| {
        matches!(table.kind, Kind::Table)
            && table.need != Need::Always
            && (table.formats == field.formats || table.formats == Formats::Both)
            && field.path.strip_prefix(table.path).is_some_and(|rest| rest.starts_with('.'))
    };
    let table = fields().filter(inside).last();
    match (field.need, table.map(|table| table.need)) {
        (Need::Always, None | Some(Need::Always)) => "always".to_owned(),
        (Need::Always, Some(Need::When(when))) => format!("when {when}"),
        (Need::Always, Some(Need::Never)) => "with its table".to_owned(),
        (Need::When(when), _) => format!("when {when}"),
        (Need::Never, _) => String::new(),
    }
}

fn codes(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Word(codes) | Kind::Words(codes) | Kind::SomeWords(codes) => codes,
        _ => &[],
    }
}
