//! Applying a release to a document: rows first, then fields, in one walk over its tape.

use std::fmt;
use std::sync::Arc;

use super::cover::Cover;
use super::fault::{MinimiseFault, MinimiseFaultKind};
use super::plan::{Plan, Planner};
use super::rows::Condition;
use super::sources::Sources;
use super::transform::Context;
use super::walk::Walk;
use crate::json::{Kind, Node};
use crate::model::{Cardinality, FieldPath, Mapping, Operation, Release, Subject};

/// A release over a contract and a source's mapping, made ready. Compile once, apply to every answer.
#[derive(Debug)]
pub struct Projection {
    condition: Condition,
    row: Plan,
    cardinality: Cardinality,
    released: Arc<[String]>,
    pseudonymised: Vec<String>,
    objects: usize,
}

/// What may leave of one document, and what the record says of it. Prints no values.
#[derive(Default)]
pub struct Minimised {
    /// JSON, as it leaves; empty if `no_row`.
    pub body: Vec<u8>,
    pub rows_released: u64,
    pub rows_excluded: u64,
    /// Whom the admitted rows are about, before projection; each once.
    pub subjects: Vec<Subject>,
    /// Names of fields the contract does not know, dropped; each once, the first few.
    pub dropped: Vec<String>,
    /// A dropped name speaks of a safe address: somebody must look at once.
    pub safe_address_dropped: bool,
    /// The one row was excluded: to be answered exactly as an absent one.
    pub no_row: bool,
}

impl fmt::Debug for Minimised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Minimised({} rows, {} excluded)", self.rows_released, self.rows_excluded)
    }
}

impl Projection {
    /// # Errors
    /// Everything by which the release or the mapping does not fit the contract, one sentence each.
    pub fn compile(operation: &Operation, release: &Release, mapping: &Mapping) -> Result<Self, Vec<String>> {
        let condition = Condition::compile(operation, release, mapping);
        let cover = Cover::of(operation, release);
        let sources = Sources::of(operation, mapping);
        let (condition, cover, sources) = match (condition, cover, sources) {
            (Ok(condition), Ok(cover), Ok(sources)) => (condition, cover, sources),
            (condition, cover, sources) => {
                let mut faults = sources.err().unwrap_or_default();
                faults.extend(cover.err().unwrap_or_default());
                faults.extend(condition.err().unwrap_or_default());
                let mut told = std::collections::HashSet::new();
                faults.retain(|fault| told.insert(fault.clone()));
                return Err(faults);
            }
        };
        let mut planner = Planner {
            cover: &cover,
            sources: &sources,
            faults: Vec::new(),
            pseudonymised: Vec::new(),
            objects: 0,
        };
        let row = planner.plan(operation.answer.row(), &FieldPath::root(), None);
        let Planner { faults, pseudonymised, objects, .. } = planner;
        if !faults.is_empty() {
            return Err(faults);
        }
        let released = release.fields.iter().map(|(path, _)| path.to_string()).collect();
        Ok(Self { condition, row, cardinality: operation.cardinality, released, pseudonymised, objects })
    }

    /// The fields released, as the agreement names and orders them, for the record.
    pub fn released_fields(&self) -> &Arc<[String]> {
        &self.released
    }

    /// Minimises the source's document, `document` being where the mapping says it is.
    ///
    /// # Errors
    /// The first thing unclear; nothing of the document may leave then.
    pub fn apply(&self, document: Node<'_>, context: &Context<'_>) -> Result<Minimised, MinimiseFault> {
        let keys = self.pseudonymised.iter().map(|field| context.pseudonyms.key(context.agreement, field));
        let mut walk = Walk::new(context, keys.collect(), self.objects, document);
        walk.glances = self.condition.glances();
        match self.cardinality {
            Cardinality::Single => walk.out.no_row = !self.row(document, &mut walk)?,
            Cardinality::List => self.list(document, &mut walk)?,
        }
        let mut out = walk.finish();
        out.subjects.sort_unstable();
        out.subjects.dedup();
        Ok(out)
    }

    /// Which tests of the row condition each record meets, in the order of the agreement.
    ///
    /// # Errors
    /// A record that cannot be judged by.
    pub fn row_tests(
        &self,
        document: Node<'_>,
        context: &Context<'_>,
    ) -> Result<Vec<Vec<bool>>, MinimiseFault> {
        match self.cardinality {
            Cardinality::Single => Ok(vec![self.condition.each(document, context)?]),
            Cardinality::List => document.items().map(|row| self.condition.each(row, context)).collect(),
        }
    }

    fn list<'d>(&self, document: Node<'d>, walk: &mut Walk<'_, 'd>) -> Result<(), MinimiseFault> {
        if document.kind() != Kind::Array {
            return Err(MinimiseFault::new("", MinimiseFaultKind::WrongType));
        }
        walk.written.sign(b'[');
        for row in document.items() {
            self.row(row, walk)?;
        }
        walk.written.sign(b']');
        Ok(())
    }

    /// Writes a row if it is admitted; says whether it is.
    fn row<'d>(&self, row: Node<'d>, walk: &mut Walk<'_, 'd>) -> Result<bool, MinimiseFault> {
        if row.kind() != Kind::Object {
            return Err(MinimiseFault::new("", MinimiseFaultKind::WrongType));
        }
        if !self.condition.admits(row, walk.context, &mut walk.glances)? {
            walk.out.rows_excluded += 1;
            return Ok(false);
        }
        if walk.out.rows_released > 0 {
            walk.written.sign(b',');
        }
        walk.write(&self.row, row, "")?;
        walk.out.rows_released += 1;
        Ok(true)
    }
}
