//! One spelling for one identifier: what a keyed reference or a commitment is made over. `contract/` says
//! whether a question's identifier is legal; here it is not asked.

use std::borrow::Cow;

use super::{Subject, SubjectKind};

/// Of [`Subject::normalised`]; part of what is hashed, so that a change never mixes two spellings.
pub const NORMALISER: u8 = 1;

impl Subject {
    /// The identifier in its one spelling.
    pub fn normalised(&self) -> Cow<'_, str> {
        normalise(&self.kind, &self.identifier)
    }
}

fn normalise<'i>(kind: &SubjectKind, identifier: &'i str) -> Cow<'i, str> {
    match kind.as_str() {
        "chi" | "nhs_number" => identifier.chars().filter(|c| !c.is_whitespace()).collect(),
        "uprn" => {
            let digits = identifier.trim();
            match digits.trim_start_matches('0') {
                "" if !digits.is_empty() => "0".into(),
                rest => rest.into(),
            }
        }
        "vrm" => identifier.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect(),
        "name_dob" => identifier.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").into(),
        _ => identifier.trim().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_one_spelling() {
        for (name, given, wanted) in [
            ("chi", " 010101 9999", "0101019999"),
            ("uprn", "000123", "123"),
            ("uprn", "000", "0"),
            ("vrm", "zz99 zzz", "ZZ99ZZZ"),
            ("name_dob", "  Ailsa   ROSS 2001-01-01", "ailsa ross 2001-01-01"),
            ("local_id", " A 1 ", "A 1"),
        ] {
            assert_eq!(normalise(&SubjectKind::new(name).unwrap(), given), wanted, "{name}");
        }
    }
}
