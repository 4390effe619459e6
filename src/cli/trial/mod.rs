//! A trial federation: a council, a health board and a police force, all keys made here and now.
//! For `init` and `demo`. What only partners and officers would hold lies in a folder of its own,
//! outside the gateway's configuration and data; trial keys count only for trials.

mod members;
mod offers;
mod organisations;
mod templates;

pub use offers::Offer;

use std::io;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _, civil::Date};

use crate::clock::Clock;
use crate::config::{self, Gateway};
use crate::crypto::SigningKey;
use crate::merkle::signer::SignerKey;
use crate::model::{MemberId, SystemName};
use crate::policy;
use crate::tls::issue::{Authority, Lifetime};
use crate::tls::{SpiffeId, TrustDomain};

use super::files::{Readable, replace, write_new};

pub const FEDERATION: &str = "caledonia.example";
const CONFIGURATION: &str = include_str!("tolbooth.toml");
/// What a council would forbid whatever is agreed; the first thing to read and change.
const GUARDRAILS: [(&str, &str); 3] = [
    ("changes.cedar", include_str!("../../../policies/guardrails/changes.cedar")),
    ("safe-address.cedar", include_str!("../../../policies/guardrails/safe-address.cedar")),
    ("voluntary.cedar", include_str!("../../../policies/guardrails/voluntary.cedar")),
];
/// A trial lasts at most 90 days, and so does everything made for one.
const TRIAL_DAYS: u32 = 89;

/// Long enough for a trial that is taken up.
const CA_YEARS: u32 = 1;

type Fault = Box<dyn std::error::Error>;

/// A dataset of the trial: its files, and where they go.
pub struct TrialDataset {
    pub id: &'static str,
    pub contract: &'static str,
    pub dataset: &'static str,
    pub agreement_id: &'static str,
    pub agreement: &'static str,
    /// What the agreement could name as its template: its file's name, and its words.
    pub template: Option<(&'static str, &'static str)>,
    /// A source file that lies beside the configuration.
    pub file: Option<(&'static str, &'static str)>,
}

/// Taxi licences from a CSV file, for the police.
pub const TAXI: TrialDataset = TrialDataset {
    id: "taxi-licence",
    contract: include_str!("../../../schemas/taxi-licence.v1.json"),
    dataset: include_str!("../../../policies/datasets/taxi-licence.toml"),
    agreement_id: "glenmore-police-caledonia-taxi-licence",
    agreement: include_str!("../../../policies/agreements/glenmore-police-caledonia-taxi-licence.toml"),
    template: None,
    file: Some(("licences.csv", include_str!("../demo/licences.csv"))),
};

/// The child protection register behind an HTTP system, for accident and emergency.
pub const CHILD: TrialDataset = TrialDataset {
    id: "child-protection",
    contract: include_str!("../../../schemas/child-protection.v1.json"),
    dataset: include_str!("../../../policies/datasets/child-protection.toml"),
    agreement_id: "glenmore-nhs-lomond-child-protection",
    agreement: include_str!("../../../policies/agreements/glenmore-nhs-lomond-child-protection.toml"),
    template: Some((
        "child-protection-check.toml",
        include_str!("../../../policies/templates/child-protection-check.toml"),
    )),
    file: None,
};

/// What is to be made.
pub struct Plan<'a> {
    /// The gateway's folder: configuration, policies, contracts, server certificate.
    pub home: &'a Path,
    /// Everybody else's: member CAs, officers' keys, partners' certificates.
    pub keys: &'a Path,
    pub datasets: &'a [&'a TrialDataset],
    pub partners: &'a str,
    pub local: &'a str,
    /// Where the HTTP system behind listens, if a dataset has one.
    pub system: Option<&'a str>,
    pub level: &'a str,
}

/// A trial that was made: certificate and key files by partner.
pub struct Trial {
    pub configuration: PathBuf,
    pub ca: PathBuf,
    pub nhs: Partner,
    pub police: Partner,
    pub stranger: Partner,
}

