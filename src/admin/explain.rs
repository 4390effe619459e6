//! `POST /explain`: why a past exchange ended as it did, from the evidence kept then; on the record first.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desk::Remedy;
use crate::desk::evidence::{Explanation, explain};

use super::body::{Lines, Maker};
use super::evidence::{Look, exchange};
use super::{Admin, Refused, parse, purpose};

/// Which exchange.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainQuestion {
    pub purpose: String,
    pub exchange: String,
}

pub(super) async fn explain_exchange(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: ExplainQuestion = parse(&body)?;
    let purpose = purpose(question.purpose)?;
    let id = exchange(&question.exchange)?;
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let life = admin.levers.lived.now();
    let look = Look { admin: admin.clone(), action: "explain", by, purpose, id, sealed: true };
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let explained = look.gather(&maker).and_then(|gathered| {
            gathered.map(|gathered| explain(&gathered.pack, &gathered.key, &life)).transpose()
        });
        match explained {
            Ok(Some(explanation)) => show(&explanation, &maker),
            Ok(None) => drop(maker.line(&json!({ "done": { "found": 0 } }))),
            Err(why) => drop(maker.line(&json!({ "refused": why }))),
        }
    });
    Ok(Response::new(lines))
}

fn show(explanation: &Explanation, maker: &Maker) {
    let facts: serde_json::Map<String, Value> =
        explanation.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
    let decided = explanation
        .findings
        .iter()
        .map(|found| json!({ "what": found.what, "verdict": found.verdict.as_str(), "says": found.says }));
    let clauses = explanation.clauses.iter().map(|clause| {
        json!({
            "table": clause.table, "file": clause.file, "from": clause.from, "to": clause.to,
            "text": clause.text,
        })
    });
    let remedy = explanation.remedy.as_ref().map(Remedy::json);
    let line = json!({
        "explained": {
            "facts": facts, "decided": decided.collect::<Vec<_>>(), "clauses": clauses.collect::<Vec<_>>(),
            "remedy": remedy,
        }
    });
    if maker.line(&line) {
        maker.line(&json!({ "done": { "found": 1 } }));
    }
}
