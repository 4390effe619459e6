//! Agreements on paper: the page an officer reads and signs, what changed since another version, and registers of
//! them all. All are made from what was loaded, one saying for each key, and written as text or HTML from one document.
//!
//! Not here: whether an agreement is in force (`policy::standing`), and reading or writing any file.

mod caldicott;
mod changes;
mod document;
mod grant;
mod health;
mod html;
mod lead;
mod odrl;
mod page;
mod register;
mod saying;
mod says;
mod signed;
mod text;
mod words;

pub use changes::{Change, Direction, changes, changes_page};
pub use document::{Block, Document, Section, Table, visible};
pub use health::{Health, Look, Need, Record, Row, Urgency, health};
pub use html::html;
pub use odrl::{Policies, Terms, odrl};
pub use page::page;
pub use register::{Sheet, art30, dea};
pub use saying::{Names, Saying, Value};
pub use says::sayings;
pub use text::text;
