//! What partners hold of a log, and whether it is all in there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use tolbooth::ledger::verify::verify_journal;
use tolbooth::ledger::{Archive, Presented, Stored};
use tolbooth::merkle::checkpoint::Checkpoint;

use super::site::Site;

/// Envelopes by their place in the log, and the checkpoints over them.
#[derive(Default)]
pub struct Held {
    envelopes: BTreeMap<u64, Vec<u8>>,
    checkpoints: Vec<Checkpoint>,
}

impl Held {
    /// Believes a receipt only if it verifies by itself.
    pub fn take(&mut self, receipt: &str, site: &Site) {
        let checked = Presented::parse(receipt).unwrap().check(&site.key()).unwrap();
        let before = self.envelopes.insert(checked.index, checked.envelope);
        assert_eq!(before, None, "two receipts for one place");
        self.checkpoints.push(checked.checkpoint);
    }

    /// What somebody else holds as well.
    pub fn join(&mut self, other: Self) {
        for (index, envelope) in other.envelopes {
            assert_eq!(self.envelopes.insert(index, envelope), None, "two receipts for one place");
        }
        self.checkpoints.extend(other.checkpoints);
    }

    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Every one of them is in the journal, byte for byte, and the journal is the one they were given for.
    pub fn are_in(&self, site: &Site) {
        let report = verify_journal(&site.journal(), &site.key(), &self.checkpoints, &mut |_| ()).unwrap();
        let compared = report.proven.iter().any(|line| line.contains("since others held"));
        assert!(compared || self.checkpoints.is_empty(), "{report:?}");
        let mut missing = self.envelopes.clone();
        each(site, |index, envelope, _| {
            if let Some(held) = missing.remove(&index) {
                assert_eq!(held, envelope, "record {index}");
            }
        });
        assert!(missing.is_empty(), "lost: {:?}", missing.keys());
    }
}

/// Every record of a site's journal: index, envelope and sealed part.
pub fn each(site: &Site, mut visit: impl FnMut(u64, &[u8], Option<&[u8]>)) {
    let archive = Archive::offline(&site.journal()).unwrap();
    let mut visit = |stored: Stored<'_>| {
        if let Stored::Entry(entry) = stored {
            visit(entry.index, entry.envelope, entry.sealed_json());
        }
        ControlFlow::Continue(())
    };
    archive.each(&mut visit).unwrap();
}
