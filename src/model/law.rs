//! The vocabularies of law: purposes (V3 of the field list, `docs/fields.md`), regimes, bases (V5, V8) and the
//! conditions beside them (V7, V8, V9).

use super::vocabulary::vocabulary;

vocabulary! {
    /// What an exchange is for (V3).
    PurposeCode {
        SafeguardingChild = "safeguarding_child", "safeguarding a child";
        SafeguardingAdult = "safeguarding_adult", "safeguarding an adult";
        DirectCare = "direct_care", "direct care";
        HospitalDischarge = "hospital_discharge", "hospital discharge";
        MissingPerson = "missing_person", "finding a missing person";
        EmergencyResponse = "emergency_response", "emergency response";
        FireSafety = "fire_safety", "fire safety";
        GasSafety = "gas_safety", "gas safety";
        CrimePrevention = "crime_prevention", "preventing crime";
        CrimeInvestigation = "crime_investigation", "investigating crime";
        LicenceCheck = "licence_check", "checking a licence";
        EntitlementCheck = "entitlement_check", "checking an entitlement";
        PassportedBenefit = "passported_benefit", "a passported benefit";
        AddressCheck = "address_check", "checking an address";
        FraudPrevention = "fraud_prevention", "preventing fraud";
        DebtSupport = "debt_support", "support with debt";
        ServiceDelivery = "service_delivery", "delivering a service";
        StatutoryReturn = "statutory_return", "a statutory return";
        Statistics = "statistics", "statistics";
        Research = "research", "research";
        Planning = "planning", "planning";
        TransparencyOpenData = "transparency_open_data", "transparency";
    }
}

impl PurposeCode {
    /// Whether all it is about are children: what is done for a child may be asked about until they are 25.
    pub fn is_of_children(self) -> bool {
        self == Self::SafeguardingChild
    }
}

vocabulary! {
    /// Which law a party processes under.
    Regime {
        UkGdpr = "uk_gdpr", "UK GDPR";
        DpaPart3 = "dpa_part3", "Data Protection Act 2018 Part 3";
        NonPersonal = "non_personal", "no personal data";
    }
}

vocabulary! {
    /// The basis a party relies on: UK GDPR Article 6(1) (V5) or DPA 2018 s.35(2) (V8).
    Basis {
        Art6a = "art6_1_a", "UK GDPR Art 6(1)(a), consent";
        Art6b = "art6_1_b", "UK GDPR Art 6(1)(b), contract";
        Art6c = "art6_1_c", "UK GDPR Art 6(1)(c), legal obligation";
        Art6d = "art6_1_d", "UK GDPR Art 6(1)(d), vital interests";
        Art6e = "art6_1_e", "UK GDPR Art 6(1)(e), public task";
        Art6ea = "art6_1_ea", "UK GDPR Art 6(1)(ea), recognised legitimate interest";
        Art6f = "art6_1_f", "UK GDPR Art 6(1)(f), legitimate interests";
        S35Consent = "s35_consent", "DPA 2018 s.35(2)(a), consent";
        S35Task = "s35_necessary_for_task", "DPA 2018 s.35(2)(b), necessary for the task";
    }
}

impl Basis {
    /// The regime a basis belongs to.
    pub fn regime(self) -> Regime {
        match self {
            Self::S35Consent | Self::S35Task => Regime::DpaPart3,
            _ => Regime::UkGdpr,
        }
    }

    /// Whether the basis needs a power in statute beside it (lint of `domain.md` 1.1).
    pub fn needs_power(self) -> bool {
        matches!(self, Self::Art6c | Self::Art6e | Self::S35Task)
    }
}

vocabulary! {
    /// The exception of UK GDPR Article 9(2) for special categories (V7).
    Article9 {
        A = "art9_2_a", "UK GDPR Art 9(2)(a), explicit consent";
        B = "art9_2_b", "UK GDPR Art 9(2)(b), employment, social security and social protection";
        C = "art9_2_c", "UK GDPR Art 9(2)(c), vital interests";
        D = "art9_2_d", "UK GDPR Art 9(2)(d), not-for-profit bodies";
        E = "art9_2_e", "UK GDPR Art 9(2)(e), made public by the person";
        F = "art9_2_f", "UK GDPR Art 9(2)(f), legal claims";
        G = "art9_2_g", "UK GDPR Art 9(2)(g), substantial public interest";
        H = "art9_2_h", "UK GDPR Art 9(2)(h), health or social care";
        I = "art9_2_i", "UK GDPR Art 9(2)(i), public health";
        J = "art9_2_j", "UK GDPR Art 9(2)(j), archiving, research and statistics";
    }
}

