//! `certs export`: a PKCS#12 file under a password that is never an argument.

use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use super::{ExportArgs, Report};
use crate::cli::exit::Exit;
use crate::cli::files::{self, NewFile, Readable, beside, shown};
use crate::cli::passphrase;
use crate::model::{Fault, Faults, Secret};
use crate::tls::pkcs12;

pub fn export(args: &ExportArgs) -> Result<Report, Faults> {
    let key = args.key.clone().unwrap_or_else(|| beside(&args.certificate, "key"));
    let path = args.out.clone().unwrap_or_else(|| beside(&args.certificate, "p12"));
    let certificate_pem = files::read(&args.certificate, "certificate")?;
    let key_pem = Zeroizing::new(files::read(&key, "private key")?);
    let ca = args.ca.as_ref().map(|ca| files::read(ca, "CA's certificate")).transpose()?;
    let password = password(args.password_file.as_deref())?;
    let name = args.certificate.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = pkcs12::export(&name, &certificate_pem, &key_pem, ca.as_deref(), &password)
        .map_err(|error| Fault::new(shown(&args.certificate), None, error.to_string()))?;
    let bytes = Zeroizing::new(bytes);
    let file = NewFile { path: path.clone(), bytes: &bytes, readable: Readable::ByOwner };
    files::write(&[file], args.force)?;
    let words = format!("PKCS#12 file  {}\nWhoever has it and its password is this system.\n", shown(&path));
    Ok(Report { words, json: json!({ "pkcs12_file": shown(&path) }), exit: Exit::Yes })
}

fn password(file: Option<&Path>) -> Result<Secret, Fault> {
    let unread = |from: String, error: &dyn std::fmt::Display| {
        Fault::new(from, None, format!("the password could not be read: {error}"))
    };
    match file {
        Some(path) => passphrase::of_file(path).map_err(|error| unread(shown(path), &error)),
        None => passphrase::ask("Password for the PKCS#12 file: ", true)
            .map_err(|fault| Fault::new("the password", None, fault.to_string())),
    }
}
