//! Answers taken apart: codes, lists, and what is wrong with one.

use jiff::civil::Date;

use crate::model::{Fault, Vocabulary, suggestion};

/// What is wrong with an answer. It stands in no file: what is shown of it are its words and what to do.
pub(super) fn wrong(message: impl Into<String>) -> Fault {
    Fault::new("answer", None, message)
}

/// The parts between commas, without the empty ones.
pub(super) fn listed(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A word of a closed list.
pub(super) fn code<T: Vocabulary>(text: &str) -> Result<T, Fault> {
    let text = text.trim();
    T::ALL.iter().copied().find(|known| known.code() == text).ok_or_else(|| {
        let help = suggestion(text, T::ALL.iter().map(|known| known.code()));
        Fault { help, ..wrong(format!("`{text}` is not among them")) }
    })
}

pub(super) fn day(text: &str) -> Result<Date, Fault> {
    let day = text.trim().parse::<Date>();
    day.map_err(|_| wrong(format!("`{}` is not a day such as 2026-12-01", text.trim())))
}

/// Codes with their words, to be offered.
pub(super) fn choices(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(code, words)| ((*code).to_owned(), (*words).to_owned())).collect()
}

/// A text of at most so many characters, cut at a word.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let head: String = text.chars().take(chars_max).collect();
    head.rsplit_once(' ').map_or(head.clone(), |(whole, _)| whole.to_owned())
}
