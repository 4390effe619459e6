//! Printing what others wrote, for people: a caller's user, reason or case may hold characters that a terminal obeys,
//! or that reorder and hide what stands around them.

use std::fmt::Display;
use std::io::Write;

use crate::desk::paper::visible;

/// Prints a line for a person, with what deceives the eye named.
pub(super) fn say_plain(out: &mut dyn Write, line: impl Display) {
    super::say(out, visible(&line.to_string()));
}
