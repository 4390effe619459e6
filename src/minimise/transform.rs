//! The transforms: what becomes of one released value, and of which types it may be (design 4).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::days;
use super::decimal::Step;
use super::fault::MinimiseFaultKind;
use crate::crypto::{self, MacKey};
use crate::json::{Node, write_string};
use crate::model::{AgreementId, Format, Scalar, ScalarKind, Transform};

/// What a transform may depend on beside the value.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// Today in London, by which ages and periods are reckoned.
    pub today: Date,
    /// London: the day a date-time is on.
    pub zone: &'c TimeZone,
    pub agreement: &'c AgreementId,
    pub pseudonyms: &'c Pseudonyms,
}

/// The key of pseudonyms, from which one for each agreement and field is derived, so that two partners
/// cannot join. Prints as stars.
pub struct Pseudonyms {
    master: Zeroizing<[u8; 32]>,
    generation: u32,
}

impl Pseudonyms {
    /// `generation` goes up when pseudonyms shall no longer match the earlier ones.
    pub fn new(master: [u8; 32], generation: u32) -> Self {
        Self { master: Zeroizing::new(master), generation }
    }

    pub(super) fn key(&self, agreement: &AgreementId, field: &str) -> MacKey {
        let info: [&[u8]; 4] = [
            b"tolbooth/pseudonym/v1",
            agreement.as_str().as_bytes(),
            field.as_bytes(),
            &self.generation.to_be_bytes(),
        ];
        MacKey::new(&crypto::derive(&self.master, &info))
    }
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(***)")
    }
}

/// A transform made ready for one field.
#[derive(Debug)]
pub(super) enum Change {
    Keep,
    YearOfBirth(Option<Format>),
    AgeBand {
        format: Option<Format>,
        bands: Vec<(u32, String)>,
    },
    Initials,
    MaskKeepLast(usize),
    PostcodeDistrict,
    CodeMap(BTreeMap<String, String>),
    /// By which of the projection's pseudonymised fields this is.
    Pseudonym(usize),
    Round(Step),
}

/// The characters of a pseudonym: 128 bits in hexadecimal.
pub(super) const PSEUDONYM_CHARS: usize = 32;

/// Whether a field of this type can be transformed so, and if not, why.
pub(super) fn check(transform: &Transform, scalar: &Scalar) -> Result<(), String> {
    use ScalarKind::{Integer, Number, String};
    let wanted = match transform {
        Transform::None | Transform::ExistsYesNo => return Ok(()),
        Transform::YearOfBirth | Transform::AgeBand { .. } if days::has_days(scalar.format) => None,
        Transform::YearOfBirth | Transform::AgeBand { .. } => Some("a date or date-time"),
        Transform::Initials | Transform::MaskKeepLast { .. } | Transform::PostcodeDistrict => {
            (scalar.kind != String).then_some("a string")
        }
        Transform::CodeMap { .. } | Transform::Pseudonym => {
            (!matches!(scalar.kind, String | Integer)).then_some("a string or an integer")
        }
        Transform::Round { .. } => (!matches!(scalar.kind, Number | Integer)).then_some("a number"),
    };
    if let Some(wanted) = wanted {
        return Err(format!(
            "`{}` is for {wanted}, and the contract says {}",
            transform.name(),
            words(scalar)
        ));
    }
    match transform {
        Transform::AgeBand { bands } => {
            let rising = bands.windows(2).all(|pair| matches!(pair, [low, high] if low.from < high.from));
            let from_birth = bands.first().is_some_and(|band| band.from == 0);
            let labels: BTreeSet<&str> = bands.iter().map(|band| &*band.label).collect();
            let told_apart = labels.len() == bands.len();
            if rising && from_birth && told_apart {
                Ok(())
            } else {
                Err("the bands of `age_band` start at 0, rise, and have a label each".into())
            }
        }
        Transform::CodeMap { table } => check_table(table, scalar),
        Transform::Round { to } if Step::new(*to).is_none() => {
            Err("`round` is to a number above 0 of at most 19 digits".into())
        }
        _ => Ok(()),
    }
}

/// A code the contract lists and the table does not would stop answers one day.
fn check_table(table: &BTreeMap<String, String>, scalar: &Scalar) -> Result<(), String> {
    if table.is_empty() {
        return Err("the table of `code_map` is empty".into());
    }
    for value in scalar.values.iter().flatten() {
        let code = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if !table.contains_key(&code) {
            return Err(format!("the table of `code_map` has no `{code}`, which the contract allows"));
        }
    }
    Ok(())
}

/// Whether a field of this type can be transformed so.
pub fn fits(transform: &Transform, scalar: &Scalar) -> bool {
    check(transform, scalar).is_ok()
}

fn words(scalar: &Scalar) -> String {
    match scalar.format {
        Some(format) => format!("{} of format {}", scalar.kind.as_str(), format.as_str()),
        None => scalar.kind.as_str().to_owned(),
    }
}

