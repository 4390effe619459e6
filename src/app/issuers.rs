//! Issuers of others beside the road: which of them there are the ruleset says, and their keys are fetched
//! and renewed here, so that no question ever waits for them.

use std::sync::Arc;
use std::time::Duration;

use crate::observe::{Condition, Light};
use crate::stop::Stop;
use crate::token::{Fetched, Outsider, Outsiders};

use super::App;

/// How soon the keys of a new issuer are fetched; looking costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The issuers of the ruleset in force; the others have no light any more.
fn in_force(app: &App) -> Arc<Outsiders> {
    let outsiders = Arc::clone(&app.ruleset.load().outsiders);
    app.health.keep_issuers(|name| outsiders.get(name).is_some());
    outsiders
}

/// Follows the ruleset and tends the keys until told to stop.
pub(super) async fn watch(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut known = in_force(&app);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        if !Arc::ptr_eq(&known, &app.ruleset.load().outsiders) {
            known = in_force(&app);
        }
        for one in known.all() {
            tokio::task::spawn_local(tend(Arc::clone(&app), Arc::clone(one)));
        }
    }
}

/// Fetches an issuer's keys where they are due, and says what came of it.
async fn tend(app: Arc<App>, one: Arc<Outsider>) {
    let Some(fetched) = one.tend(&app.clock).await else { return };
    let issuer = &*one.issuer().name;
    let light = match fetched {
        Fetched::Keys { count, new } => {
            if new {
                tracing::info!(issuer, keys = count, "an issuer has these keys now");
            }
            Light::Green
        }
        Fetched::Kept(why) => {
            tracing::warn!(issuer, why, "an issuer's keys could not be had; those from before are used");
            Light::Amber(format!("its keys could not be had, those from before are used: {why}"))
        }
        Fetched::Nothing(why) => {
            tracing::warn!(issuer, why, "an issuer's keys could not be had; no token of it is accepted");
            Light::Amber(format!("its keys could not be had, no token of it is accepted: {why}"))
        }
    };
    // Meanwhile its file may have gone, and with it its light.
    if app.ruleset.load().outsiders.get(issuer).is_some() {
        app.health.set(Condition::Issuer(issuer.to_owned()), light);
    }
}
