//! The field list as one table: every key an agreement may hold, what it is, when it is wanted, where the template
//! has it, and how far the gateway holds it. `docs/fields.md` and `schemas/agreement.schema.json` are written
//! from it; the loader reads the same, and tests hold the three together.
//!
//! Not here: what the sections must say alike, which only the loader judges.

mod kinds;
mod list;
mod owed;
mod page;
mod schema;

pub use page::page;
pub use schema::schema;

/// One key. `[]` in its path stands for each of a list of tables, `<party>` for a party's id.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub path: &'static str,
    pub kind: Kind,
    pub formats: Formats,
    pub need: Need,
    /// Of the Scottish Information Sharing Agreement.
    pub section: &'static str,
    pub held: Held,
    /// What it says, in a few words.
    pub words: &'static str,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A table by itself, where it is not wanted whenever one of its keys is.
    Table,
    Id,
    /// At least one.
    Ids,
    /// May be empty.
    IdsIfAny,
    /// One line of at most so many characters.
    Line(usize),
    /// One line that says enough to be judged.
    Statement,
    /// One code of a closed list, each with its words.
    Word(&'static [(&'static str, &'static str)]),
    Words(&'static [(&'static str, &'static str)]),
    /// At least one.
    SomeWords(&'static [(&'static str, &'static str)]),
    Count(u64, u64),
    Fraction,
    Flag,
    /// `true`, said aloud.
    True,
    /// `false`, said aloud.
    False,
    Date,
    Email,
    Telephone,
    Page,
    Period,
    /// A period, or this word.
    PeriodOr(&'static str),
    OfficialCode,
    Registration,
    Template,
    /// A paragraph of DPA 2018 Schedule 1.
    Paragraph,
    Paragraphs,
    Digest,
    /// What is released, as this format writes it.
    Release(u8),
    Fields,
    Rows,
    /// `"24x7"`, or spans of the days of the week.
    Hours,
}

/// In which formats a key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formats {
    Both,
    First,
    Second,
}

impl Formats {
    pub fn has(self, format: u8) -> bool {
        match self {
            Self::Both => true,
            Self::First => format == 1,
            Self::Second => format == 2,
        }
    }
}

/// When a key has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Always,
    /// In these circumstances, which only the loader judges.
    When(&'static str),
    Never,
}

/// How far the gateway stands behind what officers sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Every question is refused that does not meet it.
    Enforced,
    /// The gateway does not act on it, but what it recorded or compared shows whether it was so.
    Evidenced,
    /// A word between the parties: no machine here keeps it.
    Promised,
}

impl Held {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Evidenced => "evidenced",
            Self::Promised => "promised",
        }
    }
}

/// Keys of the field list that are not taken yet, because nothing here would hold them.
pub const NOT_YET: [(&str, &str); 8] = [
    ("emergency.conditions", "in which emergencies"),
    ("emergency.extra_fields", "what is released besides in one"),
    ("emergency.notify_minutes", "how soon the provider is told of one"),
    ("emergency.per_day", "how often a day"),
    ("emergency.review_hours", "how soon one is reviewed"),
    ("emergency.second_person", "whether two have to ask"),
    ("emergency.allowed = true", "an emergency clause"),
    ("flow.notify_owner = \"always\"", "telling the owner of the data of questions"),
];

/// Every key, in the order of the template.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    list::SHARING.iter().chain(owed::OWED)
}
