//! Verifies an export, line by line.

use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Against, Contents, Place, Report, VerifyFault, report};
use crate::ledger::chain::{Broken, Chain};
use crate::ledger::export::{EXPORT_VERSION, TITLE};
use crate::ledger::search::Progress;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::model::Digest;

/// A line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    index: Option<u64>,
    envelope: Option<String>,
    /// Absent, erased (`null`) or there.
    #[serde(default, deserialize_with = "present")]
    sealed: Option<Option<String>>,
    leaf: Option<String>,
    checkpoint: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct Title {
    tolbooth: String,
    v: u64,
    log: String,
}

/// Verifies an export.
pub fn verify_export(
    export: &mut dyn BufRead,
    key: &VerifierKey,
    held: &[Checkpoint],
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, VerifyFault> {
    let mut against = Against::new(held)?;
    let mut chain = Chain::new(key, true);
    let mut contents = Contents { sealed: true, whole: true };
    let mut ended = false;
    for (number, line) in (1u64..).zip(export.lines()) {
        let line = line.map_err(VerifyFault::File)?;
        let size = chain.edge().size();
        let read = if number == 1 { title(&line, key) } else { take(&mut chain, &line, &mut contents) };
        read.and_then(|checkpoint| if ended { Err("lines follow the checkpoint") } else { Ok(checkpoint) })
            .and_then(|checkpoint| {
                ended = checkpoint;
                if chain.edge().size() > size { against.compare(&chain) } else { Ok(()) }
            })
            .map_err(|what| VerifyFault::Record { place: Place::Line(number), index: size, what })?;
        if number.is_multiple_of(4096) {
            progress(Progress { records: size, segments: 0, segments_all: 1 });
        }
    }
    progress(Progress { records: chain.edge().size(), segments: 1, segments_all: 1 });
    report(&chain, key, &against, contents, false)
}

fn title(line: &str, key: &VerifierKey) -> Result<bool, Broken> {
    let title: Title = serde_json::from_str(line).map_err(|_| "the first line is not that of an export")?;
    if title.tolbooth != TITLE || title.v != EXPORT_VERSION {
        return Err("the export is of a version this program does not know");
    }
    if title.log == key.name() { Ok(false) } else { Err("the export is of another log") }
}

/// Whether the line was the checkpoint.
fn take(chain: &mut Chain<'_>, line: &str, contents: &mut Contents) -> Result<bool, Broken> {
    let line: Line = serde_json::from_str(line).map_err(|_| "the line is not one of an export")?;
    if let Some(note) = &line.checkpoint {
        return chain.checkpoint(note).map(|()| true);
    }
    if line.index != Some(chain.edge().size()) {
        return Err("the record's index is not the next");
    }
    if let Some(leaf) = &line.leaf {
        contents.whole = false;
        contents.sealed = false;
        chain.leaf(Digest::from_hex(leaf).ok_or("the leaf is not a hash")?.0);
        return Ok(false);
    }
    chain.envelope(line.envelope.as_deref().ok_or("the line holds no record")?.as_bytes())?;
    match line.sealed {
        None => {
            contents.sealed = false;
            chain.sealed_left_out();
        }
        Some(None) => chain.sealed(None)?,
        Some(Some(sealed)) => {
            let bytes = STANDARD.decode(sealed).map_err(|_| "the sealed part is not base64")?;
            chain.sealed(Some(&bytes))?;
        }
    }
    Ok(false)
}
