//! Reads `members.toml`, format 1, and the anchor files it names; all faults at once.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use super::bindings::Bindings;
use super::lists::ListFile;
use super::revoked::Revoked;
use super::{Directory, ListedAnchor, Member, message_key};
use crate::config::strict::{self, Item, Table};
use crate::crypto::PublicKey;
use crate::https::HttpsUrl;
use crate::merkle::note::VerifierKey;
use crate::model::{Digest, Fault, Faults, MemberClass, MemberId, MessageKey, OfficerKey, SystemName};
use crate::tls::{self, Anchor, Serial};

const FORMAT: u64 = 1;
const TEXT_CHARS_MAX: usize = 200;

/// Reads the directory from the text of `file`. `read` gives the bytes of the files it names, by
/// their path relative to where `file` lies. Revocation lists that cannot be taken stay as they are in the
/// directory `before`; without one they are faults as everything else.
pub fn load(
    file: &str,
    text: &str,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    before: Option<&Directory>,
) -> Result<Directory, Faults> {
    strict::read(file, text, |root| Reader::new(file, text, read, before).directory(root))
}

/// What is carried from member to member: what must be unique across all, and what was read.
pub(super) struct Reader<'r> {
    pub(super) base: &'r Path,
    pub(super) read: &'r dyn Fn(&Path) -> io::Result<Vec<u8>>,
    pub(super) before: Option<&'r Directory>,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// The directory's digest is over one line for each file: its name here and its digest.
    listing: String,
    /// By key, not certificate: one CA key under two members could speak for both.
    anchor_keys: HashMap<Digest, Owner>,
    /// Every Ed25519 key and what it is for: a key has one role.
    keys: HashMap<PublicKey, String>,
    names: HashMap<String, MemberId>,
    pub(super) bindings: Bindings,
    pub(super) list_files: Vec<ListFile>,
    pub(super) refused_lists: Vec<Fault>,
}

/// Whose a CA's key is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Member(MemberId),
    /// Nobody's: it speaks through bindings alone.
    Shared,
}

impl<'r> Reader<'r> {
    fn new(
        file: &'r str,
        text: &str,
        read: &'r dyn Fn(&Path) -> io::Result<Vec<u8>>,
        before: Option<&'r Directory>,
    ) -> Self {
        let mut reader = Self {
            base: Path::new(file).parent().unwrap_or(Path::new("")),
            read,
            before,
            files: Vec::new(),
            listing: String::new(),
            anchor_keys: HashMap::new(),
            keys: HashMap::new(),
            names: HashMap::new(),
            bindings: Bindings::default(),
            list_files: Vec::new(),
            refused_lists: Vec::new(),
        };
        reader.keep("members.toml", PathBuf::from(file), text.as_bytes().to_vec());
        reader
    }

    pub(super) fn keep(&mut self, name: &str, path: PathBuf, bytes: Vec<u8>) {
        self.listing.push_str(&format!("{} {name:?}\n", Digest::of(&bytes)));
        self.files.push((path, bytes));
    }

    fn directory(mut self, root: &Table<'_>) -> Option<Directory> {
        let format = root.required("format").and_then(|item| item.count(FORMAT..=FORMAT));
        let federation = root.required("federation").and_then(|item| federation(&item));
        let mut members = HashMap::new();
        for table in root.tables("member") {
            let Some(member) = self.member(&table, federation.as_deref()) else { continue };
            if members.contains_key(&member.id) {
                table.fault(format!("the member `{}` is listed twice", member.id));
            }
            members.insert(member.id.clone(), member);
        }
        let authorities = root.tables("authority").iter().filter_map(|table| self.authority(table)).collect();
        if members.is_empty() {
            root.fault_with_help(
                "there is no member",
                "list each organisation as [[member]], your own among them",
            );
        }
        format?;
        let digest = Digest::of(self.listing.as_bytes());
        let Self { files, bindings, list_files, refused_lists, .. } = self;
        let federation = federation?;
        Some(Directory {
            federation,
            members,
            authorities,
            digest,
            files,
            bindings,
            list_files,
            refused_lists,
        })
    }

