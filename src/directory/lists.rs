//! Reads the revocation lists a member's entry names. Lists are made by machines and fetched by other machines,
//! often badly: one that cannot be taken never keeps anything else from acting. While the gateway runs, the
//! list before stays in force in its place, and somebody is told.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::members::Reader;
use super::{Directory, Member};
use crate::config::strict::Item;
use crate::model::{Digest, Fault, MemberId};
use crate::tls::{Anchor, Crl, CrlError, revocation_lists};

/// Files of lists in one member's entry: a CA and its sub-CAs, with room. A look-up asks each list of an
/// issuer in turn.
const FILES_MAX: usize = 32;

/// One file of verified lists.
#[derive(Debug, Clone)]
pub(super) struct ListFile {
    member: MemberId,
    pub(super) path: PathBuf,
    digest: Digest,
    pub(super) lists: Vec<Arc<Crl>>,
}

/// What is known of one list that is in force, for those who watch over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStatus {
    pub member: MemberId,
    /// As the host named the file.
    pub file: String,
    pub issuer: String,
    pub next_update: Timestamp,
    pub entries: usize,
}

impl ListStatus {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.next_update
    }

    /// As a fault: what is wrong, and who can mend it.
    pub fn expired(&self) -> Fault {
        let Self { member, issuer, next_update, .. } = self;
        let message = format!(
            "this revocation list of {member} ({issuer}) has expired: a newer one was due at {next_update}, and \
             what was revoked since is not known"
        );
        Fault::new(&self.file, None, message)
            .with_help("put the CA's newest list in its place; `expired_crl` says what is done until then")
    }
}

impl Directory {
    /// The revocation lists in force.
    pub fn lists(&self) -> impl Iterator<Item = ListStatus> {
        self.list_files.iter().flat_map(|file| {
            file.lists.iter().map(|list| ListStatus {
                member: file.member.clone(),
                file: file.path.display().to_string(),
                issuer: list.issuer_shown().to_owned(),
                next_update: list.next_update(),
                entries: list.entries(),
            })
        })
    }

    /// The lists on disk that could not be taken: the ones before them stay in force.
    pub fn refused_lists(&self) -> &[Fault] {
        &self.refused_lists
    }

    fn list_file(&self, member: &MemberId, path: &PathBuf) -> Option<&ListFile> {
        self.list_files.iter().find(|file| file.member == *member && file.path == *path)
    }

    fn bytes(&self, path: &PathBuf) -> Option<&[u8]> {
        self.files.iter().find(|(known, _)| known == path).map(|(_, bytes)| bytes.as_slice())
    }
}

impl Reader<'_> {
    /// The lists of one member's `crl`, into its set of what is revoked.
    pub(super) fn lists(&mut self, item: Option<&Item<'_>>, member: &mut Member) {
        let items = item.and_then(Item::list).unwrap_or_default();
        if let Some(item) = item.filter(|_| items.len() > FILES_MAX) {
            item.fault(format!("at most {FILES_MAX} files of revocation lists"));
            return;
        }
        for item in &items {
            let Some(file) = self.list_file(item, member) else { continue };
            file.lists.iter().for_each(|list| member.revoked.list(Arc::clone(list)));
            self.list_files.push(file);
        }
    }

    /// One file as it is now, or, where that cannot be taken, as it was before.
    fn list_file(&mut self, item: &Item<'_>, member: &Member) -> Option<ListFile> {
        let name = item.text()?;
        let path = self.base.join(name);
        if self.list_files.iter().any(|file| file.member == member.id && file.path == path) {
            item.fault(format!("`{name}` is listed twice"));
            return None;
        }
        let before = self.before.and_then(|before| before.list_file(&member.id, &path)).cloned();
        let (why, kept) = match ((self.read)(&path), before) {
            (Ok(bytes), before) => match taken(&path, &bytes, member, before.as_ref()) {
                Ok(file) => {
                    self.keep(name, path, bytes);
                    return Some(file);
                }
                Err(why) => (format!("`{name}` cannot be taken: {why}"), before),
            },
            (Err(error), before) => (format!("`{name}` could not be read: {error}"), before),
        };
        let Some((kept, bytes)) = kept.zip(self.before.and_then(|before| before.bytes(&path))) else {
            item.fault(why);
            return None;
        };
        let message =
            format!("{why}; the list before stays in force until a restart, which would refuse this");
        self.refused_lists.push(Fault::new(item.file(), Some(item.line()), message));
        self.keep(name, path, bytes.to_vec());
        Some(kept)
    }
}

/// Why a file of lists is not taken.
enum NotTaken {
    List(CrlError),
    /// Older than the one in force.
    Older,
}

impl std::fmt::Display for NotTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(error) => error.fmt(f),
            Self::Older => f.write_str("its number is lower than that of the list in force"),
        }
    }
}

fn taken(
    path: &std::path::Path,
    bytes: &[u8],
    member: &Member,
    before: Option<&ListFile>,
) -> Result<ListFile, NotTaken> {
    let digest = Digest::of(bytes);
    // Verified already, and the CA it rests on still counts.
    let same = before.filter(|before| {
        before.digest == digest && before.lists.iter().all(|list| member.vouches(&list.anchor()))
    });
    if let Some(same) = same {
        return Ok(same.clone());
    }
    let anchors: Vec<&Anchor> = member.all_anchors().map(|listed| &listed.anchor).collect();
    let lists = revocation_lists(bytes, &anchors).map_err(NotTaken::List)?;
    let of_before = || before.into_iter().flat_map(|before| &before.lists);
    if lists.iter().any(|list| of_before().any(|before| list.is_before(before))) {
        return Err(NotTaken::Older);
    }
    let lists = lists.into_iter().map(Arc::new).collect();
    Ok(ListFile { member: member.id.clone(), path: path.to_owned(), digest, lists })
}
