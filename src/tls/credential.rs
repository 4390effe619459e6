//! Our own certificate chain and its private key, from PEM files.

use std::fmt;
use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Certificate, PemError, pem};
use crate::model::{Fault, Faults};

/// A chain, leaf first, and the leaf's key. Prints without the key.
pub struct Credential {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    certificate: Certificate,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.certificate.digest)
    }
}

impl Credential {
    /// From the bytes of two PEM files; the names are for the faults. Whether the key belongs to
    /// the certificate is checked where it is first used.
    pub fn from_pem(chain: (&str, &[u8]), key: (&str, &[u8])) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let leaf = read_chain(chain.1).map_err(|message| faults.push(Fault::new(chain.0, None, message)));
        let key =
            pem::private_key(key.1).map_err(|error| faults.push(Fault::new(key.0, None, error.to_string())));
        match (leaf, key) {
            (Ok((chain, certificate)), Ok(key)) => Ok(Self { chain, key, certificate }),
            _ => Err(faults),
        }
    }

    /// Reads the two PEM files.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut read = |path: &Path, what: &str| {
            std::fs::read(path)
                .map_err(|error| faults.push(Fault::new(shown(path), None, format!("the {what}: {error}"))))
        };
        let chain_pem = read(chain, "certificate could not be read");
        let key_pem = read(key, "private key could not be read");
        match (chain_pem, key_pem) {
            (Ok(chain_pem), Ok(key_pem)) => {
                let key_pem = zeroize::Zeroizing::new(key_pem);
                Self::from_pem((&shown(chain), &chain_pem), (&shown(key), &key_pem))
            }
            _ => Err(faults),
        }
    }

    /// The leaf.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl Clone for Credential {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key(), certificate: self.certificate.clone() }
    }
}

fn read_chain(bytes: &[u8]) -> Result<(Vec<CertificateDer<'static>>, Certificate), String> {
    let chain = pem::chain(bytes).map_err(|error| error.to_string())?;
    let leaf = chain.first().ok_or_else(|| PemError::Certificate.to_string())?;
    let certificate = Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    Ok((chain, certificate))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A warning if others than its owner may read a private key's file; nothing if it is private or
/// cannot be looked at.
pub fn key_file_warning(key: &Path) -> Option<Fault> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    let open = mode & 0o077 != 0;
    open.then(|| {
        let file = shown(key);
        let help = format!("chmod 600 {file}");
        Fault::new(file, None, "others than its owner may read this private key").with_help(help)
    })
}
