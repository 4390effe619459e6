//! Reloading: when files change or SIGHUP comes, everything is read and compiled anew beside the
//! road; only a ruleset without faults, and recorded, takes the old one's place, in one step.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;

use crate::config::Gateway;
use crate::desk::{Circumstances, Ruleset};
use crate::ledger::{Alarm, Record};
use crate::model::{AgreementId, Faults};
use crate::observe::{Condition, Light};
use crate::stop::Stop;
use crate::tls::{Credential, ServerTls};

use super::App;
use super::watch::record;

/// What a cheap look tells files apart by; and the day, since an agreement that begins today is then
/// recorded as in force.
type Fingerprint = (Date, Vec<(PathBuf, Option<(SystemTime, u64)>)>);

/// Watches the files every two seconds, and reloads when one changed or SIGHUP came.
pub(super) async fn watch_rules(app: Arc<App>, mut stop: Stop) {
    let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    let mut known = fingerprint(&app);
    loop {
        let asked = tokio::select! {
            _ = tick.tick() => false,
            () = hangup(&mut hangups) => true,
            () = stop.asked() => return,
        };
        let now = fingerprint(&app);
        if asked || now != known {
            known = now;
            let app = Arc::clone(&app);
            let _reloaded = tokio::task::spawn_blocking(move || reload(&app)).await;
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

fn fingerprint(app: &App) -> Fingerprint {
    let gateway = &app.gateway;
    let mut paths =
        vec![gateway.members.clone(), gateway.partners.certificate.clone(), gateway.partners.key.clone()];
    for folder in ["agreements", "datasets", "guardrails"] {
        let entries = std::fs::read_dir(gateway.policies.join(folder)).into_iter().flatten();
        paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    paths.extend(app.ruleset.load().files.named.iter().map(|file| gateway.home.join(&file.name)));
    paths.sort();
    let look = |path: PathBuf| {
        let seen =
            std::fs::metadata(&path).ok().and_then(|about| Some((about.modified().ok()?, about.len())));
        (path, seen)
    };
    (app.clock.today(), paths.into_iter().map(look).collect())
}

/// Loads everything anew, or keeps what there is and says why.
fn reload(app: &App) {
    let before = app.ruleset.load_full();
    match prepare(app, &before) {
        Ok((ruleset, tls)) => {
            let digest = ruleset.digest;
            app.tls.store(Arc::new(tls));
            let ruleset = Arc::new(ruleset);
            app.ruleset.store(Arc::clone(&ruleset));
            // Sources were read anew, or are no longer there.
            for offer in before.offers().chain(ruleset.offers()) {
                let source = Condition::Source(offer.contract.version.to_string());
                app.health.set(source, Light::Green);
            }
            app.metrics.reloaded("loaded");
            app.health.set(Condition::Ruleset, Light::Green);
            tracing::info!(ruleset = %digest, before = %before.digest, "a new ruleset is in force");
        }
        Err(faults) => {
            app.metrics.reloaded("refused");
            tracing::warn!(%faults, "the changed files were refused; the ruleset before stays in force");
            let first = faults.0.first().map(ToString::to_string).unwrap_or_default();
            let why = format!("{} faults in changed files, the first: {first}", faults.0.len());
            app.health.set(Condition::Ruleset, Light::Amber(why.clone()));
            let alarm =
                Alarm { cause: "ruleset_refused", dataset: None, detail: Some(why), dropped: Vec::new() };
            record(app, Record::Alarm(alarm));
        }
    }
}

fn prepare(app: &App, before: &Ruleset) -> Result<(Ruleset, ServerTls), Faults> {
    let fold = &app.fold;
    let seen = |id: &AgreementId| app.seen.highest(fold, id);
    let circumstances =
        Circumstances { seen: &seen, before: Some(before), pseudonym_master: &app.keys.pseudonym };
    let ruleset = Ruleset::load(&app.gateway, &circumstances)?;
    let tls = tls(&app.gateway, &ruleset)?;
    let in_force = ruleset.in_force(app.clock.today());
    if ruleset.digest != before.digest || !app.seen.is_last(&in_force) {
        super::run::record_ruleset(app, &ruleset)?;
    }
    Ok((ruleset, tls))
}

/// The partner listener's TLS under a ruleset's anchors.
pub(super) fn tls(gateway: &Gateway, ruleset: &Ruleset) -> Result<ServerTls, Faults> {
    let credential = Credential::load(&gateway.partners.certificate, &gateway.partners.key)?;
    ServerTls::new(&credential, &ruleset.directory.anchors()).map_err(|error| {
        crate::model::Fault::new(gateway.partners.certificate.display().to_string(), None, error.to_string())
            .into()
    })
}
