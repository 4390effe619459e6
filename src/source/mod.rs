//! Where data comes from: what a dataset file says, and fetching the document that answers a question
//! from an HTTP system ([`http`]) or a CSV file ([`csv`]). Design 3, *Forward*.
//!
//! A source never decides and never minimises. It says *no match* only for what its mapping lists; all
//! else that goes wrong is a [`SourceFault`], so that nobody reads "not known" from a fault.

mod csv;
mod dataset;
mod http;
mod synthetic;
mod template;

pub use csv::Refresh;
pub use dataset::{DatasetFile, OnUnlisted, Openness, load};
pub use http::Pool;
pub use synthetic::MadeUp;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ::http::{HeaderName, HeaderValue};
use tokio::time::Instant;

use self::csv::CsvSource;
use self::dataset::{OperationFile, SourceFile};
use self::http::HttpSource;
use self::synthetic::SyntheticSource;
use crate::json::{Document, Node};
use crate::model::{Code, Contract, Fault, Faults, Mapping, OperationId, suggestion};

/// Why there is no document and no "no match" either. Reasons hold no values and no identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceFault {
    /// It could not be reached, or failed.
    Unavailable(Cow<'static, str>),
    /// It did not answer in time.
    Timeout,
    /// It answered something its mapping or contract does not allow.
    Invalid(Cow<'static, str>),
    /// The question holds a value the source cannot be asked with.
    Question(Cow<'static, str>),
}

impl SourceFault {
    /// What the caller is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) => Code::SourceUnavailable,
            Self::Timeout => Code::SourceTimeout,
            Self::Invalid(_) => Code::SourceInvalid,
            Self::Question(_) => Code::QuestionInvalid,
        }
    }
}

impl fmt::Display for SourceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => write!(f, "the source is not available: {reason}"),
            Self::Timeout => f.write_str("the source did not answer in time"),
            Self::Invalid(reason) => write!(f, "the source's answer cannot be used: {reason}"),
            Self::Question(reason) => write!(f, "the source cannot be asked this: {reason}"),
        }
    }
}

impl std::error::Error for SourceFault {}

/// What a source says to a question.
#[derive(Debug)]
pub enum Fetched {
    Document(Found),
    /// The mapping lists what the source answered as "no match".
    NoMatch,
}

/// The document inside a source's answer, not yet checked against any contract.
#[derive(Debug)]
pub struct Found {
    answer: Document,
    /// Leads somewhere: whoever makes a `Found` has followed it.
    pointer: Arc<str>,
}

impl Found {
    /// The document itself.
    pub fn node(&self) -> Node<'_> {
        let root = self.answer.root();
        root.pointer(&self.pointer).unwrap_or(root)
    }
}

/// The part of each operation's mapping that officers sign.
pub type Mappings = HashMap<OperationId, Mapping>;

/// A dataset's source, ready to be asked. Shared by all threads; what is a thread's own is its [`Pool`].
pub struct Source(Kind);

enum Kind {
    Http(HttpSource),
    Csv(CsvSource),
    /// Of a sandbox: connects to nothing.
    Synthetic(SyntheticSource),
}

/// The caller's headers, each made when it is asked for.
pub type Forwarded<'a> = dyn Fn(&HeaderName) -> Option<HeaderValue> + 'a;

impl Source {
    /// A sandbox's source, whatever the dataset file says of the real one.
    pub fn synthetic(operations: HashMap<OperationId, MadeUp>) -> Self {
        Self(Kind::Synthetic(SyntheticSource::new(operations)))
    }

