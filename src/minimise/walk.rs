//! The walk itself: source members are matched to what is known there, then what leaves is written in
//! the order of the contract. What is not known is dropped by name; what is known and withheld is only
//! looked at, for subjects and drift.

use super::fault::{MinimiseFault, MinimiseFaultKind};
use super::plan::{Field, Leaf, ObjectPlan, Plan};
use super::project::Minimised;
use super::route::{Glance, Route, Step};
use super::sources::{self, Known};
use super::transform::{self, Change, Context};
use super::written::Written;
use crate::crypto::MacKey;
use crate::json::{Kind, Name, Node};
use crate::model::Subject;
use crate::model::limits::{DRIFT_NAME_BYTES_MAX, DRIFT_NAMES_MAX};

/// One document being minimised.
pub(super) struct Walk<'w, 'd> {
    pub context: &'w Context<'w>,
    /// Of the pseudonymised fields.
    keys: Vec<MacKey>,
    pub out: Minimised,
    pub written: Written<'d>,
    /// For each test of the row condition.
    pub glances: Vec<Glance>,
    /// For each object of the plan.
    routes: Vec<Route>,
    /// What was found for the properties of every object being walked, outermost first.
    found: Vec<Option<Node<'d>>>,
}

impl<'w, 'd> Walk<'w, 'd> {
    pub fn new(context: &'w Context<'w>, keys: Vec<MacKey>, objects: usize, document: Node<'d>) -> Self {
        let mut routes = Vec::new();
        routes.resize_with(objects, Route::default);
        let written = Written::new(document);
        Self {
            context,
            keys,
            out: Minimised::default(),
            written,
            glances: Vec::new(),
            routes,
            found: Vec::new(),
        }
    }

    pub fn finish(mut self) -> Minimised {
        self.out.body = std::mem::take(self.written.plain());
        self.out
    }

    /// Writes what leaves of a value; `path` is for faults.
    pub fn write(&mut self, plan: &Plan, node: Node<'d>, path: &str) -> Result<(), MinimiseFault> {
        if !plan.fits(node) {
            return Err(MinimiseFault::new(path, MinimiseFaultKind::WrongType));
        }
        match plan {
            Plan::YesOrNo(inner) => {
                self.look(inner, node, path)?;
                self.yes_or_no(transform::exists(node));
            }
            Plan::Leaf(leaf) => self.leaf(leaf, node, path)?,
            _ if node.is_null() => self.written.put(b"null"),
            Plan::Object(object) => self.object(object, node)?,
            Plan::List { items, .. } => self.items(items, node, path)?,
        }
        Ok(())
    }

    /// Looks at a value of which nothing leaves: whom it is about, and what nobody knows.
    fn look(&mut self, plan: &Plan, node: Node<'d>, path: &str) -> Result<(), MinimiseFault> {
        match plan {
            Plan::YesOrNo(inner) => self.look(inner, node, path),
            Plan::Leaf(leaf) => self.subject(leaf, node, path),
            Plan::List { items, .. } => node.items().try_for_each(|item| self.look(items, item, path)),
            Plan::Object(object) => {
                let from = self.sort(object, node);
                for (at, field) in object.fields.iter().enumerate() {
                    if let Some(value) = self.found(from + at) {
                        self.look(&field.plan, value, &field.path)?;
                    }
                }
                self.found.truncate(from);
                Ok(())
            }
        }
    }

    fn object(&mut self, object: &ObjectPlan, node: Node<'d>) -> Result<(), MinimiseFault> {
        // No object of a contract lies within itself, so nobody else looks for this route meanwhile.
        let mut route = self.routes.get_mut(object.number).map(std::mem::take).unwrap_or_default();
        if route.shape != Some(node.shape()) {
            route = Route::of(object, node);
            route.unknown(node).for_each(|name| self.drop_unknown(&name));
        }
        match &route.steps {
            Some(steps) => self.straight(object, steps, node)?,
            None => self.sorted(object, node)?,
        }
        if let Some(place) = self.routes.get_mut(object.number) {
            *place = route;
        }
        Ok(())
    }

    /// Writes an object whose members come in the order of the contract, and none is lacking.
    fn straight(&mut self, object: &ObjectPlan, steps: &[Step], node: Node<'d>) -> Result<(), MinimiseFault> {
        self.written.sign(b'{');
        let mut first = true;
        for (step, value) in steps.iter().zip(node.values()) {
            let Step::Field { at, spelt, plain } = step else { continue };
            if let Some(head) = spelt.filter(|_| plain.has(value.kind())) {
                self.written.keep_member(head, value, std::mem::take(&mut first), true);
                continue;
            }
            let Some(field) = object.fields.get(*at) else { continue };
            if !field.released {
                self.look(&field.plan, value, &field.path)?;
                continue;
            }
            match spelt {
                Some(head) => self.written.keep_member(*head, value, std::mem::take(&mut first), false),
                None => self.head(field, &mut first),
            }
            self.write(&field.plan, value, &field.path)?;
        }
        self.written.sign(b'}');
        Ok(())
    }

