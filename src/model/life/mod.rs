//! What people do to an agreement or a gateway that outlives every file: acts signed by a party's officer, and
//! stops by the host. Folded from the journal; whatever files are put back, this is the stronger.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AgreementId, AgreementRef, DatasetId, Digest, MemberId};

/// What an officer does between signing an agreement and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// This version is put to the other parties.
    Propose,
    /// Agreed to by this party; takes back its own decline.
    Accept,
    /// Not agreed to by this party: not in force until it accepts.
    Decline,
    /// Not in force until the same party resumes.
    Suspend,
    Resume,
    /// Not in force, for good.
    Withdraw,
}

impl Action {
    pub const ALL: [Self; 6] =
        [Self::Propose, Self::Accept, Self::Decline, Self::Suspend, Self::Resume, Self::Withdraw];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Withdraw => "withdraw",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// What this one takes back, of the same party.
    pub fn lifts(self) -> Option<Self> {
        match self {
            Self::Accept => Some(Self::Decline),
            Self::Resume => Some(Self::Suspend),
            _ => None,
        }
    }
}

/// An act that counts: an officer of a party signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActDone {
    pub action: Action,
    pub agreement: AgreementRef,
    pub member: MemberId,
    /// Of the text that was signed.
    pub statement: Digest,
    /// The statement it takes back.
    pub lifts: Option<Digest>,
    /// As the officer said.
    pub at: Timestamp,
}

/// What a host stops answering.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopScope {
    All,
    Partner(MemberId),
    Dataset(DatasetId),
}

impl StopScope {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => (text == "all").then_some(Self::All),
            Some(("partner", id)) => MemberId::new(id).ok().map(Self::Partner),
            Some(("dataset", id)) => DatasetId::new(id).ok().map(Self::Dataset),
            Some(_) => None,
        }
    }
}

impl fmt::Display for StopScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Partner(member) => write!(f, "partner:{member}"),
            Self::Dataset(dataset) => write!(f, "dataset:{dataset}"),
        }
    }
}

/// A stop in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    pub scope: StopScope,
    /// What callers are told.
    pub message: String,
    /// When callers should ask again. A stop ends when somebody starts, and not by itself.
    pub until: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LifeEvent {
    Act(ActDone),
    Stopped(Halt),
    Started(StopScope),
}

impl LifeEvent {
    /// As one line of text without line ends.
    pub fn line(&self) -> String {
        let text = |what: &dyn fmt::Display| what.to_string();
        let shown = match self {
            Self::Act(act) => json!([
                act.action.as_str(),
                text(&act.agreement),
                text(&act.member),
                text(&act.statement),
                act.lifts.as_ref().map(|lifts| text(lifts)),
                act.at.as_millisecond()
            ]),
            Self::Stopped(halt) => {
                let until = halt.until.map(Timestamp::as_millisecond);
                json!(["stopped", text(&halt.scope), halt.message, until])
            }
            Self::Started(scope) => json!(["started", text(scope)]),
        };
        shown.to_string()
    }

    /// Reads what [`line`](Self::line) wrote.
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |at: usize| value.get(at).and_then(Value::as_str);
        let moment = |at: usize| Timestamp::from_millisecond(value.get(at)?.as_i64()?).ok();
        // What is there and does not read is not nothing.
        let is_null = |at: usize| value.get(at).is_some_and(Value::is_null);
        match text(0)? {
            "stopped" => Some(Self::Stopped(Halt {
                scope: StopScope::parse(text(1)?)?,
                message: text(2)?.to_owned(),
                until: if is_null(3) { None } else { Some(moment(3)?) },
            })),
            "started" => StopScope::parse(text(1)?).map(Self::Started),
            action => {
                let (id, version) = text(1)?.split_once('@')?;
                let agreement =
                    AgreementRef { id: AgreementId::new(id).ok()?, version: version.parse().ok()? };
                Some(Self::Act(ActDone {
                    action: Action::parse(action)?,
                    agreement,
                    member: MemberId::new(text(2)?).ok()?,
                    statement: Digest::parse(text(3)?)?,
                    lifts: if is_null(4) { None } else { Some(Digest::parse(text(4)?)?) },
                    at: moment(5)?,
                }))
            }
        }
    }
}

/// All that happened and still counts. Grows by what people do, a few times a year.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    acts: BTreeMap<AgreementRef, Vec<ActDone>>,
    /// The last word on each scope; `None` where it was started again.
    halts: BTreeMap<StopScope, Option<Halt>>,
}

impl Life {
    /// Notes what happened next; an act that is known changes nothing.
    pub fn note(&mut self, event: LifeEvent) {
        match event {
            LifeEvent::Act(act) if self.knows(&act) => {}
            LifeEvent::Act(act) => self.acts.entry(act.agreement.clone()).or_default().push(act),
            LifeEvent::Stopped(halt) => drop(self.halts.insert(halt.scope.clone(), Some(halt))),
            LifeEvent::Started(scope) => drop(self.halts.insert(scope, None)),
        }
    }

    pub fn events(&self) -> impl Iterator<Item = LifeEvent> + '_ {
        let acts = self.acts.values().flatten().cloned().map(LifeEvent::Act);
        let halts = self.halts.iter().map(|(scope, halt)| match halt {
            Some(halt) => LifeEvent::Stopped(halt.clone()),
            None => LifeEvent::Started(scope.clone()),
        });
        acts.chain(halts)
    }

    pub fn knows(&self, act: &ActDone) -> bool {
        self.of(&act.agreement).iter().any(|known| known.statement == act.statement)
    }

    /// Every version of an agreement that something was done to.
    pub fn agreements(&self) -> impl Iterator<Item = &AgreementRef> {
        self.acts.keys()
    }

    /// Every act on a version of an agreement.
    pub fn of(&self, agreement: &AgreementRef) -> &[ActDone] {
        self.acts.get(agreement).map(Vec::as_slice).unwrap_or_default()
    }

    /// The acts that keep a version from being in force: its withdrawals, and what nobody took back.
    pub fn against(&self, agreement: &AgreementRef) -> Vec<&ActDone> {
        let acts = self.of(agreement);
        let lifted: BTreeSet<(Action, &MemberId, Digest)> =
            acts.iter().filter_map(|act| Some((act.action.lifts()?, &act.member, act.lifts?))).collect();
        let stands = |act: &&ActDone| match act.action {
            Action::Withdraw => true,
            // Taken back by the party that did it, and by no other.
            Action::Suspend | Action::Decline => !lifted.contains(&(act.action, &act.member, act.statement)),
            Action::Propose | Action::Accept | Action::Resume => false,
        };
        acts.iter().filter(stands).collect()
    }

    /// The stops in force.
    pub fn halts(&self) -> impl Iterator<Item = &Halt> {
        self.halts.values().flatten()
    }

    /// The stop that a question of this member to this dataset meets, the widest first.
    pub fn halt(&self, member: &MemberId, dataset: &DatasetId) -> Option<&Halt> {
        self.halts().find(|halt| match &halt.scope {
            StopScope::All => true,
            StopScope::Partner(stopped) => stopped == member,
            StopScope::Dataset(stopped) => stopped == dataset,
        })
    }
}

#[cfg(test)]
mod tests;
