//! Evidence packs (report R3): gathered in the running gateway, judged by anybody, offline.

mod clause;
mod explain;
mod finding;
mod gather;
mod judge;
mod readme;
mod record;
mod rules;

pub use clause::Clause;
pub use explain::{Explanation, explain};
pub use finding::{Finding, Verdict};
pub use gather::{EvidenceFault, Gathered, Shelves};
pub use judge::{Judgement, judge};