/// Files of a partner's system.
pub struct Partner {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Makes everything. Nothing that is there already is overwritten.
pub fn make(plan: &Plan<'_>, clock: &Clock) -> Result<Trial, Fault> {
    let life = Lifetime { now: clock.now(), days: TRIAL_DAYS };
    let council = member(plan, "glenmore", clock.now())?;
    let health = member(plan, "nhs-lomond", clock.now())?;
    let police = member(plan, "police-caledonia", clock.now())?;
    let server =
        council.authority.server(&["localhost".to_owned()], &["127.0.0.1".parse()?, "::1".parse()?], life)?;
    write_new(plan.home.join("certs/server.pem"), server.certificate.as_bytes(), Readable::ByAll)?;
    write_new(plan.home.join("certs/server.key"), server.key.as_bytes(), Readable::ByOwner)?;
    let nhs = system(plan, &health, "ed-trak", life)?;
    let control = system(plan, &police, "control-room", life)?;
    let stranger = system(plan, &police, "speed-cameras", life)?;
    let officers = [&council, &health, &police];
    organisations::write(plan, &council, &[&health, &police])?;
    let office = templates::sign_all(plan)?;
    let text = members::text(&officers, office.as_ref());
    write_new(plan.home.join("members.toml"), text.as_bytes(), Readable::ByAll)?;
    let configuration = plan.home.join("tolbooth.toml");
    let text = CONFIGURATION
        .replace("{partners}", plan.partners)
        .replace("{local}", plan.local)
        .replace("{level}", plan.level);
    write_new(configuration.clone(), text.as_bytes(), Readable::ByAll)?;
    for dataset in plan.datasets {
        write_dataset(plan, dataset, clock.today())?;
    }
    for (name, text) in GUARDRAILS {
        let path = plan.home.join("policies/guardrails").join(name);
        write_new(path, text.as_bytes(), Readable::ByAll)?;
    }
    let gateway = config::load(&configuration)?;
    for dataset in plan.datasets {
        seal_and_sign(&gateway, dataset, &officers)?;
    }
    let ca = plan.home.join("certs/glenmore-ca.pem");
    Ok(Trial { configuration, ca, nhs, police: control, stranger })
}

/// A member with its CA and its officer's key.
pub struct TrialMember {
    id: MemberId,
    authority: Authority,
    officer: SignerKey,
    /// A health body's Caldicott Guardian, who signs beside its officers where an agreement names one.
    guardian: Option<SignerKey>,
}

fn member(plan: &Plan<'_>, id: &str, now: Timestamp) -> Result<TrialMember, Fault> {
    let id = MemberId::new(id)?;
    let domain = TrustDomain::new(id.clone(), FEDERATION)?;
    let (name, _) = members::about(id.as_str());
    let (authority, made) = Authority::create(&domain, name, CA_YEARS, now)?;
    write_new(plan.home.join(format!("certs/{id}-ca.pem")), made.certificate.as_bytes(), Readable::ByAll)?;
    write_new(plan.keys.join(format!("{id}/ca.pem")), made.certificate.as_bytes(), Readable::ByAll)?;
    write_new(plan.keys.join(format!("{id}/ca.key")), made.key.as_bytes(), Readable::ByOwner)?;
    let officer = SignerKey::new(&format!("trial.officer.{id}"), SigningKey::generate()?)?;
    write_new(plan.keys.join(format!("{id}/officer.key")), officer.reveal().as_bytes(), Readable::ByOwner)?;
    let guardian = if members::about(id.as_str()).1 == "health" {
        let key = SignerKey::new(&format!("trial.guardian.{id}"), SigningKey::generate()?)?;
        let path = plan.keys.join(format!("{id}/caldicott-guardian.key"));
        write_new(path, key.reveal().as_bytes(), Readable::ByOwner)?;
        Some(key)
    } else {
        None
    };
    Ok(TrialMember { id, authority, officer, guardian })
}

fn system(plan: &Plan<'_>, member: &TrialMember, name: &str, life: Lifetime) -> Result<Partner, Fault> {
    let domain = TrustDomain::new(member.id.clone(), FEDERATION)?;
    let made = member.authority.client(&SpiffeId { domain, system: SystemName::new(name)? }, life)?;
    let folder = plan.keys.join(member.id.as_str());
    let partner =
        Partner { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    write_new(partner.certificate.clone(), made.certificate.as_bytes(), Readable::ByAll)?;
    write_new(partner.key.clone(), made.key.as_bytes(), Readable::ByOwner)?;
    Ok(partner)
}

fn write_dataset(plan: &Plan<'_>, dataset: &TrialDataset, today: Date) -> Result<(), Fault> {
    let write = |path: String, text: &str| write_new(plan.home.join(path), text.as_bytes(), Readable::ByAll);
    let source =
        dataset.dataset.replace("http://127.0.0.1:9000", plan.system.unwrap_or("http://127.0.0.1:9000"));
    write(format!("schemas/{}.v1.json", dataset.id), dataset.contract)?;
    write(format!("policies/datasets/{}.toml", dataset.id), &source)?;
    if let Some((name, text)) = dataset.file {
        write(name.to_owned(), text)?;
    }
    let last = today.checked_add(i64::from(TRIAL_DAYS).days())?;
    let agreement = dataset
        .agreement
        .replace("from = 2026-12-01", &format!("from = {today}"))
        .replace("until = 2027-02-28", &format!("until = {last}"));
    write(format!("policies/agreements/{}.toml", dataset.agreement_id), &agreement)?;
    Ok(())
}

/// Seals an agreement over its view and signs it for every party, as officers would one by one.
fn seal_and_sign(gateway: &Gateway, dataset: &TrialDataset, members: &[&TrialMember]) -> Result<(), Fault> {
    let path = gateway.policies.join(format!("agreements/{}.toml", dataset.agreement_id));
    let unsealed = std::fs::read(&path)?;
    let name = path.display().to_string();
    let reference = policy::load(&name, &unsealed)?.reference;
    let ruleset = super::check::load_ruleset(gateway)?;
    let view = ruleset.view(&reference).ok_or_else(|| io::Error::other("a trial agreement has no view"))?;
    let sealed = policy::seal(std::str::from_utf8(&unsealed)?, view)?;
    replace(path.clone(), sealed.as_bytes())?;
    let agreement = policy::load(&name, sealed.as_bytes())?;
    let mut note: Option<String> = None;
    for controller in agreement.controllers() {
        if let Some(member) = members.iter().find(|member| member.id == *controller) {
            let signer = &member.officer;
            let signed =
                policy::add_signature(note.as_deref(), &agreement, signer.verifier().name(), signer.key())?;
            note = Some(signed);
        }
    }
    replace(PathBuf::from(policy::signature_file(&name)), note.unwrap_or_default().as_bytes())?;
    Ok(())
}
