//! `POST /backup`: a backup of the ledger into a folder of this machine. That it is made goes on the record first.

use std::path::PathBuf;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ledger::backup::Backup;
use crate::ledger::search::Progress;
use crate::ledger::{Read, Record};

use super::body::Lines;
use super::{Admin, Refused, parse, purpose};

/// Where a backup goes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupQuestion {
    pub purpose: String,
    /// A whole path: the gateway's own folder is not that of whoever asks.
    pub out: PathBuf,
}

pub(super) async fn backup(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let BackupQuestion { purpose: said, out } = parse(&body)?;
    let purpose = purpose(said)?;
    if !out.is_absolute() || out.file_name().is_none() {
        let why = "`out` is not the whole path of a folder".to_owned();
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let place = admin.place()?;
    // Two that take each other's name would leave one that nobody asked for.
    let alone = admin.backups.clone().try_acquire_owned().map_err(|_| {
        let why = "a backup is under way: try again when it has ended".to_owned();
        Refused(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let asked = Some(format!("into {}", out.display()));
    let shown = admin.ledger.size();
    let read = Read { action: "backup", shown, by, purpose, asked, subjects: Vec::new() };
    admin.ledger.append(Record::Read(read)).await.map_err(|fault| {
        Refused(StatusCode::SERVICE_UNAVAILABLE, format!("the backup could not be recorded: {fault}"))
    })?;
    let (maker, lines) = Lines::new();
    let (ledger, now) = (admin.ledger.clone(), admin.clock.now());
    tokio::task::spawn_blocking(move || {
        let _held = (place, alone);
        // Whoever asked may go away: the backup is made to its end, since it was put on the record.
        let mut progress = |told: Progress| {
            let _reader_is_there = maker.progress(&told);
        };
        let line = match ledger.backup(&out, now, &mut progress) {
            Ok(made) => {
                tracing::info!(records = made.records, into = %out.display(), "a backup was made");
                json!({ "done": done(&made) })
            }
            Err(fault) => {
                tracing::warn!(%fault, "a backup was not made");
                json!({ "refused": format!("no backup was made: {fault}") })
            }
        };
        maker.line(&line);
    });
    Ok(Response::new(lines))
}

fn done(made: &Backup) -> serde_json::Value {
    json!({
        "log": made.log, "records": made.records, "checkpoint": made.checkpoint,
        "incremental": made.incremental, "new_files": made.new_files, "new_bytes": made.new_bytes,
        "rotten_evidence": made.rotten, "wrapped_subject_keys": made.wrapped_keys,
    })
}
