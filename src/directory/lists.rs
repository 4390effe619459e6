//! Reads the revocation lists a member's entry names. Lists are made by machines and fetched by other machines,
//! often badly: one that cannot be taken never keeps anything else from acting. While the gateway runs, the
//! list before stays in force in its place, and somebody is told.

use std::path::{Path, PathBuf};
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

    fn list_files_of(&self, member: &MemberId) -> Vec<ListFile> {
        self.list_files.iter().filter(|file| file.member == *member).cloned().collect()
    }

    fn bytes(&self, path: &PathBuf) -> Option<&[u8]> {
        self.files.iter().find(|(known, _)| known == path).map(|(_, bytes)| bytes.as_slice())
    }
}

impl Reader<'_> {
    /// The lists of one member's `crl`, into its set of what is revoked.
    pub(super) fn lists(&mut self, item: Option<&Item<'_>>, member: &mut Member) {
        let Some(item) = item else { return };
        let items = item.list().unwrap_or_default();
        if items.len() > FILES_MAX {
            item.fault(format!("at most {FILES_MAX} files of revocation lists"));
            return;
        }
        let before = self.before.map(|before| before.list_files_of(&member.id)).unwrap_or_default();
        let mut named: Vec<Named<'_>> = Vec::with_capacity(items.len());
        for item in &items {
            let Some(name) = item.text() else { continue };
            let path = self.base.join(name);
            if named.iter().any(|other| other.path == path) {
                item.fault(format!("`{name}` is listed twice"));
                continue;
            }
            let read = (self.read)(&path).map_err(NotTaken::Unread);
            let found = read.and_then(|bytes| Ok((taken(&path, &bytes, member, &before)?, bytes)));
            let before = before.iter().find(|before| before.path == path).cloned();
            named.push(Named { item, name, path, before, found });
        }
        keep_what_would_be_missing(&mut named, member);
        for one in missing_from_new_files(&named, &before, member) {
            item.fault(format!("no file holds a list of {one} any more, and one that did has another name"));
        }
        for one in named {
            let Some(file) = self.settle(one) else { continue };
            file.lists.iter().for_each(|list| member.revoked.list(Arc::clone(list)));
            self.list_files.push(file);
        }
    }

    /// One file as it is now, or, where that is not taken, as it was before.
    fn settle(&mut self, one: Named<'_>) -> Option<ListFile> {
        let Named { item, name, path, before, found } = one;
        let why = match found {
            Ok((file, bytes)) => {
                self.keep(name, path, bytes);
                return Some(file);
            }
            Err(why) => why,
        };
        let bytes = self.before.and_then(|before| before.bytes(&path));
        let Some((before, bytes)) = before.zip(bytes) else {
            item.fault(format!("`{name}` {why}"));
            return None;
        };
        let message =
            format!("`{name}` {why}; the list before stays in force until a restart, {}", why.then());
        self.refused_lists.push(Fault::new(item.file(), Some(item.line()), message));
        self.keep(name, path, bytes.to_vec());
        Some(before)
    }
}

/// A file a member's entry names.
struct Named<'a> {
    item: &'a Item<'a>,
    name: &'a str,
    path: PathBuf,
    before: Option<ListFile>,
    found: Result<(ListFile, Vec<u8>), NotTaken>,
}

impl Named<'_> {
    /// What will be in force of it.
    fn lists(&self) -> &[Arc<Crl>] {
        let before = || self.before.as_ref();
        self.found.as_ref().map(|(file, _)| file).ok().or_else(before).map_or(&[], |file| &file.lists)
    }
}

/// Of `before`, the first list that counts still and that no file has another of the same CA for.
fn lacking<'l>(before: &'l ListFile, named: &[Named<'_>], member: &Member) -> Option<&'l Crl> {
    let is_there = |list: &Crl| named.iter().flat_map(Named::lists).any(|now| now.issuer() == list.issuer());
    before.lists.iter().map(Arc::as_ref).find(|list| member.vouches(&list.anchor()) && !is_there(list))
}

/// A fetch that wrote one list of two would bring back whoever is on the other: such a file stays as it was. A
/// list may move to another of the member's files, and so one that stays can leave another to be asked again.
fn keep_what_would_be_missing(named: &mut [Named<'_>], member: &Member) {
    loop {
        let lacks = named.iter().enumerate().find_map(|(at, one)| {
            let list = lacking(one.before.as_ref().filter(|_| one.found.is_ok())?, named, member)?;
            Some((at, list.issuer_shown().to_owned()))
        });
        let Some((at, issuer)) = lacks else { return };
        if let Some(one) = named.get_mut(at) {
            one.found = Err(NotTaken::Lacks(issuer));
        }
    }
}

/// The CAs whose lists went with a file's name while another name came. A name that only goes is the host's
/// word that its lists go too.
fn missing_from_new_files(named: &[Named<'_>], before: &[ListFile], member: &Member) -> Vec<String> {
    if named.iter().all(|one| one.before.is_some()) {
        return Vec::new();
    }
    let gone = before.iter().filter(|file| named.iter().all(|one| one.path != file.path));
    gone.filter_map(|file| Some(lacking(file, named, member)?.issuer_shown().to_owned())).collect()
}

/// Why a file of lists is not taken.
enum NotTaken {
    Unread(std::io::Error),
    List(CrlError),
    /// Older than the one in force.
    Older,
    /// It holds no list of this CA any more, and no other file does.
    Lacks(String),
}

impl NotTaken {
    /// What a restart does, which knows nothing of the lists before.
    fn then(&self) -> &'static str {
        match self {
            Self::Unread(_) | Self::List(_) => "which would refuse this",
            Self::Older | Self::Lacks(_) => "which would take this",
        }
    }
}

impl std::fmt::Display for NotTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unread(error) => write!(f, "could not be read: {error}"),
            Self::List(error) => write!(f, "cannot be taken: {error}"),
            Self::Older => f.write_str("cannot be taken: its number is lower than that of the list in force"),
            Self::Lacks(issuer) => write!(f, "cannot be taken: it holds no list of {issuer} any more"),
        }
    }
}

/// A file's lists, if each is one of the member's CAs and none older than any of that CA `before`, in
/// whatever file that was.
fn taken(path: &Path, bytes: &[u8], member: &Member, before: &[ListFile]) -> Result<ListFile, NotTaken> {
    let digest = Digest::of(bytes);
    // Verified already, and the CA it rests on still counts.
    let same = before.iter().find(|file| {
        file.path == path
            && file.digest == digest
            && file.lists.iter().all(|list| member.vouches(&list.anchor()))
    });
    if let Some(same) = same {
        return Ok(same.clone());
    }
    let anchors: Vec<&Anchor> = member.all_anchors().map(|listed| &listed.anchor).collect();
    let lists = revocation_lists(bytes, &anchors).map_err(NotTaken::List)?;
    let of_before = || before.iter().flat_map(|file| &file.lists);
    if lists.iter().any(|list| of_before().any(|before| list.is_before(before))) {
        return Err(NotTaken::Older);
    }
    let lists = lists.into_iter().map(Arc::new).collect();
    Ok(ListFile { member: member.id.clone(), path: path.to_owned(), digest, lists })
}
