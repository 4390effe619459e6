//! `certs show`: what certificates say, and what expires when.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::json;

use super::who::Members;
use super::{Report, ShowArgs};
use crate::cli::exit::Exit;
use crate::cli::files::{self, shown};
use crate::clock::{Clock, date_in_words};
use crate::model::{Fault, Faults};
use crate::tls::{self, Certificate, PemError};

/// Endings of files that are looked into when a folder is shown.
const ENDINGS: [&str; 3] = ["pem", "crt", "cer"];

struct Found {
    file: String,
    certificate: Certificate,
    /// Which system it would be, or why none; `None` where that was not asked, or of a CA.
    who: Option<Result<String, &'static str>>,
}

/// Where to look, and what is found there.
struct Search<'a> {
    members: Option<&'a Members>,
    clock: &'a Clock,
    found: Vec<Found>,
    faults: Faults,
}

pub fn show(args: &ShowArgs, clock: &Clock) -> Result<Report, Faults> {
    let members = args.members.as_deref().map(Members::load).transpose()?;
    let mut search =
        Search { members: members.as_ref(), clock, found: Vec::new(), faults: Faults::default() };
    for path in &args.paths {
        if path.is_dir() {
            match listing(path) {
                Ok(paths) => paths.iter().for_each(|path| search.look(path, false)),
                Err(fault) => search.faults.push(fault),
            }
        } else {
            search.look(path, true);
        }
    }
    let Search { mut found, faults, .. } = search;
    faults.into_result()?;
    found.sort_by(|a, b| (a.certificate.not_after, &a.file).cmp(&(b.certificate.not_after, &b.file)));
    let expired = found.iter().any(|found| found.certificate.is_expired(clock.now()));
    let words = match found.len() {
        0 => "No certificates found.\n".to_owned(),
        _ => found.iter().map(|found| paragraph(found, clock)).collect::<Vec<_>>().join("\n"),
    };
    let certificates: Vec<_> = found.iter().map(|found| described(found, clock)).collect();
    let exit = if expired { Exit::No } else { Exit::Yes };
    Ok(Report { words, json: json!({ "certificates": certificates, "any_expired": expired }), exit })
}

fn listing(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let unreadable = |error| Fault::new(shown(folder), None, format!("could not be read: {error}"));
    let entries: Result<Vec<_>, _> =
        std::fs::read_dir(folder).map_err(unreadable)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = entries.map_err(unreadable)?;
    paths.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ENDINGS.contains(&ending)
    });
    paths.sort();
    Ok(paths)
}

impl Search<'_> {
    /// Adds the certificates of one file. One found in a folder may also hold something else: a key
    /// or a request is passed over there, but not where the file was asked for.
    fn look(&mut self, path: &Path, asked_for: bool) {
        let file = shown(path);
        let bytes = match files::read(path, "certificate") {
            Ok(bytes) => bytes,
            Err(fault) => return self.faults.push(fault),
        };
        let ders = match tls::certificates(&bytes) {
            Ok(ders) => ders,
            Err(PemError::Certificate) if !asked_for => return,
            Err(error) => return self.faults.push(Fault::new(file, None, error.to_string())),
        };
        // The first is who the file is for; what follows is its chain.
        let mut who = self.members.map(|members| members.who(&ders, self.clock));
        for der in ders {
            match Certificate::from_der(&der) {
                Ok(certificate) => {
                    let who = who.take().filter(|_| !certificate.is_ca);
                    self.found.push(Found { file: file.clone(), certificate, who });
                }
                Err(error) => self.faults.push(Fault::new(file.clone(), None, error.to_string())),
            }
        }
    }
}

fn paragraph(found: &Found, clock: &Clock) -> String {
    let certificate = &found.certificate;
    let use_ = uses(certificate).join(" and ");
    let names = names(certificate).join(", ");
    let names = if names.is_empty() { "no names".to_owned() } else { names };
    let who = match &found.who {
        None => String::new(),
        Some(Ok(system)) => format!("    is the system {system}\n"),
        Some(Err(why)) => format!("    is nobody: {why}\n"),
    };
    format!(
        "{}\n    {}\n    {use_} of {}, {}\n    {names}\n    serial {}\n    {}\n    public key {}\n{who}",
        found.file,
        in_words(certificate, clock),
        certificate.subject,
        certificate.key,
        certificate.serial,
        certificate.digest,
        certificate.key_digest,
    )
}

fn described(found: &Found, clock: &Clock) -> serde_json::Value {
    let mut json = describe(&found.file, &found.certificate, clock);
    if let (Some(who), Some(json)) = (&found.who, json.as_object_mut()) {
        json.insert("system".to_owned(), json!(who.as_ref().ok()));
        json.insert("why_nobody".to_owned(), json!(who.as_ref().err()));
    }
    json
}

fn uses(certificate: &Certificate) -> Vec<&'static str> {
    let all = [
        (certificate.is_ca, "CA"),
        (certificate.server_auth, "server certificate"),
        (certificate.client_auth, "client certificate"),
    ];
    let uses: Vec<_> = all.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
    if uses.is_empty() { vec!["certificate"] } else { uses }
}

fn names(certificate: &Certificate) -> Vec<String> {
    let ips = certificate.ips.iter().map(ToString::to_string);
    certificate.uris.iter().chain(&certificate.dns).cloned().chain(ips).collect()
}

/// `expires 4 December 2026, in 11 days`; days are London's.
pub fn in_words(certificate: &Certificate, clock: &Clock) -> String {
    let date = |at: jiff::Timestamp| at.to_zoned(clock.zone().clone()).date();
    let (end, today) = (date(certificate.not_after), clock.today());
    let verb = if certificate.is_expired(clock.now()) { "expired" } else { "expires" };
    let mut words = format!("{verb} {}, {}", date_in_words(end), distance(today, end));
    if clock.now() < certificate.not_before {
        words.push_str(&format!(", not valid before {}", date_in_words(date(certificate.not_before))));
    }
    words
}

fn distance(today: Date, day: Date) -> String {
    let days = (day - today).get_days();
    let plural = if days.abs() == 1 { "day" } else { "days" };
    match days {
        0 => "today".to_owned(),
        1.. => format!("in {days} {plural}"),
        _ => format!("{} {plural} ago", days.abs()),
    }
}

pub fn describe(file: &str, certificate: &Certificate, clock: &Clock) -> serde_json::Value {
    json!({
        "file": file,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "uses": uses(certificate),
        "names": names(certificate),
        "key": certificate.key.to_string(),
        "serial": certificate.serial.as_str(),
        "digest": certificate.digest.to_string(),
        "public_key": certificate.key_digest.to_string(),
        "not_before": certificate.not_before.to_string(),
        "not_after": certificate.not_after.to_string(),
        "days_left": certificate.days_left(clock.now()),
        "expired": certificate.is_expired(clock.now()),
    })
}
