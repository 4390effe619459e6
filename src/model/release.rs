//! What an agreement releases: fields with transforms, over rows that meet a condition.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use super::FieldPath;

/// The data part of an agreement. `release` and `withhold` together cover every property of the
/// contract's answer: `minimise/` checks it against the shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// An entry for an object or list releases nothing below it by itself: leaves are listed.
    pub fields: Vec<(FieldPath, Transform)>,
    /// An entry for an object or list withholds everything below it.
    pub withhold: Vec<FieldPath>,
    pub rows: Rows,
}

/// No number of an agreement is NaN: its loader refuses what is not finite.
impl Eq for Release {}

/// Over what tells releases of one contract apart; equality looks at everything.
impl Hash for Release {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (field, transform) in &self.fields {
            field.hash(state);
            transform.name().hash(state);
        }
        self.withhold.hash(state);
        self.rows.tests().iter().for_each(|test| test.field.hash(state));
    }
}

/// What happens to a released value (`domain.md` V12, as far as this version goes).
#[derive(Debug, Clone, PartialEq)]
pub enum Transform {
    /// The value as it is.
    None,
    /// A date or date-time becomes its year, a number.
    YearOfBirth,
    /// A date of birth becomes the band its age today (London) falls in; bands are in order.
    AgeBand { bands: Vec<Band> },
    /// `Mairi Ann MacLeod` becomes `M A M`.
    Initials,
    /// All but the last characters become `*`.
    MaskKeepLast { characters: usize },
    /// `EH3 9AB` becomes `EH3`.
    PostcodeDistrict,
    /// Anything but null, false, empty and absent is `true`.
    ExistsYesNo,
    /// A code becomes another; a code not in the table stops the answer.
    CodeMap { table: BTreeMap<String, String> },
    /// A keyed pseudonym, different for each agreement and field, so that two partners cannot join.
    Pseudonym,
    /// Rounded half away from zero to a multiple of `to`, which is above zero.
    Round { to: f64 },
}

impl Transform {
    /// The names a file may use.
    pub const NAMES: [&'static str; 10] = [
        "none",
        "year_of_birth",
        "age_band",
        "initials",
        "mask_keep_last",
        "postcode_district",
        "exists_yes_no",
        "code_map",
        "pseudonym",
        "round",
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::YearOfBirth => "year_of_birth",
            Self::AgeBand { .. } => "age_band",
            Self::Initials => "initials",
            Self::MaskKeepLast { .. } => "mask_keep_last",
            Self::PostcodeDistrict => "postcode_district",
            Self::ExistsYesNo => "exists_yes_no",
            Self::CodeMap { .. } => "code_map",
            Self::Pseudonym => "pseudonym",
            Self::Round { .. } => "round",
        }
    }
}

/// Ages from `from` (in whole years) to the next band's `from`; the last is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    pub from: u32,
    pub label: String,
}

/// Which rows may leave.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// `all_rows = true`: said aloud, never a default.
    Every,
    /// Every test holds.
    All(Vec<Test>),
    /// At least one test holds.
    Any(Vec<Test>),
}

impl Rows {
    pub fn tests(&self) -> &[Test] {
        match self {
            Self::Every => &[],
            Self::All(tests) | Self::Any(tests) => tests,
        }
    }
}

/// One test over a scalar field the contract requires.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    pub field: FieldPath,
    pub check: Check,
}

/// Dates are days in London. A null value meets `NotIn` and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    Is(Literal),
    In(Vec<Literal>),
    NotIn(Vec<Literal>),
    AtLeast(Literal),
    AtMost(Literal),
    /// The date lies in the period of this many months and days that ends today.
    Within {
        months: u32,
        days: u32,
    },
    /// The date is today or later.
    NotBeforeToday,
}

/// A value an agreement writes down.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// `YYYY-MM-DD`.
    Date(String),
}
