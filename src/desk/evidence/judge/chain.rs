//! That the client's certificates lead to an anchor of the member that asked, as of then, and name the system.

use crate::model::Digest;
use crate::policy::Agreement;
use crate::tls;

use super::super::finding::{Found, not_proven, wrong};
use super::{Case, Law};

impl Case<'_> {
    pub(super) fn chain(&self, law: &Law<'_>, _agreement: &Agreement) -> Found {
        let Some(sealed) = &self.sealed else {
            return not_proven("which certificates the caller showed: they are named in the sealed part");
        };
        let Some(named) = sealed.chain.as_deref().and_then(Digest::parse) else {
            return not_proven("which certificates the caller showed: the record does not name them");
        };
        if !sealed.chain_kept {
            return not_proven(format!(
                "which certificates the caller showed: they were not kept, only their digest {named}; whoever has them can compare"
            ));
        }
        let Some(pem) = self.pack.evidence.get(&named).filter(|pem| Digest::of(pem) == named) else {
            return wrong("the caller's certificates are not in the pack as the record names them");
        };
        let chain = tls::certificates(pem).map_err(|error| format!("the caller's certificates: {error}"))?;
        let directory = law.directory.as_ref().map_err(Clone::clone)?;
        let began = self.exchange.began();
        let path = tls::prove(&directory.anchors(), &chain, began).map_err(|fault| {
            format!("the caller's certificates lead to no anchor of the members' file: {fault}")
        })?;
        let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
        let identity =
            directory.identity(leaf, &path).map_err(|fault| format!("the caller's certificate: {fault}"))?;
        if Some(identity.system()) != self.exchange.consumer().as_ref() {
            return wrong(format!("the caller's certificate is that of {}", identity.system()));
        }
        Ok(format!(
            "the caller's certificate, number {}, leads to an anchor of {} and names {}; neither it nor a CA above it had been revoked",
            identity.serial(),
            identity.system().member,
            identity.system()
        ))
    }
}
