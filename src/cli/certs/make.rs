//! `certs ca`, `server`, `client` and `sign`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::show::{describe, in_words};
use super::{
    CaArgs, ClientArgs, IssuerArgs, OutputArgs, Report, SandboxArgs, ServerArgs, SignArgs, SystemArgs,
};
use crate::cli::exit::Exit;
use crate::cli::files::{self, NewFile, Readable, beside, shown};
use crate::clock::Clock;
use crate::model::{Fault, Faults};
use crate::tls::issue::{self, Authority, IssueError, Lifetime, Made};
use crate::tls::{Certificate, SpiffeId, TrustDomain};

pub fn ca(args: &CaArgs, clock: &Clock) -> Result<Report, Faults> {
    let domain = TrustDomain::new(args.member.clone(), &args.federation)
        .map_err(|error| Fault::new("--federation", None, error.to_string()))?;
    if domain.is_sandbox() {
        let fault = Fault::new("--member", None, "`sandbox` is kept for the CAs of sandboxes");
        return Err(fault.with_help("`tolbooth certs sandbox` makes one of those").into());
    }
    let made = Authority::create(&domain, &args.name, args.years, clock.now());
    let (_, made) = made.map_err(|error| Fault::new("--years", None, error.to_string()))?;
    let next = format!(
        "Give the certificate to your partners, who list it in their members.toml under `{}`.\n\
         Keep the key off the gateway, with a copy in a safe place.\n",
        args.member
    );
    finish(&args.output, &format!("{}-ca", args.member), &made, &next, clock)
}

pub fn server(args: &ServerArgs, clock: &Clock) -> Result<Report, Faults> {
    let authority = open(&args.issuer)?;
    let life = Lifetime { now: clock.now(), days: args.days };
    let made = authority.server(&args.dns, &args.ip, life).map_err(|error| issuing(&args.issuer, &error))?;
    let member = authority.domain().map(|domain| format!("{}-", domain.member())).unwrap_or_default();
    let next = "Name both in tolbooth.toml as the partner listener's certificate and key.\n";
    finish(&args.output, &format!("{member}gateway"), &made, next, clock)
}

pub fn client(args: &ClientArgs, clock: &Clock) -> Result<Report, Faults> {
    let authority = open(&args.issuer)?;
    let id = system_id(&args.system, &args.issuer, &authority)?;
    let life = Lifetime { now: clock.now(), days: args.system.days };
    let made = authority.client(&id, life).map_err(|error| issuing(&args.issuer, &error))?;
    let next = format!("The system asks with both: curl --cert FILE --key FILE ...; it is {id}.\n");
    finish(&args.output, &file_name(&id), &made, &next, clock)
}

/// A CA for a sandbox and its server certificate, which would be of no use apart.
pub fn sandbox(args: &SandboxArgs, clock: &Clock) -> Result<Report, Faults> {
    let domain = TrustDomain::of_sandbox(&args.federation)
        .map_err(|error| Fault::new("--federation", None, error.to_string()))?;
    let made = Authority::create(&domain, "Sandbox", issue::CA_YEARS, clock.now());
    let (authority, ca) = made.map_err(|error| Fault::new("sandbox", None, error.to_string()))?;
    let life = Lifetime { now: clock.now(), days: args.days };
    let server = authority
        .server(&args.dns, &args.ip, life)
        .map_err(|error| Fault::new("--dns", None, error.to_string()))?;
    let file = |name: &str| args.out.join(name);
    let new = |name: &str, text: &'_ str, readable| (file(name), text.as_bytes().to_vec(), readable);
    let all = [
        new("sandbox-ca.key", &ca.key, Readable::ByOwner),
        new("sandbox-ca.pem", &ca.certificate, Readable::ByAll),
        new("sandbox-gateway.key", &server.key, Readable::ByOwner),
        new("sandbox-gateway.pem", &server.certificate, Readable::ByAll),
    ];
    let files: Vec<NewFile<'_>> = all
        .iter()
        .map(|(path, bytes, readable)| NewFile { path: path.clone(), bytes, readable: *readable })
        .collect();
    files::write(&files, args.force)?;
    let of_ca = report(&file("sandbox-ca.pem"), Some(&file("sandbox-ca.key")), &ca.certificate, "", clock)?;
    let next = "Start it: tolbooth serve --sandbox\n\
                For each partner's developer: tolbooth certs client --ca FILE --member MEMBER --system SYSTEM\n\
                They are handed that certificate and key, and the CA's certificate to know the sandbox by.\n";
    let server_key = file("sandbox-gateway.key");
    let of_server =
        report(&file("sandbox-gateway.pem"), Some(&server_key), &server.certificate, next, clock)?;
    let json = json!({ "ca": of_ca.json, "server": of_server.json });
    Ok(Report { words: of_ca.words + &of_server.words, json, exit: Exit::Yes })
}

