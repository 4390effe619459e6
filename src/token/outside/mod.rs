//! Issuers of others, as their files in `policies/issuers/` describe them: whose keys are fetched
//! ([`Fetch`]), or who are asked about each token ([`Ask`]).
//!
//! Here an issuer becomes data that tokens are checked by; who it may speak for stands in the directory, and
//! is compared whenever a token is used.

mod answers;
mod ask;
mod fetch;
mod file;

pub use fetch::Fetched;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;

use self::ask::Ask;
use self::fetch::Fetch;
use self::file::{IssuerFile, KeysFrom, Named, ProofFile, Way};
use super::issuer::{ClientNames, Issuer};
use super::key::KeySet;
use crate::clock::Clock;
use crate::crypto::{Sha256, sha256};
use crate::https::{HttpsBounds, HttpsClient};
use crate::model::{Fault, Faults, MemberId};
use crate::tls::{ClientTls, Credential, MessageKey};

/// An issuer of others, compiled.
#[derive(Debug)]
pub struct Outsider {
    issuer: Arc<Issuer>,
    means: Means,
    /// Keys and certificates of ours: no evidence is kept of them, but a change reloads.
    secrets: Vec<PathBuf>,
    /// All that it was made of: an issuer of the same goes on as it is, with its keys and answers.
    made_of: Sha256,
}

#[derive(Debug)]
enum Means {
    /// Its keys lie in a file.
    Given,
    Fetched(Fetch),
    Asked(Box<Ask>),
}

/// Reads files that are named by the issuer's file, and keeps them as evidence.
pub type Read<'r> = dyn FnMut(&Path) -> io::Result<Vec<u8>> + 'r;

impl Outsider {
    /// From the text of the file called `name`. Files it names lie under `base`; `before` are the issuers
    /// there have been.
    pub fn load(
        name: &str,
        text: &str,
        base: &Path,
        read: &mut Read<'_>,
        before: &[Arc<Self>],
    ) -> Result<Arc<Self>, Faults> {
        let file = IssuerFile::load(name, text)?;
        let before = before.iter().find(|one| *one.issuer.name == *file.name);
        let mut bench =
            Bench { name, base, read, parts: vec![sha256(&[text.as_bytes()])], secrets: Vec::new() };
        let made = bench.make(file, before.map(Arc::as_ref))?;
        match before {
            Some(before) if before.made_of == made.made_of => Ok(Arc::clone(before)),
            _ => Ok(Arc::new(made)),
        }
    }

    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// The members its clients belong to, each perhaps several times.
    pub fn members(&self) -> impl Iterator<Item = &MemberId> {
        let listed = match &self.issuer.mapping.clients {
            ClientNames::Listed(names) => Some(names.values()),
            ClientNames::Spiffe => None,
        };
        listed.into_iter().flatten().map(|system| &system.member)
    }

    pub fn secrets(&self) -> &[PathBuf] {
        &self.secrets
    }

    /// Who is asked about its tokens, if they are opaque.
    pub fn asked(&self) -> Option<&Ask> {
        match &self.means {
            Means::Asked(ask) => Some(ask),
            Means::Given | Means::Fetched(_) => None,
        }
    }

    /// Fetches its keys if they are due; `None` if they are not, or never are.
    pub async fn tend(&self, clock: &Clock) -> Option<Fetched> {
        match &self.means {
            Means::Fetched(fetch) => fetch.tend(&self.issuer, clock).await,
            Means::Given | Means::Asked(_) => None,
        }
    }
}

/// Every issuer of others that is accepted.
#[derive(Debug, Default)]
pub struct Outsiders(Vec<Arc<Outsider>>);

impl Outsiders {
    /// Of two with one name the first counts; whoever reads them from files refuses that.
    pub fn new(all: Vec<Arc<Outsider>>) -> Self {
        Self(all)
    }

