//! An agreement of format 2 as a file: what [`load`](super::load) reads, in the order of the field list
//! (`docs/fields.md`), under the headings of the Scottish Information Sharing Agreement. What was read and is
//! written reads the same again.
//!
//! Not here: format 1, which says less than anybody should write anew; and the seal, which
//! [`seal`](super::seal) writes over a view.

mod data;
mod duties;
mod lines;
mod sharing;

use super::agreement::Agreement;

use lines::Lines;

/// The text of an agreement, unsealed. Of one that was read from format 1 what only format 2 says is missing, so
/// that it does not load.
pub fn written(agreement: &Agreement) -> String {
    let mut lines = Lines::new();
    sharing::write(&mut lines, agreement);
    data::write(&mut lines, agreement);
    duties::write(&mut lines, agreement);
    lines.text()
}
