//! What needs several rooms and no traffic: the ruleset and everything made from it.

mod compile;
mod files;
mod fold;
mod ruleset;
mod terms;
mod view;

pub use files::{RulesetFile, RulesetFiles};
pub use fold::{FoldFault, FoldedIndex, versions_at_start};
pub use ruleset::{Circumstances, Offer, OfferedOperation, Ruleset, log_name};
pub use terms::{Compiled, Terms};