    fn member(&mut self, table: &Table<'_>, federation: Option<&str>) -> Option<Member> {
        let id = table.required("id").and_then(|item| item.parsed(MemberId::new));
        let name = table.required("name").and_then(|item| short_text(&item));
        let class =
            table.required("class").and_then(|item| item.word(&MemberClass::ALL, MemberClass::as_str));
        let codes = table.optional("codes").map(codes).unwrap_or_default();
        let anchor_items = table.required("anchors").and_then(|item| item.list()).unwrap_or_default();
        let shared_items = table.optional("shared_anchors").and_then(|item| item.list()).unwrap_or_default();
        let revoked = table.optional("revoked").map(|item| revoked(&item)).unwrap_or_default();
        let list_item = table.optional("crl");
        let binding_tables = table.tables("binding");
        let ledger_items = table.optional("ledger_keys").and_then(|item| item.list()).unwrap_or_default();
        let issuers = table.optional("issuers").map(|item| issuers(&item)).unwrap_or_default();
        let officer_tables = table.tables("officer");
        let system_key_tables = table.tables("system_key");
        // What follows is told apart by the member's id: without one it would only bring more faults.
        let id = id?;
        let own = Owner::Member(id.clone());
        let anchors = anchor_items.iter().flat_map(|item| self.anchors(item, &own)).collect();
        let shared_anchors =
            shared_items.iter().flat_map(|item| self.anchors(item, &Owner::Shared)).collect();
        let ledger_keys =
            ledger_items.iter().filter_map(|item| self.ledger_key(item, &id, federation)).collect();
        let officers = officer_tables.iter().filter_map(|officer| self.officer(officer, &id)).collect();
        let message_keys = self.message_keys(&system_key_tables, &id);
        let (name, class) = (name?, class?);
        let mut member = Member {
            id,
            name,
            class,
            codes,
            officers,
            ledger_keys,
            message_keys,
            anchors,
            shared_anchors,
            revoked,
            issuers,
        };
        self.lists(list_item.as_ref(), &mut member);
        binding_tables.iter().for_each(|table| self.binding(table, &member));
        Some(member)
    }

    /// The CAs in one PEM file.
    fn anchors(&mut self, item: &Item<'_>, owner: &Owner) -> Vec<ListedAnchor> {
        let Some(name) = item.text() else { return Vec::new() };
        let path = self.base.join(name);
        let bytes = match (self.read)(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                item.fault(format!("`{name}` could not be read: {error}"));
                return Vec::new();
            }
        };
        let ders = tls::certificates(&bytes);
        self.keep(name, path.clone(), bytes);
        let ders = ders.map_err(|error| item.fault(format!("in `{name}`: {error}"))).unwrap_or_default();
        let mut listed = Vec::new();
        for der in ders {
            match Anchor::from_der(&der) {
                Ok(anchor) if super::is_of_sandbox(&anchor) => {
                    item.fault(format!(
                        "`{name}` is the CA of a sandbox: nobody under it may ask for real data"
                    ));
                }
                Ok(anchor) if self.is_free(item, owner, &anchor) => {
                    let file = path.display().to_string();
                    listed.push(ListedAnchor { anchor, name: name.to_owned(), file });
                }
                Ok(_) => {}
                Err(error) => item.fault(format!("in `{name}`: {error}")),
            }
        }
        listed
    }

    fn is_free(&mut self, item: &Item<'_>, owner: &Owner, anchor: &Anchor) -> bool {
        let key = anchor.certificate().key_digest;
        let other = self.anchor_keys.entry(key).or_insert_with(|| owner.clone());
        let free = other == owner;
        if !free {
            let message = match other {
                Owner::Member(other) => {
                    format!("the member `{other}` lists this CA too: it could then speak for both")
                }
                Owner::Shared => {
                    "this CA is in `shared_anchors` elsewhere: it speaks for no one member".to_owned()
                }
            };
            item.fault_with_help(
                message,
                Some("a CA of several members is in `shared_anchors` of each".to_owned()),
            );
        }
        free
    }

    fn ledger_key(
        &mut self,
        item: &Item<'_>,
        member: &MemberId,
        federation: Option<&str>,
    ) -> Option<VerifierKey> {
        let key = item.parsed(VerifierKey::parse)?;
        let prefix = format!("{member}.{}/", federation?);
        if !key.name().starts_with(&prefix) {
            item.fault(format!("the name of a ledger's key begins `{prefix}`"));
            return None;
        }
        self.claim(key.public(), format!("the ledger of `{member}`"), |message| item.fault(message))
            .then_some(key)
    }

    fn officer(&mut self, table: &Table<'_>, member: &MemberId) -> Option<OfficerKey> {
        let name = table.required("name").and_then(|item| short_text(&item));
        let office = table.required("office").and_then(|item| short_text(&item));
        let key_item = table.required("key");
        let key = key_item.as_ref().and_then(|item| item.parsed(VerifierKey::parse));
        let trial = match table.optional("trial") {
            Some(item) => item.boolean()?,
            None => false,
        };
        let (name, office, item, key) = (name?, office?, key_item?, key?);
        if key.name() != name {
            item.fault(format!("the key is that of `{}`, not of `{name}`", key.name()));
            return None;
        }
        if let Some(other) = self.names.insert(name.clone(), member.clone()) {
            table.fault(format!("an officer of `{other}` is already called `{name}`"));
            return None;
        }
        let free = self.claim(key.public(), format!("the officer `{name}`"), |message| item.fault(message));
        free.then(|| OfficerKey { member: member.clone(), name, office, public: *key.public(), trial })
    }

    fn message_keys(
        &mut self,
        tables: &[Table<'_>],
        member: &MemberId,
    ) -> HashMap<SystemName, Vec<MessageKey>> {
        let mut all: HashMap<SystemName, Vec<MessageKey>> = HashMap::new();
        for table in tables {
            let Some(key) = message_key::read(table) else { continue };
            if all.values().flatten().any(|other| other.id == key.id) {
                table.fault(format!("the keyid `{}` is there twice", key.id));
            }
            let role = format!("the system `{member}/{}`", key.system);
            if self.claim(&key.public, role, |message| table.fault(message)) {
                all.entry(key.system.clone()).or_default().push(key);
            }
        }
        all
    }

    /// Whether the key has no other role yet.
    pub(super) fn claim(&mut self, key: &PublicKey, role: String, fault: impl FnOnce(String)) -> bool {
        match self.keys.get(key) {
            Some(other) => {
                fault(format!("this is also the key of {other}: a key has one role"));
                false
            }
            None => {
                self.keys.insert(*key, role);
                true
            }
        }
    }
}

