//! What needs several rooms and no traffic: the ruleset and everything made from it.

mod compile;
pub mod evidence;
mod files;
mod fold;
mod issuers;
mod leaving;
mod look;
mod openapi;
mod own_view;
mod published;
mod renew;
pub mod report;
mod retention;
mod ruleset;
mod samples;
mod scope;
mod spread;
mod synthetic;
mod terms;
mod view;

pub use files::{RulesetFile, RulesetFiles};
pub use fold::{FoldFault, FoldedIndex, versions_at_start};
pub use issuers::issuer_warnings;
pub use leaving::Compiled;
pub use look::{Page, find};
pub use openapi::openapi;
pub use own_view::{OwnOperation, OwnView, Under, Wanted};
pub use published::{Published, ReadFault};
pub use renew::Renewed;
pub use retention::{Asker, Retained, Retention, RetentionFault, due_at};
pub use ruleset::{Circumstances, Offer, OfferedOperation, Ruleset, log_name};
pub use samples::{AskedFrom, Sample, samples};
pub use scope::{SCOPE_AGREEMENTS_MAX, ScopeFault, scope_of};
pub use synthetic::without_examples;
pub use terms::Terms;
