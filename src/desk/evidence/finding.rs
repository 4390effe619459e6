//! What judging a pack finds, line by line.

/// One line: what was looked at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable word, the same in the independent verifier.
    pub what: &'static str,
    pub verdict: Verdict,
    pub says: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Proven,
    /// It is shown to be otherwise.
    Wrong,
    /// Nothing here shows it either way.
    NotProven,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Wrong => "wrong",
            Self::NotProven => "not proven",
        }
    }
}

/// Why something is not proven.
pub(super) enum Doubt {
    Wrong(String),
    NotProven(String),
}

/// What was found to be so, as a sentence, or why not.
pub(super) type Found = Result<String, Doubt>;

pub(super) fn wrong<T>(says: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::Wrong(says.into()))
}

pub(super) fn not_proven<T>(says: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::NotProven(says.into()))
}

impl From<String> for Doubt {
    fn from(says: String) -> Self {
        Self::Wrong(says)
    }
}

impl Finding {
    pub(super) fn of(what: &'static str, found: Found) -> Self {
        let (verdict, says) = match found {
            Ok(says) => (Verdict::Proven, says),
            Err(Doubt::Wrong(says)) => (Verdict::Wrong, says),
            Err(Doubt::NotProven(says)) => (Verdict::NotProven, says),
        };
        Self { what, verdict, says }
    }
}

impl From<&str> for Doubt {
    fn from(says: &str) -> Self {
        Self::Wrong(says.to_owned())
    }
}
