//! A log as one portable file of JSON lines, which `verify` reads.
//!
//! ```text
//! {"tolbooth":"ledger-export","v":1,"log":"...","copy":"envelopes"}
//! {"index":0,"envelope":"{...}"}                       the leaf's exact bytes, as a JSON string
//! {"index":1,"envelope":"{...}","sealed":"base64"}     with salt and sealed part, in a copy with_sealed
//! {"index":2,"envelope":"{...}","sealed":null}         its sealed part was erased
//! {"index":3,"leaf":"64 hex digits"}                   in a copy for a party: somebody else's record
//! {"checkpoint":"..."}                                 the last line: the signed note over all of it
//! ```

use std::io::{self, Write};
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::object::Object;
use super::read::{Archive, Entry, Stored};
use super::search::Progress;
use crate::journal::JournalFault;
use crate::merkle::leaf_hash;
use crate::merkle::note::VerifierKey;
use crate::model::MemberId;

pub(super) const TITLE: &str = "ledger-export";
pub(super) const EXPORT_VERSION: u64 = 1;

/// What goes into a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    /// All envelopes and no sealed part.
    Envelopes,
    /// Everything: for the organisation itself.
    WithSealed,
    /// For a partner: the exchange envelopes it is party to, and of all else the leaf hash.
    Party(MemberId),
}

impl Copy {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Envelopes => "envelopes",
            Self::WithSealed => "with_sealed",
            Self::Party(_) => "party",
        }
    }
}

/// Why an export ended.
#[derive(Debug)]
pub enum ExportFault {
    Journal(JournalFault),
    Write(io::Error),
}

impl std::fmt::Display for ExportFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(fault) => fault.fmt(f),
            Self::Write(error) => write!(f, "writing the export: {error}"),
        }
    }
}

impl std::error::Error for ExportFault {}

/// Writes the log up to its last checkpoint. Gives how many records were written with their envelope.
pub fn export(
    archive: &Archive,
    key: &VerifierKey,
    copy: &Copy,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, ExportFault> {
    let mut line = Vec::new();
    let mut object = Object::begin(&mut line);
    object.text("tolbooth", TITLE);
    object.number("v", EXPORT_VERSION);
    object.text("log", key.name());
    object.text("copy", copy.as_str());
    object.end();
    finish(&mut line, out).map_err(ExportFault::Write)?;

    let segments = archive.segments().map_err(ExportFault::Journal)?;
    let mut told = Progress { records: 0, segments: 0, segments_all: segments.len() };
    let mut failed = None;
    let mut shown = 0;
    let mut last = None;
    for segment in segments {
        let _all = archive
            .each_of(segment, &mut |stored| {
                let Stored::Entry(entry) = stored else {
                    last = Some(stored.note().to_owned());
                    return ControlFlow::Continue(());
                };
                told.records += 1;
                shown += u64::from(write_entry(&mut line, copy, &entry));
                match finish(&mut line, out) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })
            .map_err(ExportFault::Journal)?;
        if let Some(error) = failed {
            return Err(ExportFault::Write(error));
        }
        told.segments += 1;
        progress(told);
    }
    let mut object = Object::begin(&mut line);
    object.text("checkpoint", &last.unwrap_or_default());
    object.end();
    finish(&mut line, out).map_err(ExportFault::Write)?;
    out.flush().map_err(ExportFault::Write)?;
    Ok(shown)
}

impl<'a> Stored<'a> {
    fn note(&self) -> &'a str {
        match self {
            Self::Checkpoint { note, .. } => note,
            Self::Entry(_) => "",
        }
    }
}

fn finish(line: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    line.push(b'\n');
    out.write_all(line)?;
    line.clear();
    Ok(())
}

/// Whether the envelope went out, or only its hash.
fn write_entry(line: &mut Vec<u8>, copy: &Copy, entry: &Entry<'_>) -> bool {
    let shown = match copy {
        Copy::Envelopes | Copy::WithSealed => true,
        Copy::Party(member) => is_party(member, entry.envelope),
    };
    let mut object = Object::begin(line);
    object.number("index", entry.index);
    if !shown {
        object.hex("leaf", &leaf_hash(entry.envelope));
    } else {
        object.text("envelope", std::str::from_utf8(entry.envelope).unwrap_or_default());
        if *copy == Copy::WithSealed {
            object.text_or_null("sealed", entry.sealed.map(|sealed| STANDARD.encode(sealed)).as_deref());
        }
    }
    object.end();
    shown
}

fn is_party(member: &MemberId, envelope: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Parties {
        kind: String,
        consumer: Option<String>,
        provider: Option<String>,
    }
    serde_json::from_slice::<Parties>(envelope).is_ok_and(|parties| {
        let consumer = parties.consumer.as_deref().and_then(|system| system.split('/').next());
        parties.kind == "exchange"
            && (consumer == Some(member.as_str()) || parties.provider.as_deref() == Some(member.as_str()))
    })
}
