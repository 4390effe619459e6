//! `certs export`: a PKCS#12 file under a password that is never an argument, because arguments are
//! seen by everybody on the machine and kept in the shell's history.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;
use zeroize::Zeroizing;

use super::{ExportArgs, Report};
use crate::cli::exit::Exit;
use crate::cli::files::{self, NewFile, Readable, beside, shown};
use crate::model::{Fault, Faults, Secret};
use crate::tls::pkcs12;

/// More than any password.
const PASSWORD_BYTES_MAX: u64 = 1024;

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
    let failed = |from: &str, error: io::Error| {
        Fault::new(from.to_owned(), None, format!("the password could not be read: {error}"))
    };
    match file {
        Some(path) => std::fs::File::open(path)
            .and_then(|file| first_line(&mut io::BufReader::new(file.take(PASSWORD_BYTES_MAX))))
            .map_err(|error| failed(&shown(path), error)),
        None if io::stdin().is_terminal() => {
            let first = prompt("Password for the PKCS#12 file: ").map_err(|e| failed("the prompt", e))?;
            let again = prompt("The same again: ").map_err(|e| failed("the prompt", e))?;
            if first.reveal() == again.reveal() {
                Ok(first)
            } else {
                Err(Fault::new("the prompt", None, "the two passwords are not the same"))
            }
        }
        None => {
            let mut input = io::BufReader::new(io::stdin().take(PASSWORD_BYTES_MAX));
            first_line(&mut input).map_err(|error| failed("standard input", error))
        }
    }
}

fn first_line(input: &mut dyn io::BufRead) -> io::Result<Secret> {
    let mut line = Zeroizing::new(String::new());
    input.read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Asks on the terminal without showing what is typed.
fn prompt(question: &str) -> io::Result<Secret> {
    let stdin = io::stdin();
    io::stderr().write_all(question.as_bytes())?;
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let typed = first_line(&mut stdin.lock());
    tcsetattr(&stdin, OptionalActions::Flush, &before)?;
    io::stderr().write_all(b"\n")?;
    typed
}
