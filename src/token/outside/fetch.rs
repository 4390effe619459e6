//! Keys of an issuer from its `jwks_uri` (RFC 7517 section 5): fetched beside the road, never for a question
//! that waits.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};

use crate::clock::{Clock, Moment};
use crate::crypto::{Sha256, sha256};
use crate::https::{HttpsBounds, HttpsClient, HttpsUrl};
use crate::token::issuer::Issuer;
use crate::token::key::{JWKS_BYTES_MAX, KeySet};

/// It has five seconds; its keys are those of one issuer.
pub(super) const BOUNDS: HttpsBounds =
    HttpsBounds { time_max: Duration::from_secs(5), bytes_max: JWKS_BYTES_MAX };
/// How long what it says is fresh (RFC 9111 section 5.2.2.1) is believed, and where it says nothing. A key
/// that is taken away goes on verifying no longer than that.
const FRESH: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(3600);
const FRESH_UNSAID: Duration = Duration::from_secs(300);
/// The least time between two attempts, also where tokens name keys that are not there: whoever makes up
/// key ids makes nobody ask the issuer more often.
const AGAIN: Duration = Duration::from_secs(10);

/// What came of an attempt, or of time that went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// These are the keys now; `new` if they are others than before.
    Keys { count: usize, new: bool },
    /// There are none newer; those from before are used.
    Kept(String),
    /// There are none: those from before are too old, or there never were any.
    Nothing(String),
}

#[derive(Debug)]
pub(super) struct Fetch {
    url: HttpsUrl,
    client: HttpsClient,
    kept_max: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    tried: Option<Moment>,
    succeeded: Option<(Moment, Sha256)>,
    fresh: Duration,
    /// Why the last attempt failed, if it did.
    failed: Option<String>,
}

/// A key set as it came.
struct Set {
    keys: KeySet,
    digest: Sha256,
    fresh: Duration,
}

impl Fetch {
    pub fn new(url: HttpsUrl, client: HttpsClient, kept_seconds_max: u64) -> Self {
        Self { url, client, kept_max: Duration::from_secs(kept_seconds_max), state: Arc::default() }
    }

    pub fn is_from(&self, other: &Self) -> bool {
        self.url == other.url
    }

    /// Counts from when the other last succeeded, and tries at once.
    pub fn go_on_from(&self, other: &Self) {
        self.state().succeeded = other.state().succeeded;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each is set in one step: a holder that panicked left it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called every second or so.
    pub async fn tend(&self, issuer: &Issuer, clock: &Clock) -> Option<Fetched> {
        if !self.is_due(issuer, clock) {
            return self.grown_old(issuer, clock);
        }
        self.state().tried = Some(clock.moment());
        issuer.missed.store(false, Ordering::Relaxed);
        let got = self.get(issuer).await;
        let mut state = self.state();
        match got {
            Ok(set) => {
                let new = state.succeeded.is_none_or(|(_, digest)| digest != set.digest);
                let none = issuer.keys.load().is_empty();
                state.succeeded = Some((clock.moment(), set.digest));
                (state.fresh, state.failed) = (set.fresh, None);
                let count = set.keys.ids().count();
                // The same keys stay where they are, and with them every token they verified.
                if new || none {
                    issuer.keys.store(Arc::new(set.keys));
                }
                Some(Fetched::Keys { count, new })
            }
            Err(why) => {
                state.failed = Some(why.clone());
                drop(state);
                self.grown_old(issuer, clock).or_else(|| {
                    let nothing = issuer.keys.load().is_empty();
                    Some(if nothing { Fetched::Nothing(why) } else { Fetched::Kept(why) })
                })
            }
        }
    }

    fn is_due(&self, issuer: &Issuer, clock: &Clock) -> bool {
        let state = self.state();
        let Some(tried) = state.tried else { return true };
        let soon = state.failed.is_some() || issuer.missed.load(Ordering::Relaxed);
        clock.since(tried) >= if soon { AGAIN } else { state.fresh.max(AGAIN) }
    }

    /// Forgets keys that nothing newer came for in the time they may be kept.
    fn grown_old(&self, issuer: &Issuer, clock: &Clock) -> Option<Fetched> {
        let state = self.state();
        let (at, _) = state.succeeded?;
        if state.failed.is_none() || clock.since(at) <= self.kept_max || issuer.keys.load().is_empty() {
            return None;
        }
        issuer.keys.store(Arc::new(KeySet::default()));
        Some(Fetched::Nothing(state.failed.clone().unwrap_or_default()))
    }

    async fn get(&self, issuer: &Issuer) -> Result<Set, String> {
        let mut request = Request::get("/").body(Bytes::new()).map_err(|error| error.to_string())?;
        let accepted = HeaderValue::from_static("application/jwk-set+json, application/json");
        request.headers_mut().insert(header::ACCEPT, accepted);
        let answer = self.client.send(&self.url, request).await.map_err(|fault| fault.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answered with status {}", answer.status().as_u16()));
        }
        let fresh = fresh(answer.headers());
        let bytes = answer.into_body();
        let digest = sha256(&[&bytes]);
        let keys = KeySet::from_jwks(bytes, &issuer.algorithms).map_err(|fault| fault.to_string())?;
        Ok(Set { keys, digest, fresh })
    }
}

/// `max-age`, within bounds.
fn fresh(headers: &HeaderMap) -> Duration {
    let said = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut ages = said.flat_map(|value| value.split(',')).filter_map(|directive| {
        let (name, age) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| age.trim_matches('"').parse().ok())?
    });
    let said = ages.next().map_or(FRESH_UNSAID, Duration::from_secs);
    said.clamp(*FRESH.start(), *FRESH.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_fresh_counts_within_bounds() {
        for (said, seconds) in [
            ("max-age=120", 120),
            ("public, Max-Age=\"600\", must-revalidate", 600),
            ("max-age=0", 60),
            ("max-age=31536000", 3600),
            ("max-age=x", 300),
            ("no-store", 300),
            ("s-maxage=7", 300),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(said));
            assert_eq!(fresh(&headers), Duration::from_secs(seconds), "{said}");
        }
        assert_eq!(fresh(&HeaderMap::new()), FRESH_UNSAID);
    }
}
