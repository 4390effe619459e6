//! Tolbooth: a gateway that answers partners' questions under signed data-sharing agreements, on
//! the record. `ARCHITECTURE.md` is the map; the modules below are the plan of the house, floor by
//! floor, and import only downwards (`tests/house.rs`).

// Words: pure, no I/O.
pub mod crypto;
pub mod json;
pub mod merkle;
pub mod model;

// Ground works: each foreign thing has one door.
pub mod clock;
pub mod config;
pub mod https;
pub mod journal;
pub mod observe;
pub mod stop;
pub mod store;
pub mod tls;

// Rooms: never import one another.
pub mod contract;
pub mod directory;
pub mod ledger;
pub mod minimise;
pub mod policy;
pub mod signature;
pub mod source;
pub mod token;

// Desk: what needs several rooms and no traffic.
pub mod desk;

// The road.
pub mod inbound;

// Doors.
pub mod admin;
pub mod serve;

// Roof.
pub mod app;
pub mod cli;
