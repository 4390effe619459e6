//! `tolbooth ledger verify FILE.pack`: what judging an evidence pack found, line by line.

use std::io::{Read as _, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::{Exit, complain, say};
use crate::desk::evidence::{Finding, Judgement, Verdict, judge};
use crate::ledger::verify::pack::{PACK_BYTES_MAX, Pack};
use crate::merkle::note::VerifierKey;

type Fault = Box<dyn std::error::Error>;

/// Enough to tell a pack from an export or a receipt.
const BEGINNING_BYTES: u64 = 512;

/// Whether a file begins as a pack does.
pub(super) fn is_one(path: &Path) -> bool {
    read(path, BEGINNING_BYTES).is_ok_and(|beginning| Pack::is_one(&beginning))
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(named)?;
    file.take(bytes_max).read_to_end(&mut bytes).map_err(named)?;
    Ok(bytes)
}

pub(super) fn verify(
    path: &Path,
    key: Option<&VerifierKey>,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<Exit, Fault> {
    let bytes = read(path, PACK_BYTES_MAX + 1)?;
    if bytes.len() as u64 > PACK_BYTES_MAX {
        return Err(
            format!("{}: longer than any pack may be ({PACK_BYTES_MAX} bytes)", path.display()).into()
        );
    }
    let judged = Pack::read(&bytes).map_err(|fault| fault.to_string()).and_then(|pack| judge(&pack, key));
    match judged {
        Ok(judgement) => {
            show(&judgement, as_json, out);
            Ok(if judgement.holds() { Exit::Yes } else { Exit::No })
        }
        Err(fault) => {
            if as_json {
                say(out, json!({ "verified": false, "fault": fault }));
            } else {
                complain(&format!("NOT VERIFIED: {fault}"));
            }
            Ok(Exit::No)
        }
    }
}

fn show(judgement: &Judgement, as_json: bool, out: &mut dyn Write) {
    if as_json {
        let line = |found: &Finding| json!({ "what": found.what, "verdict": found.verdict.as_str(), "says": found.says });
        let findings: Vec<_> = judgement.findings.iter().map(line).collect();
        say(
            out,
            json!({
                "verified": judgement.holds(), "about": format!("exchange {}", judgement.exchange),
                "findings": findings, "envelope": judgement.envelope,
            }),
        );
        return;
    }
    let verdict = if judgement.holds() { "VERIFIED" } else { "NOT VERIFIED" };
    say(out, format_args!("{verdict}: exchange {}", judgement.exchange));
    for verdict in [Verdict::Wrong, Verdict::Proven, Verdict::NotProven] {
        for found in judgement.of(verdict) {
            say(out, format_args!("  {}: {}: {}", verdict.as_str(), found.what, found.says));
        }
    }
    say(out, format_args!("  the record: {}", judgement.envelope));
}
