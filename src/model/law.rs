//! Closed vocabularies of law and purpose (`domain.md` V3, V5, V8): the code a file holds and the
//! words a person reads.

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $words:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as a file holds it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The words as a page shows them.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

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
