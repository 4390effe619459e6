//! Whether an agreement is in force, and every reason why not. What does not change with the day is
//! judged once, when a ruleset is made; the dates at every exchange.

use std::fmt;

use jiff::civil::Date;

use crate::clock::{ZONE, date_in_words};
use crate::merkle::note::{Note, NoteError};
use crate::model::{ActDone, Action, Digest, MemberId, ResponseForm};

use super::agreement::{Agreement, Dates, Stage};
use super::sign::{KeyRing, signature_text};

/// What an agreement is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The text of `<id>.sig`, if there is one.
    pub note: Option<&'a str>,
    pub ring: &'a KeyRing,
    /// The view as computed now; `None` if its contract or source is not here.
    pub view: Option<Digest>,
    /// The highest version of this agreement the ledger has seen in force, and the digest of its bytes.
    pub highest_seen: Option<(u32, Digest)>,
    /// Whether the source behind its dataset is marked `synthetic`.
    pub source_synthetic: bool,
}

/// Why an agreement is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Unsealed,
    /// Contract or source of its dataset is not here, so that nothing can be compared.
    ViewUnknown,
    SealedOverAnotherView,
    /// There is a signature file, and it is not a note.
    SignaturesUnreadable(NoteError),
    /// Signed, but over other bytes or another version.
    SignedOverOtherBytes,
    SignatureMissing(MemberId),
    /// A line under this officer's name is not a signature by this officer's key, and nobody else
    /// signed for the member.
    SignatureWrong {
        officer: String,
        member: MemberId,
    },
    /// Only a trial key signed for this member, and the agreement is live.
    TrialKeyOnLive(MemberId),
    /// The agreement names this office of the member as its Caldicott Guardian's, and nobody who holds it signed.
    GuardianMissing {
        member: MemberId,
        office: String,
    },
    TrialSourceNotSynthetic,
    OlderThanSeen {
        seen: u32,
    },
    /// A live one whose version was in force with other bytes.
    OtherThanSeen {
        seen: u32,
    },
    /// It is of answers in a form that this version does not give.
    FormNotAnswered(ResponseForm),
    /// An officer of a party withdrew, suspended or declined it, on a day as they said.
    Against {
        action: Action,
        member: MemberId,
        on: Option<Date>,
    },
    NotYet(Date),
    Ended(Date),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsealed => f.write_str("not sealed"),
            Self::ViewUnknown => f.write_str("its contract or source is not here"),
            Self::SealedOverAnotherView => {
                f.write_str("sealed over another view: contract, mapping or release changed since")
            }
            Self::SignaturesUnreadable(error) => write!(f, "its signature file cannot be read: {error}"),
            Self::SignedOverOtherBytes => f.write_str("changed after it was signed"),
            Self::SignatureMissing(member) => write!(f, "not signed for {member}"),
            Self::SignatureWrong { officer, member } => {
                write!(f, "the signature of {officer} for {member} does not verify")
            }
            Self::TrialKeyOnLive(member) => {
                write!(f, "signed for {member} by a trial key only, which counts only for a trial")
            }
            Self::GuardianMissing { member, office } => {
                write!(
                    f,
                    "not signed by the Caldicott Guardian of {member}: an officer of the office `{office}`"
                )
            }
            Self::TrialSourceNotSynthetic => {
                f.write_str("a trial, and the source of its data is not marked synthetic")
            }
            Self::OlderThanSeen { seen } => write!(f, "older than version {seen}, which was in force"),
            Self::OtherThanSeen { seen } => {
                write!(f, "version {seen} was in force with other bytes: a change needs a higher version")
            }
            Self::FormNotAnswered(form) => {
                write!(f, "this version gives no answers of the form `{form}`")
            }
            Self::Against { action, member, on } => {
                let done = match action {
                    Action::Withdraw => "withdrawn for good",
                    Action::Decline => "declined",
                    _ => "suspended",
                };
                write!(f, "{done} by {member}")?;
                on.map_or(Ok(()), |on| write!(f, " on {}", date_in_words(on)))
            }
            Self::NotYet(from) => write!(f, "begins on {}", date_in_words(*from)),
            Self::Ended(until) => write!(f, "ended after {}", date_in_words(*until)),
        }
    }
}

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub member: MemberId,
    pub officer: String,
    pub office: String,
    pub trial: bool,
}

