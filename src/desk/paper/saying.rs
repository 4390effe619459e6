//! One thing an agreement says: where it stands in the file, what it is called, what it says in words, and how far
//! the gateway holds it. Pages show them, and what changed is found by comparing them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::clock::date_in_words;
use crate::model::{Hours, MemberId, Rows, Transform};
use crate::policy::{Field, Held, fields};

/// How an organisation is called.
pub type Names<'n> = &'n dyn Fn(&MemberId) -> String;

/// One thing an agreement says.
#[derive(Debug, Clone)]
pub struct Saying {
    /// Where it stands, such as `party.nhs-lomond.contact.email`; unique in an agreement.
    pub key: String,
    /// Its row in the field table.
    pub field: Option<&'static Field>,
    /// The organisation it is said of, as people call it.
    pub of: Option<String>,
    pub label: String,
    pub value: Value,
    /// The value in words.
    pub shown: String,
    pub held: Held,
}

impl Saying {
    /// Of the Scottish Information Sharing Agreement.
    pub fn section(&self) -> &'static str {
        self.field.map_or("", |field| field.section)
    }

    /// What the table calls the key: `party[].contact.email`.
    pub fn path(&self) -> &'static str {
        self.field.map_or("", |field| field.path)
    }

    /// The label, and of whom it is said.
    pub fn title(&self) -> String {
        match &self.of {
            Some(of) => format!("{of}: {}", self.label),
            None => self.label.clone(),
        }
    }
}

/// A value as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Words that only people can judge.
    Text(String),
    Code(&'static str),
    /// Codes or names, each with its words; their order says nothing.
    Set(BTreeMap<String, String>),
    Count(u64),
    Fraction(f64),
    Date(Date),
    Flag(bool),
    /// ISO 8601; `None`: no time at all.
    Period(Option<String>),
    Transform(Transform),
    Rows(Rows),
    Hours(Hours),
}

/// Where sayings are gathered.
pub(super) struct Sayings<'n> {
    format: u8,
    pub(super) names: Names<'n>,
    of: Option<String>,
    /// What stands for a list or a party in the paths of the table, innermost last.
    places: Vec<(&'static str, String)>,
    all: Vec<Saying>,
}

impl<'n> Sayings<'n> {
    pub(super) fn new(format: u8, names: Names<'n>) -> Self {
        Self { format, names, of: None, places: Vec::new(), all: Vec::new() }
    }

    pub(super) fn into_all(self) -> Vec<Saying> {
        self.all
    }

    /// What is said inside one of a list: `place` stands for `of_table` in the keys.
    pub(super) fn inside(&mut self, of_table: &'static str, place: String, say: impl FnOnce(&mut Self)) {
        self.places.push((of_table, place));
        say(self);
        self.places.pop();
    }

    /// What is said of one organisation.
    pub(super) fn of(&mut self, name: String, say: impl FnOnce(&mut Self)) {
        self.of = Some(name);
        say(self);
        self.of = None;
    }

    /// Under a key that is not its path in the table.
    pub(super) fn add_at(&mut self, key: String, path: &str, label: &str, value: Value, shown: String) {
        let field = fields().find(|field| field.path == path && field.formats.has(self.format));
        // What the table does not know is claimed for nobody; a test sees that there is nothing.
        let held = field.map_or(Held::Promised, |field| field.held);
        let (of, label) = (self.of.clone(), label.to_owned());
        self.all.push(Saying { key, field, of, label, value, shown, held });
    }

    pub(super) fn add(&mut self, path: &str, label: &str, value: Value, shown: String) {
        let key =
            self.places.iter().fold(path.to_owned(), |key, (table, place)| key.replacen(table, place, 1));
        self.add_at(key, path, label, value, shown);
    }

    /// What was said last stands in a key that is held, and is itself a word between the parties.
    pub(super) fn only_promised(&mut self) {
        if let Some(last) = self.all.last_mut() {
            last.held = Held::Promised;
        }
    }

    /// What was said last is in no table, and the gateway holds it.
    pub(super) fn is_enforced(&mut self) {
        if let Some(last) = self.all.last_mut() {
            last.held = Held::Enforced;
        }
    }

    pub(super) fn text(&mut self, path: &str, label: &str, text: &str) {
        self.add(path, label, Value::Text(text.to_owned()), text.to_owned());
    }

    pub(super) fn text_if(&mut self, path: &str, label: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(path, label, text);
        }
    }

    pub(super) fn word(&mut self, path: &str, label: &str, code: &'static str, words: &str) {
        self.add(path, label, Value::Code(code), words.to_owned());
    }

    /// A code that does not read by itself, with the words of its list.
    pub(super) fn listed_word(
        &mut self,
        path: &str,
        label: &str,
        code: &'static str,
        list: &[(&'static str, &'static str)],
    ) {
        let words = list.iter().find(|(known, _)| *known == code).map_or("", |(_, words)| *words);
        self.word(path, label, code, &format!("{code}: {words}"));
    }

    pub(super) fn set<C: Into<String>, W: Into<String>>(
        &mut self,
        path: &str,
        label: &str,
        items: impl Iterator<Item = (C, W)>,
    ) {
        let items: Vec<(String, String)> = items.map(|(code, words)| (code.into(), words.into())).collect();
        let shown: Vec<&str> = items.iter().map(|(_, words)| words.as_str()).collect();
        let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        self.add(path, label, Value::Set(items.into_iter().collect()), shown);
    }

    pub(super) fn count(&mut self, path: &str, label: &str, count: u64, shown: String) {
        self.add(path, label, Value::Count(count), shown);
    }

    pub(super) fn date(&mut self, path: &str, label: &str, date: Date) {
        self.add(path, label, Value::Date(date), date_in_words(date));
    }

    pub(super) fn flag(&mut self, path: &str, label: &str, is: bool, (yes, no): (&str, &str)) {
        self.add(path, label, Value::Flag(is), if is { yes } else { no }.to_owned());
    }
}
