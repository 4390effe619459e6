//! A strict reader of TOML: every key must be asked for, every fault is kept with its line, and
//! nothing stops at the first. Unknown keys are reported when a table is dropped, so that no caller
//! can forget to look for them.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{Fault, Faults, suggestion};

/// Reads a whole file. `read` asks the root table for what it knows and gives `None` where a fault
/// kept it from making a value; every fault has been reported by then.
pub fn read<T>(file: &str, text: &str, read: impl FnOnce(&Table<'_>) -> Option<T>) -> Result<T, Faults> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let source = Source { file, text, faults: RefCell::default() };
    for error in errors {
        source.fault(error.span(), error.message());
    }
    // A file that is not TOML would only bring follow-on faults.
    if !source.faults.borrow().is_empty() {
        return Err(source.faults.into_inner());
    }
    let made = {
        let table = Table::new(&source, root.get_ref(), String::new(), root.span());
        read(&table)
    };
    let faults = source.faults.into_inner();
    match made {
        Some(value) if faults.is_empty() => Ok(value),
        _ if faults.is_empty() => Err(Fault::new(file, None, "could not be read").into()),
        _ => Err(faults),
    }
}

/// Every file says the format it is written in, so that a later Tolbooth can still read it and an
/// earlier one refuses what it would misread.
pub fn format_1(root: &Table<'_>) {
    if let Some(item) = root.required("format") {
        match item.integer() {
            Some(1) | None => {}
            Some(newer) if newer > 1 => {
                item.fault_with_help(
                    "written for a newer Tolbooth",
                    Some("this one reads format 1".to_owned()),
                );
            }
            Some(_) => item.fault("formats count from 1"),
        }
    }
}

struct Source<'d> {
    file: &'d str,
    text: &'d str,
    faults: RefCell<Faults>,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|b| *b == b'\n').count()
    }

    fn fault(&self, span: Option<Range<usize>>, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    fn push(&self, span: Option<Range<usize>>, message: String, help: Option<String>) {
        let line = span.map(|span| self.line(span.start));
        self.faults.borrow_mut().push(Fault { file: self.file.to_owned(), line, message, help });
    }
}

/// One table being read. Dropping it reports the keys nobody asked for.
pub struct Table<'d> {
    source: &'d Source<'d>,
    table: &'d DeTable<'d>,
    name: String,
    span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
    /// Set where keys are names, not words, so that none is unknown.
    open: Cell<bool>,
}

impl<'d> Table<'d> {
    fn new(source: &'d Source<'d>, table: &'d DeTable<'d>, name: String, span: Range<usize>) -> Self {
        Self { source, table, name, span, asked: RefCell::default(), open: Cell::new(false) }
    }

    /// The line the table starts on, from 1.
    pub fn line(&self) -> usize {
        self.source.line(self.span.start)
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether `key` is there; asking does not make it known.
    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// The file's name as the host gave it.
    pub fn file(&self) -> &str {
        self.source.file
    }

    /// Reports something wrong with the table as a whole.
    pub fn fault(&self, message: impl Into<String>) {
        self.source.fault(Some(self.span.clone()), message);
    }

    /// Reports something wrong with the table as a whole, and what to do about it.
    pub fn fault_with_help(&self, message: impl Into<String>, help: impl Into<String>) {
        self.source.push(Some(self.span.clone()), message.into(), Some(help.into()));
    }

    /// Reports something wrong on a line that was read before, and what to do about it.
    pub fn fault_on(&self, line: Option<usize>, message: impl Into<String>, help: impl Into<String>) {
        let file = self.source.file.to_owned();
        let fault = Fault { file, line, message: message.into(), help: Some(help.into()) };
        self.source.faults.borrow_mut().push(fault);
    }

    /// The value under `key`, if there is one.
    pub fn optional(&self, key: &'static str) -> Option<Item<'d>> {
        self.asked.borrow_mut().push(key);
        self.item(key)
    }

    /// The value under `key`; its absence is a fault.
    pub fn required(&self, key: &'static str) -> Option<Item<'d>> {
        let item = self.optional(key);
        if item.is_none() {
            self.fault(format!("`{key}` is missing{}", self.place()));
        }
        item
    }

    /// The table under `key`; its absence is a fault.
    pub fn table(&self, key: &'static str) -> Option<Table<'d>> {
        self.required(key)?.table()
    }

    /// The tables under `key`, written `[[key]]` or as a list; none if the key is absent.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'d>> {
        self.optional(key)
            .and_then(|item| item.list())
            .map(|items| items.into_iter().filter_map(Item::table).collect())
            .unwrap_or_default()
    }

    /// All entries of a table whose keys are names; after this no key is unknown.
    pub fn entries(self) -> Vec<(String, Item<'d>)> {
        self.leave_rest();
        self.table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let item = Item { source: self.source, value, path: self.path_of(&name) };
                (name, item)
            })
            .collect()
    }

    /// Leaves the keys not asked for to somebody else: after this no key is unknown.
    pub fn leave_rest(&self) {
        self.open.set(true);
    }

    fn item(&self, key: &str) -> Option<Item<'d>> {
        let value = self.table.get(key)?;
        Some(Item { source: self.source, value, path: self.path_of(key) })
    }

    fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// ` in [name]`, for a fault about something inside; nothing for the root.
    pub fn place(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        if self.open.get() {
            return;
        }
        let asked = self.asked.borrow();
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let help = suggestion(name, asked.iter().copied());
                let message = format!("unknown key `{name}`{}", self.place());
                self.source.push(Some(key.span()), message, help);
            }
        }
    }
}

