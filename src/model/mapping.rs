//! The semantic part of a source mapping: what changes the meaning of an answer, and so is part of
//! the view officers sign. Addresses, credentials and limits are not here.

use super::FieldPath;

/// How a source's document is read as the contract's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// JSON Pointer (RFC 6901) to the document inside the source's answer; empty for the whole.
    pub document: String,
    /// Contract field to where its value lies: a JSON Pointer relative to the source object that
    /// stands for the field's parent, such as `/dob` or `/person/dob`. A field not named here has
    /// its own name there.
    pub renames: Vec<(FieldPath, String)>,
    /// Sentences that say what means no match, such as `status 404` or `an empty document`, sorted.
    pub no_match: Vec<String>,
    /// Sentences that say how values are read where the source is not JSON, such as which column a
    /// field is and which format and zone its times have, sorted.
    pub semantics: Vec<String>,
}
