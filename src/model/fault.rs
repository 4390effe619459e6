//! What is wrong in a file, where, and what to do about it. Loaders report all faults at once.

use std::fmt;

/// One thing wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as the host named it, for example `policies/agreements/x.toml`.
    pub file: String,
    /// From 1; absent where the whole file is meant.
    pub line: Option<usize>,
    /// Lower case, no full stop: ``unknown key `relase` in [data]``.
    pub message: String,
    /// What to do about it, such as ``did you mean `release`?``.
    pub help: Option<String>,
}

impl Fault {
    pub fn new(file: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into(), help: None }
    }

    /// File, line and message without what stands between its first and its last backtick: somebody's own words
    /// are there, and could be anything, backticks too.
    pub fn without_values(&self) -> String {
        let message = match (self.message.split_once('`'), self.message.rsplit_once('`')) {
            (Some((before, _)), Some((_, after))) => format!("{before}`..`{after}"),
            _ => self.message.clone(),
        };
        Self { message, help: None, ..self.clone() }.to_string()
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n    {help}"),
            None => Ok(()),
        }
    }
}

/// Everything wrong, in the order found. An error once it is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn extend(&mut self, other: Faults) {
        self.0.extend(other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if nothing is wrong.
    pub fn into_result(self) -> Result<(), Faults> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// ``did you mean `x`?``, or the whole list where nothing is near and the list is short.
pub fn suggestion<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// Above this a list of everything allowed no longer helps.
    const LISTED_MAX: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 3));
    match near {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() || known.len() > LISTED_MAX => None,
        None => Some(format!("one of: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_own_words_are_told_without_values() {
        let told = |message: &str| Fault::new("a.toml", Some(3), message).with_help("x").without_values();
        assert_eq!(told("`a` is `se`cret` here"), "a.toml:3: `..` here");
        assert_eq!(told("wanted a date"), "a.toml:3: wanted a date");
        assert_eq!(told("one ` alone"), "a.toml:3: one `..` alone");
    }

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_gets_the_list() {
        assert_eq!(suggestion("relase", ["release", "rows"]).as_deref(), Some("did you mean `release`?"));
        assert_eq!(suggestion("zzzzzz", ["release", "rows"]).as_deref(), Some("one of: release, rows"));
    }
}
