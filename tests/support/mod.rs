//! What the tests start: real gateways over real sockets with real certificates, and a records system
//! behind them that does as it is told.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub mod agreements;
pub mod binary;
pub mod federation;
pub mod forge;
pub mod frames;
pub mod gateway;
pub mod grants;
pub mod held;
pub mod here;
pub mod image;
pub mod issuer;
pub mod judged;
pub mod jws;
pub mod ledger;
pub mod line;
pub mod lists;
pub mod notes;
pub mod open;
pub mod partner;
pub mod recount;
pub mod restored;
pub mod scratch;
pub mod served;
pub mod shim;
pub mod signer;
pub mod site;
pub mod steady;
pub mod system;

use std::time::{Duration, Instant};

/// Waits until `there` is; a minute is far more than anything here takes on a busy machine.
pub fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
