//! The room's tests that are longer than a page, and the samples all of them start from.

mod attach;
mod choose;
mod daily;
mod decide;
mod fields;
mod grant;
mod guardrail;
pub(super) mod samples;
mod sign;
mod standing;
mod template;
mod written;