pub fn sign(args: &SignArgs, clock: &Clock) -> Result<Report, Faults> {
    let authority = open(&args.issuer)?;
    let id = system_id(&args.system, &args.issuer, &authority)?;
    let request = files::read(&args.request, "signing request")?;
    let life = Lifetime { now: clock.now(), days: args.system.days };
    let pem = authority.sign(&request, &id, life).map_err(|error| match error {
        IssueError::OutlastsCa(_) | IssueError::TooLong => issuing(&args.issuer, &error),
        other => Fault::new(shown(&args.request), None, other.to_string()),
    })?;
    let path = args.output.out.join(format!("{}.pem", file_name(&id)));
    let file = NewFile { path: path.clone(), bytes: pem.as_bytes(), readable: Readable::ByAll };
    files::write(&[file], args.output.force)?;
    let next = format!("Send it back: it goes with the key the request was made with, and is {id}.\n");
    report(&path, None, &pem, &next, clock)
}

fn open(args: &IssuerArgs) -> Result<Authority, Faults> {
    let key_path = args.ca_key.clone().unwrap_or_else(|| beside(&args.ca, "key"));
    let certificate = files::read(&args.ca, "CA's certificate")?;
    let key = zeroize::Zeroizing::new(files::read(&key_path, "CA's private key")?);
    let opened = Authority::open(&certificate, &key);
    Ok(opened.map_err(|error| match error {
        IssueError::KeyMismatch | IssueError::Key => Fault::new(shown(&key_path), None, error.to_string()),
        IssueError::Pem(crate::tls::PemError::PrivateKey) => {
            Fault::new(shown(&key_path), None, error.to_string())
        }
        other => Fault::new(shown(&args.ca), None, other.to_string()),
    })?)
}

fn issuing(args: &IssuerArgs, error: &IssueError) -> Fault {
    Fault::new(shown(&args.ca), None, error.to_string())
}

/// The id is the CA's member's own: a CA cannot be made to issue for another by a slip.
fn system_id(args: &SystemArgs, issuer: &IssuerArgs, authority: &Authority) -> Result<SpiffeId, Fault> {
    let domain = match (authority.domain(), &args.trust_domain) {
        (Some(own), _) if own.is_sandbox() => {
            let Some(member) = args.member.clone() else {
                let fault = Fault::new(
                    shown(&issuer.ca),
                    None,
                    "this CA is a sandbox's, and speaks for every member",
                );
                return Err(fault.with_help("say whose system it is: --member <member>"));
            };
            own.member_in_sandbox(member).map_err(|error| Fault::new("--member", None, error.to_string()))?
        }
        (Some(own), _) if args.member.as_ref().is_some_and(|member| member != own.member()) => {
            let message = format!("this CA is that of {own}, and issues for no other member");
            return Err(Fault::new(shown(&issuer.ca), None, message));
        }
        (Some(own), Some(given)) if own != *given => {
            let message = format!("this CA is that of {own}, not of {given}");
            return Err(Fault::new(shown(&issuer.ca), None, message));
        }
        (Some(own), _) => own,
        (None, Some(given)) => given.clone(),
        (None, None) => {
            let fault = Fault::new(shown(&issuer.ca), None, "this CA does not say whose it is");
            return Err(fault.with_help("give --trust-domain <member>.<federation>"));
        }
    };
    Ok(SpiffeId { domain, system: args.system.clone() })
}

fn file_name(id: &SpiffeId) -> String {
    format!("{}-{}", id.domain.member(), id.system)
}

fn finish(output: &OutputArgs, name: &str, made: &Made, next: &str, clock: &Clock) -> Result<Report, Faults> {
    let path = output.out.join(format!("{name}.pem"));
    let key = output.out.join(format!("{name}.key"));
    // The key first: a certificate without its key is of no use, and a kill may fall between.
    let files = [
        NewFile { path: key.clone(), bytes: made.key.as_bytes(), readable: Readable::ByOwner },
        NewFile { path: path.clone(), bytes: made.certificate.as_bytes(), readable: Readable::ByAll },
    ];
    files::write(&files, output.force)?;
    report(&path, Some(&key), &made.certificate, next, clock)
}

fn report(
    path: &Path,
    key: Option<&PathBuf>,
    pem: &str,
    next: &str,
    clock: &Clock,
) -> Result<Report, Faults> {
    let unreadable = |error: String| Fault::new(shown(path), None, error);
    let der = issue::der_of(pem).map_err(|error| unreadable(error.to_string()))?;
    let certificate = Certificate::from_der(&der).map_err(|error| unreadable(error.to_string()))?;
    let mut words = format!("certificate  {}\n", shown(path));
    if let Some(key) = key {
        words.push_str(&format!("private key  {}\n", shown(key)));
    }
    words.push_str(&format!("It {}.\n{next}", in_words(&certificate, clock)));
    let json = json!({
        "certificate": describe(&shown(path), &certificate, clock),
        "key_file": key.map(|key| shown(key)),
    });
    Ok(Report { words, json, exit: Exit::Yes })
}
