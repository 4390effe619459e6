//! What is looked at before anything is sent: certificate, key, CA and token, as they lie here.

use std::path::Path;

use zeroize::Zeroizing;

use super::report::{Report, Stopped};
use super::{DoctorArgs, token};
use crate::cli::files::{beside, read, shown};
use crate::clock::Clock;
use crate::tls::issue::key_digest;
use crate::tls::{Credential, SpiffeId, key_file_warning, sandbox_of};

const CERTIFICATE: &str = "client certificate";
/// Certificates that end so soon are worth a word.
const SOON_DAYS: i64 = 14;

/// Everything that is shown to the gateway, and what its own certificate is held against.
pub(super) struct Papers {
    pub(super) credential: Option<Credential>,
    /// `member/system`, if the certificate names one.
    pub(super) system: Option<String>,
    pub(super) ca: Vec<u8>,
    pub(super) ca_file: String,
    pub(super) token: Option<Zeroizing<String>>,
}

impl Papers {
    pub(super) fn read(args: &DoctorArgs, report: &mut Report, clock: &Clock) -> Result<Self, Stopped> {
        let ca_file = shown(&args.cacert);
        let ca = read(&args.cacert, "CA's certificate").map_err(|fault| {
            report.bad(
                "CA certificate",
                fault.to_string(),
                "give --cacert the file the gateway's host handed over",
            )
        })?;
        let (credential, system) = match &args.cert {
            Some(certificate) => {
                let key = args.key.clone().unwrap_or_else(|| beside(certificate, "key"));
                let (credential, system) = credential(certificate, &key, report, clock)?;
                (Some(credential), system)
            }
            None => {
                report.skipped(CERTIFICATE, "none was given (--cert, --key)");
                (None, None)
            }
        };
        let token = match &args.token {
            Some(file) => Some(token::look(file, credential.as_ref(), report, clock)?),
            None => None,
        };
        Ok(Self { credential, system, ca, ca_file, token })
    }
}

fn credential(
    certificate: &Path,
    key: &Path,
    report: &mut Report,
    clock: &Clock,
) -> Result<(Credential, Option<String>), Stopped> {
    let ask = "ask whoever runs your member's CA for a certificate: `tolbooth certs client` makes one";
    let loaded = Credential::load(certificate, key).map_err(|faults| {
        report.bad(CERTIFICATE, faults.to_string(), "give --cert and --key the two PEM files")
    })?;
    let leaf = loaded.certificate();
    let key_pem = Zeroizing::new(std::fs::read(key).unwrap_or_default());
    if key_digest(&key_pem).is_ok_and(|digest| digest != leaf.key_digest) {
        let said = format!("{} is not the key of {}", shown(key), shown(certificate));
        return Err(report.bad(CERTIFICATE, said, "give the key the certificate was made for"));
    }
    let now = clock.now();
    if leaf.days_left(now) < 0 || now > leaf.not_after {
        let said = format!("it expired at {} (here it is {now:.0})", leaf.not_after);
        return Err(report.bad(CERTIFICATE, said, ask));
    }
    if now < leaf.not_before {
        let said = format!("it begins at {}, and here it is {now:.0}", leaf.not_before);
        return Err(report.bad(CERTIFICATE, said, "set this machine's clock, or wait"));
    }
    if !leaf.client_auth {
        return Err(report.bad(CERTIFICATE, "it is not for clients (extended key usage clientAuth)", ask));
    }
    let named = match leaf.uris.as_slice() {
        [uri] => SpiffeId::parse(uri),
        _ => None,
    };
    let mut said = match &named {
        Some(id) if id.domain.federation().starts_with(&sandbox_of("")) => {
            format!("it is {}, in a sandbox", id.system_id())
        }
        Some(id) => format!("it is {} in {}", id.system_id(), id.domain.federation()),
        // The gateway's directory may know it by another name.
        None => "it carries no name of a system, so that the gateway must know it by another".to_owned(),
    };
    let days = leaf.days_left(now);
    said.push_str(&format!(", for another {days} days"));
    if days < SOON_DAYS {
        said.push_str(": renew it");
    }
    if let Some(warning) = key_file_warning(key) {
        said.push_str(&format!(" ({})", warning.message));
    }
    report.good(CERTIFICATE, said);
    let system = named.map(|id| id.system_id().to_string());
    Ok((loaded, system))
}
