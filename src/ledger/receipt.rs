//! Receipts.

/// Proof that a record is durable: made only by the writer, only after the sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    header: String,
}

impl Receipt {
    /// Where the record stands in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The value of `Tolbooth-Receipt`: base64url, at most 6 KiB for an exchange.
    pub fn header(&self) -> &str {
        &self.header
    }
}
