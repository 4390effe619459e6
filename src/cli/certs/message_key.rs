//! `certs message-key`: the key a system signs its questions with, and what its member lists of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan as _;
use serde_json::json;
use zeroize::Zeroizing;

use super::{MessageKeyArgs, Report};
use crate::cli::exit::Exit;
use crate::cli::files::{self, NewFile, Readable, shown};
use crate::clock::Clock;
use crate::crypto::SigningKey;
use crate::model::{Fault, Faults};

/// Of base64 in a PEM file (RFC 7468 section 2).
const LINE_CHARS: usize = 64;

pub(super) fn make(args: &MessageKeyArgs, clock: &Clock) -> Result<Report, Faults> {
    let today = clock.today();
    let last = today.checked_add(i64::from(args.days).days());
    let last = last.map_err(|_| Fault::new("--days", None, "that is beyond any calendar"))?;
    let key = SigningKey::generate().map_err(|error| Fault::new("the key", None, error.to_string()))?;
    let keyid = args.keyid.clone().unwrap_or_else(|| format!("{}-{today}", args.system));
    let path = args.output.out.join(format!("{}-{}-message.key", args.member, args.system));
    let pem = pem(&key);
    let file = NewFile { path: path.clone(), bytes: pem.as_bytes(), readable: Readable::ByOwner };
    files::write(&[file], args.output.force)?;
    let public = STANDARD.encode(key.public().0);
    let system = &args.system;
    let table = format!(
        "[[member.system_key]]\nsystem = \"{system}\"\nkeyid = \"{keyid}\"\nkey = \"{public}\"\nnot_before = {today}\nnot_after = {last}\n"
    );
    let words = format!(
        "message key  {}\nThe system `{system}` signs its questions with it. Partners list it in their members.toml, under the \
         [[member]] `{}`:\n\n{table}",
        shown(&path),
        args.member
    );
    let json = json!({
        "key_file": shown(&path),
        "member": args.member.as_str(),
        "system": system.as_str(),
        "keyid": keyid,
        "key": public,
        "not_before": today.to_string(),
        "not_after": last.to_string(),
        "table": table,
    });
    Ok(Report { words, json, exit: Exit::Yes })
}

/// PKCS#8 in PEM, as OpenSSL and every library read it.
fn pem(key: &SigningKey) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(key.pkcs8().as_slice()));
    // One line has room for it.
    debug_assert!(base64.len() <= LINE_CHARS);
    Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64.as_str()))
}
