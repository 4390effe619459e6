//! The closed lists of a one-off disclosure (`policy/grant.rs`): how urgent it was, and what was decided.

use super::vocabulary::vocabulary;

vocabulary! {
    /// How urgent a request was; all but the first are emergencies, as the ICO lists them.
    Urgency {
        Routine = "routine", "no emergency";
        SeriousPhysicalHarm = "serious_physical_harm", "to prevent serious physical harm to a person";
        LossOfLife = "loss_of_life", "to prevent loss of human life";
        PublicHealth = "public_health", "to protect public health";
        Safeguarding = "safeguarding", "to safeguard a vulnerable adult or child";
        EmergencyResponse = "emergency_response", "to respond to an emergency";
        NationalSecurity = "national_security", "an immediate need to protect national security";
    }
}

vocabulary! {
    /// What became of a request. One that was refused makes no grant.
    Ruling {
        Release = "release", "released as it was asked for";
        Part = "part", "released in part";
    }
}