impl Change {
    /// Makes a transform ready; [`check`] has found it fit. `pseudonymised` collects the fields that
    /// need a key.
    pub fn compile(
        transform: &Transform,
        scalar: &Scalar,
        path: &str,
        pseudonymised: &mut Vec<String>,
    ) -> Option<Self> {
        Some(match transform {
            Transform::None => Self::Keep,
            Transform::YearOfBirth => Self::YearOfBirth(scalar.format),
            Transform::AgeBand { bands } => Self::AgeBand {
                format: scalar.format,
                bands: bands.iter().map(|band| (band.from, band.label.clone())).collect(),
            },
            Transform::Initials => Self::Initials,
            Transform::MaskKeepLast { characters } => Self::MaskKeepLast(*characters),
            Transform::PostcodeDistrict => Self::PostcodeDistrict,
            Transform::CodeMap { table } => Self::CodeMap(table.clone()),
            Transform::Pseudonym => {
                pseudonymised.push(path.to_owned());
                Self::Pseudonym(pseudonymised.len() - 1)
            }
            Transform::Round { to } => Self::Round(Step::new(*to)?),
            Transform::ExistsYesNo => return None,
        })
    }

    /// Writes a value of the right type, not null, as it leaves.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        node: Node<'_>,
        context: &Context<'_>,
        keys: &[MacKey],
    ) -> Result<(), MinimiseFaultKind> {
        let unreadable = MinimiseFaultKind::Unreadable;
        let words = || node.text().or_else(|| node.number_text().map(Cow::Borrowed)).ok_or(unreadable);
        match self {
            Self::Keep => out.extend_from_slice(node.raw()),
            Self::YearOfBirth(format) => {
                let day = days::day(&words()?, *format, context.zone).ok_or(unreadable)?;
                out.extend_from_slice(day.year().to_string().as_bytes());
            }
            Self::AgeBand { format, bands } => {
                let born = days::day(&words()?, *format, context.zone).ok_or(unreadable)?;
                let age = days::age(born, context.today).ok_or(unreadable)?;
                let band = bands.iter().rev().find(|(from, _)| *from <= age).ok_or(unreadable)?;
                write_string(out, &band.1);
            }
            Self::Initials => write_string(out, &initials(&words()?)),
            Self::MaskKeepLast(keep) => write_string(out, &masked(&words()?, *keep)),
            Self::PostcodeDistrict => write_string(out, &district(&words()?).ok_or(unreadable)?),
            Self::CodeMap(table) => {
                let code = table.get(&*words()?).ok_or(MinimiseFaultKind::UnknownCode)?;
                write_string(out, code);
            }
            Self::Pseudonym(which) => {
                let key = keys.get(*which).ok_or(unreadable)?;
                let tag = crate::model::Digest(key.tag(&[words()?.as_bytes()])).hex();
                write_string(out, tag.get(..PSEUDONYM_CHARS).ok_or(unreadable)?);
            }
            Self::Round(step) => {
                let rounded = step.round(node.number_text().ok_or(unreadable)?).ok_or(unreadable)?;
                out.extend_from_slice(rounded.as_bytes());
            }
        }
        Ok(())
    }
}

/// The first letter or digit of each word, large.
fn initials(name: &str) -> String {
    let firsts = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let letters: Vec<String> = firsts.map(|first| first.to_uppercase().collect()).collect();
    letters.join(" ")
}

/// Stars but for the last `keep` characters; a text no longer than that is stars alone, because a
/// mask never shows the whole.
fn masked(text: &str, keep: usize) -> String {
    let length = text.chars().count();
    let hidden = if length > keep { length - keep } else { length };
    text.chars().enumerate().map(|(at, c)| if at < hidden { '*' } else { c }).collect()
}

/// The outward code of a United Kingdom postcode, with or without its space. Anything else has none:
/// half of it could be half of an address.
fn district(postcode: &str) -> Option<String> {
    let code: String = postcode.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let (outward, inward) = code.split_at_checked(code.len().checked_sub(3)?)?;
    let shape = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_digit() {
                    '9'
                } else if c.is_ascii_uppercase() {
                    'A'
                } else {
                    '?'
                }
            })
            .collect()
    };
    let known =
        ["A9", "A99", "AA9", "AA99", "A9A", "AA9A"].contains(&&*shape(outward)) && shape(inward) == "9AA";
    known.then(|| outward.to_owned())
}

/// What `exists_yes_no` says of a value that is there: null, false and what is empty do not exist.
pub(super) fn exists(node: Node<'_>) -> bool {
    use crate::json::Kind;
    match node.kind() {
        Kind::Null => false,
        Kind::Boolean => node.boolean() == Some(true),
        Kind::String => node.text().is_some_and(|text| !text.trim().is_empty()),
        Kind::Number => true,
        Kind::Array | Kind::Object => !node.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_never_shows_the_whole() {
        assert_eq!(masked("01632 960123", 3), "*********123");
        assert_eq!(masked("123", 3), "***");
        assert_eq!(masked("é2", 1), "*2");
        assert_eq!(masked("", 3), "");
        assert_eq!(masked("abc", 0), "***");
    }

    #[test]
    fn initials_are_letters_of_words() {
        assert_eq!(initials("Mairi Ann MacLeod"), "M A M");
        assert_eq!(initials("  àlasdair  (òg) - o'neil "), "À Ò O");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn a_district_is_read_from_postcodes_alone() {
        for (code, outward) in
            [("EH3 9AB", "EH3"), ("zz991aa", "ZZ99"), ("W1A 1AA", "W1A"), ("EC1A1BB", "EC1A")]
        {
            assert_eq!(district(code).as_deref(), Some(outward));
        }
        for bad in ["", "EH3", "12 High Street", "EH3 9A", "EH3 AAB", "E99A 1AA", "ÉH3 9AB", "EH3-9AB", "9AA"]
        {
            assert_eq!(district(bad), None, "{bad}");
        }
    }
}
