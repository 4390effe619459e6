//! What needs several rooms and no traffic: the ruleset and everything made from it.

mod compile;
mod files;
mod fold;
mod renew;
mod ruleset;
mod terms;
mod view;

pub use files::{RulesetFile, RulesetFiles};
pub use fold::{FoldFault, FoldedIndex, fold_at_start, fold_sealed, is_behind};
pub use renew::Renewed;
pub use ruleset::{Circumstances, Offer, OfferedOperation, Ruleset, log_name};
pub use terms::{Compiled, Terms};
