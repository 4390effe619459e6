//! That the record, its sealed part and the entries of its ruleset are in the log.

use crate::clock::moment_in_words;
use crate::crypto::sha256;
use crate::ledger::verify::pack::{Pack, Part};
use crate::merkle::note::VerifierKey;
use crate::model::Digest;

use super::super::finding::{Finding, Found, not_proven, wrong};
use super::super::record::RulesetEntry;
use super::Case;

/// A new ruleset is on the record before it is in force: to put it in place takes a swap of pointers, and on a
/// machine under heavy load so long at most.
const SWAP_SECONDS_MAX: i64 = 60;

/// Whether the key that came with the pack is the one the reader got elsewhere.
pub(super) fn key(pack: &Pack, given: Option<&VerifierKey>) -> Found {
    match (VerifierKey::parse(pack.key.trim()), given) {
        (Ok(enclosed), Some(given)) if enclosed == *given => {
            Ok(format!("the pack is of the log whose key was given, {}", given.name()))
        }
        (_, Some(_)) => wrong("the key in the pack is not the log's key that was given"),
        (_, None) => not_proven(
            "that the key is the log's: it came with the pack, and whoever made the pack could have made both (--key)",
        ),
    }
}

impl Case<'_> {
    pub(super) fn logged(&self) -> Vec<Finding> {
        vec![
            Finding::of("record", self.record()),
            Finding::of("sealed", self.sealed_part()),
            Finding::of("ruleset", self.ruleset()),
            Finding::of("in_force", self.in_force()),
        ]
    }

    fn record(&self) -> Found {
        let (part, exchange) = (&self.pack.record, &self.exchange);
        let checkpoint = part.check(&self.key).map_err(|fault| fault.to_string())?;
        if exchange.index != part.index || exchange.log != self.key.name() {
            return wrong("the record says it stands elsewhere than its proof");
        }
        Ok(format!(
            "record {} is in the log {}, under a signed checkpoint over {} records",
            part.index, exchange.log, checkpoint.size
        ))
    }

    fn sealed_part(&self) -> Found {
        let Some(sealed) = &self.pack.sealed else {
            return not_proven("anything of the sealed part of the record: it is not in the pack");
        };
        if Digest::parse(&self.exchange.sealed) != Some(Digest(sha256(&[&sealed.0]))) {
            return wrong("the sealed part is not the one the record names");
        }
        match &self.sealed {
            Some(_) => Ok("the sealed part is the one the record names".to_owned()),
            None => wrong("the sealed part does not read"),
        }
    }

    fn ruleset(&self) -> Found {
        let Some(part) = &self.pack.ruleset else {
            return wrong("the entry that brought the record's ruleset into force is not in the pack");
        };
        let entry = self.entry_of(part)?;
        if entry.index >= self.exchange.index {
            return wrong("the ruleset's entry stands behind the record");
        }
        if entry.ruleset != self.exchange.ruleset {
            return wrong("the ruleset's entry is of another ruleset than the record names");
        }
        Ok(format!(
            "its ruleset came into force by record {}, on {}, and the record names it",
            entry.index,
            moment_in_words(entry.time)
        ))
    }

    /// An entry of a ruleset that is in the same log, under the same checkpoint.
    fn entry_of(&self, part: &Part) -> Result<RulesetEntry, String> {
        part.check(&self.key).map_err(|fault| format!("the ruleset's entry: {fault}"))?;
        if part.note != self.pack.record.note {
            return Err("the ruleset's entry is proved under another checkpoint than the record".to_owned());
        }
        let entry = RulesetEntry::read(&part.envelope).ok_or("the ruleset's entry is not one")?;
        if entry.index == part.index && entry.log == self.key.name() {
            Ok(entry)
        } else {
            Err("the ruleset's entry says it stands elsewhere than its proof".to_owned())
        }
    }

    /// Whether the ruleset was still the one in force when the question came.
    fn in_force(&self) -> Found {
        let Some(part) = &self.pack.next else {
            return not_proven(
                "that no other ruleset came into force between its entry and the record: the pack holds no later one, and only the whole log shows it",
            );
        };
        let next = self.entry_of(part)?;
        if self.entry.as_ref().is_none_or(|entry| next.index <= entry.index) {
            return wrong("the later ruleset's entry is not behind that of the record's ruleset");
        }
        match &next.before {
            None => {
                return not_proven(
                    "that the later ruleset came right after the record's: its entry does not say what it replaced",
                );
            }
            Some(before) if *before != self.exchange.ruleset => {
                return wrong("the later ruleset's entry says that it replaced another ruleset");
            }
            Some(_) => {}
        }
        if next.index > self.exchange.index {
            return Ok(format!("it was in force until record {}, behind the record", next.index));
        }
        let late = self.exchange.began().as_second() - next.time.as_second();
        if late > SWAP_SECONDS_MAX {
            return wrong("the question came after another ruleset had come into force");
        }
        Ok(format!(
            "it was in force when the question came, and was replaced by record {} while it was under way",
            next.index
        ))
    }
}
