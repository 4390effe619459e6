//! The ledger: every exchange is recorded here, durably, before anything of it leaves (design 5).
//!
//! One writer thread takes what waits, makes envelopes and sealed parts of it, signs a checkpoint over
//! them and writes all with one write and one sync; then the receipts go out. `verify` reads files and
//! needs none of that.
//!
//! On disk: `journal/` (the truth; [`crate::journal`] has the frames, `schemas/entry/` the envelopes),
//! `evidence/<sha256>` (bytes that records name), `subject-keys/<year>.key`, and beside each key its copies that are
//! wrapped to recovery keys.

pub mod backup;
pub mod binding;
mod chain;
mod durable;
mod earlier;
mod encode;
mod entry;
mod erase;
pub mod export;
pub mod facts;
mod fault;
mod fold;
mod grant;
mod handle;
mod head;
mod intent;
mod labelled;
mod life;
mod object;
mod opened;
mod opening;
mod outbox;
mod pack;
mod party;
pub mod previous;
mod queue;
mod ranges;
mod read;
mod receipt;
mod recover;
mod recovery;
pub mod restore;
mod rules;
pub mod search;
mod subject;
mod surroundings;
mod unkeyed;
pub mod verify;
mod walk;
mod wrapped;
mod writer;

pub use earlier::{Earlier, earlier};
pub use entry::{
    Alarm, Exchange, Intent, Nonce, Read, Record, Rules, RulesItem, Ruleset, SealedExchange, ShownChain,
    Summary,
};
pub use erase::{Cause, Erasable, EraseFault, Erasure, In};
pub use fault::{LedgerError, Unrecorded};
pub use fold::{Folded, fold_entry};
pub use grant::GrantUse;
pub use handle::{Ledger, LedgerConfig, Present, journal_directory};
pub use intent::OpenIntent;
pub use life::{Act, StopEvent, Stopped};
pub use opened::Opened;
pub use outbox::Outbox;
pub use party::{Paged, PartyEntry};
pub use queue::{State, Waiting};
pub use ranges::Ranges;
pub use read::{Archive, Entry, Stored};
pub use receipt::{Checked, Presented, Receipt, ReceiptFault};
pub use recover::{RecoverFault, Recovered, recover_subject_keys};
pub use recovery::{RecoveryFault, RecoverySecret};
pub use subject::{MissingKeys, SubjectRef};
pub use surroundings::{Bare, Surroundings};
pub use unkeyed::KeyDestroyed;

/// The longest id of the caller's own that is recorded.
pub const CORRELATION_BYTES_MAX: usize = 64;
