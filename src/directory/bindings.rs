//! Bindings: systems whose certificates come from elsewhere and so carry no name of this federation. A member's
//! entry binds each to a system, by the CA and one DNS name in the certificate (RFC 5280 section 4.2.1.6,
//! compared whole and in small letters: no wildcard, never a common name), or by its public key.

use std::collections::HashMap;

use super::members::Reader;
use super::{Directory, IdentityFault, Member};
use crate::config::strict::{Item, Table};
use crate::model::{Digest, SystemId, SystemName};
use crate::tls::{AnchorId, Certificate};

/// The bindings of all members.
#[derive(Debug, Clone, Default)]
pub(super) struct Bindings {
    by_key: HashMap<Digest, SystemId>,
    by_name: HashMap<(AnchorId, String), SystemId>,
}

impl Directory {
    /// The system a certificate is bound to, if it is bound to one; two bindings are one too many, also to
    /// one system: which of them let it in must have one answer.
    pub(super) fn bound(
        &self,
        certificate: &Certificate,
        anchor: AnchorId,
    ) -> Result<Option<&SystemId>, IdentityFault> {
        let by_key = self.bindings.by_key.get(&certificate.key_digest);
        let pinned =
            by_key.filter(|system| self.member(&system.member).is_some_and(|member| member.vouches(&anchor)));
        let by_name = certificate
            .dns
            .iter()
            .filter_map(|name| self.bindings.by_name.get(&(anchor, name.to_ascii_lowercase())));
        let mut found = pinned.into_iter().chain(by_name);
        match (found.next(), found.next()) {
            (bound, None) => Ok(bound),
            _ => Err(IdentityFault::SeveralSystems),
        }
    }
}

/// What a certificate is recognised by.
enum Mark {
    Key(Digest),
    Name(Vec<AnchorId>, String),
}

impl Reader<'_> {
    /// One `[[member.binding]]`.
    pub(super) fn binding(&mut self, table: &Table<'_>, member: &Member) {
        let system = table.required("system").and_then(|item| item.parsed(SystemName::new));
        let (ca, dns, key) = (table.optional("ca"), table.optional("dns"), table.optional("public_key"));
        let mark = match (&ca, &dns, &key) {
            (Some(ca), Some(dns), None) => by_name(ca, dns, member),
            (None, None, Some(key)) => by_key(key),
            _ => {
                table.fault_with_help(
                    "a binding is by `ca` and `dns`, or by `public_key`",
                    "`tolbooth certs show FILE` prints the DNS names and the public key of a certificate",
                );
                None
            }
        };
        let (Some(name), Some(mark)) = (system, mark) else { return };
        let system = SystemId { member: member.id.clone(), system: name };
        let taken = match mark {
            Mark::Key(digest) => self.bindings.by_key.insert(digest, system.clone()),
            Mark::Name(anchors, name) => anchors
                .into_iter()
                .filter_map(|anchor| self.bindings.by_name.insert((anchor, name.clone()), system.clone()))
                .next(),
        };
        if let Some(other) = taken {
            table.fault(format!("such a certificate is bound to `{other}` already: it would be two systems"));
        }
    }
}

fn by_name(ca: &Item<'_>, dns: &Item<'_>, member: &Member) -> Option<Mark> {
    let file = ca.text()?;
    let anchors: Vec<AnchorId> =
        member.all_anchors().filter(|listed| listed.name == file).map(|listed| listed.anchor.id()).collect();
    if anchors.is_empty() {
        let known: Vec<&str> = member.all_anchors().map(|listed| listed.name.as_str()).collect();
        let help = crate::model::suggestion(file, known).unwrap_or_else(|| {
            "list its file in `anchors`, or in `shared_anchors` if others use it too".to_owned()
        });
        ca.fault_with_help(format!("`{file}` is no CA of `{}`", member.id), Some(help));
    }
    let name = dns.text()?;
    if !is_exact_name(name) {
        dns.fault(
            "wanted one whole DNS name in small letters, without `*`, such as `trak.nhs-lomond.example`",
        );
        return None;
    }
    (!anchors.is_empty()).then(|| Mark::Name(anchors, name.to_owned()))
}

fn by_key(item: &Item<'_>) -> Option<Mark> {
    let digest = Digest::parse(item.text()?);
    if digest.is_none() {
        item.fault_with_help(
            "wanted `sha256:<64 hex digits>` of the public key",
            Some("`tolbooth certs show FILE` prints it".to_owned()),
        );
    }
    digest.map(Mark::Key)
}

/// At least two labels of small letters, digits and inner hyphens (RFC 1123 section 2.1), the last not a number:
/// nothing that could be an address.
fn is_exact_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(label)
        && !last.bytes().all(|b| b.is_ascii_digit())
}
