//! What is looked at beside the road: the clock, the ledger, replaced files, and the minute's counts.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Alarm, Record, State, Summary};
use crate::model::{DatasetVersion, MemberId};
use crate::observe::{Condition, Light};
use crate::source::Refresh;
use crate::stop::Stop;

use super::App;
use super::thread::on_a_thread;

/// A wall clock that moves more than this against the monotonic one was stepped: NTP slews less.
const STEP_MS_MAX: u64 = 2_000;
/// How long a stepped clock must run steadily before it is believed again.
const STEADY: Duration = Duration::from_secs(300);

/// Watches the clock and the ledger, once a second, until told to stop.
pub(super) async fn watch_lights(app: Arc<App>, mut stop: Stop) {
    let mut clock = ClockWatch::new(&app);
    let mut told = Light::Green;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        app.health.set(Condition::Clock, clock.light(&app));
        let light = ledger_light(&app);
        if light != told {
            tell(&light);
            told = light.clone();
        }
        app.health.set(Condition::Ledger, light);
        tell_stops(&app);
    }
}

/// What is stopped is seen from outside as well, as long as it is.
fn tell_stops(app: &App) {
    let life = app.lived.now();
    let stopped: Vec<String> = life.halts().map(|halt| halt.scope.to_string()).collect();
    app.metrics.stops(stopped.len() as u64);
    let light = match stopped.is_empty() {
        true => Light::Green,
        false => Light::Amber(format!("stopped by the host: {}", stopped.join(", "))),
    };
    app.health.set(Condition::Stops, light);
}

fn ledger_light(app: &App) -> Light {
    // Half of what a caller waits: red before the first is refused.
    if app.ledger.waiting_for() > app.gateway.limits.record_max / 2 {
        return Light::Red("the disk of the journal does not answer".to_owned());
    }
    let why = |what: &str| match app.ledger.fault() {
        Some(fault) => format!("{what}: {fault}"),
        None => what.to_owned(),
    };
    match app.ledger.state() {
        State::Healthy => Light::Green,
        State::LowSpace => Light::Amber(why("the next segment of the journal could not be made yet")),
        State::DiskFull => Light::Red(why("no disk space to record in")),
        State::Stopped => Light::Red(why("recording has ended until a restart")),
    }
}

/// In the log once for each change; the light itself is asked for.
fn tell(ledger: &Light) {
    match ledger {
        Light::Green => tracing::info!("the ledger records again as it should"),
        Light::Amber(why) => tracing::warn!(%why, "the ledger"),
        Light::Red(why) => tracing::error!(%why, "the ledger"),
    }
}

/// Compares the wall clock with the monotonic one.
struct ClockWatch {
    /// Wall minus monotonic, in milliseconds, when last believed.
    offset_ms: i128,
    stepped_at: Option<Duration>,
}

impl ClockWatch {
    fn new(app: &App) -> Self {
        Self { offset_ms: Self::offset(app), stepped_at: None }
    }

    fn offset(app: &App) -> i128 {
        i128::from(app.clock.wall().as_millisecond())
            - i128::try_from(app.clock.monotonic().as_millis()).unwrap_or(0)
    }

    fn light(&mut self, app: &App) -> Light {
        let offset = Self::offset(app);
        let now = app.clock.monotonic();
        if offset.abs_diff(self.offset_ms) > u128::from(STEP_MS_MAX) {
            tracing::warn!(by_ms = %(offset - self.offset_ms), "the wall clock was stepped");
            self.offset_ms = offset;
            self.stepped_at = Some(now);
        }
        if app.clock.behind() > Duration::from_millis(STEP_MS_MAX) {
            return Light::Red("the wall clock is behind the last record; time used stands still".to_owned());
        }
        match self.stepped_at {
            Some(at) if now.saturating_sub(at) < STEADY => {
                Light::Red("the wall clock was stepped; it must run steadily for five minutes".to_owned())
            }
            _ => Light::Green,
        }
    }
}

