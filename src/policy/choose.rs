//! Which one agreement a question falls under (design 3 "Decide"), by what the caller states. The
//! candidates are by construction agreements the caller is a party to, so that what is said here
//! tells a stranger nothing.

use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{Code, Origin, PurposeCode, RoleId, Stated, SystemId};

use super::agreement::{Agreement, ConsumerSystem};
use super::register::Entry;

/// What the caller states in its headers, as given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claims<'a> {
    /// An id, or an id and version such as `x@3`.
    pub agreement: Option<&'a str>,
    pub purpose: Option<&'a str>,
    pub role: Option<&'a str>,
    /// Whether a user is stated.
    pub user: bool,
    pub reason: Option<&'a str>,
    /// Whether a case is stated.
    pub case: bool,
}

/// The agreement, and what was stated or is fixed by it.
#[derive(Debug, Clone)]
pub struct Chosen<'a> {
    pub entry: &'a Arc<Entry>,
    pub purpose: Stated<PurposeCode>,
    /// `None` where the agreement gives the system no role.
    pub role: Option<Stated<RoleId>>,
}

/// Chooses one of the `candidates`, or says why none.
pub fn choose<'a>(
    candidates: &'a [Arc<Entry>],
    caller: &SystemId,
    claims: &Claims<'_>,
    today: Date,
) -> Result<Chosen<'a>, Code> {
    let listed: Vec<Listed<'a>> = candidates
        .iter()
        .filter(|entry| claims.agreement.is_none_or(|named| is_named(entry, named)))
        .filter_map(|entry| Some(Listed { entry, system: entry.agreement.system(caller)? }))
        .collect();
    if listed.is_empty() {
        return Err(Code::NotAgreed);
    }
    let listed = without_grants(listed, claims.agreement);
    let listed = in_force(listed, claims.purpose, today)?;
    let one = only(listed)?;
    let purpose = purpose(one.system, claims.purpose)?;
    let role = role(one.system, claims.role)?;
    if one.entry.agreement.user_required && !claims.user {
        return Err(Code::UserMissing);
    }
    if !one.entry.agreement.reason.is_met_by(claims.reason) {
        return Err(Code::ReasonMissing);
    }
    if one.entry.agreement.case_required && !claims.case {
        return Err(Code::CaseMissing);
    }
    Ok(Chosen { entry: one.entry, purpose, role })
}

/// The agreement a question for which none was chosen can only have meant: the newest version of the one that is
/// named, or that there is.
pub fn meant(candidates: &[Arc<Entry>], claims: &Claims<'_>, code: Code) -> Option<Arc<Agreement>> {
    let named = |entry: &&Arc<Entry>| claims.agreement.is_none_or(|named| is_named(entry, named));
    let newest = candidates.iter().filter(named).max_by_key(|entry| entry.agreement.reference.version)?;
    let id = &newest.agreement.reference.id;
    let only = candidates.iter().filter(named).all(|entry| entry.agreement.reference.id == *id);
    (only && code != Code::NotAgreed).then(|| Arc::clone(&newest.agreement))
}

/// A candidate, and what it says of the calling system.
#[derive(Clone, Copy)]
struct Listed<'a> {
    entry: &'a Arc<Entry>,
    system: &'a ConsumerSystem,
}

impl Listed<'_> {
    fn allows(&self, purpose: Option<&str>) -> bool {
        purpose.is_none_or(|stated| self.system.purposes.iter().any(|known| known.as_str() == stated))
    }
}

/// A grant that is not named is used only where there is nothing else to ask under: it makes no standing
/// agreement ambiguous, and is not spent by a question that was meant for one.
fn without_grants<'a>(listed: Vec<Listed<'a>>, named: Option<&str>) -> Vec<Listed<'a>> {
    let is_grant = |listed: &Listed<'a>| listed.entry.agreement.grant.is_some();
    if named.is_some() || listed.iter().all(is_grant) {
        return listed;
    }
    listed.into_iter().filter(|listed| !is_grant(listed)).collect()
}

fn is_named(entry: &Entry, named: &str) -> bool {
    let reference = &entry.agreement.reference;
    match named.split_once('@') {
        None => reference.id.as_str() == named,
        // Compared as spelt, so that `x@03` and `x@+3` name nothing.
        Some((id, version)) => reference.id.as_str() == id && reference.version.to_string() == version,
    }
}

/// Those in force that allow the stated purpose. Where none is in force that is said before
/// anything about purposes, and of those that allow it before those that do not.
fn in_force<'a>(
    listed: Vec<Listed<'a>>,
    purpose: Option<&str>,
    today: Date,
) -> Result<Vec<Listed<'a>>, Code> {
    let (live, dead): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|listed| listed.entry.standing.in_force(today));
    let fitting: Vec<_> = live.iter().filter(|listed| listed.allows(purpose)).copied().collect();
    if !fitting.is_empty() {
        Ok(fitting)
    } else if live.is_empty() || dead.iter().any(|listed| listed.allows(purpose)) {
        Err(Code::AgreementNotInForce)
    } else {
        Err(Code::PurposeNotAllowed)
    }
}

/// The newest version, if they are versions of one agreement.
fn only(listed: Vec<Listed<'_>>) -> Result<Listed<'_>, Code> {
    let newest = listed.iter().max_by_key(|listed| listed.entry.agreement.reference.version).copied();
    let newest = newest.ok_or(Code::NotAgreed)?;
    let id = &newest.entry.agreement.reference.id;
    if listed.iter().all(|listed| listed.entry.agreement.reference.id == *id) {
        Ok(newest)
    } else {
        Err(Code::AgreementAmbiguous)
    }
}

fn purpose(system: &ConsumerSystem, stated: Option<&str>) -> Result<Stated<PurposeCode>, Code> {
    match (stated, system.purposes.as_slice()) {
        (Some(stated), known) => known
            .iter()
            .find(|known| known.as_str() == stated)
            .map(|value| Stated { value: *value, origin: Origin::Claimed })
            .ok_or(Code::PurposeNotAllowed),
        (None, [value]) => Ok(Stated { value: *value, origin: Origin::Agreement }),
        (None, _) => Err(Code::AgreementAmbiguous),
    }
}

fn role(system: &ConsumerSystem, stated: Option<&str>) -> Result<Option<Stated<RoleId>>, Code> {
    match (stated, system.roles.as_slice()) {
        (Some(stated), known) => known
            .iter()
            .find(|known| known.as_str() == stated)
            .map(|value| Some(Stated { value: value.clone(), origin: Origin::Claimed }))
            .ok_or(Code::RoleNotAllowed),
        (None, []) => Ok(None),
        (None, [value]) => Ok(Some(Stated { value: value.clone(), origin: Origin::Agreement })),
        (None, _) => Err(Code::RoleNotAllowed),
    }
}
