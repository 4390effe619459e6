//! `certs show`: what certificates say, and what expires when.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::json;

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
}

pub fn show(args: &ShowArgs, clock: &Clock) -> Result<Report, Faults> {
    let mut found = Vec::new();
    let mut faults = Faults::default();
    for path in &args.paths {
        if path.is_dir() {
            match listing(path) {
                Ok(paths) => paths.iter().for_each(|path| look(path, false, &mut found, &mut faults)),
                Err(fault) => faults.push(fault),
            }
        } else {
            look(path, true, &mut found, &mut faults);
        }
    }
    faults.into_result()?;
    found.sort_by(|a, b| (a.certificate.not_after, &a.file).cmp(&(b.certificate.not_after, &b.file)));
    let expired = found.iter().any(|found| found.certificate.is_expired(clock.now()));
    let words = match found.len() {
        0 => "No certificates found.\n".to_owned(),
        _ => found.iter().map(|found| paragraph(found, clock)).collect::<Vec<_>>().join("\n"),
    };
    let certificates: Vec<_> =
        found.iter().map(|found| describe(&found.file, &found.certificate, clock)).collect();
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

/// Adds the certificates of one file. One found in a folder may also hold something else: a key
/// or a request is passed over there, but not where the file was asked for.
fn look(path: &Path, asked_for: bool, found: &mut Vec<Found>, faults: &mut Faults) {
    let file = shown(path);
    let bytes = match files::read(path, "certificate") {
        Ok(bytes) => bytes,
        Err(fault) => return faults.push(fault),
    };
    let ders = match tls::certificates(&bytes) {
        Ok(ders) => ders,
        Err(PemError::Certificate) if !asked_for => return,
        Err(error) => return faults.push(Fault::new(file, None, error.to_string())),
    };
    for der in ders {
        match Certificate::from_der(&der) {
            Ok(certificate) => found.push(Found { file: file.clone(), certificate }),
            Err(error) => faults.push(Fault::new(file.clone(), None, error.to_string())),
        }
    }
}

fn paragraph(found: &Found, clock: &Clock) -> String {
    let certificate = &found.certificate;
    let use_ = uses(certificate).join(" and ");
    let names = names(certificate).join(", ");
    let names = if names.is_empty() { "no names".to_owned() } else { names };
    format!(
        "{}\n    {}\n    {use_} of {}, {}\n    {names}\n    serial {}\n    {}\n",
        found.file,
        in_words(certificate, clock),
        certificate.subject,
        certificate.key,
        certificate.serial,
        certificate.digest,
    )
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
        "not_before": certificate.not_before.to_string(),
        "not_after": certificate.not_after.to_string(),
        "days_left": certificate.days_left(clock.now()),
        "expired": certificate.is_expired(clock.now()),
    })
}
