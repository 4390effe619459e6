//! The highest version of each agreement that was ever in force, the grants that were used, and what officers and
//! the host did, as far as sealed segments of the journal were folded: one small file of text, so that a start need
//! not open sled for it. It lies beside the store and not in it: where the store is deleted, no start has to read years
//! of the journal before it knows what may not come back. It may be deleted as well: what does not read, or is of
//! another log, is folded anew.
//!
//! ```text
//! tolbooth/versions/v3
//! the log's name
//! the first segment that is not folded
//! <agreement>@<version> <digest of its bytes>, one a line, in order
//! used <grant>, one a line, in order
//! a JSON array for each thing done (`model::LifeEvent`), one a line
//! mac:<of all lines above, under the key of what is folded>
//! ```
//!
//! A start believes it, and reads no segment that it covers: without the key nobody writes one that renews a grant or
//! lifts what was withdrawn.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::term::IndexKey;
use crate::crypto;
use crate::model::{AgreementId, AgreementRef, Digest, Life, LifeEvent};

/// The file's name, beside the store's directory.
const VERSIONS: &str = "versions";

/// Its name until it is whole.
const UNFINISHED: &str = "versions.new";

/// Raised when the meaning of a line changes.
const FORMAT: &str = "tolbooth/versions/v3";

const MAC: &str = "mac:";

/// A journal begins with it.
const FIRST_SEGMENT: u64 = 1;

/// The highest versions seen, and how far was looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    log: String,
    next_segment: u64,
    /// With the digest of the first bytes that were in force under it.
    highest: BTreeMap<AgreementId, (u32, Digest)>,
    used: BTreeSet<AgreementId>,
    life: Life,
}

impl Versions {
    /// Of a log of which nothing is folded.
    pub fn nothing(log: &str) -> Self {
        Self {
            log: log.to_owned(),
            next_segment: FIRST_SEGMENT,
            highest: BTreeMap::new(),
            used: BTreeSet::new(),
            life: Life::default(),
        }
    }

    /// Where the file of a store in a directory lies.
    pub fn beside(store: &Path) -> PathBuf {
        store.with_file_name(VERSIONS)
    }

    /// What the file says of this log; [`Versions::nothing`] if it says nothing that can be believed, or does not
    /// read: the journal says the same, and no file of the store stops a start.
    pub fn read(file: &Path, log: &str, key: &IndexKey) -> Self {
        let text = fs::read(file).unwrap_or_default();
        let read = std::str::from_utf8(&text).ok().and_then(|text| Self::parse(text, key));
        read.filter(|versions| versions.log == log).unwrap_or_else(|| Self::nothing(log))
    }

    fn parse(text: &str, key: &IndexKey) -> Option<Self> {
        let (above, mac) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let above = text.get(..=above.len())?;
        if !crypto::same(&Digest::from_hex(mac.strip_prefix(MAC)?)?.0, &key.tag(&[above.as_bytes()])) {
            return None;
        }
        let mut lines = above.lines();
        if lines.next()? != FORMAT {
            return None;
        }
        let mut versions = Self::nothing(lines.next()?);
        versions.next_segment = lines.next()?.parse().ok().filter(|next| *next >= FIRST_SEGMENT)?;
        for line in lines {
            if let Some(grant) = line.strip_prefix("used ") {
                versions.used.insert(AgreementId::new(grant).ok()?);
                continue;
            }
            if line.starts_with('[') {
                versions.life.note(LifeEvent::parse(line)?);
                continue;
            }
            let (agreement, bytes) = line.split_once(' ')?;
            let (id, version) = agreement.split_once('@')?;
            let version = (version.parse().ok()?, Digest::parse(bytes)?);
            versions.highest.insert(AgreementId::new(id).ok()?, version);
        }
        Some(versions)
    }

    /// The first segment that is not in.
    pub fn next_segment(&self) -> u64 {
        self.next_segment
    }

    /// An agreement was in force: a lower version than one seen before changes nothing, nor do other bytes of the
    /// same.
    pub fn note(&mut self, agreement: &AgreementRef, bytes: Digest) {
        let seen = self.highest.entry(agreement.id.clone()).or_insert((agreement.version, bytes));
        if agreement.version > seen.0 {
            *seen = (agreement.version, bytes);
        }
    }

    /// A grant was used.
    pub fn note_used(&mut self, grant: AgreementId) {
        self.used.insert(grant);
    }

    /// Every grant that was ever used.
    pub fn used(&self) -> impl Iterator<Item = &AgreementId> {
        self.used.iter()
    }

    /// What an officer or the host did.
    pub fn lived(&mut self, event: LifeEvent) {
        self.life.note(event);
    }

    /// Everything officers and the host did.
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// All segments before this one are in.
    pub fn folded_before(&mut self, segment: u64) {
        self.next_segment = self.next_segment.max(segment);
    }

    /// All agreements ever in force, each with its highest version and the digest of its bytes.
    pub fn highest(&self) -> impl Iterator<Item = (AgreementRef, Digest)> + '_ {
        let agreement = |id: &AgreementId, version| AgreementRef { id: id.clone(), version };
        self.highest.iter().map(move |(id, (version, bytes))| (agreement(id, *version), *bytes))
    }

    /// Puts this in the file's place. Durable when it returns; on an error the file is as it was.
    pub fn write(&self, file: &Path, key: &IndexKey) -> io::Result<()> {
        let unfinished = file.with_file_name(UNFINISHED);
        // Left by a process that was killed.
        let _ = fs::remove_file(&unfinished);
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        new.write_all(self.text(key).as_bytes())?;
        new.sync_all()?;
        // An empty folder of this name is nobody's.
        if file.is_dir() {
            fs::remove_dir(file)?;
        }
        // If we crash here the file before is still there, and says less: what is missing is folded again.
        fs::rename(&unfinished, file)?;
        file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    fn text(&self, key: &IndexKey) -> String {
        let mut text = format!("{FORMAT}\n{}\n{}\n", self.log, self.next_segment);
        for (agreement, bytes) in self.highest() {
            text.push_str(&format!("{agreement} {bytes}\n"));
        }
        for grant in &self.used {
            text.push_str(&format!("used {grant}\n"));
        }
        for event in self.life.events() {
            text.push_str(&event.line());
            text.push('\n');
        }
        let mac = Digest(key.tag(&[text.as_bytes()])).hex();
        text.push_str(&format!("{MAC}{mac}\n"));
        text
    }
}
