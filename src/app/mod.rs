//! The one place that wires everything: from a configuration to a running gateway.

mod behind;
mod keys;
mod reload;
mod run;
mod seen;
mod watch;

pub use run::{Running, StartFault, start};

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::config::Gateway;
use crate::desk::{FoldedIndex, Ruleset};
use crate::inbound::Tally;
use crate::ledger::{Ledger, Opened};
use crate::observe::{Health, Metrics};
use crate::tls::ServerTls;

/// A gateway's parts, shared by what runs beside the road.
pub struct App {
    pub gateway: Gateway,
    pub clock: Clock,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    pub ledger: Ledger,
    pub fold: Arc<FoldedIndex>,
    pub ruleset: Arc<ArcSwap<Ruleset>>,
    pub tls: Arc<ArcSwap<ServerTls>>,
    seen: seen::Seen,
    /// How the files looked before they were first read.
    first_look: reload::Look,
    keys: keys::Keys,
    /// What opening the ledger found.
    opened: Opened,
}
