//! Lines of TOML: headings, tables, keys and their values.

use std::fmt::{Display, Write as _};

/// The longest line of a list or table before it is broken up.
const LINE_CHARS: usize = 110;

/// A file being written, from its first line.
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn new() -> Self {
        Self("format = 2\n".to_owned())
    }

    pub(super) fn text(self) -> String {
        self.0
    }

    /// A section of the Scottish Information Sharing Agreement.
    pub(super) fn heading(&mut self, heading: &str) {
        let _ = write!(self.0, "\n# {heading}\n");
    }

    /// `[name]`, or `[[name]]` where it is one of several.
    pub(super) fn table(&mut self, header: &str) {
        let _ = write!(self.0, "\n{header}\n");
    }

    /// A comment of ours: never a word that somebody else typed.
    pub(super) fn remark(&mut self, remark: &str) {
        let _ = writeln!(self.0, "# {remark}");
    }

    pub(super) fn key(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    pub(super) fn text_of(&mut self, key: &str, text: impl Display) {
        self.key(key, quoted(&text.to_string()));
    }

    pub(super) fn text_if(&mut self, key: &str, text: Option<impl Display>) {
        if let Some(text) = text {
            self.text_of(key, text);
        }
    }

    /// A list of texts.
    pub(super) fn texts<T: Display>(&mut self, key: &str, all: &[T]) {
        let items: Vec<String> = all.iter().map(|one| quoted(&one.to_string())).collect();
        self.list(key, &items);
    }

    /// A list of values as they are, on one line if they fit.
    pub(super) fn list(&mut self, key: &str, items: &[String]) {
        let line = format!("[{}]", items.join(", "));
        if key.len() + line.chars().count() <= LINE_CHARS {
            return self.key(key, line);
        }
        let _ = writeln!(self.0, "{key} = [");
        for item in items {
            let _ = writeln!(self.0, "    {item},");
        }
        self.0.push_str("]\n");
    }
}

/// An inline table of what is there.
pub(super) fn inline(entries: &[(&str, String)]) -> String {
    let shown: Vec<String> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", shown.join(", "))
}

/// A basic string (TOML 1.0, "String"): what ends one, and what may not stand in one, is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A number with a fraction as TOML writes one: whole ones keep their point.
pub(super) fn number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.1}") } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_where_it_should() {
        assert_eq!(quoted("O'Neil \"Mòr\" \\ x"), r#""O'Neil \"Mòr\" \\ x""#);
        assert_eq!(quoted("a\nb = 1"), r#""a\u000Ab = 1""#);
    }
}
