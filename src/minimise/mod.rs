//! Minimise: of an answer only what was agreed leaves (design 1.2, 3 and 4).
//!
//! [`view`] says what an agreement's release makes of a contract; [`Projection`] does it to a
//! document, rows first, then fields, in one pass over `json`'s tape. Objects and lists are walked to
//! listed leaves and never copied whole, so a field nobody listed has no way out. Whatever is unclear
//! stops the answer. Validating what is about to leave against the view is the road's next stage.

mod cover;
mod days;
mod decimal;
mod fault;
mod plan;
mod project;
mod route;
mod rows;
mod sources;
mod transform;
mod view;
mod walk;
mod written;

pub use cover::leaves;
pub use fault::{MinimiseFault, MinimiseFaultKind};
pub use project::{Minimised, Projection};
pub use transform::{Context, Pseudonyms, fits};
pub use view::{View, view};
