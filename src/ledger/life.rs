//! Acts of officers and stops of the host, as they are recorded and read again: what is durable here is stronger
//! than any file.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::Broken;
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
    ///
    /// # Errors
    /// An act or a stop that does not read, one of a later version of this program perhaps: it could be a
    /// withdrawal, and is never passed over.
    pub(super) fn life(&self, envelope: &[u8]) -> Result<Vec<LifeEvent>, Broken> {
        match (&*self.kind, &self.previous) {
            ("act", _) => {
                let act = said(envelope).and_then(act).ok_or("the act is none this program knows")?;
                Ok(vec![act])
            }
            ("stop", _) => {
                let stop = said(envelope).and_then(stop).ok_or("the stop is none this program knows")?;
                Ok(vec![stop])
            }
            ("origin", Some(previous)) => previous.life(),
            _ => Ok(Vec::new()),
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
        lifts: given(said.lifts, Digest::parse)?,
        at: said.stated?.parse().ok()?,
    }))
}

fn stop(said: Said<'_>) -> Option<LifeEvent> {
    let scope = StopScope::parse(said.scope?)?;
    if !said.stopped {
        return Some(LifeEvent::Started(scope));
    }
    let until = given(said.until, |until| until.parse().ok())?;
    Some(LifeEvent::Stopped(Halt { scope, message: said.message?.into_owned(), until }))
}

/// What may be left out; `None` where it is there and does not read.
fn given<T>(said: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    said.map_or(Some(None), |text| read(text).map(Some))
}
