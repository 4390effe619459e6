//! `POST /export`: the log as one portable file.

use std::io::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ledger::export::{Copy, export as export_archive};
use crate::ledger::{Read, Record};
use crate::model::MemberId;

use super::body::Lines;
use super::{Admin, Refused, parse, purpose};

/// What is exported.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuestion {
    pub purpose: String,
    /// With sealed parts: for the organisation itself.
    pub sealed: bool,
    /// For this partner: the envelopes it is party to, and hashes of all else.
    pub party: Option<String>,
    /// The name of an earlier log, instead of the present one.
    pub log: Option<String>,
}

pub(super) async fn export(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: ExportQuestion = parse(&body)?;
    let purpose = purpose(question.purpose)?;
    let copy = match (question.party, question.sealed) {
        (Some(_), true) => {
            let why = "a partner's copy holds no sealed parts".to_owned();
            return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, why));
        }
        (Some(party), false) => Copy::Party(
            MemberId::new(&party)
                .map_err(|error| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?,
        ),
        (None, true) => Copy::WithSealed,
        (None, false) => Copy::Envelopes,
    };
    let place = admin.place()?;
    let unreadable = |why: String| Refused(StatusCode::SERVICE_UNAVAILABLE, why);
    let earlier = question.log.as_deref().map(|log| admin.earlier(log)).transpose()?.flatten();
    let (archive, verifier) = match &earlier {
        None => (None, admin.ledger.verifier().clone()),
        Some(earlier) => {
            let archive = earlier.archive().map_err(|fault| unreadable(fault.to_string()))?;
            let absent = || unreadable(format!("the earlier log is not in {}", earlier.folder.display()));
            let archive = archive.ok_or_else(absent)?;
            let unkeyed = || unreadable("the earlier log is named without a key".to_owned());
            (Some(archive), earlier.verifier().ok_or_else(unkeyed)?)
        }
    };
    let of = earlier.map_or_else(String::new, |earlier| format!(" of the earlier log {}", earlier.log));
    let read = Read {
        action: "export",
        // This record is in the export too. Of a partner's copy all but its own are hashes.
        shown: admin.ledger.size() + 1,
        by,
        purpose,
        asked: Some(format!("{copy:?}{of}")),
        subjects: Vec::new(),
    };
    admin.ledger.append(Record::Read(read)).await.map_err(|fault| {
        Refused(StatusCode::SERVICE_UNAVAILABLE, format!("the export could not be recorded: {fault}"))
    })?;
    let (maker, lines) = Lines::new();
    let ledger = admin.ledger.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut out = std::io::BufWriter::with_capacity(64 * 1024, maker);
        let archive = archive.unwrap_or_else(|| ledger.archive());
        let written = export_archive(&archive, &verifier, &copy, &mut out, &mut |_| {});
        if let Err(fault) = written {
            // The file then lacks its last line, the checkpoint, and does not verify.
            tracing::warn!(%fault, "an export broke off");
            let _told = writeln!(out, "{}", json!({ "refused": format!("the export broke off: {fault}") }));
        }
    });
    Ok(Response::new(lines))
}
