//! `POST /erase`: what is past its term, or one exchange by order. An erasure is on the record before anything
//! is gone; asking what is due, or finding nothing, is recorded as a look.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desk::{Asker, Retained, RetentionFault};
use crate::ledger::{Read, Record};
use crate::model::ExchangeId;

use super::body::{Lines, Maker};
use super::{Admin, Refused, parse, purpose};

/// What is to be erased: one of `due` and `exchange`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EraseQuestion {
    pub purpose: String,
    /// Everything past its term.
    pub due: bool,
    /// Count what is due, and erase nothing.
    pub dry_run: bool,
    /// One exchange, whatever its term.
    pub exchange: Option<String>,
}

enum What {
    Due { dry_run: bool },
    Exchange(ExchangeId),
}

pub(super) async fn erase(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: EraseQuestion = parse(&body)?;
    let asker = Asker { by, purpose: purpose(question.purpose.clone())? };
    let what = what(&question)?;
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let admin = admin.clone();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let line = match run(&admin, &asker, &what, &maker) {
            Ok(done) => json!({ "done": done }),
            Err(why) => json!({ "refused": why }),
        };
        maker.line(&line);
    });
    Ok(Response::new(lines))
}

fn what(question: &EraseQuestion) -> Result<What, Refused> {
    let wrong = |why: &str| Refused(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned());
    match (&question.exchange, question.due) {
        (None, true) => Ok(What::Due { dry_run: question.dry_run }),
        (Some(_), false) if question.dry_run => {
            Err(wrong("`dry_run` is of `due`: an exchange is found by a search"))
        }
        (Some(id), false) => ExchangeId::parse(id)
            .map(What::Exchange)
            .ok_or_else(|| wrong("`exchange` is not the id of an exchange")),
        _ => Err(wrong("one of `due` and `exchange` is wanted")),
    }
}

fn run(admin: &Admin, asker: &Asker, what: &What, maker: &Maker) -> Result<Value, String> {
    // Whoever asks may go: what is recorded is finished all the same.
    let mut proceed = || maker.line(&json!({ "working": true }));
    let said = |fault: RetentionFault| fault.to_string();
    let looked = |asked: &str, shown| {
        let read = Read {
            action: "erase_look",
            shown,
            by: asker.by.clone(),
            purpose: asker.purpose.clone(),
            asked: Some(asked.to_owned()),
            subjects: Vec::new(),
        };
        let recorded = admin.ledger.append_blocking(Record::Read(read));
        recorded.map(drop).map_err(|fault| format!("the look could not be recorded: {fault}"))
    };
    match what {
        What::Due { dry_run } => {
            let by = (!dry_run).then_some(asker);
            let found = admin.retention.run(admin.clock.now(), by, &mut proceed).map_err(said)?;
            if *dry_run || found.count() == 0 {
                looked("due", found.count())?;
            }
            Ok(told(&found, *dry_run))
        }
        What::Exchange(id) => {
            let erased = admin.retention.erase_exchange(id, asker, &mut proceed).map_err(said)?;
            if erased == 0 {
                looked("an exchange", 0)?;
            }
            Ok(json!({ "erased": erased }))
        }
    }
}

fn told(found: &Retained, dry_run: bool) -> Value {
    let classes: Vec<Value> =
        found.due.iter().map(|(years, count)| json!({ "years": years, "count": count })).collect();
    let held: Vec<Value> = found
        .held
        .iter()
        .map(|(digest, count)| json!({ "agreement_digest": digest, "count": count }))
        .collect();
    json!({
        "dry_run": dry_run,
        "due": classes,
        "erased": if dry_run { 0 } else { found.count() },
        "finished": found.finished,
        "held": held,
        "destroyed_keys": found.destroyed,
    })
}
