//! Sends a checkpoint outside each hour, so that somebody who runs nothing here holds one: into a folder, as one
//! file for each hour, or to an address. What was sent binds the host from then on (design 1, promise 4).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};

use crate::clock::Moment;
use crate::config::{Gateway, Publish};
use crate::https::{HttpsBounds, HttpsClient, HttpsUrl};
use crate::ledger::{Alarm, Record};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::model::Fault;
use crate::observe::{Condition, Light};
use crate::stop::Stop;
use crate::tls::ClientTls;

use super::App;
use super::keys::write_durably;

/// How often it is asked whether an hour has begun.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long after a failure it is tried again: soon enough that a short outage costs no hour.
const RETRY: Duration = Duration::from_secs(10);
/// How long it may fail before it is an alarm on the record: over a restart of the other side, within a shift.
const FAILING_MAX: Duration = Duration::from_secs(3 * 60 * 60);
/// The other side's answer is not read for what it says.
const BOUNDS: HttpsBounds = HttpsBounds { time_max: Duration::from_secs(30), bytes_max: 64 * 1024 };

/// Where checkpoints go.
pub enum Place {
    Folder(PathBuf),
    Address { client: HttpsClient, url: HttpsUrl },
}

impl Place {
    /// The place that is configured, if there is one. A folder that is not there is no fault: it may be mounted
    /// later, and readiness says so until then.
    pub fn of(gateway: &Gateway) -> Result<Option<Self>, Fault> {
        match &gateway.outside.publish {
            None => Ok(None),
            Some(Publish::Folder(folder)) => Ok(Some(Self::Folder(folder.clone()))),
            Some(Publish::Address { url, ca }) => {
                let file = ca.display().to_string();
                let bytes = std::fs::read(ca).map_err(|error| Fault::new(&file, None, error.to_string()))?;
                let tls = ClientTls::new(&bytes, None)
                    .map_err(|error| Fault::new(&file, None, format!("`ledger.publish_ca`: {error}")))?;
                let url = HttpsUrl::parse(url).map_err(|error| {
                    Fault::new("tolbooth.toml", None, format!("`ledger.publish`: {error}"))
                })?;
                Ok(Some(Self::Address { client: HttpsClient::new(tls, BOUNDS), url }))
            }
        }
    }

    /// Whether this hour's was sent by a run before this one, as far as can be seen.
    fn has(&self, hour: &str) -> bool {
        let Self::Folder(folder) = self else { return false };
        let Ok(mut entries) = std::fs::read_dir(folder) else { return false };
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                name.to_str().is_some_and(|name| name.starts_with(hour) && name.ends_with(".checkpoint"))
            })
        })
    }

    /// Sends a note: durable there, or taken by the other side, when this says so.
    async fn send(&self, hour: &str, note: String) -> Result<(), String> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(format!("{hour}-{}.checkpoint", size(&note)));
                let written = tokio::task::spawn_blocking(move || put(&path, &note)).await;
                written.unwrap_or_else(|_| Err("writing it ended by a panic".to_owned()))
            }
            Self::Address { client, url } => {
                let request = Request::post("/")
                    .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
                    .body(Bytes::from(note))
                    .map_err(|error| error.to_string())?;
                let answer = client.send(url, request).await.map_err(|fault| format!("{url}: {fault}"))?;
                let status = answer.status();
                if status.is_success() {
                    Ok(())
                } else {
                    Err(format!("{url}: it answered {}", status.as_u16()))
                }
            }
        }
    }
}

fn put(path: &Path, note: &str) -> Result<(), String> {
    write_durably(path, note.as_bytes(), 0o644).map_err(|error| format!("{}: {error}", path.display()))
}

fn size(note: &str) -> u64 {
    let text = Note::parse(note).ok();
    text.and_then(|note| Checkpoint::parse(note.text()).ok()).map_or(0, |checkpoint| checkpoint.size)
}

/// What came of sending so far.
#[derive(Default)]
struct Sent {
    hour: String,
    /// Since when it has failed.
    failing: Option<Moment>,
    /// When it failed last, on the monotonic clock.
    tried: Option<Duration>,
    alarmed: bool,
}

/// Sends a checkpoint as each hour begins, and one at a start, until told to stop.
pub(super) async fn watch(app: Arc<App>, place: Place, mut stop: Stop) {
    let mut sent = Sent::default();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let hour = app.clock.now().strftime("%Y-%m-%dT%HZ").to_string();
        let waits = sent.tried.is_some_and(|tried| app.clock.monotonic().saturating_sub(tried) < RETRY);
        if hour == sent.hour || waits {
            continue;
        }
        if sent.hour.is_empty() && place.has(&hour) {
            app.health.set(Condition::Publish, Light::Green);
            sent.hour = hour;
            continue;
        }
        match place.send(&hour, app.ledger.checkpoint()).await {
            Ok(()) => {
                tracing::debug!(hour, "a checkpoint was sent outside");
                app.health.set(Condition::Publish, Light::Green);
                sent = Sent { hour, ..Sent::default() };
            }
            Err(why) => failed(&app, &mut sent, why).await,
        }
    }
}

async fn failed(app: &Arc<App>, sent: &mut Sent, why: String) {
    sent.tried = Some(app.clock.monotonic());
    app.health.set(Condition::Publish, Light::Amber(format!("checkpoints cannot be sent outside: {why}")));
    if sent.failing.is_none() {
        tracing::warn!(why, "a checkpoint could not be sent outside; it is tried again");
    }
    let since = *sent.failing.get_or_insert_with(|| app.clock.moment());
    if !sent.alarmed && app.clock.since(since) >= FAILING_MAX {
        sent.alarmed = true;
        tracing::error!(why, "no checkpoint could be sent outside for hours");
        app.metrics.alarm("publish_failed", "");
        let alarm = Alarm { cause: "publish_failed", dataset: None, detail: Some(why), dropped: Vec::new() };
        if let Err(fault) = app.ledger.append(Record::Alarm(alarm)).await {
            tracing::error!(%fault, "that no checkpoint could be sent could not be recorded");
        }
    }
}
