//! What needs several rooms and no traffic: the ruleset and everything made from it.

mod compile;
mod files;
mod fold;
mod issuers;
mod openapi;
mod own_view;
mod published;
mod renew;
mod ruleset;
mod samples;
mod scope;
mod synthetic;
mod terms;
mod view;

pub use files::{RulesetFile, RulesetFiles};
pub use fold::{FoldFault, FoldedIndex, fold_at_start, fold_sealed, is_behind};
pub use issuers::issuer_warnings;
pub use openapi::openapi;
pub use own_view::{OwnOperation, OwnView, Under, Wanted};
pub use published::{Published, ReadFault};
pub use renew::Renewed;
pub use ruleset::{Circumstances, Offer, OfferedOperation, Ruleset, log_name};
pub use samples::{AskedFrom, Sample, samples};
pub use scope::{SCOPE_AGREEMENTS_MAX, ScopeFault, scope_of};
pub use synthetic::without_examples;
pub use terms::{Compiled, Terms};
