//! Sealing: writing the view's digest into an agreement, and nothing else (design 4). The editor
//! knows where the value lies from the reader's line, never from searching for words, because a
//! text inside the agreement may look like anything.

use crate::config::strict::read;
use crate::model::Digest;

/// Why an agreement could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// Not TOML, or `[seal]` is not a table.
    Unreadable,
    /// `view` is not written on one line as a plain text.
    Spelling,
}

impl std::fmt::Display for SealError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the file could not be read as TOML with a table [seal]",
            Self::Spelling => "the seal is not written as one line `view = \"..\"` under [seal]",
        })
    }
}

impl std::error::Error for SealError {}

/// Where the seal is in a text; lines from 1.
enum Place {
    Absent,
    /// `[seal]` without `view`.
    Table {
        line: usize,
    },
    View {
        line: usize,
        value: String,
    },
}

/// `text` with `view` as its seal. Everything but that one line stays byte for byte.
pub fn seal(text: &str, view: Digest) -> Result<String, SealError> {
    let sealed = match find(text)? {
        Place::Absent => {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            format!("{text}{gap}\n[seal]\nview = \"{view}\"\n")
        }
        Place::Table { line } => edit(text, line, |header| {
            let gap = if header.ends_with('\n') { "" } else { "\n" };
            Some(format!("{header}{gap}view = \"{view}\"\n"))
        })?,
        Place::View { line, value } => edit(text, line, |old| {
            let (before, after) = split_at_quoted(old, &value)?;
            Some(format!("{before}\"{view}\"{after}"))
        })?,
    };
    // Read back: an odd spelling must not leave a file sealed over something else.
    match find(&sealed)? {
        Place::View { value, .. } if Digest::parse(&value) == Some(view) => Ok(sealed),
        _ => Err(SealError::Spelling),
    }
}

fn find(text: &str) -> Result<Place, SealError> {
    read("", text, |root| {
        root.leave_rest();
        let Some(seal) = root.optional("seal") else { return Some(Place::Absent) };
        let table = seal.table()?;
        table.leave_rest();
        match table.optional("view") {
            None => Some(Place::Table { line: table.line() }),
            Some(view) => Some(Place::View { line: view.line(), value: view.text()?.to_owned() }),
        }
    })
    .map_err(|_| SealError::Unreadable)
}

/// `text` with the line of this number, its line end included, replaced.
fn edit(text: &str, line: usize, change: impl FnOnce(&str) -> Option<String>) -> Result<String, SealError> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = line.checked_sub(1).ok_or(SealError::Spelling)?;
    let (before, rest) = lines.split_at_checked(at).ok_or(SealError::Spelling)?;
    let (old, after) = rest.split_first().ok_or(SealError::Spelling)?;
    let new = change(old).ok_or(SealError::Spelling)?;
    Ok([&before.concat(), &new, &after.concat()].map(String::as_str).concat())
}

/// What stands around `"value"` or `'value'` in a line.
fn split_at_quoted<'t>(line: &'t str, value: &str) -> Option<(&'t str, &'t str)> {
    [format!("\"{value}\""), format!("'{value}'")].iter().find_map(|quoted| line.split_once(quoted.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> Digest {
        Digest::of(b"view")
    }

    #[test]
    fn an_unsealed_text_gains_a_table_at_its_end() {
        for text in ["", "a = 1\n", "a = 1", "a = '''\n[seal]\nview = \"x\"\n'''\n# end"] {
            let sealed = seal(text, view()).unwrap();
            assert!(sealed.starts_with(text));
            assert!(sealed.ends_with(&format!("\n[seal]\nview = \"{}\"\n", view())));
        }
    }

    #[test]
    fn a_seal_is_replaced_in_its_line_and_the_rest_stays() {
        let old = Digest::of(b"old");
        let around = |value: &str| {
            format!(
                "a = '''\nview = \"{old}\"\n'''\n[seal]   # by hand\n  view ={value}  # the view\n\n[b]\nc = 1"
            )
        };
        for quoted in [format!(" \"{old}\""), format!("'{old}'"), "\"\"".to_owned()] {
            let sealed = seal(&around(&quoted), view()).unwrap();
            let space = if quoted.starts_with(' ') { " " } else { "" };
            assert_eq!(sealed, around(&format!("{space}\"{}\"", view())));
            assert_eq!(seal(&sealed, view()).unwrap(), sealed);
        }
    }

    #[test]
    fn a_table_without_a_view_gains_the_line() {
        let sealed = seal("[seal]\n\n[b]\nc = 1\n", view()).unwrap();
        assert_eq!(sealed, format!("[seal]\nview = \"{}\"\n\n[b]\nc = 1\n", view()));
        assert_eq!(seal("[seal]", view()).unwrap(), format!("[seal]\nview = \"{}\"\n", view()));
    }

    #[test]
    fn an_odd_spelling_is_refused_and_never_half_sealed() {
        assert_eq!(seal("seal = 3\n", view()), Err(SealError::Unreadable));
        assert_eq!(seal("a = \n", view()), Err(SealError::Unreadable));
        assert_eq!(seal("[seal]\nview = \"\\u0061\"\n", view()), Err(SealError::Spelling));
        assert_eq!(seal("[seal]\nview = \"\"\"\na\nb\"\"\"\n", view()), Err(SealError::Spelling));
        assert_eq!(seal("seal = {}\n", view()), Err(SealError::Spelling));
    }
}
