//! A ruleset with the directory and what officers did as they are now, and nothing else: so that neither a revocation
//! nor a suspension waits for a typo in another file, nor a revocation for a thousand agreements to be compiled.

use std::sync::Arc;

use crate::config::Gateway;
use crate::directory::Directory;
use crate::model::{Fault, Faults};
use crate::policy::{SignedAct, against_members};

use super::files::{RulesetFile, RulesetFiles};
use super::ruleset::{Circumstances, Material, Ruleset, class_of, key_ring, read_directory};
use super::templates;

/// What a new reading of the directory alone gave.
#[derive(Default)]
pub struct Renewed {
    /// `None` if nothing in it has changed.
    pub ruleset: Option<Ruleset>,
    /// The revocation lists on disk that could not be taken, whatever else was.
    pub refused_lists: Vec<Fault>,
    /// What is wrong with the members' file, where only the files it named before could be read anew; and with acts,
    /// which leave the others alone.
    pub wrong: Faults,
}

impl Ruleset {
    /// The ruleset before with the members' file, anchors, revocation lists and acts as they are now: who may
    /// connect, whose signature counts and what a party suspended must wait neither for a typo elsewhere nor, the
    /// first two, for a thousand agreements. What was agreed, offered and forbidden stays as it was; agreements the
    /// new directory has no members for, or no authority for the template they name, are left out. `None` if all of
    /// it is as before.
    pub fn with_directory(gateway: &Gateway, circumstances: &Circumstances<'_>) -> Result<Renewed, Faults> {
        let Some(before) = circumstances.before else { return Ok(Renewed::default()) };
        let mut wrong = Faults::default();
        let (members, directory) = match renewed_directory(gateway, before, None) {
            Ok(read) => read,
            // A typo in the members' file itself: the lists it named before are new all the same.
            Err(faults) => {
                wrong = faults;
                renewed_directory(gateway, before, before.files.members.clone()).map_err(|_| wrong.clone())?
            }
        };
        let refused_lists = directory.refused_lists().to_vec();
        let acts = readable_acts(gateway, &mut wrong);
        let acted = !acts.iter().map(|act| act.digest).eq(before.files.acts.iter().map(|act| act.digest));
        if !acted && directory.digest() == before.directory.digest() {
            return Ok(Renewed { ruleset: None, refused_lists, wrong });
        }
        let mut files = before.files.with_members(members, before.directory.files());
        files.acts = acts;
        if !acted && directory.governs_as(&before.directory) {
            return Ok(Renewed { ruleset: Some(before.with(directory, files)), refused_lists, wrong });
        }
        let ring = key_ring(gateway, &directory)?;
        let agreements = before.register.all().iter().map(|entry| Arc::clone(&entry.agreement));
        // What was wrong with them was wrong before, and was taken.
        let templates = templates::read(&files, &directory, &mut Faults::default());
        let agreements = agreements
            .filter(|agreement| against_members(agreement, |member| class_of(&directory, member)).is_empty())
            .filter(|agreement| templates.judge(agreement).is_empty())
            .collect();
        let offers = Arc::clone(&before.offers);
        let outsiders = Arc::clone(&before.outsiders);
        let material = Material {
            files,
            directory,
            ring,
            offers,
            outsiders,
            all_offered: true,
            before: Some(agreements),
        };
        let ruleset = material.compile(gateway, circumstances, Faults::default())?;
        Ok(Renewed { ruleset: Some(ruleset), refused_lists, wrong })
    }

    /// This one with other anchors and revocations, under which every agreement reads the same.
    fn with(&self, directory: Directory, files: RulesetFiles) -> Self {
        Self {
            digest: files.digest(),
            epoch: self.epoch + 1,
            directory,
            register: Arc::clone(&self.register),
            decider: Arc::clone(&self.decider),
            files,
            outsiders: Arc::clone(&self.outsiders),
            offers: Arc::clone(&self.offers),
            terms: Arc::clone(&self.terms),
            views: Arc::clone(&self.views),
            acts: Arc::clone(&self.acts),
        }
    }
}

/// What officers did, by the files as they are now. One that does not read could be a withdrawal: it is a fault, and
/// the others count all the same.
fn readable_acts(gateway: &Gateway, wrong: &mut Faults) -> Vec<RulesetFile> {
    let mut acts = RulesetFiles::acts_alone(gateway, wrong);
    acts.retain(|file| {
        let read = file.bytes().and_then(|bytes| SignedAct::read(&file.name, bytes));
        read.map_err(|faults| wrong.extend(faults)).is_ok()
    });
    acts
}

/// The directory as its files are now; with `members` in place of the members' file on disk.
fn renewed_directory(
    gateway: &Gateway,
    before: &Ruleset,
    members: Option<RulesetFile>,
) -> Result<(RulesetFiles, Directory), Faults> {
    let mut faults = Faults::default();
    let mut files = match members {
        Some(members) => RulesetFiles::of_members(gateway, members),
        None => RulesetFiles::members_alone(gateway, &mut faults),
    };
    faults.into_result()?;
    let directory = read_directory(gateway, &mut files, Some(&before.directory))?;
    Ok((files, directory))
}
