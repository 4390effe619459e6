//! What would have to change for a question to be answered, and who can change it: of every refusal, and of a record
//! that may not leave. With the clauses it stands on, by file and line.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::model::{Code, Fixer, SystemId};
use crate::policy::Agreement;

use super::clauses::{Clause, clauses};

/// Why a question was not answered, for whoever wants it otherwise.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// Where it stands, line by line; none where it is in no agreement.
    pub clauses: Vec<Clause>,
    pub change: &'static str,
    pub fixer: Fixer,
}

impl Remedy {
    /// Of a refusal under an agreement, whose text this is. `truth` is what its sealed part says of it, where that is
    /// known: of several limits, which one.
    pub fn of(
        (code, truth): (Code, Option<&str>),
        agreement: &Agreement,
        text: &str,
        consumer: &SystemId,
        on: Date,
    ) -> Self {
        let mut stands = clauses(agreement, text);
        stands.retain(|clause| clause.stops((code, truth), agreement, consumer, on));
        Self { clauses: stands, change: change(code), fixer: code.fixer() }
    }

    /// Of a record that was there and may not leave.
    pub fn of_rows(agreement: &Agreement, text: &str) -> Self {
        let mut stands = clauses(agreement, text);
        stands.retain(Clause::is_of_rows);
        let change = "the record meets the condition on rows, or officers agree on a version with another";
        Self { clauses: stands, change, fixer: Fixer::Officers }
    }

    /// As every command and answer tells it.
    pub fn json(&self) -> Value {
        let stands_on = self.clauses.iter().map(|clause| {
            json!({ "file": clause.file, "line": clause.line, "key": clause.key, "says": clause.says })
        });
        let stands_on: Vec<Value> = stands_on.collect();
        json!({ "stands_on": stands_on, "change": self.change, "fixer": self.fixer.as_str() })
    }

    /// Of a refusal that is in no agreement.
    pub fn without_agreement(code: Code) -> Self {
        Self { clauses: Vec::new(), change: change(code), fixer: code.fixer() }
    }
}

/// The key of the agreement a refusal stands on, where it stands on one; several where no single one does.
pub fn keys(code: Code) -> &'static [&'static str] {
    match code {
        Code::NotAgreed => &["party.system", "dataset.operations"],
        Code::AgreementNotInForce => &["dates.from", "dates.until", "flow.response", "seal.view"],
        Code::PurposeNotAllowed => &["party.system.purposes"],
        Code::RoleNotAllowed => &["party.system.roles"],
        Code::UserMissing => &["access.user"],
        Code::ReasonMissing => &["access.reason"],
        Code::CaseMissing => &["access.case_ref"],
        Code::TokenMissing | Code::SignatureMissing => &["access.assurance"],
        Code::GrantSpent => &["grant.id"],
        Code::OutsideHours => &["access.hours"],
        Code::LimitReached => &["limits.per_minute", "limits.per_day", "limits.per_user_per_day"],
        Code::TooManyMatches => &["limits.rows_per_answer"],
        _ => &[],
    }
}

/// What would have to be otherwise, as the end of "it would be answered if ...".
pub fn change(code: Code) -> &'static str {
    match code {
        Code::MalformedHttp => "the caller's program sends a request that can be read in one way",
        Code::CertificateNotAccepted => {
            "the caller shows a certificate of a CA that its member lists, and it names one system"
        }
        Code::CertificateRevoked => "the caller's host gets a new certificate for the system",
        Code::RevocationUnknown => "the caller's host hands on a revocation list that has not expired",
        Code::TokenNotAccepted => "the caller gets a token for this gateway, with the certificate it shows",
        Code::SignatureNotAccepted => "the caller signs with a key its member lists, as docs/signing.md says",
        Code::NotAgreed => "officers agree on a version that lists this system and this operation",
        Code::AgreementAmbiguous => {
            "the caller names one agreement in Tolbooth-Agreement, or states its purpose"
        }
        Code::AgreementNotInForce => {
            "the agreement is sealed, signed by every party, within its dates and suspended by nobody: `tolbooth \
             agreement status` says what is next"
        }
        Code::PurposeNotAllowed => {
            "the caller states a purpose the agreement lists for it, or officers agree on a version that lists this one"
        }
        Code::RoleNotAllowed => {
            "the caller states a role the agreement lists for it, or officers agree on a version that lists this one"
        }
        Code::UserMissing => "the caller states who asks, in Tolbooth-User or in its token",
        Code::ReasonMissing => "the caller states a reason in Tolbooth-Reason, in the form that was agreed",
        Code::CaseMissing => "the caller states the case in Tolbooth-Case",
        Code::TokenMissing => "the caller shows an access token beside its certificate",
        Code::TokenInsufficient => "the caller gets a token whose scope covers this agreement and purpose",
        Code::SignatureMissing => "the caller signs its questions",
        Code::Guardrail => {
            "the caller asks for what the rule does not forbid, or the organisation changes its rule in \
             policies/guardrails/"
        }
        Code::OutsideHours => {
            "the caller asks when it opens, or officers agree on a version with other hours"
        }
        Code::TooLarge => "the caller asks for less in one question",
        Code::QuestionInvalid => "the caller's question fits the contract",
        Code::Stopped => "the host starts again what it stopped: `tolbooth start`",
        Code::GrantSpent => "officers decide on another disclosure, and sign another grant",
        Code::LimitReached => "the caller waits, or officers agree on a version with a higher limit",
        Code::CannotDecide => "the host puts right what its log names",
        Code::SourceUnavailable | Code::SourceTimeout => "the system behind answers in time",
        Code::SourceInvalid => {
            "the system behind answers what its contract says, or its host changes the mapping"
        }
        Code::TooManyMatches => {
            "the caller asks a narrower question, or officers agree on a version that allows more records in an answer"
        }
        Code::OutcomeUnknown => "the provider finds out whether the change was made",
        Code::CannotRecord => "the host puts the ledger right: readiness says what is wrong",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_have_to_change_ends_a_sentence_and_officers_are_told_of_a_key() {
        for code in Code::ALL.iter().copied() {
            let told = change(code);
            assert!(!told.is_empty() && !told.ends_with('.') && !told.contains("  "), "{code}: {told}");
            let by_officers = matches!(code.fixer(), Fixer::Officers | Fixer::CallerOrOfficers);
            assert!(!by_officers || !keys(code).is_empty() || code == Code::Guardrail, "{code}");
        }
    }
}