    pub fn all(&self) -> &[Arc<Outsider>] {
        &self.0
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Outsider>> {
        self.0.iter().find(|one| *one.issuer.name == *name)
    }

    /// Those whose JWTs are verified here.
    pub fn verified(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.0.iter().filter(|one| one.asked().is_none()).map(|one| &one.issuer)
    }

    /// Who is asked about an opaque token of a member that hears `issuers`. The token does not say whose it
    /// is, and nobody else's is shown to an issuer: so a member has one such issuer or none.
    pub fn asked(&self, issuers: &[String]) -> Option<&Arc<Outsider>> {
        issuers.iter().filter_map(|name| self.get(name)).find(|one| one.asked().is_some())
    }
}

/// Where an issuer is put together.
struct Bench<'a, 'r> {
    name: &'a str,
    base: &'a Path,
    read: &'a mut Read<'r>,
    parts: Vec<Sha256>,
    secrets: Vec<PathBuf>,
}

impl Bench<'_, '_> {
    fn make(&mut self, file: IssuerFile, before: Option<&Outsider>) -> Result<Outsider, Faults> {
        let (mut issuer, means) = match file.way {
            Way::Jwt { algorithms, lifetime_seconds_max, keys } => {
                let issuer =
                    Issuer::outside(file.name, file.audience, file.mapping, algorithms, lifetime_seconds_max);
                match keys {
                    KeysFrom::File(named) => {
                        let bytes = self.evidence(&named)?;
                        let keys = KeySet::from_jwks(Bytes::from(bytes), &issuer.algorithms)
                            .map_err(|fault| self.fault(&named, fault.to_string()))?;
                        issuer.keys.store(Arc::new(keys));
                        (issuer, Means::Given)
                    }
                    KeysFrom::Url { url, ca, kept_seconds_max } => {
                        let client = HttpsClient::new(self.tls(&ca, None)?, fetch::BOUNDS);
                        (issuer, Means::Fetched(Fetch::new(url, client, kept_seconds_max)))
                    }
                }
            }
            Way::Opaque(ask) => {
                let issuer = Issuer::outside(file.name, file.audience, file.mapping, Vec::new(), 0);
                let means = self.ask(ask, &issuer)?;
                (issuer, Means::Asked(Box::new(means)))
            }
        };
        if let (Means::Fetched(fetch), Some(before)) = (&means, before) {
            self.carry_over(fetch, &mut issuer, before);
        }
        let parts: Vec<&[u8]> = self.parts.iter().map(<[u8; 32]>::as_slice).collect();
        let made_of = sha256(&parts);
        Ok(Outsider { issuer: Arc::new(issuer), means, secrets: std::mem::take(&mut self.secrets), made_of })
    }

    /// Keys that were fetched from the same place under the same rule are used until newer ones come.
    fn carry_over(&self, fetch: &Fetch, issuer: &mut Issuer, before: &Outsider) {
        if let Means::Fetched(other) = &before.means
            && fetch.is_from(other)
            && issuer.algorithms == before.issuer.algorithms
        {
            issuer.keys = Arc::new(ArcSwap::new(before.issuer.keys.load_full()));
            fetch.go_on_from(other);
        }
    }

    fn ask(&mut self, file: file::AskFile, issuer: &Issuer) -> Result<Ask, Faults> {
        let mut signs = None;
        let credential = match &file.proof {
            ProofFile::Certificate { certificate, key } => {
                let (certificate, key) = (self.base.join(&certificate.file), self.base.join(&key.file));
                let own = Credential::load(&certificate, &key)?;
                self.parts.push(own.certificate().digest.0);
                self.secrets.extend([certificate, key]);
                Some(own)
            }
            ProofFile::Key { key, algorithm } => {
                let path = self.base.join(&key.file);
                let bytes = std::fs::read(&path).map_err(|error| self.fault(key, error.to_string()))?;
                let bytes = zeroize::Zeroizing::new(bytes);
                self.parts.push(sha256(&[&bytes]));
                self.secrets.push(path);
                let made = MessageKey::from_pem(&bytes, algorithm.as_deref());
                signs = Some(made.map_err(|error| self.fault(key, error.to_string()))?);
                None
            }
        };
        let bounds = HttpsBounds {
            time_max: std::time::Duration::from_secs(file.seconds_max),
            bytes_max: ask::ANSWER_BYTES_MAX,
        };
        let client = HttpsClient::new(self.tls(&file.ca, credential.as_ref())?, bounds);
        Ask::new(file, client, signs, issuer)
            .ok_or_else(|| Fault::new(self.name, None, "its introspection address cannot be used").into())
    }

    fn tls(&mut self, ca: &Named, credential: Option<&Credential>) -> Result<ClientTls, Faults> {
        let bytes = self.evidence(ca)?;
        ClientTls::new(&bytes, credential).map_err(|error| self.fault(ca, error.to_string()))
    }

    fn evidence(&mut self, named: &Named) -> Result<Vec<u8>, Faults> {
        let bytes = (self.read)(&self.base.join(&named.file))
            .map_err(|error| self.fault(named, error.to_string()))?;
        self.parts.push(sha256(&[&bytes]));
        Ok(bytes)
    }

    fn fault(&self, named: &Named, why: String) -> Faults {
        Fault::new(self.name, Some(named.line), format!("`{}`: {why}", named.file)).into()
    }
}