impl Signer {
    /// Whether this officer holds an office of a member, as `members.toml` spells it: capitals and underscores are
    /// not what tells two offices apart.
    fn holds(&self, (member, office): (&MemberId, &str)) -> bool {
        let plain = |office: &str| office.trim().replace('_', " ").to_lowercase();
        self.member == *member && plain(&self.office) == plain(office)
    }
}

/// What was found when the agreement was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    dates: Dates,
    reasons: Vec<Reason>,
    signers: Vec<Signer>,
    ignored: Vec<String>,
    /// A newer version that stands beside it, and the day that one begins.
    newer: Option<(u32, Date)>,
}

impl Standing {
    /// Asked at every exchange.
    pub fn in_force(&self, today: Date) -> bool {
        self.reasons.is_empty() && self.not_on(today).is_none()
    }

    /// From the day a newer version begins this one is over, also for those whom only this one lists.
    pub(super) fn give_way_to(&mut self, version: u32, from: Date) {
        if self.newer.is_none_or(|(_, earlier)| from < earlier) {
            self.newer = Some((version, from));
        }
    }

    /// The first day in force.
    pub(super) fn begins(&self) -> Date {
        self.dates.from
    }

    /// Whether it is in force on the days of its dates.
    pub fn holds(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Whether it was agreed, whatever parties did since: what was shared under it was.
    pub fn was_agreed(&self) -> bool {
        let since = |reason: &Reason| match reason {
            Reason::Against { action, .. } => matches!(action, Action::Suspend | Action::Withdraw),
            _ => false,
        };
        self.reasons.iter().all(since)
    }

    /// Every reason why it is not in force on this day; empty if it is.
    pub fn reasons(&self, today: Date) -> Vec<Reason> {
        self.reasons.iter().cloned().chain(self.not_on(today)).collect()
    }

    /// Who signed, of those whose signature counts.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// Names in signature lines that count for nobody: unknown keys, officers of members that are
    /// no party, and lines of known officers that do not verify.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How an agreement stands where all data is made up: drafts count, unsealed and unsigned and before
    /// their first day, so that partners can build against them. Not after their last.
    pub fn rehearsed(agreement: &Agreement) -> Self {
        let dates = Dates { from: Date::MIN, until: agreement.dates.until };
        let reasons = form_reason(agreement).into_iter().collect();
        Self { dates, reasons, signers: Vec::new(), ignored: Vec::new(), newer: None }
    }

    /// How an agreement stands for policy tests, which judge its words: as though it were sealed and signed. Its
    /// dates count.
    pub fn supposed(agreement: &Agreement) -> Self {
        let reasons = form_reason(agreement).into_iter().collect();
        Self { dates: agreement.dates, reasons, signers: Vec::new(), ignored: Vec::new(), newer: None }
    }

    /// Takes it out of force by what parties did to it since it was signed: stronger than any file.
    pub fn against(mut self, acts: &[&ActDone]) -> Self {
        self.reasons.extend(acts.iter().map(|act| Reason::of(act)));
        self
    }

    fn not_on(&self, today: Date) -> Option<Reason> {
        if today < self.dates.from {
            return Some(Reason::NotYet(self.dates.from));
        }
        if let Some(until) = self.dates.until.filter(|until| *until < today) {
            return Some(Reason::Ended(until));
        }
        let (seen, _) = self.newer.filter(|(_, from)| *from <= today)?;
        Some(Reason::OlderThanSeen { seen })
    }
}

/// Judges an agreement by everything but the day.
pub fn standing(agreement: &Agreement, grounds: &Grounds<'_>) -> Standing {
    let mut reasons = Vec::new();
    reasons.extend(form_reason(agreement));
    reasons.extend(seal_reason(agreement.seal, grounds.view));
    let read = read_note(agreement, grounds);
    let lines = read.unwrap_or_else(|reason| {
        reasons.push(reason);
        Lines::default()
    });
    // Nothing to count in a note that could not be believed at all.
    if reasons.iter().all(|reason| !reason.is_of_note()) {
        reasons.extend(agreement.controllers().filter_map(|member| lines.reason_for(member, agreement)));
        reasons.extend(lines.without_guardian(agreement));
    }
    if agreement.stage == Stage::Trial && !grounds.source_synthetic {
        reasons.push(Reason::TrialSourceNotSynthetic);
    }
    reasons.extend(grounds.highest_seen.and_then(|seen| seen_reason(agreement, seen)));
    let Lines { mut good, wrong, mut ignored } = lines;
    ignored.extend(wrong.into_iter().map(|(officer, _)| officer));
    good.retain(|signer| counts(signer, agreement.stage));
    Standing { dates: agreement.dates, reasons, signers: good, ignored, newer: None }
}

impl Reason {
    /// What a party did, as a reason.
    pub fn of(act: &ActDone) -> Self {
        let on = act.at.in_tz(ZONE).ok().map(|at| at.date());
        Self::Against { action: act.action, member: act.member.clone(), on }
    }

