//! How far an agreement has come (V2 of the field list): derived from its dates, signatures and acts, and never a key
//! of a file.

use super::vocabulary::vocabulary;

vocabulary! {
    /// In the order in which an agreement comes by them.
    AgreementStatus {
        Draft = "draft", "a draft: not sealed";
        AwaitingSignature = "awaiting_signature", "waits for signatures";
        Scheduled = "scheduled", "signed, and begins later";
        Active = "active", "in force";
        ReviewOverdue = "review_overdue", "in force, and its review is overdue";
        Suspended = "suspended", "out of force for now";
        Expired = "expired", "ended on its last day";
        Terminated = "terminated", "ended for good: withdrawn, or a grant that was used";
        Superseded = "superseded", "a newer version is in force";
    }
}

impl AgreementStatus {
    /// Whether questions are answered under it.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Active | Self::ReviewOverdue)
    }

    /// Whether nothing follows any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Terminated | Self::Superseded)
    }
}
