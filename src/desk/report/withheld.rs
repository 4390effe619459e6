//! What a person is not told about who asked for them, and why. Whatever cannot be judged is held back:
//! a data protection officer sees it in the full cut, with the reason, and can decide otherwise.

use super::known::Known;
use super::seen::{About, Seen};
use crate::model::{MemberClass, PurposeCode, Regime, SarDisclosable, Urgency};
use crate::policy::{Agreement, Grant};

/// Why an access is left out of the releasable cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldBack {
    /// DPA 2018 Part 3, or UK GDPR data asked for by the police: telling could tip off (s.45(4)).
    LawEnforcement,
    /// DPA 2018 Sch. 2 para. 2: crime and taxation.
    Crime,
    /// The grant it was under says that the person must not be told of the request.
    TipOff,
    /// The grant it was under names what lifts the duties against it; whether it lifts the duty to tell is for
    /// people to judge.
    Exemption,
    /// It was asked for to protect national security (DPA 2018 s.26 and s.45(4)(d)).
    NationalSecurity,
    /// Its agreement lets nobody be told before the consumer was asked.
    ConsultConsumer,
    /// Its agreement does not let everybody be told, for purposes of crime.
    AgreedCrime,
    /// Whoever asked is no member any more, so that what it is cannot be judged.
    MemberUnknown,
    /// The agreement, and so the law it was under, cannot be read.
    AgreementUnknown,
    /// What it was for is not on the record.
    PurposeUnknown,
    /// It may tell where somebody hides, and a report can come into the wrong hands.
    SafeAddress,
    /// It is also about somebody else (DPA 2018 Sch. 2 para. 16), or may be.
    OtherPeople,
    /// A look into the record by this organisation's own auditors.
    OwnLook,
}

impl HeldBack {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LawEnforcement => "law enforcement",
            Self::Crime => "a purpose of crime or fraud",
            Self::TipOff => "the grant says that the person must not be told",
            Self::Exemption => "under a grant with an exemption",
            Self::NationalSecurity => "a request to protect national security",
            Self::ConsultConsumer => "the agreement wants the consumer asked first",
            Self::AgreedCrime => {
                "the agreement does not let it be told where that would prejudice crime purposes"
            }
            Self::MemberUnknown => "the member is not in the directory any more",
            Self::AgreementUnknown => "the agreement cannot be read",
            Self::PurposeUnknown => "the purpose is not known",
            Self::SafeAddress => "may tell of a safe address, or cannot be judged",
            Self::OtherPeople => "also about somebody else, or by an identifier that was not given",
            Self::OwnLook => "a look of this organisation's own",
        }
    }
}

const CRIME: [PurposeCode; 3] =
    [PurposeCode::CrimePrevention, PurposeCode::CrimeInvestigation, PurposeCode::FraudPrevention];

/// Why this exchange is not told to the person it is about; `None` if it can be.
pub(super) fn held_back(seen: &Seen, about: About, known: &Known) -> Option<HeldBack> {
    if !seen.is_exchange() {
        return Some(HeldBack::OwnLook);
    }
    let Some(class) = known.class(seen.caller().0) else { return Some(HeldBack::MemberUnknown) };
    if class == MemberClass::Police {
        return Some(HeldBack::LawEnforcement);
    }
    let Some(agreement) = known.agreement(seen) else { return Some(HeldBack::AgreementUnknown) };
    if agreement.law.iter().any(|law| law.regime == Regime::DpaPart3) {
        return Some(HeldBack::LawEnforcement);
    }
    let Some(stated) = seen.purpose.as_deref().and_then(PurposeCode::parse) else {
        return Some(HeldBack::PurposeUnknown);
    };
    if CRIME.contains(&agreement.purpose) || CRIME.contains(&stated) {
        return Some(HeldBack::Crime);
    }
    if let Some(held) = as_signed(&agreement) {
        return Some(held);
    }
    if known.releases_safe_address(seen) {
        return Some(HeldBack::SafeAddress);
    }
    (about != About::ThemAlone).then_some(HeldBack::OtherPeople)
}

/// What its own words say of telling: those of a grant, and of format 2. Format 1 says nothing.
fn as_signed(agreement: &Agreement) -> Option<HeldBack> {
    let granted = agreement.grant.as_deref().and_then(of_grant);
    let rights = || agreement.particulars.as_ref()?.rights.as_ref();
    granted.or_else(|| match rights()?.sar_disclosable {
        SarDisclosable::Yes => None,
        SarDisclosable::ConsultConsumer => Some(HeldBack::ConsultConsumer),
        SarDisclosable::WithholdCrime => Some(HeldBack::AgreedCrime),
    })
}

fn of_grant(grant: &Grant) -> Option<HeldBack> {
    if grant.request.tip_off {
        return Some(HeldBack::TipOff);
    }
    if grant.request.urgency == Urgency::NationalSecurity {
        return Some(HeldBack::NationalSecurity);
    }
    grant.decision.exemption.as_ref().map(|_| HeldBack::Exemption)
}
