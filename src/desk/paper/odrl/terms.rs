//! The words of the export: its context, written into the document so that nothing is fetched to read it; purposes and
//! law in the terms of the Data Privacy Vocabulary (DPV 2.0); and the profile's own actions.

use serde_json::{Map, Value, json};

use crate::model::{Article9, Basis, Prohibition, PurposeCode};
use crate::policy::Law;

/// The profile: what ODRL has no term for (ODRL Information Model 2.2, 3). A name, from which nothing is fetched.
pub(super) const PROFILE: &str = "https://tolbooth.example/odrl/1#";

/// Terms of ODRL that name a class, an action, a left operand or an operator: what stands for them in the document is
/// the bare word.
const WORDS: [&str; 22] = [
    "Agreement",
    "Action",
    "Asset",
    "AssetCollection",
    "LeftOperand",
    "Party",
    "archive",
    "dateTime",
    "delayPeriod",
    "delete",
    "distribute",
    "eq",
    "event",
    "gt",
    "gteq",
    "inform",
    "isAnyOf",
    "lteq",
    "modify",
    "prohibit",
    "purpose",
    "read",
];
const MORE_WORDS: [&str; 4] = ["reproduce", "reviewPolicy", "systemDevice", "use"];

/// Properties of ODRL whose values are nodes, named by IRI or written out.
const NODES: [&str; 10] = [
    "assignee",
    "assigner",
    "constraint",
    "informedParty",
    "obligation",
    "partOf",
    "permission",
    "profile",
    "prohibition",
    "target",
];
/// Properties of ODRL whose values are words of it, or of the profile.
const OF_WORDS: [&str; 5] = ["action", "conflict", "includedIn", "leftOperand", "operator"];

/// The context, whole (JSON-LD 1.1).
pub(super) fn context() -> Value {
    let mut terms = Map::new();
    for (prefix, iri) in [
        ("odrl", "http://www.w3.org/ns/odrl/2/"),
        ("tolbooth", PROFILE),
        ("dpv", "https://w3id.org/dpv#"),
        ("eu-gdpr", "https://w3id.org/dpv/legal/eu/gdpr#"),
        ("dct", "http://purl.org/dc/terms/"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ] {
        terms.insert(prefix.to_owned(), json!(iri));
    }
    terms.insert("@version".to_owned(), json!(1.1));
    terms.insert("uid".to_owned(), json!("@id"));
    terms.insert("rightOperand".to_owned(), json!({ "@id": "odrl:rightOperand" }));
    for word in WORDS.iter().chain(&MORE_WORDS) {
        terms.insert((*word).to_owned(), json!(format!("odrl:{word}")));
    }
    for name in NODES {
        terms.insert(name.to_owned(), json!({ "@id": format!("odrl:{name}"), "@type": "@id" }));
    }
    for name in OF_WORDS {
        terms.insert(name.to_owned(), json!({ "@id": format!("odrl:{name}"), "@type": "@vocab" }));
    }
    Value::Object(terms)
}

/// The profile's term for a purpose, which our list has and DPV has not as finely.
pub(super) fn purpose(purpose: PurposeCode) -> Value {
    json!({ "uid": format!("tolbooth:purpose-{purpose}") })
}

/// What it is a kind of, in DPV.
pub(super) fn purpose_node(purpose: PurposeCode) -> Value {
    let broader: Vec<Value> =
        broader(purpose).iter().map(|term| json!({ "@id": format!("dpv:{term}") })).collect();
    json!({
        "uid": format!("tolbooth:purpose-{purpose}"), "@type": "dpv:Purpose",
        "skos:prefLabel": { "@value": purpose.words(), "@language": "en-GB" }, "skos:broader": broader,
    })
}

fn broader(purpose: PurposeCode) -> &'static [&'static str] {
    match purpose {
        PurposeCode::SafeguardingChild
        | PurposeCode::SafeguardingAdult
        | PurposeCode::MissingPerson
        | PurposeCode::EmergencyResponse => &["ProtectionOfPublicSecurity", "PublicBenefit"],
        PurposeCode::DirectCare | PurposeCode::HospitalDischarge | PurposeCode::TransparencyOpenData => {
            &["PublicBenefit"]
        }
        PurposeCode::FireSafety
        | PurposeCode::GasSafety
        | PurposeCode::CrimePrevention
        | PurposeCode::CrimeInvestigation => &["ProtectionOfPublicSecurity"],
        PurposeCode::LicenceCheck | PurposeCode::EntitlementCheck | PurposeCode::PassportedBenefit => {
            &["Verification"]
        }
        PurposeCode::AddressCheck => &["IdentityVerification"],
        PurposeCode::FraudPrevention => &["FraudPreventionAndDetection"],
        PurposeCode::DebtSupport | PurposeCode::ServiceDelivery => {
            &["ServiceProvision", "ImprovePublicServices"]
        }
        PurposeCode::StatutoryReturn => &["LegalCompliance"],
        PurposeCode::Statistics => &["ProvideOfficialStatistics"],
        PurposeCode::Research => &["AcademicResearch"],
        PurposeCode::Planning => &["PublicPolicyMaking"],
    }
}

