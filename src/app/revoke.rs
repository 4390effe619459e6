//! Revocation: the members' file, the anchors and the revocation lists are looked at more often than anything
//! else, and what they say now acts at once, before and whatever else is reloaded. Also the light of lists
//! that have expired or cannot be taken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::desk::Ruleset;
use crate::ledger::{Alarm, Record};
use crate::model::{Digest, Fault, Faults};
use crate::observe::{Condition, Light};
use crate::stop::Stop;

use super::reload::{self, Look};
use super::watch::record;
use super::{App, rules};

/// What was told of revocation lists, so that each thing is told once.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    refused: Vec<Fault>,
    expired: BTreeSet<(String, Timestamp)>,
}

impl Lists {
    fn told(&self) -> MutexGuard<'_, Told> {
        // A holder that panicked told something twice, at worst.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the directory's files every `look_ms`, and brings into force what has changed.
pub(super) async fn watch_directory(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(app.gateway.revocation.look);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Nothing is known yet: what changed since the start is found by the first look.
    let mut known = Look::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let (beside, seen) = (Arc::clone(&app), std::mem::take(&mut known));
        // A panic there is logged, and the next look begins with nothing known.
        known = tokio::task::spawn_blocking(move || look(&beside, seen)).await.unwrap_or_default();
    }
}

fn look(app: &App, known: Look) -> Look {
    let now = reload::look_at(files(app));
    // One that was not right may be put right by a file that nobody watches yet.
    if now != known || app.changing.is_wrong() {
        renew(app);
    }
    light(app);
    now
}

/// The files the directory in force is made of.
fn files(app: &App) -> Vec<PathBuf> {
    let ruleset = app.ruleset.load();
    let named = ruleset.directory.files().iter().map(|(path, _)| app.gateway.home.join(path));
    named.chain([app.gateway.members.clone()]).collect()
}

/// Brings the directory as it is now into force, if it changed and is right. What is wrong with it is told by
/// the reload of everything, which sees the change too. Gives whether all that is right is on the record.
pub(super) fn renew(app: &App) -> bool {
    let _alone = app.changing.alone();
    let before = app.ruleset.load_full();
    let made = reload::with_circumstances(app, &before, |circumstances| {
        Ruleset::with_directory(&app.gateway, circumstances)
    });
    let renewed = match made {
        Ok(renewed) => renewed,
        Err(faults) => {
            app.changing.note(faults);
            return true;
        }
    };
    tell_refused(app, renewed.refused_lists);
    let Some(ruleset) = renewed.ruleset else {
        app.changing.note(renewed.wrong);
        return true;
    };
    if let Err(unrecorded) = super::run::record_ruleset(app, &ruleset) {
        app.lived.note_unrecorded(true);
        app.changing.note_unrecorded(unrecorded);
        return false;
    }
    app.lived.note_unrecorded(false);
    app.changing.note(renewed.wrong);
    // Proven chains stay proven while the anchors are the same. Where the gateway's own certificate is at
    // fault, handshakes still know the anchors before; who is behind one is asked of the directory in force.
    let same = anchors(&before) == anchors(&ruleset);
    let tls = if same { None } else { reload::tls(&app.gateway, &ruleset).ok() };
    reload::install(app, &before, ruleset, tls);
    app.metrics.reloaded("directory");
    true
}

fn anchors(ruleset: &Ruleset) -> Vec<crate::tls::AnchorId> {
    ruleset.directory.anchors().iter().map(crate::tls::Anchor::id).collect()
}

/// Puts what is now wrong with lists on the record, once.
fn tell_refused(app: &App, refused: Vec<Fault>) {
    let before = std::mem::replace(&mut app.lists.told().refused, refused.clone());
    for fault in refused.into_iter().filter(|fault| !before.contains(fault)) {
        tracing::warn!(%fault, "a revocation list was refused");
        alarm(app, "crl_refused", fault.to_string());
        let (kept, refused) = list_of(app, &fault);
        rules::record_refusal(app, (rules::LIST, kept, refused), Some(&fault));
    }
}