    fn is_of_note(&self) -> bool {
        matches!(self, Self::SignaturesUnreadable(_) | Self::SignedOverOtherBytes)
    }
}

/// What was in force does not come back older, nor otherwise under the same version: whoever holds the version would
/// not know which. A trial may be changed as it stands, since nothing of it is about anybody.
fn seen_reason(agreement: &Agreement, (seen, bytes): (u32, Digest)) -> Option<Reason> {
    let version = agreement.reference.version;
    if version < seen {
        return Some(Reason::OlderThanSeen { seen });
    }
    let other = version == seen && agreement.digest != bytes && agreement.stage == Stage::Live;
    other.then_some(Reason::OtherThanSeen { seen })
}

fn form_reason(agreement: &Agreement) -> Option<Reason> {
    agreement.not_answered().map(Reason::FormNotAnswered)
}

fn seal_reason(seal: Option<Digest>, view: Option<Digest>) -> Option<Reason> {
    match (seal, view) {
        (None, _) => Some(Reason::Unsealed),
        (Some(_), None) => Some(Reason::ViewUnknown),
        (Some(seal), Some(view)) => (seal != view).then_some(Reason::SealedOverAnotherView),
    }
}

fn counts(signer: &Signer, stage: Stage) -> bool {
    !signer.trial || stage == Stage::Trial
}

/// The lines of a note over the right text, sorted by what they are worth.
#[derive(Default)]
struct Lines {
    /// Verified lines by officers of parties.
    good: Vec<Signer>,
    /// Lines under the name of a party's officer that do not verify.
    wrong: Vec<(String, MemberId)>,
    /// Lines of nobody who has a say.
    ignored: Vec<String>,
}

impl Lines {
    fn reason_for(&self, member: &MemberId, agreement: &Agreement) -> Option<Reason> {
        let guardian = |signer: &Signer| agreement.guardians().any(|named| signer.holds(named));
        // The guardian is a second pair of eyes: one person does not sign twice.
        let mut mine =
            self.good.iter().filter(|signer| signer.member == *member && !guardian(signer)).peekable();
        if mine.peek().is_some() {
            return (!mine.any(|signer| counts(signer, agreement.stage)))
                .then(|| Reason::TrialKeyOnLive(member.clone()));
        }
        let wrong = self.wrong.iter().find(|(_, of)| of == member);
        Some(match wrong {
            Some((officer, member)) => {
                Reason::SignatureWrong { officer: officer.clone(), member: member.clone() }
            }
            None => Reason::SignatureMissing(member.clone()),
        })
    }

    fn without_guardian<'l>(&'l self, agreement: &'l Agreement) -> impl Iterator<Item = Reason> + 'l {
        let signed =
            |named| self.good.iter().any(|signer| signer.holds(named) && counts(signer, agreement.stage));
        agreement.guardians().filter(move |named| !signed(*named)).map(|(member, office)| {
            Reason::GuardianMissing { member: member.clone(), office: office.to_owned() }
        })
    }
}

fn read_note(agreement: &Agreement, grounds: &Grounds<'_>) -> Result<Lines, Reason> {
    let mut lines = Lines::default();
    let Some(note) = grounds.note else { return Ok(lines) };
    let note = Note::parse(note).map_err(Reason::SignaturesUnreadable)?;
    if note.text() != signature_text(agreement) {
        return Err(Reason::SignedOverOtherBytes);
    }
    let mut names: Vec<&str> = note.signers().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // An officer signs for the member that lists the key, and for no other.
        let ring = grounds
            .ring
            .get(name)
            .filter(|ring| agreement.controllers().any(|member| *member == ring.officer.member));
        match ring {
            None => lines.ignored.push(name.to_owned()),
            Some(ring) if note.is_signed_by(&ring.verifier) => lines.good.push(Signer {
                member: ring.officer.member.clone(),
                officer: name.to_owned(),
                office: ring.officer.office.clone(),
                trial: ring.officer.trial,
            }),
            Some(ring) => lines.wrong.push((name.to_owned(), ring.officer.member.clone())),
        }
    }
    Ok(lines)
}