/// One value being read.
pub struct Item<'d> {
    source: &'d Source<'d>,
    value: &'d Spanned<DeValue<'d>>,
    path: String,
}

impl<'d> Item<'d> {
    /// Reports something wrong with this value.
    pub fn fault(&self, message: impl Display) {
        self.source.fault(Some(self.value.span()), format!("`{}`: {message}", self.path));
    }

    /// Reports something wrong with this value, and what to do about it.
    pub fn fault_with_help(&self, message: impl Display, help: Option<String>) {
        let message = format!("`{}`: {message}", self.path);
        self.source.push(Some(self.value.span()), message, help);
    }

    /// The file's name as the host gave it.
    pub fn file(&self) -> &str {
        self.source.file
    }

    /// The line the value is on, from 1.
    pub fn line(&self) -> usize {
        self.source.line(self.value.span().start)
    }

    fn is_not(&self, wanted: &str) {
        self.fault(format!("{wanted} is wanted here, not {}", self.value.get_ref().type_str()));
    }

    fn want<T>(&self, made: Option<T>, wanted: &str) -> Option<T> {
        if made.is_none() {
            self.is_not(wanted);
        }
        made
    }

    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    pub fn text(&self) -> Option<&'d str> {
        self.want(self.value.get_ref().as_str(), "a text")
    }

    /// A text that `parse` must accept; its error is the fault.
    pub fn parsed<T, E: Display>(&self, parse: impl FnOnce(&'d str) -> Result<T, E>) -> Option<T> {
        parse(self.text()?).map_err(|error| self.fault(error)).ok()
    }

    /// A text from a closed list.
    pub fn word<T: Copy>(&self, all: &[T], spelling: impl Fn(T) -> &'static str) -> Option<T> {
        let text = self.text()?;
        let found = all.iter().copied().find(|known| spelling(*known) == text);
        if found.is_none() {
            let help = suggestion(text, all.iter().map(|known| spelling(*known)));
            self.fault_with_help(format!("`{text}` is not known here"), help);
        }
        found
    }

    pub fn boolean(&self) -> Option<bool> {
        self.want(self.value.get_ref().as_bool(), "true or false")
    }

    pub fn integer(&self) -> Option<i64> {
        let number = self
            .value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        self.want(number, "a whole number")
    }

    /// A whole number within bounds.
    pub fn count(&self, within: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.integer()?;
        let count = u64::try_from(number).ok().filter(|count| within.contains(count));
        if count.is_none() {
            self.fault(format!("{number} is not from {} to {}", within.start(), within.end()));
        }
        count
    }

    /// A number, whole or not.
    pub fn number(&self) -> Option<f64> {
        let value = self.value.get_ref();
        let number = match value.as_float() {
            Some(float) => float.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
            None => value.as_integer().and_then(|number| number.as_str().parse().ok()),
        };
        self.want(number, "a number")
    }

    /// Whether the value is written as a whole number, a number with a fraction, or neither.
    pub fn is_integer(&self) -> bool {
        self.value.get_ref().is_integer()
    }

    pub fn is_float(&self) -> bool {
        self.value.get_ref().is_float()
    }

    pub fn is_boolean(&self) -> bool {
        self.value.get_ref().is_bool()
    }

    pub fn is_date(&self) -> bool {
        self.value.get_ref().is_datetime()
    }

    /// A date as TOML writes one, without quotes: `2026-12-01`.
    pub fn date(&self) -> Option<jiff::civil::Date> {
        let date = self.value.get_ref().as_datetime().and_then(|datetime| {
            let alone = datetime.time.is_none() && datetime.offset.is_none();
            datetime.to_string().parse().ok().filter(|_| alone)
        });
        self.want(date, "a date such as 2026-12-01, without quotes,")
    }

    pub fn list(&self) -> Option<Vec<Item<'d>>> {
        let array = self.want(self.value.get_ref().as_array(), "a list")?;
        let items = array.iter().enumerate().map(|(index, value)| Item {
            source: self.source,
            value,
            path: format!("{}[{index}]", self.path),
        });
        Some(items.collect())
    }

    pub fn table(self) -> Option<Table<'d>> {
        let table = self.want(self.value.get_ref().as_table(), "a table")?;
        Some(Table::new(self.source, table, self.path, self.value.span()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_come_at_once_with_lines_and_suggestions() {
        let text = "name = 3\ncolor = \"red\"\n\n[deep]\nsize = -1\n";
        let faults = read("t.toml", text, |root| {
            let name = root.required("name").and_then(|item| item.text().map(str::to_owned));
            root.required("colour");
            let deep = root.table("deep")?;
            deep.required("size").and_then(|item| item.count(1..=9));
            name
        })
        .unwrap_err();
        let shown: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "t.toml:1: `name`: a text is wanted here, not integer",
                "t.toml:1: `colour` is missing",
                "t.toml:5: `deep.size`: -1 is not from 1 to 9",
                "t.toml:2: unknown key `color`\n    did you mean `colour`?",
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_toml_says_where() {
        let faults = read("t.toml", "a = 1\nb = \n", |_| Some(())).unwrap_err();
        assert_eq!(faults.0.first().and_then(|fault| fault.line), Some(2));
    }

    #[test]
    fn a_date_is_a_date_alone() {
        let date = |text: &str| read("t", text, |root| root.required("d")?.date());
        assert!(date("d = 2026-12-01").is_ok());
        assert!(date("d = 2026-12-01T10:00:00").is_err());
        assert!(date("d = \"2026-12-01\"").is_err());
    }
}
