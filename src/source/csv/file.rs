//! What a dataset file says of a CSV source.
//!
//! ```toml
//! [source]
//! kind = "csv"
//! file = "data/licences.csv"
//! delimiter = ","                # or ";"
//! encoding = "utf-8"             # the only one; a byte order mark is dropped
//! file_bytes_max = 67108864
//!
//! [source.columns]               # a field not named here has its own name as header
//! licence_no = "Licence Number"
//!
//! [source.formats]               # without one a date is 2026-12-01 and a date-time RFC 3339
//! seen = { format = "%d/%m/%Y %H:%M", zone = "Europe/London" }
//! expires = { format = "%d/%m/%Y" }
//!
//! [[operation]]
//! id = "check"
//! lookup = { licence_no = "Licence Number" }   # question field to header; without it, all rows
//! ```

use super::cell::TimeFormat;
use crate::config::strict::{Item, Table};
use crate::source::dataset::{OperationFile, file_name};
use crate::source::http::count;
use crate::source::template::Field;

/// What is read when nothing else is said.
const FILE_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Clone)]
pub struct CsvFile {
    pub file: String,
    pub line: usize,
    pub delimiter: u8,
    pub bytes_max: u64,
    pub columns: Vec<Column>,
    pub formats: Vec<Format>,
    pub operations: Vec<CsvOperation>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub field: String,
    pub header: String,
    pub line: usize,
}

#[derive(Debug, Clone)]
pub struct Format {
    pub field: String,
    pub format: TimeFormat,
    pub line: usize,
}

#[derive(Debug, Clone)]
pub struct CsvOperation {
    pub head: OperationFile,
    pub lookup: Vec<(Field, String)>,
}

impl CsvFile {
    pub fn read(source: &Table<'_>, operations: &[Table<'_>]) -> Option<Self> {
        let file = source.required("file").and_then(|item| item.parsed(file_name));
        let delimiter = source.optional("delimiter").map_or(Some(b','), |item| item.parsed(delimiter));
        let encoding = source.optional("encoding").map_or(Some(()), |item| item.parsed(encoding));
        let bytes_max = count(source, "file_bytes_max", FILE_BYTES_MAX, 1..=1 << 30);
        let columns = entries(source, "columns", |field, item| {
            let (header, line) = (item.text()?.to_owned(), item.line());
            Some(Column { field, header, line })
        });
        let formats = entries(source, "formats", |field, item| {
            let line = item.line();
            let format = TimeFormat::read(&item.table()?)?;
            Some(Format { field, format, line })
        });
        let operations: Vec<_> = operations.iter().map(CsvOperation::read).collect();
        encoding?;
        Some(Self {
            file: file?,
            line: source.line(),
            delimiter: delimiter?,
            bytes_max: bytes_max?,
            columns: columns?,
            formats: formats?,
            operations: operations.into_iter().collect::<Option<_>>()?,
        })
    }

    /// The header a field's values stand under.
    pub fn header<'f>(&'f self, field: &'f str) -> &'f str {
        self.columns.iter().find(|column| column.field == field).map_or(field, |column| &column.header)
    }

    pub fn format(&self, field: &str) -> Option<&TimeFormat> {
        self.formats.iter().find(|format| format.field == field).map(|format| &format.format)
    }
}

impl CsvOperation {
    fn read(table: &Table<'_>) -> Option<Self> {
        let head = OperationFile::read(table);
        let lookup = entries(table, "lookup", |name, item| {
            let field = Field::parse(&name).map_err(|error| item.fault(error)).ok()?;
            Some((field, item.text()?.to_owned()))
        });
        Some(Self { head: head?, lookup: lookup? })
    }
}

/// The entries of an optional table whose keys are names.
fn entries<T>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(String, Item<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(item) = table.optional(key) else { return Some(Vec::new()) };
    let entries = item.table()?.entries();
    // All of them are read before one that failed counts.
    entries.into_iter().map(|(name, item)| read(name, item)).collect::<Vec<_>>().into_iter().collect()
}

fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text {
        "," => Ok(b','),
        ";" => Ok(b';'),
        _ => Err("write `,` or `;`"),
    }
}

fn encoding(text: &str) -> Result<(), &'static str> {
    if text == "utf-8" { Ok(()) } else { Err("only `utf-8` can be read") }
}
