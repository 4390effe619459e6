//! The questions in their order, each by the name it has in a file of answers. When one is asked, and in which
//! words, is in `asked.rs`; what its answer says is in `taken.rs`.

/// One question. Whether it is asked depends on the answers before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Partner,
    Dataset,
    Kind,
    Stage,
    Purpose,
    Statement,
    Systems,
    Release,
    Rows,
    Why,
    Subjects,
    Registered,
    Contact,
    Offices,
    ProviderLaw,
    ConsumerLaw,
    Opinions,
    Assessment,
}

impl Step {
    /// In the order in which they are asked: what a question depends on comes before it.
    pub const ALL: [Self; 18] = [
        Self::Partner,
        Self::Dataset,
        Self::Kind,
        Self::Stage,
        Self::Purpose,
        Self::Statement,
        Self::Systems,
        Self::Release,
        Self::Rows,
        Self::Why,
        Self::Subjects,
        Self::Registered,
        Self::Contact,
        Self::Offices,
        Self::ProviderLaw,
        Self::ConsumerLaw,
        Self::Opinions,
        Self::Assessment,
    ];

    /// Its name in a file of answers.
    pub fn key(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Dataset => "dataset",
            Self::Kind => "kind",
            Self::Stage => "stage",
            Self::Purpose => "purpose",
            Self::Statement => "statement",
            Self::Systems => "systems",
            Self::Release => "release",
            Self::Rows => "rows",
            Self::Why => "why",
            Self::Subjects => "subjects",
            Self::Registered => "partner_code",
            Self::Contact => "partner_contact",
            Self::Offices => "partner_offices",
            Self::ProviderLaw => "our_law",
            Self::ConsumerLaw => "their_law",
            Self::Opinions => "opinions",
            Self::Assessment => "assessment",
        }
    }
}
