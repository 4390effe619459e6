//! How far damage goes. Each segment begins with the state of the tree before it, and the checkpoints behind that
//! were signed over all of it: so a segment behind the damage can be read on its own, and what it holds is what
//! the log's key signed. Nothing is mended here.

use std::fmt;
use std::path::Path;

use super::WalkFault;
use crate::journal::{JournalFault, SegmentFiles, Shelf as _};
use crate::ledger::chain::Chain;
use crate::ledger::walk::walk_segment;
use crate::merkle::note::VerifierKey;

/// One segment of a damaged journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub segment: u32,
    /// The records that are those a checkpoint was signed over: the first, and the one behind the last.
    pub sound: Option<(u64, u64)>,
    /// What is wrong behind them.
    pub damage: Option<String>,
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}: ", self.segment)?;
        match self.sound {
            Some((first, behind)) => write!(f, "records {first} to {} are sound", behind - 1)?,
            None => f.write_str("no record is known to be sound")?,
        }
        match &self.damage {
            Some(damage) => write!(f, "; behind them {damage}"),
            None => Ok(()),
        }
    }
}

/// Reads every segment on its own, and says of each how far it is sound.
pub fn extent(journal: &Path, key: &VerifierKey) -> Result<Vec<Stretch>, JournalFault> {
    let shelf = SegmentFiles::new(journal);
    let there = shelf.segments().map_err(JournalFault::io("listing the journal"))?;
    let last = there.last().copied().unwrap_or_default();
    let mut stretches = Vec::new();
    for segment in 1..=last {
        let stretch = if there.contains(&segment) {
            stretch(&shelf, segment, key)
        } else {
            Stretch { segment, sound: None, damage: Some("the file is missing".to_owned()) }
        };
        // The next segment is made in advance: it holds nothing yet.
        if segment < last || stretch.sound.is_some() || stretch.damage.is_some() {
            stretches.push(stretch);
        }
    }
    Ok(stretches)
}

fn stretch(shelf: &SegmentFiles, segment: u32, key: &VerifierKey) -> Stretch {
    let mut chain = Chain::new(key, true);
    let mut first = None;
    let walked = walk_segment(&mut chain, shelf, segment, true, None, &mut |chain| {
        first.get_or_insert(chain.edge().size().saturating_sub(1));
        Ok(())
    });
    let behind = chain.last().map(|(checkpoint, _)| checkpoint.size);
    let damage = walked.err().map(|fault| match fault {
        WalkFault::Journal(JournalFault::Damaged { segment, offset, index, what }) => {
            format!("damage at record {index}, in segment {segment} at byte {offset}: {what}")
        }
        WalkFault::Journal(fault) => fault.to_string(),
        WalkFault::Record { at, index, what } => {
            format!("damage at record {index}, in segment {} at byte {}: {what}", at.segment, at.offset)
        }
    });
    Stretch { segment, sound: first.zip(behind), damage }
}
