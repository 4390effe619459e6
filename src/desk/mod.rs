//! What needs several rooms and no traffic: the ruleset and everything made from it.

mod compile;
mod files;
mod fold;
mod leaving;
mod ruleset;
mod spread;
mod terms;
mod view;

pub use files::{RulesetFile, RulesetFiles};
pub use fold::{FoldFault, FoldedIndex, versions_at_start};
pub use leaving::Compiled;
pub use ruleset::{Circumstances, Offer, OfferedOperation, Ruleset, log_name};
pub use terms::Terms;
