//! Prometheus metrics (OpenMetrics text). Labels are closed words: members, datasets, codes.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Agreed {
    version: &'static str,
    suite: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Raised {
    alarm: &'static str,
    dataset: String,
}

/// The gateway's counters. Cheap to share: one instance for the process.
pub struct Metrics {
    registry: Registry,
    exchanges: Family<Ended, Counter>,
    seconds: Histogram,
    handshakes: Family<Agreed, Counter>,
    handshakes_failed: Family<Cause, Counter>,
    alarms: Family<Raised, Counter>,
    connections: Gauge,
    under_way: Gauge,
    reloads: Family<Cause, Counter>,
    tokens_issued: Counter,
    tokens_not_issued: Family<Cause, Counter>,
    tokens_refused: Family<Cause, Counter>,
    ready: Gauge<f64, AtomicU64>,
    segments_not_folded: Gauge,
    stops: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tolbooth");
        let exchanges = Family::default();
        let seconds = Histogram::new([0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]);
        let handshakes = Family::default();
        let handshakes_failed = Family::default();
        let alarms = Family::default();
        let connections = Gauge::default();
        let under_way = Gauge::default();
        let reloads = Family::default();
        let ready = Gauge::default();
        let segments_not_folded = Gauge::default();
        registry.register("exchanges", "Exchanges ended, by outcome and refusal code", exchanges.clone());
        registry.register("exchange_seconds", "From question read to answer ready", seconds.clone());
        registry.register(
            "handshakes",
            "TLS handshakes finished, by version and cipher suite",
            handshakes.clone(),
        );
        registry.register(
            "handshakes_failed",
            "TLS handshakes that failed, by cause",
            handshakes_failed.clone(),
        );
        registry.register("alarms", "Alarms raised, by kind and dataset", alarms.clone());
        registry.register("connections", "Partner connections open now", connections.clone());
        registry.register(
            "exchanges_under_way",
            "Questions being read, decided, asked behind or recorded now",
            under_way.clone(),
        );
        registry.register("reloads", "Rulesets loaded or refused", reloads.clone());
        let tokens_issued = Counter::default();
        let tokens_not_issued = Family::default();
        let tokens_refused = Family::default();
        registry.register("tokens_issued", "Access tokens given out", tokens_issued.clone());
        let help = "Requests for a token that got none, by error";
        registry.register("tokens_not_issued", help, tokens_not_issued.clone());
        let help = "Access tokens that were not accepted, by fault";
        registry.register("tokens_refused", help, tokens_refused.clone());
        registry.register(
            "ready",
            "1 when the gateway can record, sign, decide and tell the time",
            ready.clone(),
        );
        let help = "Full segments of the journal that searches have to read, not folded yet";
        registry.register("segments_not_folded", help, segments_not_folded.clone());
        let stops = Gauge::default();
        registry.register("stops", "Datasets, partners or all that the host has stopped", stops.clone());
        Self {
            registry,
            exchanges,
            seconds,
            handshakes,
            handshakes_failed,
            alarms,
            connections,
            reloads,
            tokens_issued,
            tokens_not_issued,
            tokens_refused,
            under_way,
            ready,
            segments_not_folded,
            stops,
        }
    }

    /// Counts an exchange; `code` is `none` where nothing was refused.
    pub fn exchange_ended(&self, outcome: &'static str, code: &'static str, seconds: f64) {
        self.exchanges.get_or_create(&Ended { outcome, code }).inc();
        self.seconds.observe(seconds);
    }

    pub fn handshake_finished(&self, version: &'static str, suite: &'static str) {
        self.handshakes.get_or_create(&Agreed { version, suite }).inc();
    }

    pub fn handshake_failed(&self, cause: &'static str) {
        self.handshakes_failed.get_or_create(&Cause { cause }).inc();
    }

    pub fn alarm(&self, alarm: &'static str, dataset: &str) {
        self.alarms.get_or_create(&Raised { alarm, dataset: dataset.to_owned() }).inc();
    }

    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    pub fn exchange_began(&self) {
        self.under_way.inc();
    }

    pub fn exchange_over(&self) {
        self.under_way.dec();
    }

    pub fn reloaded(&self, result: &'static str) {
        self.reloads.get_or_create(&Cause { cause: result }).inc();
    }

    pub fn token_issued(&self) {
        self.tokens_issued.inc();
    }

    pub fn token_not_issued(&self, error: &'static str) {
        self.tokens_not_issued.get_or_create(&Cause { cause: error }).inc();
    }

    pub fn token_refused(&self, fault: &'static str) {
        self.tokens_refused.get_or_create(&Cause { cause: fault }).inc();
    }

    pub fn ready(&self, ready: bool) {
        self.ready.set(if ready { 1.0 } else { 0.0 });
    }

    pub fn stops(&self, stops: u64) {
        self.stops.set(i64::try_from(stops).unwrap_or(i64::MAX));
    }

    pub fn segments_not_folded(&self, segments: u64) {
        self.segments_not_folded.set(i64::try_from(segments).unwrap_or(i64::MAX));
    }

    /// The OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(_) => "# EOF\n".to_owned(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
