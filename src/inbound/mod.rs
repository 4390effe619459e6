//! The road of an exchange, provider side (design 3):
//!
//! ```text
//! accept -> identify -> route -> read -> decide -> forward -> minimise -> check -> record -> send
//!  TLS      system      dataset  typed   agreement  bounded    rows,      view     durable   the only
//!  limits   of member   contract question  Cedar    answer     fields              receipt   writer
//! ```
//!
//! Each stage consumes the value before it and returns the next, or a [`Refusal`]. Fields are
//! private and each type has one maker, so that forwarding without a decision, or sending without a
//! receipt, does not compile. Answer and refusal meet at *record*.

mod accept;
mod allowance;
mod bearer;
mod chains;
mod check;
mod claims;
mod counted;
mod decide;
mod drift;
mod explain;
mod forward;
mod grant;
mod identify;
mod journey;
mod log;
mod minimise;
mod odd;
mod own_view;
mod quiet;
mod read;
mod reading;
mod record;
mod route;
mod send;
mod signed;
mod unable;

mod refusal;
mod road;
mod tally;

pub use accept::Connection;
// What a stranger's bytes reach before anything is known of them: for `fuzz/`.
pub use allowance::Allowances;
pub use chains::{Chains, KEEPERS_MAX};
pub use claims::{Claims, OddHeader};
pub use journey::Journey;
pub use log::{LogReads, READS_MAX};
pub use odd::Malformed;
pub use quiet::Quiet;
pub use read::{Uncollected, collect, is_utf8};
pub use refusal::Refusal;
pub use road::{Answer, Bounds, Road, Worker};
pub use tally::Tally;
