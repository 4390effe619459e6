//! Verifies a ledger's folder: the log that goes on, and the logs before it, of which backups were restored. Each
//! first record names the log before it by key and checkpoint, so that nothing but the first key is trusted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Report, VerifyFault, held, verify_chain, verify_journal};
use crate::ledger::backup::{MANIFEST, Manifest};
use crate::ledger::handle::journal_directory;
use crate::ledger::previous::{EARLIER, Previous};
use crate::ledger::ranges::Ranges;
use crate::ledger::search::Progress;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;

/// A restore is rare, and folders lie within one another: more is no ledger of ours.
const LOGS_MAX: usize = 64;

/// Verifies a ledger's folder, or a backup's, and every log before it that lies there, newest first. `kept` is
/// what others held, of whichever log.
pub fn verify_ledger(
    ledger: &Path,
    key: &VerifierKey,
    kept: &[&str],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Report>, VerifyFault> {
    let mut rest = kept.to_vec();
    let mut reports: Vec<Report> = Vec::new();
    let mut erased: BTreeMap<String, Ranges> = BTreeMap::new();
    let mut next = Some(Log { folder: ledger.to_owned(), key: key.clone(), named: None });
    while let Some(log) = next.take().filter(|_| reports.len() < LOGS_MAX) {
        let erased_later = erased.remove(log.key.name()).unwrap_or_default();
        let mut report = log.verify(&mut rest, &erased_later, progress).map_err(|fault| log.told(fault))?;
        for (log, erases) in &report.erased_before {
            erased.entry(log.clone()).or_default().extend(erases);
        }
        if let Some(previous) = report.previous.clone() {
            let folder = log.folder.join(EARLIER).join(Previous::folder(&previous.log));
            if folder.is_dir() {
                next = Some(Log::before(folder, previous)?);
            } else {
                report.not_proven.push(format!(
                    "anything about the log before this one, {}: it is not in {}",
                    previous.log,
                    folder.display()
                ));
            }
        }
        reports.push(report);
    }
    // What no log's key signed is no proof of anything here, and must not be taken for one.
    rest.first().map_or(Ok(()), |text| held(text, key).map(drop))?;
    Ok(reports)
}

/// One log of a chain.
struct Log {
    folder: PathBuf,
    key: VerifierKey,
    /// What the log after it says of it.
    named: Option<Previous>,
}

impl Log {
    fn before(folder: PathBuf, named: Previous) -> Result<Self, VerifyFault> {
        let unkeyed = |_| VerifyFault::at_end(0, "the log before this one is named without a key");
        let key = VerifierKey::parse(&named.key).map_err(unkeyed)?;
        Ok(Self { folder, key, named: Some(named) })
    }

    /// Takes what of `rest` this log's key signed.
    fn verify(
        &self,
        rest: &mut Vec<&str>,
        erased_later: &Ranges,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, VerifyFault> {
        let mut against: Vec<Checkpoint> = Vec::new();
        rest.retain(|text| match held(text, &self.key) {
            Ok(checkpoint) => {
                against.push(checkpoint);
                false
            }
            Err(_) => true,
        });
        self.check_manifest()?;
        let Some(named) = &self.named else {
            return verify_journal(&self.journal(), &self.key, &against, progress);
        };
        let restored = held(&named.checkpoint, &self.key)?;
        // What was lost, and the log after says so, is no cut.
        let admitted =
            |checkpoint: &Checkpoint| checkpoint.size > restored.size && checkpoint.size <= named.size();
        let known = named.known.as_deref().map(|note| held(note, &self.key)).transpose()?;
        let lost = against.iter().chain(&known).filter(|one| admitted(one)).map(|one| one.size).max();
        against.retain(|checkpoint| !admitted(checkpoint));
        against.push(restored.clone());
        let mut report = verify_chain(&self.journal(), &self.key, &against, Some(erased_later), progress)?;
        if let Some(lost) = lost {
            report.not_proven.push(format!(
                "anything about records {} to {}: they were lost before the restore, as the log after says",
                restored.size,
                lost - 1
            ));
        }
        Ok(report)
    }

    /// Says of an earlier log which it is.
    fn told(&self, fault: VerifyFault) -> VerifyFault {
        match &self.named {
            Some(named) => VerifyFault::Earlier { log: named.log.clone(), fault: Box::new(fault) },
            None => fault,
        }
    }

    /// The folder as configured, or the journal within.
    fn journal(&self) -> PathBuf {
        let journal = journal_directory(&self.folder);
        if journal.is_dir() { journal } else { self.folder.clone() }
    }

    /// Of a backup, restored or not: that nothing beside the journal is missing or rotten. What was restored is
    /// told by its records alone where it is a journal, since sealed parts may have been erased there.
    fn check_manifest(&self) -> Result<(), VerifyFault> {
        if !self.folder.join(MANIFEST).is_file() {
            return Ok(());
        }
        let checked = Manifest::read(&self.folder).and_then(|manifest| match manifest {
            Some(manifest) if self.named.is_some() => manifest.check_beside_journals(&self.folder),
            Some(manifest) => manifest.check(&self.folder),
            None => Ok(()),
        });
        checked.map_err(|fault| VerifyFault::Backup(fault.to_string()))
    }
}
