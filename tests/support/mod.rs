//! What the tests start: real gateways over real sockets with real certificates, and a records system
//! behind them that does as it is told.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub mod gateway;
pub mod here;
pub mod partner;
pub mod scratch;
pub mod served;
pub mod site;
pub mod steady;
pub mod system;