/// Looks for replaced source files every two seconds.
pub(super) async fn watch_sources(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let app = Arc::clone(&app);
        // It reads whole files; a panic there is logged and the next look comes in two seconds.
        let _looked = tokio::task::spawn_blocking(move || refresh(&app)).await;
    }
}

fn refresh(app: &App) {
    for offer in app.ruleset.load().offers() {
        let dataset = &offer.contract.version;
        match offer.source.refresh() {
            Refresh::Same => {}
            Refresh::Replaced { digest, rows, rows_before } => {
                tracing::info!(%dataset, %digest, rows, "a source file was replaced");
                app.health.set(Condition::Source(dataset.to_string()), Light::Green);
                // It is in use: who is gone from it may be gone. But somebody should look.
                if rows < rows_before.div_ceil(2) {
                    tracing::warn!(%dataset, rows, rows_before, "a source file lost more than half of its rows");
                    alarm(app, "file_shrank", dataset, format!("{rows_before} rows, now {rows}"));
                }
            }
            Refresh::Refused(faults) => {
                let fault = faults.to_string();
                tracing::warn!(%dataset, %fault, "a replaced source file was refused; the old one stays");
                app.health.set(Condition::Source(dataset.to_string()), Light::Amber(fault.clone()));
                alarm(app, "file_refused", dataset, fault);
            }
        }
    }
}

/// A metric and a record; the line in the log is the caller's.
fn alarm(app: &App, cause: &'static str, dataset: &DatasetVersion, detail: String) {
    app.metrics.alarm(cause, dataset.dataset.as_str());
    let (dataset, detail) = (Some(dataset.clone()), Some(detail));
    record(app, Record::Alarm(Alarm { cause, dataset, detail, dropped: Vec::new() }));
}

/// Folds segments as they are sealed, and closes the store when it has not been asked for long.
pub(super) async fn watch_fold(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let (beside, stopping) = (Arc::clone(&app), stop.clone());
        let fold = move || {
            let not_folded =
                || beside.fold.unfolded(&beside.ledger).map(|left| beside.metrics.segments_not_folded(left));
            // Before and after: folding can take minutes, and may not succeed.
            not_folded()?;
            // A stop waits for one segment at most; the next start goes on with the rest.
            let mut proceed =
                |_| if stopping.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            let folded = beside.fold.fold_while(&beside.ledger, beside.clock.monotonic(), &mut proceed);
            not_folded()?;
            folded
        };
        match on_a_thread("fold", fold).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => {
                tracing::warn!(%fault, "a segment was not folded: searches read the journal instead");
            }
            Err(error) => {
                tracing::error!(%error, "segments are not folded: searches read the journal instead")
            }
        }
    }
}

/// Records the minute's counts, every minute and when draining begins.
pub(super) async fn watch_tally(app: Arc<App>, mut stop: Stop) {
    let mut from_ms = app.clock.unix_ms();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
            () = stop.asked() => {}
        }
        let to_ms = app.clock.unix_ms();
        for summary in summaries(&app, from_ms, to_ms) {
            if let Err(fault) = app.ledger.append(Record::Summary(summary)).await {
                tracing::error!(%fault, "a minute's summary could not be recorded");
            }
        }
        from_ms = to_ms;
        if stop.is_asked() {
            return;
        }
    }
}

fn summaries(app: &App, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Summary> {
    app.tally.take().into_iter().map(move |line| Summary {
        member: MemberId::new(&line.source).ok().filter(|_| line.source != "unidentified"),
        cause: Cow::Owned(line.cause),
        count: line.count,
        from_ms,
        to_ms,
        source: None,
    })
}

/// The last exchange has ended: records what was counted while draining, and that this is the end.
pub(super) fn record_the_end(app: &App) {
    let now = app.clock.unix_ms();
    for summary in summaries(app, now, now) {
        record(app, Record::Summary(summary));
    }
    record(app, Record::Shutdown);
}

/// Records something beside the road; failing to is an error in the log, and readiness is red by then.
pub(super) fn record(app: &App, record: Record) {
    if let Err(fault) = app.ledger.append_blocking(record) {
        tracing::error!(%fault, "what happened beside the road could not be recorded");
    }
}
