//! Reports as CSV (RFC 4180), UTF-8, safe to open in a spreadsheet: a cell that would be taken for a
//! formula begins with an apostrophe. The head stands before the column names in lines that begin with
//! `#`, so that a file handed on says what it is.

use std::io::Write;

use serde_json::Value;

use super::text;

/// The columns of each report, in order; of a releasable cut, those it has.
const COLUMNS: [(&str, &[&str]); 4] = [
    (
        "person",
        &[
            "time",
            "time_utc",
            "member",
            "role",
            "role_as",
            "purpose",
            "purpose_as",
            "title",
            "agreement",
            "dataset",
            "told",
            "fields",
            "log",
            "exchange",
            "member_id",
            "system",
            "user",
            "user_as",
            "case",
            "reason",
            "purpose_code",
            "code",
            "truly",
            "because",
            "rows",
            "rows_excluded",
            "record",
            "look",
            "releasable",
            "held_back",
        ],
    ),
    (
        "recipients",
        &[
            "member",
            "member_id",
            "purpose",
            "purpose_code",
            "dataset",
            "agreement",
            "title",
            "with_data",
            "nothing_found",
            "rows",
            "first",
            "last",
            "fields",
            "subjects",
            "users",
        ],
    ),
    (
        "refusals",
        &[
            "time",
            "member",
            "member_id",
            "system",
            "dataset",
            "code",
            "cause",
            "who_can_fix",
            "one_by_one",
            "in_summaries",
            "refusals",
            "subjects",
            "users",
            "first",
            "last",
        ],
    ),
    (
        "activity",
        &[
            "time",
            "dataset",
            "agreement",
            "title",
            "member",
            "member_id",
            "system",
            "purpose",
            "purpose_code",
            "exchanges",
            "with_data",
            "nothing_found",
            "excluded",
            "refused",
            "explained",
            "rows",
            "rows_excluded",
            "subjects",
            "users",
            "first",
            "last",
            "fields",
        ],
    ),
];

/// What a releasable cut has of [`COLUMNS`].
const RELEASABLE: [(&str, usize); 2] = [("person", 14), ("recipients", 13)];

fn columns(report: &str, releasable: bool) -> impl Iterator<Item = &'static str> {
    let all = COLUMNS.iter().find(|(name, _)| *name == report).map_or(&[][..], |(_, columns)| columns);
    let shown = RELEASABLE.iter().find(|(name, _)| releasable && *name == report);
    all.iter().take(shown.map_or(all.len(), |(_, columns)| *columns)).copied()
}

pub(super) fn head(report: &str, head: &Value, out: &mut dyn Write) {
    for line in text::about(head) {
        write_line(out, [format!("# {line}")].iter().map(String::as_str));
    }
    let releasable = head.get("cut").and_then(Value::as_str) == Some("releasable");
    write_line(out, columns(report, releasable));
}

pub(super) fn row(report: &str, row: &Value, out: &mut dyn Write) {
    // A releasable row has no record number, and no count of users.
    let releasable = row.get("record").is_none() && row.get("users").is_none();
    let cells: Vec<String> = columns(report, releasable).map(|column| words(row.get(column))).collect();
    write_line(out, cells.iter().map(String::as_str));
}

/// The sums stand behind the lines as the head stands before them: not each is a sum of its column.
pub(super) fn totals(totals: &Value, out: &mut dyn Write) {
    write_line(out, [format!("# {}", text::sums(totals))].iter().map(String::as_str));
}

fn words(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        Some(other) => other.to_string(),
    }
}

/// One line of a sheet.
pub(in crate::cli) fn write_line<'c>(out: &mut dyn Write, cells: impl Iterator<Item = &'c str>) {
    let line: Vec<String> = cells.map(cell).collect();
    let _written = write!(out, "{}\r\n", line.join(","));
}

/// One cell. What a spreadsheet would run is made text, in quotes or not: it looks past them.
fn cell(text: &str) -> String {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    let guard = if runs { "'" } else { "" };
    if runs || text.contains([',', '"', '\r', '\n', ';']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_a_second_cell() {
        for (text, safe) in [
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+44", "\"'+44\""),
            ("-1", "\"'-1\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
            ("Gàidhealach", "Gàidhealach"),
            ("", ""),
        ] {
            assert_eq!(cell(text), safe);
        }
    }

    #[test]
    fn a_releasable_cut_ends_before_what_only_officers_see() {
        assert_eq!(columns("person", true).last(), Some("exchange"));
        assert!(columns("person", false).any(|column| column == "user"));
        assert_eq!(columns("recipients", true).last(), Some("fields"));
        assert!(columns("recipients", false).any(|column| column == "users"));
    }
}
