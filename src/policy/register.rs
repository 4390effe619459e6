//! The agreements of a ruleset, found by who asks what. Nothing here is linear in their number.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{AgreementId, DatasetVersion, Fault, Faults, MemberId, OperationId, SystemId};

use super::agreement::Agreement;
use super::daily::Daily;
use super::rate::Limiter;
use super::standing::Standing;

/// One agreement of the register, in force or not.
#[derive(Debug, Clone)]
pub struct Entry {
    pub agreement: Arc<Agreement>,
    pub standing: Standing,
    pub limiter: Limiter,
    /// Where it has limits by the day.
    pub daily: Option<Daily>,
}

type ByOperation = HashMap<OperationId, Vec<Arc<Entry>>>;

/// Built once for a ruleset, then only read.
#[derive(Debug, Default)]
pub struct Register {
    all: Vec<Arc<Entry>>,
    /// Nested rather than under one key, so that a look-up borrows.
    by_caller: HashMap<SystemId, HashMap<DatasetVersion, ByOperation>>,
}

impl Register {
    /// Only agreements whose provider is `provider` are answered under; others are kept for reports.
    /// With the register `before` a reload, limits go on counting. Two files of one id and version
    /// are a fault.
    pub fn new(
        provider: &MemberId,
        mut judged: Vec<(Arc<Agreement>, Standing)>,
        before: Option<&Register>,
    ) -> Result<Self, Faults> {
        repeated(&judged).into_result()?;
        give_way(&mut judged);
        let mut limiters: HashMap<AgreementId, Limiter> = before
            .into_iter()
            .flat_map(|register| register.all.iter())
            .map(|entry| (entry.agreement.reference.id.clone(), entry.limiter.clone()))
            .collect();
        let mut days = Days::new(&judged, before);
        let mut register = Self::default();
        for (agreement, standing) in judged {
            let per_minute = agreement.limits.per_minute;
            let limiter = limiters
                .entry(agreement.reference.id.clone())
                .or_insert_with(|| Limiter::new(per_minute))
                .continued(per_minute);
            let daily = days.of(&agreement);
            register.add(provider, Arc::new(Entry { agreement, standing, limiter, daily }));
        }
        Ok(register)
    }

    fn add(&mut self, provider: &MemberId, entry: Arc<Entry>) {
        let agreement = &entry.agreement;
        if agreement.provider() == Some(provider) {
            for party in agreement.consumers() {
                for system in &party.systems {
                    let caller = SystemId { member: party.member.clone(), system: system.id.clone() };
                    let by_operation = self
                        .by_caller
                        .entry(caller)
                        .or_default()
                        .entry(agreement.dataset.clone())
                        .or_default();
                    for operation in &agreement.operations {
                        by_operation.entry(operation.clone()).or_default().push(Arc::clone(&entry));
                    }
                }
            }
        }
        self.all.push(entry);
    }

    /// The agreements under which this system might ask this, in force or not. A system that none
    /// lists, and anything unknown, has none.
    pub fn candidates(
        &self,
        caller: &SystemId,
        dataset: &DatasetVersion,
        operation: &OperationId,
    ) -> &[Arc<Entry>] {
        self.by_caller
            .get(caller)
            .and_then(|by_dataset| by_dataset.get(dataset))
            .and_then(|by_operation| by_operation.get(operation))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Every agreement that lists a system as one that may ask, in force or not; one of several operations
    /// comes several times.
    pub fn of(&self, caller: &SystemId) -> impl Iterator<Item = &Arc<Entry>> {
        let by_dataset = self.by_caller.get(caller).into_iter().flat_map(HashMap::values);
        by_dataset.flat_map(HashMap::values).flatten()
    }

    /// Every agreement, in the order given.
    pub fn all(&self) -> &[Arc<Entry>] {
        &self.all
    }
}

/// The counts of days, one for all versions of an agreement.
struct Days {
    /// Whether any version counts by user.
    by_user: HashSet<AgreementId>,
    counts: HashMap<AgreementId, Daily>,
}

impl Days {
    fn new(judged: &[(Arc<Agreement>, Standing)], before: Option<&Register>) -> Self {
        let by_user = judged.iter().filter(|(agreement, _)| agreement.limits.per_user_per_day.is_some());
        let by_user = by_user.map(|(agreement, _)| agreement.reference.id.clone()).collect();
        let known = before.into_iter().flat_map(|register| register.all.iter());
        let counts =
            known.filter_map(|entry| Some((entry.agreement.reference.id.clone(), entry.daily.clone()?)));
        Self { by_user, counts: counts.collect() }
    }

    fn of(&mut self, agreement: &Agreement) -> Option<Daily> {
        let (id, limits) = (&agreement.reference.id, &agreement.limits);
        let by_user = self.by_user.contains(id);
        let known = self.counts.get(id).and_then(|known| known.continued(limits, by_user));
        let daily = known.or_else(|| Daily::new(limits, by_user))?;
        self.counts.insert(id.clone(), daily.clone());
        Some(daily)
    }
}

/// Of the versions of one agreement that hold, each gives way to the newer ones.
fn give_way(judged: &mut [(Arc<Agreement>, Standing)]) {
    let mut versions: HashMap<AgreementId, Vec<(u32, Date)>> = HashMap::new();
    for (agreement, standing) in judged.iter().filter(|(_, standing)| standing.holds()) {
        let reference = &agreement.reference;
        versions.entry(reference.id.clone()).or_default().push((reference.version, standing.begins()));
    }
    for (agreement, standing) in judged {
        let known = versions.get(&agreement.reference.id).into_iter().flatten();
        for (version, from) in known.filter(|(version, _)| *version > agreement.reference.version) {
            standing.give_way_to(*version, *from);
        }
    }
}

fn repeated(judged: &[(Arc<Agreement>, Standing)]) -> Faults {
    let mut faults = Faults::default();
    let mut seen = HashMap::with_capacity(judged.len());
    let grants: HashMap<&AgreementId, &String> = judged
        .iter()
        .filter(|(agreement, _)| agreement.grant.is_some())
        .map(|(agreement, _)| (&agreement.reference.id, &agreement.file))
        .collect();
    for (agreement, _) in judged {
        if agreement.grant.is_none()
            && let Some(other) = grants.get(&agreement.reference.id)
        {
            let message = format!("`{}` is also the id of a grant, in {other}", agreement.reference.id);
            faults
                .push(Fault::new(&agreement.file, None, message).with_help("give one of the two another id"));
        }
        if let Some(other) = seen.insert(&agreement.reference, &agreement.file) {
            let message = format!("`{}` is also in {other}", agreement.reference);
            faults.push(Fault::new(&agreement.file, None, message).with_help("take one of the two out"));
        }
    }
    faults
}
