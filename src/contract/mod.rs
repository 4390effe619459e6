//! Contracts: OpenAPI 3.1 with JSON Schema 2020-12, both as a closed subset (design 4), so that what
//! an agreement must decide about every property can be decided. Here a contract is loaded, a
//! question is read against it, and an answer is checked against a view.
//!
//! The one door to `jsonschema`, which validates straight over `json`'s tape.

mod checker;
mod example;
mod load;
mod pattern;
mod place;
mod question;
mod representation;
mod scalar;
mod schema;
mod stand_in;

pub use checker::{Checker, VIOLATIONS_MAX, Violation};
pub use example::{ExampleFault, NoWishes, Which, Wishes, example, fits};
pub use load::load;
pub use question::{Question, ReadFault, read_question};
pub use scalar::SPECIAL_CATEGORIES;

#[cfg(test)]
mod tests;
