//! What can only be judged knowing more than the file: who the members are, and what the contract says of the
//! fields. What is lawful and unwise is a warning; everything else keeps the agreement out.

mod habits;
mod marks;
mod members;
mod unwise;

pub use habits::habits;
pub use marks::against_operation;
pub use members::against_members;
pub use unwise::unwise;
