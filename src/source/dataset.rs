//! A dataset file, `policies/datasets/<id>.toml`: what is offered, by whom, and where it comes from.
//!
//! ```toml
//! dataset = "child-protection"
//! contract = "schemas/child-protection.v1.json"
//! owner = "Head of Children's Services"
//! openness = "agreed"
//! synthetic = true          # a trial answers only from a source marked so
//! on_unlisted = "drop"      # or "refuse": a field the contract does not know stops the answer
//!
//! [source]                  # see `http/file.rs` and `csv/file.rs`
//! kind = "http"
//! url = "http://127.0.0.1:9000"
//!
//! [[operation]]             # one for each operation of the contract
//! id = "check"
//! method = "GET"
//! path = "/clients"
//! query = { chi = "{chi}" }
//! document = "/clients/0"
//! no_match = ["status 404", "empty document"]
//! ```

use super::csv::CsvFile;
use super::http::HttpFile;
use crate::config::strict::{self, Table};
use crate::model::{DatasetId, Faults, OperationId};

/// A dataset file as it was read; [`super::Source::build`] checks it against its contract.
#[derive(Debug, Clone)]
pub struct DatasetFile {
    /// The file's name as the host gave it.
    pub file: String,
    pub dataset: DatasetId,
    /// The contract's file, relative to the configuration folder.
    pub contract: String,
    /// The office that answers for the dataset, as a person reads it.
    pub owner: String,
    pub openness: Openness,
    /// The data is made up: only then may a trial be answered from it.
    pub synthetic: bool,
    pub on_unlisted: OnUnlisted,
    pub(super) source: SourceFile,
}

/// Who may ask at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// Only partners with an agreement.
    Agreed,
}

/// What happens when the source returns a field the contract does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnlisted {
    /// It is dropped, recorded by name and alarmed; the answer leaves without it.
    Drop,
    /// The answer stops.
    Refuse,
}

#[derive(Debug, Clone)]
pub(super) enum SourceFile {
    Http(HttpFile),
    Csv(CsvFile),
}

/// What the operations of every kind of source have.
#[derive(Debug, Clone)]
pub(super) struct OperationFile {
    pub id: OperationId,
    pub line: usize,
}

impl OperationFile {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let id = table.required("id")?.parsed(OperationId::new)?;
        Some(Self { id, line: table.line() })
    }
}

impl DatasetFile {
    /// The files with secrets and certificates that the source names, as it names them: a change of one
    /// changes nothing an agreement sees, and yet everything has to be read anew.
    pub fn secrets(&self) -> Vec<&str> {
        let SourceFile::Http(http) = &self.source else { return Vec::new() };
        let mut files: Vec<&str> = http.headers.iter().map(|header| header.file.as_str()).collect();
        if let Some(tls) = &http.tls {
            files.push(&tls.ca);
            files.extend(tls.client.iter().flat_map(|(certificate, key)| [&**certificate, &**key]));
        }
        files
    }
}

impl SourceFile {
    pub(super) fn operations(&self) -> Box<dyn Iterator<Item = &OperationFile> + '_> {
        match self {
            Self::Http(http) => Box::new(http.operations.iter().map(|operation| &operation.head)),
            Self::Csv(csv) => Box::new(csv.operations.iter().map(|operation| &operation.head)),
        }
    }
}

/// Reads a dataset file. What needs the contract, or a file it names, is checked by
/// [`super::Source::build`].
///
/// # Errors
/// Everything wrong in the file, with lines.
pub fn load(file: &str, text: &str) -> Result<DatasetFile, Faults> {
    strict::read(file, text, |root| {
        let dataset = root.required("dataset").and_then(|item| item.parsed(DatasetId::new));
        let contract = root.required("contract").and_then(|item| item.parsed(file_name));
        let owner = root.required("owner").and_then(|item| item.parsed(filled));
        let openness = root.required("openness").and_then(|item| item.parsed(openness));
        let synthetic = match root.optional("synthetic") {
            Some(item) => item.boolean(),
            None => Some(false),
        };
        let on_unlisted = match root.optional("on_unlisted") {
            Some(item) => item.word(&[OnUnlisted::Drop, OnUnlisted::Refuse], OnUnlisted::as_str),
            None => Some(OnUnlisted::Drop),
        };
        let source = source(root);
        Some(DatasetFile {
            file: file.to_owned(),
            dataset: dataset?,
            contract: contract?,
            owner: owner?,
            openness: openness?,
            synthetic: synthetic?,
            on_unlisted: on_unlisted?,
            source: source?,
        })
    })
}

impl OnUnlisted {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}

/// `http` or `csv`.
#[derive(Clone, Copy)]
enum KindWord {
    Http,
    Csv,
}

fn source(root: &Table<'_>) -> Option<SourceFile> {
    // Asked for first, so that a fault in [source] does not make the operations unknown.
    let operations = root.optional("operation");
    let source = root.table("source")?;
    let spelling = |kind| match kind {
        KindWord::Http => "http",
        KindWord::Csv => "csv",
    };
    let kind = source.required("kind").and_then(|item| item.word(&[KindWord::Http, KindWord::Csv], spelling));
    let Some(kind) = kind else {
        // Without a kind nobody knows the other keys.
        source.entries();
        return None;
    };
    let tables: Vec<Table<'_>> = operations
        .and_then(|item| item.list())
        .map(|items| items.into_iter().filter_map(strict::Item::table).collect())
        .unwrap_or_default();
    match kind {
        KindWord::Http => HttpFile::read(&source, &tables).map(SourceFile::Http),
        KindWord::Csv => CsvFile::read(&source, &tables).map(SourceFile::Csv),
    }
}

fn openness(text: &str) -> Result<Openness, &'static str> {
    match text {
        "agreed" => Ok(Openness::Agreed),
        "open" => Err("open datasets are not possible yet: write `agreed`"),
        _ => Err("not known here: write `agreed`"),
    }
}

/// A text that says something.
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("is empty") } else { Ok(text.to_owned()) }
}

/// The name of a file, relative to the configuration folder or absolute.
pub(super) fn file_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.ends_with('/') || text.contains('\0') {
        return Err("is not the name of a file");
    }
    Ok(text.to_owned())
}
