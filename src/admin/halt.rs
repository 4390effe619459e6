//! `POST /stop`, `/start` and `/stops`: the host stops answering a dataset, a partner or everybody, and starts again.
//! On the record before it acts, and in force until somebody starts again, whatever is restarted meanwhile.
//!
//! `POST /reload`: changed files take force now, and not at the next look.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::desk::Lived;
use crate::ledger::{StopEvent, Stopped, Unrecorded};
use crate::model::{Halt, StopScope, suggestion};
use crate::policy::Uses;

use super::body::Lines;
use super::{Admin, Refused, parse, purpose};

/// Callers read it in a header-sized answer: a sentence or two.
pub const MESSAGE_CHARS_MAX: usize = 200;

/// Whoever reloads answers whether all files were taken.
pub type Reloads = mpsc::Sender<oneshot::Sender<bool>>;

/// What the admin socket can do beside looking.
#[derive(Clone)]
pub struct Levers {
    pub lived: Arc<Lived>,
    pub reloads: Reloads,
    pub uses: Arc<Uses>,
}

/// What to stop or start.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopQuestion {
    pub purpose: String,
    /// `all`, `partner:<member>` or `dataset:<id>`.
    pub scope: String,
    /// What callers are told; of a stop alone.
    pub message: Option<String>,
    /// When callers should ask again, as UTC; of a stop alone.
    pub until: Option<String>,
}

pub(super) async fn stop(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: StopQuestion = parse(&body)?;
    let purpose = purpose(question.purpose.clone())?;
    let scope = scope(admin, &question.scope)?;
    let halt =
        Halt { scope, message: message(question.message.as_deref())?, until: until(admin, &question)? };
    let event = StopEvent::Stop(halt);
    act(admin, Stopped { event, by, purpose }).await
}

pub(super) async fn start(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: StopQuestion = parse(&body)?;
    let purpose = purpose(question.purpose.clone())?;
    let life = admin.levers.lived.now();
    let stopped = life.halts().find(|halt| halt.scope.to_string() == question.scope);
    let Some(scope) = stopped.map(|halt| halt.scope.clone()) else {
        let known: Vec<String> = life.halts().map(|halt| halt.scope.to_string()).collect();
        let known =
            if known.is_empty() { "nothing is".to_owned() } else { format!("stopped: {}", known.join(", ")) };
        return Err(wrong(format!("`{}` is not stopped; {known}", question.scope)));
    };
    act(admin, Stopped { event: StopEvent::Start(scope), by, purpose }).await
}

pub(super) fn stops(admin: &Admin) -> Response<Lines> {
    let life = admin.levers.lived.now();
    let stops: Vec<Value> = life.halts().map(shown).collect();
    Response::new(Lines::one(&json!({ "done": { "stops": stops } })))
}

pub(super) async fn reload(admin: &Admin) -> Result<Response<Lines>, Refused> {
    let (answer, taken) = oneshot::channel();
    let gone = || Refused(StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping".to_owned());
    admin.levers.reloads.send(answer).await.map_err(|_| gone())?;
    match taken.await.map_err(|_| gone())? {
        true => Ok(Response::new(Lines::one(&json!({ "done": { "loaded": true } })))),
        false => Err(wrong(
            "the changed files are not in force: the gateway's log and its readiness say why, and `tolbooth check` what is \
             wrong with them"
                .to_owned(),
        )),
    }
}

fn shown(halt: &Halt) -> Value {
    let until = halt.until.map(|until| until.to_string());
    json!({ "scope": halt.scope.to_string(), "message": halt.message, "until": until })
}

async fn act(admin: &Admin, stopped: Stopped) -> Result<Response<Lines>, Refused> {
    let lived = Arc::clone(&admin.levers.lived);
    let told = match &stopped.event {
        StopEvent::Stop(halt) => json!({ "stopped": shown(halt) }),
        StopEvent::Start(scope) => json!({ "started": scope.to_string() }),
    };
    let recorded = tokio::task::spawn_blocking(move || lived.stop(stopped)).await;
    let unrecorded = |why: String| {
        let why = format!("it could not be recorded, and so is not in force: {why}");
        Refused(StatusCode::SERVICE_UNAVAILABLE, why)
    };
    recorded.map_err(|error| unrecorded(error.to_string()))?.map_err(|fault| {
        let others = match fault {
            Unrecorded::Stopped | Unrecorded::DiskFull => "; nor is any other question answered meanwhile",
            _ => "; others are answered meanwhile, so try again at once",
        };
        unrecorded(format!("{fault}{others}"))
    })?;
    Ok(Response::new(Lines::one(&json!({ "done": told }))))
}

fn wrong(why: String) -> Refused {
    Refused(StatusCode::UNPROCESSABLE_ENTITY, why)
}

/// Only what is there can be stopped: a name mistyped would stop nothing, unseen.
fn scope(admin: &Admin, text: &str) -> Result<StopScope, Refused> {
    let scope = StopScope::parse(text)
        .ok_or_else(|| wrong("`scope` is `all`, `partner:<member>` or `dataset:<id>`".to_owned()))?;
    let ruleset = admin.ruleset.load();
    let near = |what: &str, given: &str, known: Vec<String>| {
        let near = suggestion(given, known.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; {near}"));
        wrong(format!("there is no {what} `{given}`{near}"))
    };
    match &scope {
        StopScope::All => {}
        StopScope::Partner(member) if ruleset.directory.member(member).is_some() => {}
        StopScope::Partner(member) => {
            let known = ruleset.directory.members().iter().map(|known| known.id.to_string()).collect();
            return Err(near("member", member.as_str(), known));
        }
        StopScope::Dataset(dataset) => {
            let mut known: Vec<String> =
                ruleset.offers().map(|offer| offer.contract.version.dataset.to_string()).collect();
            known.dedup();
            if !known.iter().any(|known| known == dataset.as_str()) {
                return Err(near("dataset", dataset.as_str(), known));
            }
        }
    }
    Ok(scope)
}

fn message(text: Option<&str>) -> Result<String, Refused> {
    let text = text.unwrap_or_default().trim();
    let chars = text.chars().count();
    if chars == 0 || chars > MESSAGE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(wrong(format!(
            "`message` is what callers are told: one line of 1 to {MESSAGE_CHARS_MAX} characters"
        )));
    }
    Ok(text.to_owned())
}

fn until(admin: &Admin, question: &StopQuestion) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = question.until.as_deref() else { return Ok(None) };
    let until: Timestamp =
        text.parse().map_err(|_| wrong("`until` is a time such as 2026-12-04T10:00:00Z".into()))?;
    if until <= admin.clock.now() {
        return Err(wrong("`until` has passed: callers would be told to ask again at once".to_owned()));
    }
    Ok(Some(until))
}
