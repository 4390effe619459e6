//! Makes the benchmark's gateway: members with certificate authorities of their own, contracts,
//! mappings, and as many signed agreements as asked for.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::ToSpan as _;
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::crypto::SigningKey;
use tolbooth::desk::{Circumstances, Ruleset};
use tolbooth::merkle::signer::SignerKey;
use tolbooth::model::{MemberId, SystemName};
use tolbooth::policy;
use tolbooth::tls::issue::{Authority, Lifetime};
use tolbooth::tls::{SpiffeId, TrustDomain};

const FEDERATION: &str = "bench.example";
const CONTRACTS: usize = 20;
const DAYS: u32 = 89;

type Done = Result<(), Box<dyn Error>>;

/// One address and one member stand for all: what bounds them is not what is measured.
const LIMITS: &str = "[limits]\nrequests_per_member_per_second = 10000000\n\
    asked_mib_per_member_per_minute = 1000000000\nasked_mib_per_member_per_day = 1000000000\n\
    answered_mib_per_member_per_minute = 1000000000\nanswered_mib_per_member_per_day = 1000000000\n";

/// The words of the benchmark's agreements, of format 1.
const PLAIN: &str = include_str!("agreement.toml");

/// Makes everything in `home`, a new folder.
pub fn make(home: &Path, agreements: usize, backend: &str, port: &str) -> Done {
    make_of(home, (agreements, PLAIN), backend, port)
}

/// As [`make`], with these words in each agreement.
pub fn make_of(home: &Path, (agreements, words): (usize, &str), backend: &str, port: &str) -> Done {
    let clock = Clock::new()?;
    let consumers = agreements.div_ceil(CONTRACTS);
    let provider = Member::make(home, "provider", &clock)?;
    let consumers = (0..consumers)
        .map(|number| Member::make(home, &format!("consumer-{number}"), &clock))
        .collect::<Result<Vec<_>, _>>()?;
    write(&home.join("members.toml"), &members(&provider, &consumers))?;
    certificates(home, &provider, &consumers, &clock)?;
    let configuration = home.join("tolbooth.toml");
    write(
        &configuration,
        &format!(
            "format = 1\n[gateway]\nmember = \"provider\"\n[partners]\naddress = \"127.0.0.1:{port}\"\n\
         certificate = \"certs/server.pem\"\nkey = \"certs/server.key\"\nhandshakes_per_address_per_second = 1000000\n[local]\naddress = \"127.0.0.1:0\"\n{LIMITS}"
        ),
    )?;
    for number in 0..CONTRACTS {
        let named = |text: &str| text.replace("\"records\"", &format!("\"records-{number}\""));
        write(
            &home.join(format!("schemas/records-{number}.v1.json")),
            &named(include_str!("records.v1.json")),
        )?;
        let dataset = named(include_str!("dataset.toml"))
            .replace("records.v1.json", &format!("records-{number}.v1.json"))
            .replace("http://127.0.0.1:19080", backend);
        write(&home.join(format!("policies/datasets/records-{number}.toml")), &dataset)?;
    }
    write_agreements(home, (agreements, words), &consumers, &clock)?;
    seal_and_sign(&configuration, &provider, &consumers)
}

struct Member {
    id: MemberId,
    domain: TrustDomain,
    authority: Authority,
    officer: SignerKey,
    /// Signs where an agreement names a Caldicott Guardian.
    guardian: SignerKey,
}

impl Member {
    fn make(home: &Path, id: &str, clock: &Clock) -> Result<Self, Box<dyn Error>> {
        let id = MemberId::new(id)?;
        let domain = TrustDomain::new(id.clone(), FEDERATION)?;
        let (authority, made) = Authority::create(&domain, id.as_str(), 1, clock.now())?;
        write(&home.join(format!("certs/{id}-ca.pem")), &made.certificate)?;
        let officer = SignerKey::new(&format!("officer.{id}"), SigningKey::generate()?)?;
        let guardian = SignerKey::new(&format!("guardian.{id}"), SigningKey::generate()?)?;
        Ok(Self { id, domain, authority, officer, guardian })
    }

