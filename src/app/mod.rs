//! The one place that wires everything: from a configuration to a running gateway.

mod anchor;
mod behind;
mod configuration;
mod erase;
mod fault;
mod issuers;
pub(crate) mod keys;
mod known;
mod pack;
pub mod publish;
mod reload;
mod revoke;
mod rules;
mod run;
mod seen;
mod thread;
mod tokens;
mod watch;

pub use fault::StartFault;
pub use run::{Running, start};

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::config::Gateway;
use crate::desk::{FoldedIndex, Lived, Retention, Ruleset};
use crate::inbound::Tally;
use crate::ledger::{Ledger, Opened};
use crate::observe::{Health, Metrics};
use crate::policy::Uses;
use crate::signature::Verifier;
use crate::tls::ServerTls;

/// A gateway's parts, shared by what runs beside the road.
pub struct App {
    pub gateway: Gateway,
    pub clock: Clock,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    /// Verifies signed questions, and knows since when nonces are remembered.
    pub signatures: Arc<Verifier>,
    pub ledger: Ledger,
    pub fold: Arc<FoldedIndex>,
    pub retention: Arc<Retention>,
    /// What officers and the host did that outlives every file.
    pub lived: Arc<Lived>,
    pub ruleset: Arc<ArcSwap<Ruleset>>,
    pub tls: Arc<ArcSwap<ServerTls>>,
    /// The epoch in force, for connections that wait.
    pub epochs: tokio::sync::watch::Sender<u64>,
    seen: seen::Seen,
    /// Which grants were used, shared with the road.
    uses: Arc<Uses>,
    in_use: rules::InUse,
    changing: revoke::Changing,
    lists: revoke::Lists,
    /// How the files looked before they were first read.
    first_look: reload::Look,
    keys: keys::Keys,
    /// What opening the ledger found.
    opened: Opened,
}
