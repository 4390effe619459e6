//! Acts of officers and stops of the host, as they are recorded and read again: what is durable here is stronger
//! than any file.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::head::{EnvelopeHead, agreement_ref};
use super::object::Object;
use crate::model::{ActDone, Action, Digest, Halt, LifeEvent, MemberId, StopScope};

/// What an officer of a party did to an agreement.
pub struct Act {
    pub done: ActDone,
    /// Of the agreement's bytes, as the act names them.
    pub agreement_digest: Digest,
    /// Sealed: whose signature it is.
    pub officer: String,
    /// Sealed: why, in their words.
    pub reason: String,
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Act({:?}, ***)", self.done)
    }
}

/// What the host stopped, or started again.
pub struct Stopped {
    /// A stop, or the start after one.
    pub event: StopEvent,
    /// Sealed: who, as the gateway knows them.
    pub by: String,
    /// Sealed: why, in their words.
    pub purpose: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopEvent {
    Stop(Halt),
    Start(StopScope),
}

impl From<StopEvent> for LifeEvent {
    fn from(event: StopEvent) -> Self {
        match event {
            StopEvent::Stop(halt) => Self::Stopped(halt),
            StopEvent::Start(scope) => Self::Started(scope),
        }
    }
}

impl std::fmt::Debug for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stopped({:?}, ***)", self.event)
    }
}

pub(super) fn act_envelope(object: &mut Object<'_>, act: &Act) {
    let ActDone { action, agreement, member, statement, lifts, at } = &act.done;
    object.text("action", action.as_str());
    object.plain("agreement", agreement);
    object.digest("agreement_digest", &act.agreement_digest);
    object.plain("member", member);
    object.digest("statement", statement);
    object.digest_or_null("lifts", lifts.as_ref());
    object.plain("stated", &moment(*at));
}

pub(super) fn stop_envelope(object: &mut Object<'_>, stopped: &Stopped) {
    let (scope, halt) = match &stopped.event {
        StopEvent::Stop(halt) => (&halt.scope, Some(halt)),
        StopEvent::Start(scope) => (scope, None),
    };
    object.boolean("stopped", halt.is_some());
    object.text("scope", &scope.to_string());
    object.text_or_null("message", halt.map(|halt| halt.message.as_str()));
    object.plain_or_null("until", halt.and_then(|halt| halt.until).map(moment).as_ref());
}

fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// What of an envelope is read again.
#[derive(Deserialize)]
struct Said<'e> {
    #[serde(borrow, default)]
    action: Option<&'e str>,
    #[serde(borrow, default)]
    agreement: Option<&'e str>,
    #[serde(borrow, default)]
    member: Option<&'e str>,
    #[serde(borrow, default)]
    statement: Option<&'e str>,
    #[serde(borrow, default)]
    lifts: Option<&'e str>,
    #[serde(borrow, default)]
    stated: Option<&'e str>,
    #[serde(default)]
    stopped: bool,
    #[serde(borrow, default)]
    scope: Option<&'e str>,
    #[serde(borrow, default)]
    message: Option<Cow<'e, str>>,
    #[serde(borrow, default)]
    until: Option<&'e str>,
}

impl EnvelopeHead<'_> {
    /// What was done, of an act or a stop; of a log's first record, what the log before it knew.
    pub(super) fn life(&self, envelope: &[u8]) -> Vec<LifeEvent> {
        match (&*self.kind, &self.previous) {
            ("act", _) => said(envelope).and_then(act).into_iter().collect(),
            ("stop", _) => said(envelope).and_then(stop).into_iter().collect(),
            ("origin", Some(previous)) => previous.life().collect(),
            _ => Vec::new(),
        }
    }
}

fn said(envelope: &[u8]) -> Option<Said<'_>> {
    serde_json::from_slice(envelope).ok()
}

fn act(said: Said<'_>) -> Option<LifeEvent> {
    Some(LifeEvent::Act(ActDone {
        action: Action::parse(said.action?)?,
        agreement: agreement_ref(said.agreement?)?,
        member: MemberId::new(said.member?).ok()?,
        statement: Digest::parse(said.statement?)?,
        lifts: said.lifts.and_then(Digest::parse),
        at: said.stated?.parse().ok()?,
    }))
}

fn stop(said: Said<'_>) -> Option<LifeEvent> {
    let scope = StopScope::parse(said.scope?)?;
    if !said.stopped {
        return Some(LifeEvent::Started(scope));
    }
    let until = said.until.and_then(|until| until.parse().ok());
    Some(LifeEvent::Stopped(Halt { scope, message: said.message?.into_owned(), until }))
}
