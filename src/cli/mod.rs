//! To be written.
pub mod certs;
pub mod exit;
