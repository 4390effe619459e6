//! Who may say something of a system, and how what it says is read. An issuer is data: this gateway's
//! own and any other are verified by the same code.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::model::SystemId;

use super::fault::TokenFault;
use super::key::{Algorithm, KeySet};

/// An authorization server whose access tokens are accepted.
#[derive(Debug)]
pub struct Issuer {
    /// The value of `iss`, compared byte for byte (RFC 9068 section 4).
    pub name: Arc<str>,
    /// What `aud` must name: this gateway, as the issuer calls it.
    pub audience: String,
    /// Its keys now. A set that is replaced takes every token it verified out of the caches.
    pub keys: Arc<ArcSwap<KeySet>>,
    /// What its keys may be used with; a key allows these or fewer.
    pub algorithms: Vec<Algorithm>,
    /// A token that is valid for longer is refused: what cannot be called back has to end.
    pub lifetime_seconds_max: i64,
    pub mapping: Mapping,
    /// Whether it speaks only for the members that list it: so do all but this gateway's own.
    pub listed: bool,
    /// A token has named a key that is not here: perhaps there is a newer one.
    pub missed: AtomicBool,
}

impl Issuer {
    /// An issuer of others, without keys yet.
    pub fn outside(
        name: String,
        audience: String,
        mapping: Mapping,
        algorithms: Vec<Algorithm>,
        lifetime_seconds_max: i64,
    ) -> Self {
        let (name, keys) = (name.into(), Arc::default());
        let missed = AtomicBool::new(false);
        Self { name, audience, keys, algorithms, lifetime_seconds_max, mapping, listed: true, missed }
    }

    /// Notes that a key is not among `keys`. Where there are none at all, nobody can tell a good token.
    pub fn miss(&self, keys: &KeySet) -> TokenFault {
        self.missed.store(true, Ordering::Relaxed);
        if keys.is_empty() { TokenFault::NoKeys } else { TokenFault::Key }
    }
}

/// How an issuer's claims become facts of a question; those it names are *proven*.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub clients: ClientNames,
    /// Where the claim is that names the user (a JSON Pointer), if the issuer says who it is.
    pub user: Option<String>,
    /// Where the claim is that names the role, or a list of them.
    pub role: Option<String>,
    /// The issuer's names of roles and ours; a role that is not here is none of ours.
    pub roles: BTreeMap<String, String>,
    /// `scope` is in our words (`agreement:<id>`, `purpose:<code>`) and binds the token to them. Otherwise it
    /// is not looked at, and the agreement alone decides.
    pub scoped: bool,
}

/// Which system `client_id` names.
#[derive(Debug, Clone)]
pub enum ClientNames {
    /// It is the system's SPIFFE id, and `sub` is the same: the token is the system's own.
    Spiffe,
    /// By name; a client that is not here is nobody's.
    Listed(BTreeMap<String, SystemId>),
}

/// Every issuer that is accepted, by name.
#[derive(Debug, Default)]
pub struct Issuers(HashMap<Arc<str>, Arc<Issuer>>);

impl Issuers {
    /// Of two with one name the later counts; whoever reads them from files refuses that.
    pub fn new(issuers: impl IntoIterator<Item = Arc<Issuer>>) -> Self {
        Self(issuers.into_iter().map(|issuer| (Arc::clone(&issuer.name), issuer)).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Issuer>> {
        self.0.get(name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.0.values()
    }
}
