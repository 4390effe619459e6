//! Forgeries and misuses of tokens, each with its refusal, as tables; then caching, minting and keys.

mod claims;
mod forgeries;
mod keys;
mod outside;
mod samples;