    /// Checks a dataset file against its contract and reads the files it names, relative to `base`.
    /// Blocks on files; all faults come at once. On a reload `before` is the same dataset's source until
    /// now: what it holds of the file behind, and how many places of its system are taken, goes on.
    pub fn build(
        file: &DatasetFile,
        contract: &Contract,
        base: &Path,
        before: Option<&Self>,
    ) -> Result<Self, Faults> {
        let mut faults = one_each(file, contract);
        let built = match &file.source {
            SourceFile::Http(http) => {
                let before = before.and_then(Self::http);
                HttpSource::build(&file.file, http, contract, base, before).map(Kind::Http)
            }
            SourceFile::Csv(csv) => {
                let before = before.and_then(Self::csv);
                CsvSource::build(&file.file, csv, contract, base, before).map(Kind::Csv)
            }
        };
        match built {
            Ok(kind) if faults.is_empty() => Ok(Self(kind)),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }

    /// What officers sign of a dataset file's mapping, read from the file and its contract alone: also years
    /// after the system behind is gone.
    pub fn mappings(file: &DatasetFile, contract: &Contract) -> Result<Mappings, Faults> {
        let faults = one_each(file, contract);
        if !faults.is_empty() {
            return Err(faults);
        }
        match &file.source {
            SourceFile::Http(http) => HttpSource::mappings(&file.file, http, contract),
            SourceFile::Csv(csv) => CsvSource::mappings(&file.file, csv, contract),
        }
    }

    fn http(&self) -> Option<&HttpSource> {
        match &self.0 {
            Kind::Http(source) => Some(source),
            Kind::Csv(_) | Kind::Synthetic(_) => None,
        }
    }

    fn csv(&self) -> Option<&CsvSource> {
        match &self.0 {
            Kind::Http(_) | Kind::Synthetic(_) => None,
            Kind::Csv(source) => Some(source),
        }
    }

    /// Whether the newest file behind was refused, so that an older one is in use.
    pub fn is_refused(&self) -> bool {
        self.csv().is_some_and(CsvSource::is_refused)
    }

    /// The part of the mapping that changes what an answer means: officers sign it with the view.
    pub fn mapping(&self, operation: &OperationId) -> Option<&Mapping> {
        match &self.0 {
            Kind::Http(source) => source.mapping(operation),
            Kind::Csv(source) => source.mapping(operation),
            Kind::Synthetic(source) => Some(source.mapping()),
        }
    }

    /// Asks the source. `question` has passed the contract; `forwarded` is asked for the headers that the dataset
    /// file has go on, and for no other.
    ///
    /// # Errors
    /// A [`SourceFault`]; after `deadline` it is [`SourceFault::Timeout`].
    pub async fn fetch(
        &self,
        pool: &Pool,
        operation: &OperationId,
        question: Node<'_>,
        forwarded: &Forwarded<'_>,
        deadline: Instant,
    ) -> Result<Fetched, SourceFault> {
        match &self.0 {
            Kind::Http(source) => source.fetch(pool, operation, question, forwarded, deadline).await,
            Kind::Csv(source) => source.fetch(operation, question),
            Kind::Synthetic(source) => source.fetch(operation, question),
        }
    }

    /// Looks whether a file behind the source was replaced, and if so takes the new one. To be called
    /// every two seconds, off the data plane: it reads the whole file.
    pub fn refresh(&self) -> Refresh {
        match &self.0 {
            Kind::Http(_) | Kind::Synthetic(_) => Refresh::Same,
            Kind::Csv(source) => source.refresh(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Http(source) => source.fmt(f),
            Kind::Csv(source) => source.fmt(f),
            Kind::Synthetic(source) => source.fmt(f),
        }
    }
}

/// Each operation of the contract is mapped exactly once, and nothing else is.
fn one_each(file: &DatasetFile, contract: &Contract) -> Faults {
    let mut faults = Faults::default();
    let mapped: Vec<&OperationFile> = file.source.operations().collect();
    if file.dataset != contract.version.dataset {
        let message =
            format!("the contract is of dataset `{}`, not `{}`", contract.version.dataset, file.dataset);
        faults.push(Fault::new(&file.file, None, message));
    }
    for (index, operation) in mapped.iter().enumerate() {
        let line = Some(operation.line);
        if contract.operation(&operation.id).is_none() {
            let known = contract.operations.iter().map(|known| known.id.as_str());
            let help = suggestion(operation.id.as_str(), known);
            let message = format!("the contract has no operation `{}`", operation.id);
            faults.push(Fault { help, ..Fault::new(&file.file, line, message) });
        }
        if mapped.iter().take(index).any(|earlier| earlier.id == operation.id) {
            faults.push(Fault::new(&file.file, line, format!("operation `{}` is here twice", operation.id)));
        }
    }
    for operation in &contract.operations {
        if !mapped.iter().any(|mapped| mapped.id == operation.id) {
            let message = format!("operation `{}` of the contract has no [[operation]]", operation.id);
            faults.push(Fault::new(&file.file, None, message));
        }
    }
    faults
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
