//! HTTP message signatures (RFC 9421) with Ed25519, and the digest of a body (RFC 9530): what a
//! question needs under an agreement of assurance `signed`.
//!
//! [`base`](Input::base) and [`read`] follow the RFC for every component it derives; [`Verifier`] holds a
//! question to our profile of it, which leaves a caller no choice that matters. Pure but for the memory
//! of nonces. Not here: whose key it is, which is the directory's.

mod component;
mod digest;
mod fault;
mod input;
mod message;
mod profile;
mod query;
mod replay;
mod verifier;

pub use component::Component;
pub use digest::{content_digest, is_digest_of};
pub use fault::{ComponentFault, SignatureFault};
pub use input::{Input, Signed, Value, read};
pub use message::Message;
pub use profile::{AHEAD_SECONDS, TAG, WINDOW_SECONDS, covered};
pub use replay::{ReplayFault, Replays};
pub use verifier::{Asker, Verified, Verifier};

#[cfg(test)]
mod tests;
