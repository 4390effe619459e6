//! The vocabularies of how data is shared (V1, V4, V10, V11, V13, V14 of the field list, `docs/fields.md`, and the
//! short lists of its single fields). Those of law are in `law.rs`.

use super::vocabulary::vocabulary;

vocabulary! {
    /// What kind of agreement it is (V1).
    SharingKind {
        ControllerToController = "controller_to_controller", "from one controller to another";
        JointControllers = "joint_controllers", "between joint controllers";
        ControllerToProcessor = "controller_to_processor", "from a controller to its processor";
        NonPersonal = "non_personal", "data about nobody";
        OpenData = "open_data", "open data";
    }
}

impl SharingKind {
    pub fn is_personal(self) -> bool {
        !matches!(self, Self::NonPersonal | Self::OpenData)
    }
}

vocabulary! {
    /// What a party is to the data.
    Controllership {
        Sole = "sole", "controller";
        Joint = "joint", "joint controller";
        Processor = "processor", "processor";
        None = "none", "no controller: nobody is in the data";
    }
}

impl Controllership {
    pub fn is_controller(self) -> bool {
        matches!(self, Self::Sole | Self::Joint)
    }
}

impl ReasonWanted {
    /// Whether what was stated is what is wanted: a code is one word of at most 63 letters, digits, `-`, `_`, `.`
    /// or `/`, and an explanation follows it.
    pub fn is_met_by(self, stated: Option<&str>) -> bool {
        /// As long as an id; longer is prose in the wrong place.
        const CODE_BYTES_MAX: usize = 63;
        let Some(stated) = stated else { return self == Self::None };
        let (code, text) = stated.split_once(' ').unwrap_or((stated, ""));
        let is_code = !code.is_empty()
            && code.len() <= CODE_BYTES_MAX
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
        match self {
            Self::None => true,
            Self::Code => is_code,
            Self::CodeAndText => is_code && !text.trim().is_empty(),
        }
    }
}

vocabulary! {
    /// What whoever receives the data may not do with it (V4).
    Prohibition {
        OnwardSharing = "onward_sharing", "pass it on";
        Marketing = "marketing", "use it for marketing";
        Profiling = "profiling", "profile people with it";
        AutomatedDecision = "automated_decision", "decide by machine alone";
        AiTraining = "ai_training", "train artificial intelligence with it";
        ImmigrationEnforcement = "immigration_enforcement", "enforce immigration law with it";
        DebtRecovery = "debt_recovery", "recover debts with it";
        EmploymentVetting = "employment_vetting", "vet employees with it";
        Reidentification = "reidentification", "find out who is meant";
        BulkCopy = "bulk_copy", "copy it in bulk";
        Linkage = "linkage", "join it with other data";
    }
}

vocabulary! {
    /// Whom the data is about (V10).
    DataSubject {
        Children = "children", "children";
        ParentsCarers = "parents_carers", "parents and carers";
        AdultsAtRisk = "adults_at_risk", "adults at risk";
        Patients = "patients", "patients";
        Tenants = "tenants", "tenants";
        LicenceHolders = "licence_holders", "licence holders";
        BadgeHolders = "badge_holders", "badge holders";
        BenefitClaimants = "benefit_claimants", "people who claim benefits";
        Residents = "residents", "residents";
        Staff = "staff", "staff";
        Businesses = "businesses", "businesses";
        None = "none", "nobody";
    }
}

vocabulary! {
    /// What a party holds of others' assurance (V11).
    Scheme {
        Dspt = "dspt", "Data Security and Protection Toolkit";
        CyberEssentials = "cyber_essentials", "Cyber Essentials";
        CyberEssentialsPlus = "cyber_essentials_plus", "Cyber Essentials Plus";
        Iso27001 = "iso27001", "ISO/IEC 27001";
        Psn = "psn", "Public Services Network";
        Caf = "caf", "Cyber Assessment Framework";
        Pasf = "pasf", "Police Assured Secure Facility";
    }
}

vocabulary! {
    /// By what records are looked up (V13).
    LookupKey {
        Chi = "chi", "CHI number";
        NhsNumber = "nhs_number", "NHS number";
        Uprn = "uprn", "unique property reference number";
        Usrn = "usrn", "unique street reference number";
        Scn = "scn", "Scottish candidate number";
        LicenceNo = "licence_no", "licence number";
        BadgeNo = "badge_no", "badge number";
        Vrm = "vrm", "vehicle registration mark";
        CouncilTaxRef = "council_tax_ref", "council tax reference";
        NameDob = "name_dob", "name and date of birth";
        NameDobPostcode = "name_dob_postcode", "name, date of birth and postcode";
        AreaCode = "area_code", "area code";
        None = "none", "nothing: no single record is looked up";
    }
}

