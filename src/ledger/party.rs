//! What a partner may have of the ledger: the envelopes of its own exchanges, and a receipt again.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::entry::Nonce;
use super::read::{Archive, Stored};
use super::receipt::header;
use crate::journal::{JournalFault, Position};
use crate::merkle::Hash;
use crate::model::{Digest, ExchangeId, MemberId, SystemId};

/// An exchange's envelope, with whose question it was.
pub struct PartyEntry {
    pub exchange: ExchangeId,
    pub index: u64,
    /// The exact bytes of the leaf.
    pub envelope: Vec<u8>,
    consumer: String,
    /// `None` where the sealed part was erased, or does not read.
    nonce: Option<Nonce>,
}

/// Where reading a page ended.
pub struct Paged {
    /// At most as many as were asked for.
    pub entries: Vec<PartyEntry>,
    /// Everything before this record was looked at.
    pub next: u64,
}

impl PartyEntry {
    /// Reads a record; `None` if it is no exchange. (An intent names a consumer too, and is none.)
    fn read(index: u64, envelope: &[u8], sealed: Option<&[u8]>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Parties<'e> {
            kind: &'e str,
            exchange: Option<&'e str>,
            consumer: Option<&'e str>,
        }
        #[derive(Deserialize)]
        struct Sealed<'s> {
            nonce: Option<&'s str>,
        }
        let parties: Parties<'_> = serde_json::from_slice(envelope).ok()?;
        if parties.kind != "exchange" {
            return None;
        }
        let sealed: Option<Sealed<'_>> = sealed.and_then(|json| serde_json::from_slice(json).ok());
        let nonce = sealed.and_then(|sealed| Digest::from_hex(sealed.nonce?)).map(|bytes| Nonce(bytes.0));
        Some(Self {
            exchange: ExchangeId::parse(parties.exchange?)?,
            index,
            envelope: envelope.to_vec(),
            consumer: parties.consumer?.to_owned(),
            nonce,
        })
    }

    /// Whether a system of this member asked.
    pub fn is_of(&self, member: &MemberId) -> bool {
        self.consumer.split_once('/').is_some_and(|(asked, _)| asked == member.as_str())
    }

    /// Whether this very system asked.
    pub fn is_by(&self, system: &SystemId) -> bool {
        self.consumer == system.to_string()
    }

    /// The receipt again, as text; nothing can be sent for it. Without its nonce, which keys the digests of
    /// question and answer, 32 zero bytes stand in its place: it then proves the envelope and no answer.
    pub fn receipt(&self, proof: &[Hash], note: &str) -> String {
        header(&self.nonce.unwrap_or(Nonce([0; 32])), &self.envelope, self.index, proof, note)
    }
}

impl Archive {
    /// The exchange whose envelope begins at `at`.
    pub fn exchange_at(&self, at: Position) -> Result<Option<PartyEntry>, JournalFault> {
        let read = self.at(at, |entry| PartyEntry::read(entry.index, entry.envelope, entry.sealed_json()))?;
        Ok(read.flatten())
    }

    /// The exchanges of one member from record `from` on and before record `end`: `max` of them, or those of
    /// one segment. So a page costs the reading of one segment at most, however few are the member's.
    pub fn page_of(
        &self,
        member: &MemberId,
        (from, end): (u64, u64),
        max: usize,
    ) -> Result<Paged, JournalFault> {
        let mut paged = Paged { entries: Vec::new(), next: from };
        let Some(segment) = self.segment_of(from)? else { return Ok(paged) };
        let _whole = self.each_of(segment, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if entry.index < from {
                return ControlFlow::Continue(());
            }
            if entry.index >= end || paged.entries.len() == max {
                return ControlFlow::Break(());
            }
            let read = PartyEntry::read(entry.index, entry.envelope, None);
            paged.entries.extend(read.filter(|read| read.is_of(member)));
            paged.next = entry.index + 1;
            ControlFlow::Continue(())
        })?;
        Ok(paged)
    }

    /// The segment that holds a record, or would.
    pub(super) fn segment_of(&self, index: u64) -> Result<Option<u32>, JournalFault> {
        self.last_where(|segment| Ok(self.begins_at(segment)?.is_some_and(|first| first <= index)))
    }
}