impl Article9 {
    /// The paragraphs of DPA 2018 Schedule 1 of which it needs one beside it (s.10(2) and (3)).
    pub fn conditions(self) -> Option<std::ops::RangeInclusive<u8>> {
        match self {
            Self::B => Some(1..=1),
            Self::G => Some(6..=28),
            Self::H => Some(2..=2),
            Self::I => Some(3..=3),
            Self::J => Some(4..=4),
            Self::A | Self::C | Self::D | Self::E | Self::F => None,
        }
    }
}

/// A paragraph of DPA 2018 Schedule 1, written `sch1_18`: 1 to 37 are conditions or bear on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule1(u8);

impl Schedule1 {
    /// The last paragraph that is a condition.
    pub const LAST: u8 = 37;
    /// Between Part 1 and Part 2 stands the paragraph on policy documents, which is no condition.
    const POLICY_DOCUMENT: u8 = 5;
    /// Disclosure to a competent authority needs no policy document (para 10(2)).
    const UNLAWFUL_ACTS: u8 = 10;

    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sch1_")?;
        let number: u8 = digits.parse().ok()?;
        // Compared as spelt: `sch1_07` is no paragraph.
        let known = (1..=Self::LAST).contains(&number) && number != Self::POLICY_DOCUMENT;
        (known && number.to_string() == digits).then_some(Self(number))
    }

    pub fn paragraph(self) -> u8 {
        self.0
    }

    /// Whether an appropriate policy document has to stand beside it (Schedule 1 paras 1(1)(b) and 5).
    pub fn needs_policy_document(self) -> bool {
        self.0 == 1 || ((6..=28).contains(&self.0) && self.0 != Self::UNLAWFUL_ACTS)
    }
}

impl std::fmt::Display for Schedule1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sch1_{}", self.0)
    }
}

vocabulary! {
    /// A condition of DPA 2018 Schedule 8, for sensitive processing under Part 3 (s.35(5); V8).
    Schedule8 {
        Statutory = "sch8_1", "DPA 2018 Sch 8 para 1, statutory purposes";
        Justice = "sch8_2", "DPA 2018 Sch 8 para 2, administration of justice";
        Vital = "sch8_3", "DPA 2018 Sch 8 para 3, vital interests";
        Safeguarding = "sch8_4", "DPA 2018 Sch 8 para 4, safeguarding children and individuals at risk";
        Public = "sch8_5", "DPA 2018 Sch 8 para 5, already in the public domain";
        Claims = "sch8_6", "DPA 2018 Sch 8 para 6, legal claims";
        Courts = "sch8_7", "DPA 2018 Sch 8 para 7, judicial acts";
        Fraud = "sch8_8", "DPA 2018 Sch 8 para 8, preventing fraud";
        Archiving = "sch8_9", "DPA 2018 Sch 8 para 9, archiving, research and statistics";
    }
}

vocabulary! {
    /// Why the common-law duty of confidentiality is no bar (V9); apart from data protection law.
    Confidentiality {
        ImpliedConsent = "implied_consent_direct_care", "implied consent for direct care";
        ExplicitConsent = "explicit_consent", "explicit consent";
        StatutoryGateway = "statutory_gateway", "a statutory gateway";
        PublicInterest = "overriding_public_interest", "overriding public interest";
        CourtOrder = "court_order", "a court order";
        HscPbpp = "hsc_pbpp", "approval of the Public Benefit and Privacy Panel for Health and Social Care";
        Section251 = "s251", "section 251 of the NHS Act 2006 (England and Wales)";
    }
}

vocabulary! {
    /// Special categories (UK GDPR Art 9(1); V6). Criminal offences (Art 10) are apart.
    SpecialCategory {
        RaceEthnicity = "race_ethnicity", "racial or ethnic origin";
        Politics = "politics", "political opinions";
        Religion = "religion", "religious or philosophical beliefs";
        TradeUnion = "trade_union", "trade union membership";
        Genetic = "genetic", "genetic data";
        BiometricId = "biometric_id", "biometric data for identification";
        Health = "health", "health";
        SexLife = "sex_life", "sex life";
        Orientation = "orientation", "sexual orientation";
    }
}