vocabulary! {
    /// When a record counts as the one that was asked for.
    Matching {
        Exact = "exact", "the key alone";
        ExactPlusDob = "exact_plus_dob", "the key and the date of birth";
        CountOnlyIfMany = "count_only_if_many", "of several, their number alone";
    }
}

vocabulary! {
    /// The form of an answer (V14).
    ResponseForm {
        SingleRecord = "single_record", "one record";
        YesNo = "yes_no", "yes or no";
        List = "list", "a list of records";
        Aggregate = "aggregate", "counts and totals";
        BulkNdjson = "bulk_ndjson", "all records, a line each; not answered by this version";
        BulkCsv = "bulk_csv", "all records, as a table; not answered by this version";
        FanOut = "fan_out", "a table of many providers; not answered by this version";
    }
}

impl ResponseForm {
    /// Whether this version answers so. An agreement on what it does not can be written, read and signed, and is
    /// never in force.
    pub fn is_answered(self) -> bool {
        match self {
            Self::SingleRecord | Self::YesNo | Self::List | Self::Aggregate => true,
            Self::BulkNdjson | Self::BulkCsv | Self::FanOut => false,
        }
    }
}

vocabulary! {
    /// What makes data flow.
    Trigger {
        Request = "request", "a question";
        Event = "event", "an event";
        Schedule = "schedule", "a timetable";
    }
}

vocabulary! {
    /// How often.
    Frequency {
        Once = "once", "once";
        Realtime = "realtime", "whenever it is needed";
        Daily = "daily", "daily";
        Monthly = "monthly", "monthly";
        Termly = "termly", "each school term";
    }
}

vocabulary! {
    /// How far a question says which person asks.
    UserIdentity {
        SystemOnly = "system_only", "not at all: the system asks";
        UserPseudonym = "user_pseudonym", "by a reference only the consumer can resolve";
        NamedUser = "named_user", "by name";
    }
}

vocabulary! {
    /// Why somebody asks, in the words of the question.
    ReasonWanted {
        None = "none", "no reason";
        Code = "code", "a reason code";
        CodeAndText = "code_and_text", "a reason code and an explanation";
    }
}

vocabulary! {
    /// Whether a released value is a fact or somebody's opinion (DPA 2018 s.38(2)).
    Holds {
        Fact = "fact", "fact";
        Opinion = "opinion", "opinion";
    }
}

vocabulary! {
    /// Which law of access to information binds a party.
    FoiRegime {
        Foisa = "FOISA", "Freedom of Information (Scotland) Act 2002";
        Foia = "FOIA", "Freedom of Information Act 2000";
        EirOnly = "EIR_only", "environmental information alone";
        None = "none", "none";
    }
}

vocabulary! {
    /// How far an impact assessment is (UK GDPR Art 35).
    DpiaStatus {
        NotNeeded = "not_needed", "not needed";
        Draft = "draft", "a draft";
        Approved = "approved", "approved";
    }
}

vocabulary! {
    /// What risk an assessment leaves.
    Risk {
        Low = "low", "low";
        Medium = "medium", "medium";
        High = "high", "high";
    }
}

vocabulary! {
    /// What somebody who asks for their own data is told of these accesses.
    SarDisclosable {
        Yes = "yes", "told";
        ConsultConsumer = "consult_consumer", "told after asking the consumer";
        WithholdCrime = "withhold_crime", "not told where that would prejudice crime purposes (DPA 2018 Sch 2 para 2)";
    }
}

vocabulary! {
    /// How corrections reach those who received the data (UK GDPR Art 19).
    Corrections {
        None = "none", "not at all";
        Notice = "notice", "by notice";
        Automatic = "automatic", "by themselves";
    }
}

vocabulary! {
    /// Government security classification.
    Classification {
        Official = "OFFICIAL", "OFFICIAL";
        OfficialSensitive = "OFFICIAL-SENSITIVE", "OFFICIAL-SENSITIVE";
    }
}

vocabulary! {
    /// How the wire is protected.
    Transport {
        Mtls13 = "mtls13", "mutual TLS 1.3";
        Mtls12Gcm = "mtls12-gcm", "mutual TLS 1.2 with AES-GCM";
    }
}

vocabulary! {
    /// What becomes of the data when it is kept no longer.
    Disposal {
        Deleted = "deleted", "deleted";
        Returned = "returned", "returned";
        Archived = "archived", "archived";
    }
}
