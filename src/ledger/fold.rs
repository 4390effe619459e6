//! What a store keeps of the journal, read from one segment: it can be deleted and folded again.

use std::ops::ControlFlow;

use super::chain::Broken;
use super::head::EnvelopeHead;
use super::read::{Archive, Entry, Stored};
use crate::journal::{JournalFault, Position};
use crate::merkle::{Hash, leaf_hash};
use crate::model::{AgreementId, AgreementRef, Digest, ExchangeId, LifeEvent};

/// One thing worth keeping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    /// A leaf of the tree; each record is one, in order.
    Leaf { index: u64, hash: Hash },
    /// Where an exchange's envelope is.
    Exchange { id: ExchangeId, at: Position },
    /// The tree's size under a checkpoint, and its signed note.
    Checkpoint { at: Position, size: u64, note: String },
    /// A ruleset with this version of an agreement came into force, or the log before this one saw it.
    InForce { agreement: AgreementRef, bytes: Digest },
    /// A grant was used.
    GrantUsed { grant: AgreementId },
    /// An officer did something to an agreement, or the host stopped or started something; or the log before this
    /// one knew of it.
    Life(LifeEvent),
}

impl Archive {
    /// Folds one segment, in order.
    pub fn fold(&self, segment: u32, keep: &mut dyn FnMut(Folded)) -> Result<(), JournalFault> {
        let mut damage = Ok(());
        let _whole = self.each_of(segment, &mut |stored| {
            match stored {
                Stored::Entry(entry) => damage = fold_entry(&entry, keep),
                Stored::Checkpoint { at, size, note } => {
                    keep(Folded::Checkpoint { at, size, note: note.to_owned() });
                }
            }
            if damage.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        damage
    }
}

/// Folds one record.
///
/// # Errors
/// It does not read, so that nobody can say what it would have kept.
pub fn fold_entry(entry: &Entry<'_>, keep: &mut dyn FnMut(Folded)) -> Result<(), JournalFault> {
    keep(Folded::Leaf { index: entry.index, hash: leaf_hash(entry.envelope) });
    fold_envelope(entry.envelope, entry.at, keep).map_err(|what| {
        let Position { segment, offset } = entry.at;
        JournalFault::Damaged { segment, offset, index: entry.index, what }
    })
}

fn fold_envelope(envelope: &[u8], at: Position, keep: &mut dyn FnMut(Folded)) -> Result<(), Broken> {
    let head = EnvelopeHead::read(envelope).ok_or("the envelope is not one")?;
    match &*head.kind {
        "exchange" => {
            if let Some(id) = head.exchange.as_deref().and_then(ExchangeId::parse) {
                keep(Folded::Exchange { id, at });
            }
        }
        "ruleset" | "origin" => {
            head.in_force().for_each(|(agreement, bytes)| keep(Folded::InForce { agreement, bytes }));
            head.life(envelope)?.into_iter().for_each(|event| keep(Folded::Life(event)));
        }
        "grant" => head.used().into_iter().for_each(|grant| keep(Folded::GrantUsed { grant })),
        _ => head.life(envelope)?.into_iter().for_each(|event| keep(Folded::Life(event))),
    }
    Ok(())
}
