//! `tolbooth.toml` while the gateway runs by what it read of it when it started. A changed one counts from the
//! next start; one that does not read is told of now, and on the record, and not first by a start that fails.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, Gateway};
use crate::model::{Digest, Fault, Faults};
use crate::observe::{Condition, Light};
use crate::stop::Stop;

use super::reload::{self, Look};
use super::{App, rules};

/// Watches the file every two seconds, as all others, until told to stop.
pub(super) async fn watch(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    // Nothing is known yet: what changed since the start is found by the first look.
    let mut known = Look::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let now = reload::look_at([app.gateway.file.clone()]);
        if now == known {
            continue;
        }
        let beside = Arc::clone(&app);
        // A panic there is logged, and the next change is looked at again.
        let _told = tokio::task::spawn_blocking(move || tell(&beside)).await;
        // As it looked before it was read.
        known = now;
    }
}

/// Says what the file as it is now will do to the next start.
fn tell(app: &App) {
    let (digest, read) = read(&app.gateway);
    let is_in_use = digest == Some(app.gateway.digest);
    match read {
        Err(faults) if !is_in_use => refuse(app, digest, &faults),
        _ => {
            if !is_in_use {
                tracing::info!("the configuration was changed: it counts from the next start");
            }
            // No light is shown where nothing was ever wrong.
            if app.health.light(&Condition::Configuration).is_some() {
                app.health.set(Condition::Configuration, Light::Green);
            }
        }
    }
}

fn refuse(app: &App, digest: Option<Digest>, faults: &Faults) {
    tracing::warn!(%faults, "the changed configuration was refused; the gateway will not start with it");
    let first = faults.0.first();
    rules::record_refusal(app, (rules::CONFIGURATION, Some(app.gateway.digest), digest), first);
    let why = first.map(ToString::to_string).unwrap_or_default();
    let why = format!("the gateway will not start again with its configuration as it is now: {why}");
    app.health.set(Condition::Configuration, Light::Amber(why));
    // Counted last: whoever waits for the count finds the rest on the record.
    app.metrics.reloaded("refused");
}

/// The file's digest, unless it is not there, and whether a gateway would start with it.
fn read(gateway: &Gateway) -> (Option<Digest>, Result<(), Faults>) {
    let name = gateway.file.display().to_string();
    let bytes = match std::fs::read(&gateway.file) {
        Ok(bytes) => bytes,
        Err(error) => return (None, Err(Fault::new(name, None, format!("cannot be read: {error}")).into())),
    };
    let digest = Some(Digest::of(&bytes));
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return (digest, Err(Fault::new(name, None, "is not UTF-8 text").into()));
    };
    let read = config::parse(&name, text, &gateway.home);
    let read = if gateway.in_sandbox { read.and_then(Gateway::into_sandbox) } else { read };
    (digest, read.map(|_| ()))
}
