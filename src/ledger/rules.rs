//! What a log says last of the rules: a start goes on from there, so that each entry can name what it replaces.

use std::collections::BTreeMap;

use super::head::EnvelopeHead;
use crate::model::Digest;

/// Filled record by record, while a log is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LastRules {
    /// The ruleset that came into force last.
    pub ruleset: Option<Digest>,
    /// What was taken into use last, by what it is.
    pub in_use: BTreeMap<String, Digest>,
    /// What was refused, where nothing was taken since.
    pub refused: Option<(String, Option<Digest>)>,
}

impl LastRules {
    pub(super) fn note(&mut self, head: &EnvelopeHead<'_>) {
        match &*head.kind {
            "ruleset" => {
                self.ruleset = head.ruleset.and_then(Digest::parse);
                self.refused = None;
            }
            "rules" if head.taken => {
                let taken = head.items.iter();
                let taken = taken
                    .filter_map(|(what, _, after)| Some(((*what).to_owned(), Digest::parse((*after)?)?)));
                self.in_use.extend(taken);
                self.refused = None;
            }
            "rules" => {
                let item = head.items.first();
                self.refused =
                    item.map(|(what, _, after)| ((*what).to_owned(), after.and_then(Digest::parse)));
            }
            _ => {}
        }
    }
}
