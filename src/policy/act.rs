//! What officers do to an agreement between its signing and its end: small signed files beside it, one for each
//! act, `<agreement>.<action>-<digest>.act`. None is ever changed, and none has the name of another.
//!
//! ```text
//! tolbooth/agreement-act/v1
//! suspend
//! glenmore-nhs-lomond-child-protection
//! 3
//! sha256:<of the agreement's bytes>
//! 2026-12-04T09:30:00.000Z
//! -                                  or the statement it takes back, sha256:...
//! A caseworker's account was misused.
//!
//! — m.macleod.glenmore <base64>
//! ```
//!
//! Not here: what was recorded of acts and outlives the files ([`crate::model::Life`]).

use std::fmt;

use jiff::Timestamp;

use crate::merkle::note::Note;
use crate::merkle::signer::SignerKey;
use crate::model::{ActDone, Action, AgreementId, AgreementRef, Digest, Fault, Faults, MemberId};

use super::agreement::{Agreement, Stage};
use super::sign::KeyRing;

/// The first line of the signed text: what kind of thing is signed.
const KIND: &str = "tolbooth/agreement-act/v1";
/// What stands where nothing is taken back.
const NOTHING: &str = "-";
/// A sentence or two.
pub const ACT_REASON_CHARS_MAX: usize = 400;
/// A text of eight lines and a signature; more is another file.
const ACT_BYTES_MAX: usize = 16 * 1024;
/// Of the statement's digest in the file's name: enough that two acts never meet there.
const NAME_DIGITS: usize = 16;

/// An act as an officer states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub action: Action,
    pub agreement: AgreementRef,
    /// Of the agreement's exact bytes.
    pub digest: Digest,
    pub at: Timestamp,
    /// The statement it takes back.
    pub lifts: Option<Digest>,
    /// One line.
    pub reason: String,
}

impl Act {
    /// The text that is signed, with its last newline.
    pub fn text(&self) -> String {
        let Self { action, agreement, digest, at, lifts, reason } = self;
        let lifts = lifts.map_or_else(|| NOTHING.to_owned(), |lifts| lifts.to_string());
        let AgreementRef { id, version } = agreement;
        format!("{KIND}\n{}\n{id}\n{version}\n{digest}\n{at:.3}\n{lifts}\n{reason}\n", action.as_str())
    }

    pub fn statement(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// The whole file, signed.
    pub fn signed(&self, signer: &SignerKey) -> String {
        let text = self.text();
        format!("{text}\n{}", signer.sign_line(&text))
    }

    /// The file's name, beside that of the agreement.
    pub fn file(&self, agreement: &str) -> String {
        let stem = agreement.strip_suffix(".toml").unwrap_or(agreement);
        let digest: String = self.statement().hex().chars().take(NAME_DIGITS).collect();
        format!("{stem}.{}-{digest}.act", self.action.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != KIND {
            return None;
        }
        let action = Action::parse(lines.next()?)?;
        let id = AgreementId::new(lines.next()?).ok()?;
        let version = lines.next()?.parse().ok()?;
        let digest = Digest::parse(lines.next()?)?;
        let at = lines.next()?.parse().ok()?;
        let lifts = match lines.next()? {
            NOTHING => None,
            lifts => Some(Digest::parse(lifts)?),
        };
        let reason = lines.next()?.to_owned();
        let act = Self { action, agreement: AgreementRef { id, version }, digest, at, lifts, reason };
        // One spelling of each act, so that it has one digest.
        (lines.next().is_none() && is_reason(&act.reason) && act.text() == text).then_some(act)
    }
}

/// Whether a text may stand as a reason: one line that says something.
pub fn is_reason(text: &str) -> bool {
    let chars = text.chars().count();
    !text.trim().is_empty() && chars <= ACT_REASON_CHARS_MAX && !text.chars().any(char::is_control)
}

/// An act read from its file, and not yet believed.
#[derive(Debug, Clone)]
pub struct SignedAct {
    pub act: Act,
    pub file: String,
    note: Note,
}

/// An act that counts, with what only the record keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedAct {
    pub done: ActDone,
    pub agreement_digest: Digest,
    pub officer: String,
    pub reason: String,
}

/// Why an act counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActFault {
    /// Nobody whose name is in the members' file signed.
    UnknownOfficer,
    NoParty(MemberId),
    DoesNotVerify(String),
    TrialKeyOnLive(String),
    /// It says yes to other bytes than the agreement has now.
    OtherBytes,
}

impl fmt::Display for ActFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOfficer => f.write_str("signed by nobody whom the members' file lists"),
            Self::NoParty(member) => write!(f, "signed for {member}, which is no party to the agreement"),
            Self::DoesNotVerify(name) => write!(f, "the signature of {name} does not verify"),
            Self::TrialKeyOnLive(name) => {
                write!(f, "signed by {name} with a trial key, which counts only for a trial")
            }
            Self::OtherBytes => f.write_str("signed over other bytes than the agreement has now"),
        }
    }
}

impl SignedAct {
    /// Reads the file; `file` is the name faults carry. What does not read could be a withdrawal: it is a fault, and
    /// never passed over. So is a file that two have signed: an act is one party's, and what one of them did the
    /// other could take back.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Faults> {
        let fault = |why: &str, help: &str| {
            let fault = Fault::new(file, None, format!("not an act on an agreement: {why}"));
            Faults::from(fault.with_help(help))
        };
        let wrong =
            |why: &str| fault(why, "ask whoever sent it for the file as `tolbooth agreement` wrote it");
        if bytes.len() > ACT_BYTES_MAX {
            return Err(wrong("larger than any"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
        if text.contains('\r') {
            return Err(wrong("its lines end in CRLF, and were signed with LF"));
        }
        let note = Note::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if note.signers().count() > 1 {
            let each = "each party writes and signs a file of its own: leave one signature line here, and ask the \
                        others to act with `tolbooth agreement` too";
            return Err(fault("it has more than one signature line", each));
        }
        let act = Act::parse(note.text()).ok_or_else(|| wrong("its eight lines do not read"))?;
        Ok(Self { act, file: file.to_owned(), note })
    }

    /// Whose act it is, if it counts for this agreement: an officer's of a party.
    pub fn judged(&self, agreement: &Agreement, ring: &KeyRing) -> Result<CountedAct, ActFault> {
        let name = self.note.signers().next().ok_or(ActFault::UnknownOfficer)?;
        let ring = ring.get(name).ok_or(ActFault::UnknownOfficer)?;
        let member = &ring.officer.member;
        if !agreement.controllers().any(|party| party == member) {
            return Err(ActFault::NoParty(member.clone()));
        }
        if !self.note.is_signed_by(&ring.verifier) {
            return Err(ActFault::DoesNotVerify(name.to_owned()));
        }
        if ring.officer.trial && agreement.stage == Stage::Live {
            return Err(ActFault::TrialKeyOnLive(name.to_owned()));
        }
        let Act { action, agreement: reference, digest, at, lifts, reason } = self.act.clone();
        // A no is a no to whatever bears this version; a yes is to the bytes that were read.
        let says_no = matches!(action, Action::Suspend | Action::Decline | Action::Withdraw);
        if !says_no && digest != agreement.digest {
            return Err(ActFault::OtherBytes);
        }
        let (member, statement) = (member.clone(), self.act.statement());
        let done = ActDone { action, agreement: reference, member, statement, lifts, at };
        Ok(CountedAct { done, agreement_digest: digest, officer: name.to_owned(), reason })
    }
}