/// What the consumer may not do: an action of ODRL where one says the same, else one of the profile.
pub(super) fn action(prohibited: Prohibition) -> String {
    match prohibited {
        Prohibition::OnwardSharing => "distribute".to_owned(),
        other => format!("tolbooth:{other}"),
    }
}

/// Left operands of the profile: what each is compared with.
const OPERANDS: [(&str, &str); 12] = [
    ("answersPerDay", "answered questions on a day in London, over all systems of all consumers"),
    ("answersPerUserAndDay", "answered questions on a day in London to one user"),
    ("assurance", "how far it is proven who asks"),
    ("case", "whether the case must be stated"),
    ("hours", "the hours of the week in London at which may be asked, in words"),
    ("operation", "the operation of the dataset's contract that is asked for"),
    ("questionsPerMinute", "questions in any 60 seconds, over all systems of all consumers"),
    ("reason", "what must be stated of why it is asked"),
    ("recordsPerAnswer", "records in one answer; an answer of more is refused whole"),
    ("role", "the role that the system states"),
    ("rows", "which records may be told of, in words"),
    ("user", "how the person who asks must be stated"),
];

/// What the profile adds to ODRL, each defined where it is used (3.3): actions are included in one of ODRL (2.4).
pub(super) fn definitions() -> Vec<Value> {
    let words = |words: &str| json!({ "@value": words, "@language": "en-GB" });
    let of_profile = |one: &&Prohibition| **one != Prohibition::OnwardSharing;
    let prohibited = Prohibition::ALL.iter().filter(of_profile).map(|one| {
        let included_in = if *one == Prohibition::BulkCopy { "reproduce" } else { "use" };
        (action(*one), included_in, one.words())
    });
    let returned = ("tolbooth:return".to_owned(), "use", "give it back and keep nothing of it");
    let actions = prohibited.chain([returned]).map(|(uid, included_in, said)| {
        json!({ "uid": uid, "@type": "Action", "includedIn": included_in, "skos:definition": words(said) })
    });
    let operands = OPERANDS.iter().map(|(name, said)| {
        json!({ "uid": format!("tolbooth:{name}"), "@type": "LeftOperand", "skos:definition": words(said) })
    });
    let breach = json!({
        "uid": "tolbooth:breach", "@type": "skos:Concept",
        "skos:definition": words("a personal data breach became known to the consumer"),
    });
    actions.chain(operands).chain([breach]).collect()
}

/// The law a party relies on. DPV's terms are of the EU regulation; the UK's articles bear the same numbers, and what
/// only the UK has is a term of the profile.
pub(super) fn law(law: &Law, party: &str) -> Value {
    let conditions = &law.conditions;
    let schedule1 = conditions.schedule1.iter().chain(&conditions.offences).map(ToString::to_string);
    let bases = law.basis.map(basis).into_iter().chain(conditions.article9.map(article9));
    let bases: Vec<Value> = bases.map(|term| json!({ "@id": term })).collect();
    let powers = law
        .powers
        .iter()
        .map(|power| format!("{}, section {}: {}", power.statute, power.section, power.reading));
    let mut node = json!({
        "tolbooth:party": { "@id": party },
        "tolbooth:regime": law.regime.as_str(),
        "dpv:hasLegalBasis": bases,
        "tolbooth:power": powers.collect::<Vec<_>>(),
        "tolbooth:schedule1": schedule1.collect::<Vec<_>>(),
    });
    let more = [
        ("tolbooth:schedule8", conditions.schedule8.map(|one| one.as_str().to_owned())),
        ("tolbooth:confidentiality", conditions.confidentiality.map(|one| one.as_str().to_owned())),
        ("tolbooth:policyDocument", conditions.policy_document.clone()),
        ("tolbooth:competentBy", conditions.competent_by.clone()),
    ];
    if let Value::Object(node) = &mut node {
        node.extend(more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))));
    }
    node
}

fn basis(basis: Basis) -> String {
    match basis {
        Basis::Art6a => "eu-gdpr:A6-1-a".to_owned(),
        Basis::Art6b => "eu-gdpr:A6-1-b".to_owned(),
        Basis::Art6c => "eu-gdpr:A6-1-c".to_owned(),
        Basis::Art6d => "eu-gdpr:A6-1-d".to_owned(),
        Basis::Art6e => "eu-gdpr:A6-1-e".to_owned(),
        Basis::Art6f => "eu-gdpr:A6-1-f".to_owned(),
        Basis::Art6ea | Basis::S35Consent | Basis::S35Task => format!("tolbooth:{basis}"),
    }
}

fn article9(article: Article9) -> String {
    let letter = article.as_str().trim_start_matches("art9_2_");
    format!("eu-gdpr:A9-2-{letter}")
}
