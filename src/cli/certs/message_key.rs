//! `certs message-key`: the key a system signs its questions with, and what its member lists of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan as _;
use serde_json::json;

use super::{MessageKeyArgs, Report};
use crate::cli::exit::Exit;
use crate::cli::files::{self, NewFile, Readable, shown};
use crate::clock::Clock;
use crate::crypto::SigningKey;
use crate::model::{Fault, Faults};
use crate::tls;

pub(super) fn make(args: &MessageKeyArgs, clock: &Clock) -> Result<Report, Faults> {
    let today = clock.today();
    let last = today.checked_add(i64::from(args.days).days());
    let last = last.map_err(|_| Fault::new("--days", None, "that is beyond any calendar"))?;
    let key = SigningKey::generate().map_err(|error| Fault::new("the key", None, error.to_string()))?;
    let keyid = args.keyid.clone().unwrap_or_else(|| format!("{}-{today}", args.system));
    let path = args.output.out.join(format!("{}-{}-message.key", args.member, args.system));
    let pem =
        tls::issue::key_pem(&key.pkcs8()).map_err(|error| Fault::new("the key", None, error.to_string()))?;
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
