//! `POST /evidence`: the evidence pack of one exchange. It is gathered first, then the look goes on the
//! record, and only then does a byte of it leave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::desk::evidence::{Gathered, Shelves};
use crate::ledger::search::Progress;
use crate::ledger::{Read, Record};
use crate::model::ExchangeId;

use super::body::{Lines, Maker};
use super::{Admin, Refused, parse, purpose};

/// Bytes of a pack in one line: divisible by three, so that lines decode one by one.
const LINE_BYTES: usize = 48 * 1024;

/// Which exchange.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceQuestion {
    pub purpose: String,
    pub exchange: String,
    /// With the sealed part, and the caller's certificates it names: for those entitled.
    pub sealed: bool,
}

pub(super) async fn evidence(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: EvidenceQuestion = parse(&body)?;
    let purpose = purpose(question.purpose)?;
    let id = exchange(&question.exchange)?;
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let look = Look { admin: admin.clone(), action: "evidence", by, purpose, id, sealed: question.sealed };
    tokio::task::spawn_blocking(move || {
        let _place = place;
        match look.gather(&maker) {
            Ok(Some(gathered)) => show(&gathered, &maker),
            Ok(None) => drop(maker.line(&json!({ "done": { "found": 0 } }))),
            Err(why) => drop(maker.line(&json!({ "refused": why }))),
        }
    });
    Ok(Response::new(lines))
}

pub(super) fn exchange(text: &str) -> Result<ExchangeId, Refused> {
    let wrong =
        || Refused(StatusCode::UNPROCESSABLE_ENTITY, "`exchange` is not the id of an exchange".into());
    ExchangeId::parse(text).ok_or_else(wrong)
}

/// A look at one exchange and the rules it ran under.
pub(super) struct Look {
    pub(super) admin: Admin,
    /// What is done, one word.
    pub(super) action: &'static str,
    pub(super) by: String,
    pub(super) purpose: String,
    pub(super) id: ExchangeId,
    pub(super) sealed: bool,
}

impl Look {
    /// What there is of it, on the record before it is given.
    pub(super) fn gather(self, maker: &Maker) -> Result<Option<Gathered>, String> {
        let Self { admin, action, by, purpose, id, sealed } = self;
        let shelves = Shelves { ledger: &admin.ledger, published: &admin.published, fold: &admin.fold };
        let mut progress = |told: Progress| maker.progress(&told);
        let gathered = shelves.gather(&id, sealed, &mut progress).map_err(|fault| fault.to_string())?;
        let sealed = if sealed { " with its sealed part" } else { "" };
        let read = Read {
            action,
            shown: u64::from(gathered.is_some()),
            by,
            purpose,
            asked: Some(format!("exchange {id}{sealed}")),
            subjects: Vec::new(),
        };
        admin
            .ledger
            .append_blocking(Record::Read(read))
            .map_err(|fault| format!("the look could not be recorded: {fault}"))?;
        Ok(gathered)
    }
}

fn show(gathered: &Gathered, maker: &Maker) {
    let bytes = gathered.pack.write();
    let line = |chunk: &[u8]| maker.line(&json!({ "bytes": STANDARD.encode(chunk) }));
    if bytes.chunks(LINE_BYTES).all(line) {
        let missing: Vec<String> = gathered.missing.iter().map(ToString::to_string).collect();
        let parts = gathered.pack.evidence.len();
        maker.line(
            &json!({ "done": { "found": 1, "log": gathered.key.name(), "bytes": bytes.len(), "files": parts, "missing": missing } }),
        );
    }
}
