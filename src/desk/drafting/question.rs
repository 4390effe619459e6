//! One question, as it is put to somebody.

/// What is asked, and what may be said.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its name in a file of answers.
    pub key: &'static str,
    /// The question in plain words.
    pub asks: String,
    /// What the answer is for, and how it is written.
    pub help: &'static str,
    /// The codes or names that may be said, each with its words. Where there are some, their numbers will do too.
    pub choices: Vec<(String, String)>,
    /// What an empty answer says.
    pub default: Option<String>,
}

impl Question {
    pub(super) fn new(key: &'static str, asks: impl Into<String>, help: &'static str) -> Self {
        Self { key, asks: asks.into(), help, choices: Vec::new(), default: None }
    }

    pub(super) fn with_choices(mut self, choices: Vec<(String, String)>) -> Self {
        self.choices = choices;
        self
    }

    pub(super) fn with_default(mut self, default: Option<String>) -> Self {
        self.default = default.filter(|text| !text.is_empty());
        self
    }

    /// An answer with each number of a choice put into its name.
    pub fn named(&self, given: &str) -> String {
        let name = |part: &str| {
            let number = part.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            number.and_then(|index| self.choices.get(index)).map(|(name, _)| name.clone())
        };
        let parts: Vec<String> =
            given.split(',').map(|part| name(part).unwrap_or_else(|| part.to_owned())).collect();
        parts.join(",").trim().to_owned()
    }
}
