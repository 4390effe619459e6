//! A whole agreement from a few answers (`tolbooth agreement new`). What the organisations say of themselves, what
//! the contract says of its fields and what a template fixes is taken; the rest is asked, in at most
//! [`QUESTIONS_MAX`] questions.
//!
//! After each answer the whole agreement is written out, with stand-ins for what was not asked yet that no loader
//! objects to, and judged by the real loader and the real lints: so that what an answer does not allow is said at
//! its question, and nothing here judges otherwise than `tolbooth check` does.
//!
//! Not here: the terminal and the files, which are the command line's.

mod asked;
mod assess;
mod drawn;
mod fields;
mod ground;
mod law;
mod people;
mod question;
mod rows;
mod sheet;
mod steps;
mod taken;
mod usual;
mod words;

pub use ground::{Ground, faults_of_organisation};
pub use question::Question;
pub use sheet::Sheet;
pub use steps::Step;

/// As many as somebody answers in one sitting; issue and test hold it.
pub const QUESTIONS_MAX: usize = 15;