    fn entry(&self, class: &str) -> String {
        let id = &self.id;
        let officer = |key: &SignerKey, office: &str| {
            let (name, key) = (key.verifier().name(), key.verifier());
            format!(
                "[[member.officer]]\nname = \"{name}\"\noffice = \"{office}\"\nkey = \"{key}\"\ntrial = true\n"
            )
        };
        let officers = officer(&self.officer, "Officer") + &officer(&self.guardian, "Caldicott Guardian");
        format!(
            "\n[[member]]\nid = \"{id}\"\nname = \"{id}\"\nclass = \"{class}\"\nanchors = [\"certs/{id}-ca.pem\"]\n{officers}"
        )
    }
}

fn members(provider: &Member, consumers: &[Member]) -> String {
    let mut text = format!("format = 1\nfederation = \"{FEDERATION}\"\n{}", provider.entry("council"));
    consumers.iter().for_each(|member| text.push_str(&member.entry("health")));
    text
}

fn certificates(home: &Path, provider: &Member, consumers: &[Member], clock: &Clock) -> Done {
    let life = Lifetime { now: clock.now(), days: DAYS };
    let server = provider.authority.server(&["localhost".to_owned()], &["127.0.0.1".parse()?], life)?;
    write(&home.join("certs/server.pem"), &server.certificate)?;
    write(&home.join("certs/server.key"), &server.key)?;
    let consumer = consumers.first().ok_or("there are no agreements")?;
    let id = SpiffeId { domain: consumer.domain.clone(), system: SystemName::new("bench")? };
    let client = consumer.authority.client(&id, life)?;
    write(&home.join("keys/client.pem"), &client.certificate)?;
    write(&home.join("keys/client.key"), &client.key)?;
    write(&home.join("keys/one.json"), "{\"id\":\"1\"}")?;
    write(&home.join("keys/all.json"), "{}")
}

fn write_agreements(
    home: &Path,
    (agreements, words): (usize, &str),
    consumers: &[Member],
    clock: &Clock,
) -> Done {
    let today = clock.today();
    let last = today.checked_add(i64::from(DAYS).days())?;
    for number in 0..agreements {
        let consumer = consumers.get(number / CONTRACTS).ok_or("too few consumers")?;
        let text = words
            .replace("id = \"records\"\nversion", &format!("id = \"records-{number}\"\nversion"))
            .replace("id = \"records\"\nmajor", &format!("id = \"records-{}\"\nmajor", number % CONTRACTS))
            .replace("member = \"consumer\"", &format!("member = \"{}\"", consumer.id))
            .replace("[law.consumer]", &format!("[law.{}]", consumer.id))
            .replace("2026-12-01", &today.to_string())
            .replace("2027-02-28", &last.to_string());
        write(&agreement_file(home, number), &text)?;
    }
    Ok(())
}

fn agreement_file(home: &Path, number: usize) -> PathBuf {
    home.join(format!("policies/agreements/records-{number}.toml"))
}

fn seal_and_sign(configuration: &Path, provider: &Member, consumers: &[Member]) -> Done {
    let gateway = config::load(configuration)?;
    let seen = |_: &tolbooth::model::AgreementId| None;
    let circumstances = Circumstances {
        seen: &seen,
        life: &Default::default(),
        before: None,
        pseudonym_master: &[0; 32],
        today: jiff::civil::Date::MIN,
    };
    let ruleset = Ruleset::load(&gateway, &circumstances)?;
    for entry in ruleset.register.all() {
        let path = gateway.home.join(&entry.agreement.file);
        let name = path.display().to_string();
        let view = ruleset.view(&entry.agreement.reference).ok_or("an agreement has no view")?;
        let sealed = policy::seal(&fs::read_to_string(&path)?, view)?;
        write(&path, &sealed)?;
        let agreement = policy::load(&name, sealed.as_bytes())?;
        let mut note: Option<String> = None;
        let of = |id: &MemberId| [provider].into_iter().chain(consumers).find(|member| member.id == *id);
        let controllers = agreement.controllers().map(|id| of(id).map(|member| &member.officer));
        let guardians = agreement.guardians().map(|(id, _)| of(id).map(|member| &member.guardian));
        for signer in controllers.chain(guardians) {
            let signer = signer.ok_or("a party is no member")?;
            let name = signer.verifier().name();
            note = Some(policy::add_signature(note.as_deref(), &agreement, name, signer.key())?);
        }
        write(Path::new(&policy::signature_file(&name)), &note.unwrap_or_default())?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Done {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
}
