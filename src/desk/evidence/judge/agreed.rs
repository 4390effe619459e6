//! That the agreement was in force: its bytes, signatures, dates and view.

use jiff::Timestamp;

use crate::clock::{ZONE, date_in_words, moment_in_words};
use crate::model::Digest;
use crate::policy::{Agreement, Grounds, Reason, Standing, standing};

use super::super::finding::{Found, not_proven, wrong};
use super::super::record::day;
use super::super::rules::ring;
use super::{Case, Law};

impl Case<'_> {
    pub(super) fn agreement(&self, law: &Law<'_>) -> Found {
        let agreement = law.agreement.as_ref().map_err(Clone::clone)?;
        let Some((reference, digest)) = self.exchange.agreement() else {
            return wrong("the record says that it was answered, and names no agreement");
        };
        if agreement.reference != reference || agreement.digest != digest {
            return wrong("the agreement in the pack is not the version the record names");
        }
        let listed = self.entry.as_ref().is_some_and(|entry| entry.has_in_force(&reference, &digest));
        // A day's first questions can be decided before the entry of that day.
        let entry_day = self.entry.as_ref().and_then(|entry| day(entry.time));
        let begins_that_day = self.exchange.day() == Some(agreement.dates.from)
            && entry_day.is_some_and(|day| day < agreement.dates.from);
        match listed {
            _ if !self.exchange.was_answered() => {
                Ok(format!("the record names {reference}; nothing was released under it: {}", self.told()))
            }
            true => Ok(format!(
                "the record names {reference} by its exact bytes, and so does its ruleset's entry"
            )),
            false if begins_that_day => not_proven(
                "that the log had the agreement in force: it began on that day, after the ruleset's entry",
            ),
            false => wrong("the ruleset's entry does not have the agreement in force"),
        }
    }

    fn standing(&self, law: &Law<'_>, agreement: &Agreement) -> Result<Standing, String> {
        let ring = ring(law.directory.as_ref().map_err(Clone::clone)?)?;
        let offered = law.offered.as_ref().ok();
        let grounds = Grounds {
            note: law.rules.note(agreement),
            ring: &ring,
            view: offered.and_then(|offered| offered.view(agreement).ok()),
            highest_seen: None,
            source_synthetic: offered.is_some_and(|offered| offered.synthetic),
        };
        Ok(standing(agreement, &grounds))
    }

    pub(super) fn signatures(&self, law: &Law<'_>, agreement: &Agreement) -> Found {
        let standing = self.standing(law, agreement)?;
        let day = self.exchange.day().unwrap_or(agreement.dates.from);
        let reasons = standing.reasons(day);
        let of_signatures = |reason: &&Reason| {
            matches!(
                reason,
                Reason::SignaturesUnreadable(_)
                    | Reason::SignedOverOtherBytes
                    | Reason::SignatureMissing(_)
                    | Reason::SignatureWrong { .. }
                    | Reason::TrialKeyOnLive(_)
                    | Reason::GuardianMissing { .. }
            )
        };
        if let Some(reason) = reasons.iter().find(of_signatures) {
            return wrong(format!("the agreement was {reason}"));
        }
        let signers = standing.signers().iter();
        let signers: Vec<String> =
            signers.map(|one| format!("{} for {} ({})", one.officer, one.member, one.office)).collect();
        Ok(format!(
            "these bytes are signed for every party, with keys its members' file lists: {}",
            signers.join(", ")
        ))
    }

    pub(super) fn dates(&self, _law: &Law<'_>, agreement: &Agreement) -> Found {
        let day = self.exchange.day().ok_or("the record has no day")?;
        let dates = agreement.dates;
        if day < dates.from || dates.until.is_some_and(|until| until < day) {
            return wrong(format!("{} is not within the agreement's dates", date_in_words(day)));
        }
        // It was decided between the two: a question can come slowly.
        let mut moments = [self.exchange.began(), self.exchange.time].into_iter();
        let is_open = |at: Timestamp| at.in_tz(ZONE).is_ok_and(|at| agreement.hours.has(at.datetime()));
        if !moments.any(is_open) {
            let began = moment_in_words(self.exchange.began());
            return wrong(format!("the agreement allows no questions at that hour: {began}"));
        }
        // A grant has moments, and its days are only those they lie in.
        if let Some(grant) = &agreement.grant {
            let (began, open) = (moment_in_words(self.exchange.began()), grant.open_in_words());
            return match grant.is_open(self.exchange.began()) {
                true => Ok(format!("the question came on {began}, and the grant was open {open}")),
                false => wrong(format!("the question came on {began}, and the grant was open {open}")),
            };
        }
        let until = dates.until.map_or_else(String::new, |until| format!(" until {}", date_in_words(until)));
        Ok(format!("{} is within its dates: from {}{until}", date_in_words(day), date_in_words(dates.from)))
    }

    /// Of a grant. That it was used once, only the whole log shows.
    pub(super) fn once(&self) -> Found {
        not_proven(
            "that the grant was used this once: only the whole log shows that nothing else was under it",
        )
    }

    /// Of a grant. Its commitments are under a key that is no evidence, and the record has references of its own.
    pub(super) fn about(&self) -> Found {
        not_proven(
            "that the question was about whom the grant names: the key of its commitments, and the identifier, are not in a pack",
        )
    }

    /// The view is computed anew from the contract and the mapping in the pack.
    pub(super) fn seal(&self, law: &Law<'_>, agreement: &Agreement) -> Found {
        let offered = law.offered.as_ref().map_err(Clone::clone)?;
        let view: Digest = offered.view(agreement)?;
        if agreement.seal != Some(view) {
            return wrong("the agreement is sealed over another view than its contract and mapping give");
        }
        if agreement.stage == crate::policy::Stage::Trial && !offered.synthetic {
            return wrong("the agreement was a trial, and the source of its data is not marked synthetic");
        }
        Ok(format!("contract and mapping give the view that was sealed and signed, {view}"))
    }
}
