//! The directory of a sandbox: the same members, officers and deny-lists, under a federation of another
//! name and under one CA that is the sandbox's. Nobody's real certificate ends in that CA, and a name it
//! gives is none of the federation's, so that what is proven here is proven nowhere else.

use super::bindings::Bindings;
use super::{Directory, ListedAnchor, is_of_sandbox};
use crate::model::{Digest, Fault, Faults};
use crate::tls::{self, Anchor, TrustDomain, sandbox_of};

impl Directory {
    /// `ca` is the PEM of the sandbox's CA, `file` its name.
    ///
    /// # Errors
    /// It is no CA, or not the one of a sandbox of this federation.
    pub fn into_sandbox(mut self, file: &str, ca: Vec<u8>) -> Result<Self, Faults> {
        let fault = |message: String| Faults::from(Fault::new(file, None, message));
        let ders = tls::certificates(&ca).map_err(|error| fault(error.to_string()))?;
        let wanted =
            TrustDomain::of_sandbox(&self.federation).map_err(|error| fault(error.to_string()))?.uri();
        let mut anchors = Vec::with_capacity(ders.len());
        for der in ders {
            let anchor = Anchor::from_der(&der).map_err(|error| fault(error.to_string()))?;
            if !is_of_sandbox(&anchor) || anchor.certificate().uris != [wanted.clone()] {
                let help = format!("`tolbooth certs sandbox --federation {}` makes one", self.federation);
                let message =
                    format!("not the CA of a sandbox of this federation, which is named `{wanted}`");
                return Err(Fault::new(file, None, message).with_help(help).into());
            }
            anchors.push(ListedAnchor { anchor, name: file.to_owned(), file: file.to_owned() });
        }
        self.digest = Digest::of(format!("sandbox {} {}\n", self.digest, Digest::of(&ca)).as_bytes());
        self.federation = sandbox_of(&self.federation);
        self.bindings = Bindings::default();
        for member in self.members.values_mut() {
            member.anchors.clone_from(&anchors);
            member.shared_anchors.clear();
        }
        self.files.push((file.into(), ca));
        Ok(self)
    }
}
