//! What leaves of one operation under one release: compiled once, and shared by all agreements that
//! release the same of a contract in the same way, as most under one contract do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::contract::Checker;
use crate::minimise::{self, Projection};
use crate::model::{DatasetVersion, Digest, Mapping, Operation, OperationId, Release};

/// How an answer is made and held against the view.
pub struct Compiled {
    pub projection: Projection,
    /// The validator of the view.
    pub checker: Checker,
}

/// Made with the ruleset. What is large is compiled on first use, and by `tolbooth check` always: most of
/// a thousand agreements are quiet on most days.
pub(super) struct Leaving {
    pub(super) operation: Arc<Operation>,
    release: Arc<Release>,
    mapping: Mapping,
    compiled: OnceLock<Result<Box<Compiled>, String>>,
}

impl Leaving {
    pub(super) fn new(operation: Arc<Operation>, release: Arc<Release>, mapping: Mapping) -> Self {
        Self { operation, release, mapping, compiled: OnceLock::new() }
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The compiled form. An error is the house's: all of it was checked when the ruleset was loaded.
    pub(super) fn compiled(&self) -> Result<&Compiled, &str> {
        self.compiled.get_or_init(|| self.compile()).as_deref().map_err(String::as_str)
    }

    /// The answer as it is released: JSON Schema 2020-12.
    pub(super) fn released(&self) -> Result<serde_json::Value, String> {
        let view = minimise::view(&self.operation, &self.release);
        view.map(|view| view.schema).map_err(|faults| faults.join("; "))
    }

    fn compile(&self) -> Result<Box<Compiled>, String> {
        let all = |faults: Vec<String>| faults.join("; ");
        let view = minimise::view(&self.operation, &self.release).map_err(all)?;
        let projection = Projection::compile(&self.operation, &self.release, &self.mapping).map_err(all)?;
        Ok(Box::new(Compiled { projection, checker: Checker::compile(&view.schema)? }))
    }
}

/// What agreements under one contract can release alike.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Alike {
    pub(super) dataset: DatasetVersion,
    pub(super) operations: Vec<OperationId>,
    pub(super) release: Arc<Release>,
}

/// What an agreement releases of a contract, in the order of its operations.
pub(super) struct Outflow {
    pub(super) release: Arc<Release>,
    /// The view as computed now, which a seal must be over.
    pub(super) view: Digest,
    pub(super) operations: Vec<Arc<Leaving>>,
    /// Whether the source behind is marked `synthetic`.
    pub(super) synthetic: bool,
}

/// What was compiled so far, in one load.
#[derive(Default)]
pub(super) struct Outflows(Mutex<HashMap<Alike, Arc<Outflow>>>);

impl Outflows {
    /// That of an agreement like this one, or the one `make` makes. Two threads may make the same at once:
    /// one of the two is kept.
    pub(super) fn of<F>(
        &self,
        alike: Alike,
        make: impl FnOnce(&Alike) -> Result<Outflow, F>,
    ) -> Result<Arc<Outflow>, F> {
        if let Some(known) = self.known().get(&alike) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(make(&alike)?);
        Ok(Arc::clone(self.known().entry(alike).or_insert(made)))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Alike, Arc<Outflow>>> {
        // Whoever panicked put in whole entries or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, DatasetId, FieldPath, Literal, Rows, Test, Transform};

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    fn rows(value: &str) -> Rows {
        let check = Check::In(vec![Literal::Text(value.into())]);
        Rows::All(vec![Test { field: path("status"), check }])
    }

    fn alike(change: impl FnOnce(&mut Alike, &mut Release)) -> Alike {
        let mut release = Release {
            fields: vec![(path("name"), Transform::MaskKeepLast { characters: 2 })],
            withhold: vec![path("note")],
            rows: rows("active"),
        };
        let dataset = DatasetVersion { dataset: DatasetId::new("records").unwrap(), major: 1 };
        let operations = vec![OperationId::new("one").unwrap()];
        let mut alike = Alike { dataset, operations, release: Arc::new(release.clone()) };
        change(&mut alike, &mut release);
        alike.release = Arc::new(release);
        alike
    }

    fn made(alike: &Alike) -> Result<Outflow, ()> {
        let (release, view) = (Arc::clone(&alike.release), Digest::of(b"view"));
        Ok(Outflow { release, view, operations: Vec::new(), synthetic: false })
    }

    #[test]
    fn agreements_share_what_they_say_alike_to_the_last_value() {
        let outflows = Outflows::default();
        assert!(outflows.of(alike(|_, _| {}), |_| Err(())).is_err(), "what cannot be made is not kept");
        let first = outflows.of(alike(|_, _| {}), made).unwrap();
        let again = outflows.of(alike(|_, _| {}), |_| Err(())).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let others = [
            alike(|alike, _| alike.dataset.major = 2),
            alike(|alike, _| alike.operations.push(OperationId::new("all").unwrap())),
            alike(|_, release| release.fields[0].1 = Transform::MaskKeepLast { characters: 3 }),
            alike(|_, release| release.fields[0].0 = path("note")),
            alike(|_, release| release.withhold.clear()),
            alike(|_, release| release.rows = rows("suspended")),
            alike(|_, release| release.rows = Rows::Any(rows("active").tests().to_vec())),
            alike(|_, release| release.rows = Rows::Every),
        ];
        for other in others {
            let release = Arc::clone(&other.release);
            let made = outflows.of(other, made).unwrap();
            assert!(!Arc::ptr_eq(&first, &made));
            assert_eq!(made.release, release);
        }
    }
}
