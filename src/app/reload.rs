//! Reloading: when files change or SIGHUP comes, everything is read and compiled anew beside the
//! road; only a ruleset without faults, and recorded, takes the old one's place, in one step. Where other
//! files are at fault the members' file and acts alone still do (`revoke.rs`), so that neither a revocation nor a
//! suspension waits.

use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::config::Gateway;
use crate::desk::{Circumstances, Ruleset};
use crate::ledger::{Alarm, Record};
use crate::model::{AgreementId, Digest, Fault, Faults};
use crate::observe::{Condition, Light};
use crate::stop::Stop;
use crate::tls::{Credential, ServerTls};

use super::watch::record;
use super::{App, rules};

/// How files look from afar: what a change of any of them changes.
pub(super) type Look = BTreeMap<PathBuf, Option<Seen>>;

/// One file from afar. Also one put in place with the old one's size and date is another file, or was changed
/// since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    file: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Seen {
    fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Self { file: about.ino(), bytes: about.len(), changed: (about.ctime(), about.ctime_nsec()) })
    }
}

/// Watches the files every two seconds, and reloads when one changed, SIGHUP came, or a new day has
/// begun in London: the record says who is in force each day.
pub(super) async fn watch_rules(
    app: Arc<App>,
    mut told: mpsc::Receiver<oneshot::Sender<bool>>,
    mut stop: Stop,
) {
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    let mut day = app.clock.today();
    let mut watched = named(&app);
    // What changed while it was read for the first time is read again.
    let unchanged = look(&app.gateway, &[]) == app.first_look;
    let mut known = if unchanged { look(&app.gateway, &watched) } else { Look::new() };
    let mut refused = None;
    loop {
        let mut waiting = None;
        let asked = tokio::select! {
            _ = tick.tick() => false,
            () = hangup(&mut hangups) => true,
            Some(answer) = told.recv() => {
                waiting = Some(answer);
                true
            }
            () = stop.asked() => return,
        };
        let (now, today) = (look(&app.gateway, &watched), app.clock.today());
        if asked || now != known || today != day || app.changing.take_again() {
            let (beside, before) = (Arc::clone(&app), refused.take());
            let reloaded = tokio::task::spawn_blocking(move || reload(&beside, before.as_ref())).await;
            refused = reloaded.unwrap_or_default();
            watched = named(&app);
            // Whoever asked may have gone.
            let _heard = waiting.map(|answer| answer.send(refused.is_none()));
            watched.extend(refused.iter().flat_map(|refused| refused.files(&app.gateway)));
            known = looked(&now, look(&app.gateway, &watched), |path| is_in_force(&app, path));
            day = today;
        }
    }
}

