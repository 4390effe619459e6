//! One-off disclosures that have become a habit: those who would go on so are told to make an agreement.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{DatasetVersion, Fault, MemberId};
use crate::policy::agreement::Agreement;

/// As many of one kind in [`WITHIN`] are a habit.
const HABIT: usize = 3;
const WITHIN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Between whom, and about what.
type Kind<'a> = (&'a MemberId, &'a MemberId, &'a DatasetVersion);

/// One warning for each kind of grant that was given again and again, at the one that made it so.
pub fn habits<'a>(agreements: impl Iterator<Item = &'a Agreement>) -> Vec<Fault> {
    let mut kinds: BTreeMap<Kind<'a>, Vec<(Timestamp, &'a str)>> = BTreeMap::new();
    for agreement in agreements {
        let consumer = agreement.consumers().next().map(|party| &party.member);
        let (Some(grant), Some(provider), Some(consumer)) =
            (&agreement.grant, agreement.provider(), consumer)
        else {
            continue;
        };
        let kind = (provider, consumer, &agreement.dataset);
        kinds.entry(kind).or_default().push((grant.decided, &agreement.file));
    }
    kinds.into_iter().filter_map(|(kind, given)| habit(kind, given)).collect()
}

fn habit((_, consumer, dataset): Kind<'_>, mut given: Vec<(Timestamp, &str)>) -> Option<Fault> {
    given.sort();
    let close = |run: &&[(Timestamp, &str)]| match (run.first(), run.last()) {
        (Some((first, _)), Some((last, _))) => last.duration_since(*first) <= WITHIN,
        _ => false,
    };
    let (_, file) = given.windows(HABIT).rfind(close)?.last()?;
    let message = format!("{HABIT} grants in 90 days to {consumer} of `{dataset}`: these are no one-offs");
    Some(
        Fault::new(*file, None, message)
            .with_help("make an agreement of it, which both sides read once and well"),
    )
}