/// The digests of the list in force and of the one on disk that a fault is about: it is in the members' file,
/// and names the list's file first.
fn list_of(app: &App, fault: &Fault) -> (Option<Digest>, Option<Digest>) {
    let ruleset = app.ruleset.load();
    let name = fault.message.split('`').nth(1).unwrap_or_default();
    let mut lists = ruleset.directory.lists();
    let Some(list) = lists.find(|list| Path::new(&list.file).ends_with(name)) else { return (None, None) };
    let kept = ruleset.files.named.iter().find(|file| file.name == list.file).map(|file| file.digest);
    (kept, rules::of_file(&app.gateway.home.join(&list.file)))
}

/// Amber while a list has expired or could not be taken, on the record when it begins.
fn light(app: &App) {
    let now = app.clock.now();
    let ruleset = app.ruleset.load();
    let expired: Vec<_> = ruleset.directory.lists().filter(|list| list.is_expired(now)).collect();
    let named = expired.iter().map(|list| (list.file.clone(), list.next_update)).collect();
    let told = std::mem::replace(&mut app.lists.told().expired, named);
    for list in expired.iter().filter(|list| !told.contains(&(list.file.clone(), list.next_update))) {
        let fault = list.expired();
        tracing::warn!(%fault, "a revocation list has expired");
        alarm(app, "crl_expired", fault.message);
    }
    let mut wrong = Faults(expired.iter().map(|list| list.expired()).collect());
    wrong.0.extend(app.lists.told().refused.iter().cloned());
    let light = match (app.changing.unrecorded(), wrong.0.as_slice()) {
        (Some(why), _) => {
            Light::Red(format!("a changed members' file or list is not in force, nor on the record: {why}"))
        }
        (None, []) => Light::Green,
        (None, [one]) => Light::Amber(one.message.clone()),
        (None, [first, rest @ ..]) => {
            Light::Amber(format!("{}; and {} more lists", first.message, rest.len()))
        }
    };
    app.health.set(Condition::Revocation, light);
}

fn alarm(app: &App, cause: &'static str, detail: String) {
    app.metrics.alarm(cause, "");
    record(app, Record::Alarm(Alarm { cause, dataset: None, detail: Some(detail), dropped: Vec::new() }));
}

/// One change of the ruleset in force at a time; and what is wrong with the directory on disk.
#[derive(Debug, Default)]
pub(super) struct Changing {
    alone: Mutex<()>,
    wrong: Mutex<Wrong>,
    again: AtomicBool,
}

#[derive(Debug, Default)]
struct Wrong {
    faults: Faults,
    /// The files are right, and what they say could not be recorded.
    unrecorded: bool,
}

impl Changing {
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        // The ruleset is swapped in one step: a holder that panicked left it whole.
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        // It is replaced whole.
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is wrong with the directory on disk. Once nothing is, everything is to be loaded again: what
    /// was at fault because of it no longer is.
    fn note(&self, faults: Faults) {
        let mut before = self.wrong();
        if !faults.is_empty() && faults != before.faults {
            tracing::warn!(%faults, "the members' file or the acts as they are now are not all in force");
        }
        if faults.is_empty() && !before.faults.is_empty() {
            self.load_again();
        }
        *before = Wrong { faults, unrecorded: false };
    }

    /// What is right and not on the record is not in force: every look tries again.
    fn note_unrecorded(&self, faults: Faults) {
        let mut before = self.wrong();
        if !before.unrecorded {
            tracing::error!(%faults, "a changed members' file or list is not in force: it is not on the record");
        }
        *before = Wrong { faults, unrecorded: true };
    }

    fn is_wrong(&self) -> bool {
        !self.wrong().faults.is_empty()
    }

    /// Why what the directory on disk says could not be recorded.
    fn unrecorded(&self) -> Option<String> {
        let wrong = self.wrong();
        wrong
            .unrecorded
            .then(|| wrong.faults.0.first().map(|fault| fault.message.clone()).unwrap_or_default())
    }

    /// Everything is to be loaded again with the next look.
    pub(super) fn load_again(&self) {
        self.again.store(true, Ordering::Relaxed);
    }

    /// Whether everything is to be loaded again; asked once.
    pub(super) fn take_again(&self) -> bool {
        self.again.swap(false, Ordering::Relaxed)
    }
}
