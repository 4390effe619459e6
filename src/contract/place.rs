//! One place in a contract file: its node, its JSON Pointer (RFC 6901), and where faults go. As
//! strict as `config::strict` is for TOML: a key nobody knows is a fault.

use std::cell::RefCell;

use crate::json::{Kind, Node};
use crate::model::{Fault, Faults, suggestion};

/// The file being read and what was found wrong so far.
pub(super) struct File<'d> {
    pub name: &'d str,
    pub text: &'d str,
    pub root: Node<'d>,
    pub faults: RefCell<Faults>,
}

#[derive(Clone)]
pub(super) struct Place<'d> {
    pub file: &'d File<'d>,
    pub node: Node<'d>,
    pub pointer: String,
}

impl<'d> Place<'d> {
    pub fn root(file: &'d File<'d>) -> Self {
        Self { file, node: file.root, pointer: String::new() }
    }

    pub fn fault(&self, message: impl std::fmt::Display) {
        self.fault_with_help(message, None);
    }

    /// A fault met twice (a schema referred to from two places) is told once.
    pub fn fault_with_help(&self, message: impl std::fmt::Display, help: Option<String>) {
        let line = line_of(self.file.text, self.node.range().start);
        let pointer = if self.pointer.is_empty() { "the file" } else { &self.pointer };
        let message = format!("{pointer}: {message}");
        let fault = Fault { file: self.file.name.to_owned(), line: Some(line), message, help };
        let mut faults = self.file.faults.borrow_mut();
        if !faults.0.contains(&fault) {
            faults.push(fault);
        }
    }

    pub fn child(&self, name: &str) -> Option<Self> {
        self.node.get(name).map(|node| self.below(name, node))
    }

    fn below(&self, name: &str, node: Node<'d>) -> Self {
        let token = name.replace('~', "~0").replace('/', "~1");
        Self { file: self.file, node, pointer: format!("{}/{token}", self.pointer) }
    }

    /// The member under `name`; its absence is a fault.
    pub fn required(&self, name: &str) -> Option<Self> {
        let child = self.child(name);
        if child.is_none() && self.node.kind() == Kind::Object {
            self.fault(format!("`{name}` is missing"));
        }
        child
    }

    /// Every member, whatever its name.
    pub fn entries(&self) -> Vec<(String, Self)> {
        self.is(Kind::Object, "an object");
        self.node.members().map(|(name, node)| (name.clone().into_owned(), self.below(&name, node))).collect()
    }

    /// Every item of a list.
    pub fn items(&self) -> Vec<Self> {
        self.is(Kind::Array, "a list");
        self.node.items().enumerate().map(|(index, node)| self.below(&index.to_string(), node)).collect()
    }

    /// Reports members that are not among `known`; says whether this is an object at all.
    pub fn only(&self, known: &[&str]) -> bool {
        if !self.is(Kind::Object, "an object") {
            return false;
        }
        for (name, node) in self.node.members() {
            if !known.contains(&&*name) {
                let short: String = name.chars().take(64).collect();
                let place = Self { node, ..self.clone() };
                place.fault_with_help(
                    format!("unknown key `{short}`"),
                    suggestion(&name, known.iter().copied()),
                );
            }
        }
        true
    }

    fn is(&self, kind: Kind, wanted: &str) -> bool {
        let is = self.node.kind() == kind;
        if !is {
            self.fault(format!("{wanted} is wanted here, not {}", in_words(self.node.kind())));
        }
        is
    }

    pub fn text(&self) -> Option<String> {
        self.is(Kind::String, "a text").then(|| self.node.text().map(Into::into)).flatten()
    }

    pub fn boolean(&self) -> Option<bool> {
        self.is(Kind::Boolean, "true or false").then(|| self.node.boolean()).flatten()
    }

    /// The value as serde_json has it, for the schema that validators are compiled from.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_slice(self.node.raw()).unwrap_or_default()
    }
}

/// The line a byte is on, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

pub(super) fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Boolean => "true or false",
        Kind::Number => "a number",
        Kind::String => "a text",
        Kind::Array => "a list",
        Kind::Object => "an object",
    }
}
