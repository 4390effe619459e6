//! The doors partners and operators come to: sockets, HTTP, shutdown. The data plane is one
//! single-threaded runtime per core with connections dealt to them, so that an exchange never
//! changes threads; everything else runs beside it.

mod door;
mod form;
mod local;
mod pace;
mod partners;
mod patience;
mod share;
mod token;
mod wire;

pub use local::{Local, serve_local};
pub use partners::{Doorway, serve_partners};
pub use share::Shares;
pub use token::TokenDoor;
// What a stranger's bytes reach first: for `fuzz/`.
pub use wire::{Oddities, Wire};