fn federation(item: &Item<'_>) -> Option<String> {
    let name = item.text()?;
    if name.starts_with(&tls::sandbox_of("")) {
        item.fault("names that begin so are kept for sandboxes");
        return None;
    }
    if tls::is_federation(name) {
        return Some(name.to_owned());
    }
    item.fault("wanted a name as DNS has them, in small letters, such as `caledonia.example`");
    None
}

fn short_text(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let legal = !text.trim().is_empty()
        && text.chars().count() <= TEXT_CHARS_MAX
        && !text.chars().any(char::is_control);
    if !legal {
        item.fault(format!("wanted a text of 1 to {TEXT_CHARS_MAX} characters on one line"));
    }
    legal.then(|| text.to_owned())
}

fn codes(item: Item<'_>) -> BTreeMap<String, String> {
    let entries = item.table().map(Table::entries).unwrap_or_default();
    entries.into_iter().filter_map(|(name, item)| Some((name, short_text(&item)?))).collect()
}

/// Issuers by name, each once: what a token says in `iss` is compared with it byte for byte.
fn issuers(list: &Item<'_>) -> Vec<String> {
    let mut issuers: Vec<String> = Vec::new();
    for item in list.list().unwrap_or_default() {
        let Some(url) = item.parsed(HttpsUrl::parse) else { continue };
        if issuers.iter().any(|known| known == url.as_str()) {
            item.fault("this issuer is listed twice");
        } else {
            issuers.push(url.as_str().to_owned());
        }
    }
    issuers
}

fn revoked(list: &Item<'_>) -> Revoked {
    let mut revoked = Revoked::default();
    for item in list.list().unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        if let Some(digest) = Digest::parse(text) {
            revoked.certificate(digest);
        } else if let Some(serial) = Serial::parse(text) {
            revoked.serial(serial);
        } else {
            item.fault_with_help(
                "wanted a serial number in hex or `sha256:<64 hex digits>` of the certificate",
                Some("`tolbooth certs show FILE` prints both".to_owned()),
            );
        }
    }
    revoked
}
