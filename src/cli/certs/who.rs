//! Which system a certificate would be at a gateway with these members: proven and judged as the listener and
//! the road do it.

use std::path::Path;

use crate::cli::files::shown;
use crate::clock::Clock;
use crate::directory::{self, Directory, IdentityFault};
use crate::model::{Fault, Faults};
use crate::tls::{self, Anchor, HandshakeFault};

/// A members' file and what it names.
pub struct Members {
    directory: Directory,
    anchors: Vec<Anchor>,
}

impl Members {
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let name = shown(path);
        let text = std::fs::read_to_string(path)
            .map_err(|error| Fault::new(name.clone(), None, format!("could not be read: {error}")))?;
        let directory = directory::load(&name, &text, &|path| std::fs::read(path), None)?;
        let anchors = directory.anchors();
        Ok(Self { directory, anchors })
    }

    /// The system of a chain (leaf first), or why it is nobody.
    pub fn who(&self, chain: &[Vec<u8>], clock: &Clock) -> Result<String, &'static str> {
        let leaf = chain.first().ok_or("there is no certificate")?;
        let path = tls::prove(&self.anchors, chain, clock.now()).map_err(not_proven)?;
        let identity = self.directory.identity(leaf, &path).map_err(not_known)?;
        Ok(identity.system().to_string())
    }
}

fn not_proven(fault: HandshakeFault) -> &'static str {
    match fault {
        HandshakeFault::UnknownIssuer => "its chain ends in no CA that a member lists",
        HandshakeFault::Expired => "it has expired, or a CA of its chain has",
        HandshakeFault::NotYetValid => "it is not valid yet, or a CA of its chain is not",
        HandshakeFault::Unsuitable => {
            "it is not for this: wanted are the uses client authentication and digital signature, and no CA"
        }
        _ => "its chain cannot be proven",
    }
}

fn not_known(fault: IdentityFault) -> &'static str {
    match fault {
        IdentityFault::Unreadable => "it cannot be read",
        IdentityFault::IsCa => "it is a CA's own",
        IdentityFault::NotOneName => "it has no SPIFFE name, or several, and no binding names it",
        IdentityFault::NotASystem => "its URI is not `spiffe://<member>.<federation>/<system>`",
        IdentityFault::OtherFederation => "its name is of another federation",
        IdentityFault::UnknownMember => "its name is of a member who is not listed",
        IdentityFault::NotItsAnchor => {
            "its chain ends in a CA that the member it names does not list as its own"
        }
        IdentityFault::SeveralSystems => {
            "it is two systems: by two bindings, or by a binding and its own name"
        }
        IdentityFault::Revoked => "it is revoked, or a CA of its chain is",
    }
}