    /// Writes an object whatever the order of its members is.
    fn sorted(&mut self, object: &ObjectPlan, node: Node<'d>) -> Result<(), MinimiseFault> {
        let from = self.sort(object, node);
        self.written.sign(b'{');
        let mut first = true;
        for (at, field) in object.fields.iter().enumerate() {
            match self.found(from + at) {
                Some(value) if field.released => {
                    self.head(field, &mut first);
                    self.write(&field.plan, value, &field.path)?;
                }
                Some(value) => self.look(&field.plan, value, &field.path)?,
                None if !field.released => {}
                None if field.required => {
                    return Err(MinimiseFault::new(&field.path, MinimiseFaultKind::Missing));
                }
                None if matches!(field.plan, Plan::YesOrNo(_)) => {
                    self.head(field, &mut first);
                    self.yes_or_no(false);
                }
                None => {}
            }
        }
        self.written.sign(b'}');
        self.found.truncate(from);
        Ok(())
    }

    fn items(&mut self, items: &Plan, node: Node<'d>, path: &str) -> Result<(), MinimiseFault> {
        self.written.sign(b'[');
        for (at, item) in node.items().enumerate() {
            if at > 0 {
                self.written.sign(b',');
            }
            self.write(items, item, path)?;
        }
        self.written.sign(b']');
        Ok(())
    }

    fn leaf(&mut self, leaf: &Leaf, node: Node<'d>, path: &str) -> Result<(), MinimiseFault> {
        self.subject(leaf, node, path)?;
        match &leaf.change {
            _ if node.is_null() => self.written.put(b"null"),
            Some(Change::Keep) => self.written.keep(node),
            Some(change) => change
                .write(self.written.plain(), node, self.context, &self.keys)
                .map_err(|kind| MinimiseFault::new(path, kind))?,
            // Only what is released is written, and what is released has a change.
            None => return Err(MinimiseFault::new(path, MinimiseFaultKind::WrongType)),
        }
        Ok(())
    }

    /// Notes whom a value is about. One that cannot be read stops the answer: the record would not say
    /// whom it was about.
    fn subject(&mut self, leaf: &Leaf, node: Node<'d>, path: &str) -> Result<(), MinimiseFault> {
        let Some(kind) = &leaf.subject else { return Ok(()) };
        if node.is_null() {
            return Ok(());
        }
        let identifier = node.text().or_else(|| node.number_text().map(Into::into));
        let identifier = identifier.ok_or_else(|| MinimiseFault::new(path, MinimiseFaultKind::WrongType))?;
        self.out.subjects.push(Subject { kind: kind.clone(), identifier: identifier.into_owned() });
        Ok(())
    }

    fn head(&mut self, field: &Field, first: &mut bool) {
        if !std::mem::take(first) {
            self.written.sign(b',');
        }
        self.written.put(&field.head);
    }

    fn yes_or_no(&mut self, yes: bool) {
        self.written.put(if yes { b"true" } else { b"false" });
    }

    fn found(&self, at: usize) -> Option<Node<'d>> {
        self.found.get(at).copied().flatten()
    }

    /// Sorts the members of an object to the properties they are; says where in `found` they start.
    fn sort(&mut self, object: &ObjectPlan, node: Node<'d>) -> usize {
        let from = self.found.len();
        self.found.resize(from + object.fields.len(), None);
        self.sort_within(&object.known, node, from);
        from
    }

    fn sort_within(&mut self, known: &[Known], node: Node<'d>, from: usize) {
        if node.kind() == Kind::Array {
            // A mapping may read from numbered items; the others have no name to be known by.
            for entry in known {
                let at = entry.name.parse().ok().filter(|at: &usize| at.to_string() == entry.name);
                if let Some(item) = at.and_then(|at| node.items().nth(at)) {
                    self.keep(entry, item, from);
                }
            }
            return;
        }
        let mut next = 0;
        for (name, value) in node.named() {
            match sources::find(known, &name, &mut next).and_then(|at| known.get(at)) {
                Some(entry) => self.keep(entry, value, from),
                None => self.drop_unknown(&name),
            }
        }
    }

    fn keep(&mut self, entry: &Known, value: Node<'d>, from: usize) {
        for property in &entry.properties {
            if let Some(slot) = self.found.get_mut(from + property) {
                *slot = Some(value);
            }
        }
        if !entry.inside.is_empty() {
            self.sort_within(&entry.inside, value, from);
        }
    }

    /// Notes the name of a field the contract does not know. Its value goes nowhere.
    fn drop_unknown(&mut self, name: &Name<'d>) {
        if self.out.dropped.iter().any(|known| name.is(known)) {
            return;
        }
        let name = name.text();
        let folded = name.to_lowercase();
        self.out.safe_address_dropped |= folded.contains("safe") && folded.contains("address");
        let short = name.get(..name.floor_char_boundary(DRIFT_NAME_BYTES_MAX)).unwrap_or_default();
        if self.out.dropped.len() < DRIFT_NAMES_MAX && !self.out.dropped.iter().any(|known| known == short) {
            self.out.dropped.push(short.to_owned());
        }
    }
}
