//! `[sandbox]` of `tolbooth.toml`: where `tolbooth serve --sandbox` listens and what it keeps. Of the
//! gateway proper it shares members, contracts, agreements and guardrails, and nothing it could be taken
//! for it by: its address, certificates, keys, data and ledger are its own.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use super::gateway::{Gateway, address, path};
use super::outside::Outside;
use super::strict::Table;
use crate::model::{Fault, Faults};

/// A sandbox's own files and addresses.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub address: SocketAddr,
    pub local: SocketAddr,
    /// The CA all its partners' certificates are under, and no other's.
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub data: PathBuf,
}

impl Sandbox {
    pub(super) fn read(table: Option<&Table<'_>>, home: &Path) -> Option<Self> {
        let address_of_partners = address(table, "0.0.0.0:8444");
        let local = match table.and_then(|table| table.optional("local")) {
            Some(item) => item.parsed(|text| {
                text.parse::<SocketAddr>().map_err(|_| "an address such as 127.0.0.1:9465 is wanted")
            }),
            None => "127.0.0.1:9465".parse().ok(),
        };
        let file = |key, default: &str| path(table, key, home).unwrap_or_else(|| home.join(default));
        let (ca, certificate) =
            (file("ca", "sandbox/sandbox-ca.pem"), file("certificate", "sandbox/sandbox-gateway.pem"));
        let (key, data) = (file("key", "sandbox/sandbox-gateway.key"), file("data", "sandbox/data"));
        Some(Self { address: address_of_partners?, local: local?, ca, certificate, key, data })
    }
}

impl Gateway {
    /// The same house as a sandbox. It would write its ledger over the gateway's, or show the gateway's
    /// certificate, only if it were told to, and then it is not made.
    pub fn into_sandbox(mut self) -> Result<Self, Faults> {
        let file = self.home.join("tolbooth.toml").display().to_string();
        let mut faults = Faults::default();
        let sandbox = self.sandbox.clone();
        let own = [
            ("data", &sandbox.data, &self.data),
            ("certificate", &sandbox.certificate, &self.partners.certificate),
            ("key", &sandbox.key, &self.partners.key),
        ];
        for (name, of_sandbox, of_gateway) in own {
            if plain(of_sandbox) == plain(of_gateway) {
                let message = format!("`sandbox.{name}` is the gateway's own: a sandbox shares none of it");
                faults.push(Fault::new(&file, None, message));
            }
        }
        faults.into_result()?;
        self.partners.address = sandbox.address;
        self.partners.certificate = sandbox.certificate;
        self.partners.key = sandbox.key;
        self.local = sandbox.local;
        self.admin_socket = sandbox.data.join("admin.sock");
        self.data = sandbox.data;
        // What is kept outside is of the gateway's own log.
        self.outside = Outside::default();
        self.in_sandbox = true;
        Ok(self)
    }
}

/// Where a path leads: links followed as far as it exists, else as it is spelt.
fn plain(path: &Path) -> PathBuf {
    if let Ok(there) = std::fs::canonicalize(path) {
        return there;
    }
    let mut plain = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::gateway::parse;
    use super::*;

    fn gateway(more: &str) -> Gateway {
        let least =
            "format = 1\n[gateway]\nmember = \"glenmore\"\n[partners]\ncertificate = \"c\"\nkey = \"k\"\n";
        parse("tolbooth.toml", &format!("{least}{more}"), Path::new("/etc/tolbooth")).unwrap()
    }

    #[test]
    fn a_sandbox_shares_neither_data_nor_certificate_with_its_gateway() {
        let sandbox = gateway("").into_sandbox().unwrap();
        assert!(sandbox.in_sandbox);
        assert_eq!(sandbox.data, Path::new("/etc/tolbooth/sandbox/data"));
        assert_eq!(sandbox.admin_socket, Path::new("/etc/tolbooth/sandbox/data/admin.sock"));
        assert_eq!(sandbox.partners.address.port(), 8444);
        for same in
            ["data = \"data\"", "data = \"x/../data\"", "certificate = \"./c\"", "key = \"/etc/tolbooth/k\""]
        {
            let sandbox = gateway(&format!("[sandbox]\n{same}\n")).into_sandbox();
            assert!(sandbox.is_err(), "{same}");
        }
    }
}
