//! The caller's access token (RFC 6750), and the challenges of refusals about it.

use crate::model::{Assurance, Code};

use super::refusal::Why;

/// RFC 6750 section 3: without an error code, since no token was given.
const CHALLENGE: &str = "Bearer realm=\"tolbooth\"";

/// What somebody who has proven `proven` is told of an agreement that wants more.
pub(super) fn enough(proven: Assurance, wanted: Assurance) -> Result<(), Why> {
    match proven.lacks(wanted) {
        None => Ok(()),
        Some(code @ Code::TokenMissing) => Err(Why::new(code).challenge(CHALLENGE)),
        Some(code) => Err(code.into()),
    }
}