async fn hangup(hangups: &mut Option<tokio::signal::unix::Signal>) {
    match hangups {
        Some(hangups) => {
            hangups.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// The files the ruleset in force names, without revocation lists: those change often, and alone (`revoke.rs`).
fn named(app: &App) -> Vec<PathBuf> {
    let ruleset = app.ruleset.load();
    let lists: HashSet<PathBuf> =
        ruleset.directory.lists().map(|list| app.gateway.home.join(list.file)).collect();
    let named = ruleset.files.named.iter().map(|file| app.gateway.home.join(&file.name));
    let issuers = ruleset.outsiders.all().iter().flat_map(|issuer| issuer.secrets().to_vec());
    let named = named.filter(|path| !lists.contains(path));
    named.chain(ruleset.offers().flat_map(|offer| offer.secrets.clone())).chain(issuers).collect()
}

/// Looks at the files every gateway has, and at `more`.
pub(super) fn look(gateway: &Gateway, more: &[PathBuf]) -> Look {
    let mut paths =
        vec![gateway.members.clone(), gateway.partners.certificate.clone(), gateway.partners.key.clone()];
    for folder in ["agreements", "grants", "templates", "datasets", "guardrails", "issuers"] {
        let entries = std::fs::read_dir(gateway.policies.join(folder)).into_iter().flatten();
        paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    look_at(paths.into_iter().chain(more.iter().cloned()))
}

pub(super) fn look_at(paths: impl IntoIterator<Item = PathBuf>) -> Look {
    paths.into_iter().map(|path| (path.clone(), Seen::of(&path))).collect()
}

/// What is known of files that were just read: as they looked before. One that was not looked at then, since
/// nothing named it, may have changed since it was read: unless it is as it was read it counts as never seen,
/// and is read again with the next look.
fn looked(before: &Look, after: Look, is_as_read: impl Fn(&Path) -> bool) -> Look {
    let known = |(path, seen): (PathBuf, Option<Seen>)| match before.get(&path) {
        Some(before) => Some((path, *before)),
        None => is_as_read(&path).then_some((path, seen)),
    };
    after.into_iter().filter_map(known).collect()
}

/// Whether a file's bytes are those the ruleset in force was made of.
fn is_in_force(app: &App, path: &Path) -> bool {
    let ruleset = app.ruleset.load();
    let mut files = ruleset.files.named.iter();
    let file = files.find(|file| app.gateway.home.join(&file.name) == path);
    file.is_some_and(|file| rules::of_file(path) == Some(file.digest))
}

/// What a reload refused.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    /// Of all files, as far as they could be read.
    digest: Option<Digest>,
    faults: Faults,
}

impl Refused {
    /// The files at fault: they may be named by files that are not in force yet, and are to be watched until
    /// they are right.
    fn files(&self, gateway: &Gateway) -> Vec<PathBuf> {
        self.faults.0.iter().map(|fault| gateway.home.join(&fault.file)).collect()
    }
}

/// Loads everything anew, or keeps what there is and says why; of what was refused `before` only once.
fn reload(app: &App, before: Option<&Refused>) -> Option<Refused> {
    match replace(app) {
        Ok(()) => {
            app.metrics.reloaded("loaded");
            app.health.set(Condition::Ruleset, Light::Green);
            // A source that is read in another way was read anew, and was right; the others go on.
            let ruleset = app.ruleset.load();
            app.health.keep_sources(|dataset| {
                let mut offers = ruleset.offers();
                offers.any(|offer| offer.contract.version.to_string() == dataset && offer.source.is_refused())
            });
            None
        }
        Err(faults) => {
            tracing::warn!(%faults, "the changed files were refused; the ruleset before stays in force");
            record_the_day(app);
            let refused = Refused { digest: Ruleset::digest_of(&app.gateway), faults };
            let faults = &refused.faults;
            // Shown to whoever can read readiness, and kept for years: without what a file says.
            let first = faults.0.first().map(Fault::without_values).unwrap_or_default();
            let why = format!("{} faults in changed files, the first: {first}", faults.0.len());
            app.health.set(Condition::Ruleset, light(app, why.clone()));
            if before != Some(&refused) {
                record_refusal(app, &refused);
                let alarm =
                    Alarm { cause: "ruleset_refused", dataset: None, detail: Some(why), dropped: Vec::new() };
                record(app, Record::Alarm(alarm));
            }
            // Counted last: whoever waits for the count finds the rest on the record.
            app.metrics.reloaded("refused");
            Some(refused)
        }
    }
}

/// A ruleset before answers on; unless what is to follow it is right, and cannot be put on the record.
fn light(app: &App, why: String) -> Light {
    if !app.lived.is_unrecorded() {
        return Light::Amber(why);
    }
    Light::Red(format!("nothing leaves until what the files say is on the record: {why}"))
}

/// What was refused is on the record by its digest, and what stays in force.
fn record_refusal(app: &App, Refused { digest, faults }: &Refused) {
    let first = faults.0.first();
    let certificate = &app.gateway.partners.certificate;
    let of_own = |fault: &Fault| {
        [certificate, &app.gateway.partners.key].iter().any(|own| fault.file == own.display().to_string())
    };
    if first.is_some_and(of_own) {
        let refused = (rules::CERTIFICATE, None, rules::of_file(certificate));
        return rules::record_refusal(app, refused, first);
    }
    rules::record_refused_ruleset(app, *digest, faults);
}

/// What came into force by its date alone is on the record, also where the files changed since are at fault:
/// an older version could come back later.
fn record_the_day(app: &App) {
    let _alone = app.changing.alone();
    let ruleset = app.ruleset.load_full();
    if !app.seen.is_recorded(&ruleset.in_force(app.clock.today()))
        && let Err(faults) = super::run::record_ruleset(app, &ruleset)
    {
        tracing::error!(%faults, "what came into force with this day is not on the record yet");
        app.changing.load_again();
    }
}

/// Compiles a new ruleset and puts it in the old one's place. A revocation may act while it compiles, and waits
/// for nothing: then this was compiled against what is no longer in force, and is compiled again.
fn replace(app: &App) -> Result<(), Faults> {
    loop {
        let before = app.ruleset.load_full();
        let prepared = match prepare(app, &before) {
            Ok(prepared) => prepared,
            Err(faults) => {
                // What is at fault changes nothing, and holds nothing up. What acts all the same may.
                let recorded = super::revoke::renew(app);
                app.lived.note_unrecorded(!recorded);
                return Err(faults);
            }
        };
        let _alone = app.changing.alone();
        if app.ruleset.load().epoch == before.epoch {
            let put = put_in_place(app, &before, prepared);
            app.lived.note_unrecorded(put.is_err());
            return put;
        }
    }
}

pub(super) fn install(app: &App, before: &Ruleset, mut ruleset: Ruleset, tls: Option<ServerTls>) {
    // Kept by now, or with the ruleset before if that was of the same bytes.
    ruleset.files.are_kept();
    let digest = ruleset.digest;
    if let Some(tls) = tls {
        app.tls.store(Arc::new(tls));
    }
    let epoch = ruleset.epoch;
    app.ruleset.store(Arc::new(ruleset));
    // If a connection wakes before it sees this it sees the ruleset; never the other way round.
    app.epochs.send_replace(epoch);
    let ruleset = app.ruleset.load_full();
    tracing::info!(ruleset = %digest, before = %before.digest, "a new ruleset is in force");
    rules::warn_of_what_is_not_in_force(app, &ruleset);
}

pub(super) fn with_circumstances<T>(
    app: &App,
    before: &Ruleset,
    made: impl FnOnce(&Circumstances<'_>) -> T,
) -> T {
    // Also those that came into force by their date alone.
    app.seen.note(&before.in_force(app.clock.today()));
    let seen = |id: &AgreementId| app.seen.highest(id);
    let (pseudonym_master, today) = (&*app.keys.pseudonym, app.clock.today());
    let life = app.lived.now();
    made(&Circumstances { seen: &seen, life: &life, before: Some(before), pseudonym_master, today })
}

fn prepare(app: &App, before: &Ruleset) -> Result<(Ruleset, ServerTls), Faults> {
    let ruleset =
        with_circumstances(app, before, |circumstances| Ruleset::load(&app.gateway, circumstances))?;
    let tls = tls(&app.gateway, &ruleset)?;
    super::days::count(app, &ruleset);
    Ok((ruleset, tls))
}

/// Records a ruleset, unless it is on the record already, and brings it into force.
fn put_in_place(app: &App, before: &Ruleset, prepared: (Ruleset, ServerTls)) -> Result<(), Faults> {
    let (ruleset, tls) = prepared;
    let in_force = ruleset.in_force(app.clock.today());
    if ruleset.digest != before.digest || !app.seen.is_recorded(&in_force) {
        // The files are right: nothing but the ledger has to get better.
        super::run::record_ruleset(app, &ruleset).inspect_err(|_| app.changing.load_again())?;
    }
    rules::record_changes(app).inspect_err(|_| app.changing.load_again())?;
    install(app, before, ruleset, Some(tls));
    Ok(())
}

/// The partner listener's TLS under a ruleset's anchors.
pub(super) fn tls(gateway: &Gateway, ruleset: &Ruleset) -> Result<ServerTls, Faults> {
    let credential = Credential::load(&gateway.partners.certificate, &gateway.partners.key)?;
    ServerTls::new(&credential, &ruleset.directory.anchors(), gateway.partners.tls12).map_err(|error| {
        Fault::new(gateway.partners.certificate.display().to_string(), None, error.to_string()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that a refused load was the first to name, changed after it was read and before it was looked at.
    #[test]
    fn what_changed_while_it_was_read_for_the_first_time_is_read_again() {
        let seen = |bytes| Some(Seen { file: 1, bytes, changed: (0, 0) });
        let look = |all: &[(&str, Option<Seen>)]| -> Look {
            all.iter().map(|(path, seen)| (PathBuf::from(path), *seen)).collect()
        };
        let before = look(&[("members.toml", seen(1)), ("gone", None)]);
        let after =
            look(&[("members.toml", seen(2)), ("gone", seen(3)), ("new.json", seen(4)), ("old", seen(5))]);
        let known = looked(&before, after.clone(), |path| path == Path::new("old"));
        // What was looked at before is known as it looked then, and what is as it was read as it looks now.
        assert_eq!(known, look(&[("members.toml", seen(1)), ("gone", None), ("old", seen(5))]));
        assert_ne!(known, after, "the next look reads new.json again");
        // Only once: it is looked at before it is read now.
        assert_eq!(looked(&after, after.clone(), |_| false), after);
    }
}
