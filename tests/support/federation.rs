//! A council's gateway with as many members around it as a test's agreements name, on disk and, if it is to answer,
//! sealed, signed and started. Agreements, contracts and data are the files of the project themselves.

use std::path::{Path, PathBuf};

use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan as _};
use tolbooth::app::{self, Running};
use tolbooth::cli::trial;
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::crypto::SigningKey;
use tolbooth::merkle::signer::SignerKey;
use tolbooth::model::{MemberId, SystemName};
use tolbooth::tls::issue::{Authority, Lifetime};
use tolbooth::tls::{SpiffeId, TrustDomain};

use super::agreements;
use super::partner::Partner;
use super::scratch::Scratch;

const FEDERATION: &str = "caledonia.example";
const DAYS: u32 = 89;
/// Whom the scenarios name, and what they are.
const MEMBERS: [(&str, &str); 7] = [
    ("glenmore", "council"),
    ("lochside", "council"),
    ("nhs-lomond", "health"),
    ("police-caledonia", "police"),
    ("fire-caledonia", "fire"),
    ("alba-homes", "voluntary"),
    ("caledonia-statistics", "office"),
];

pub struct Federation {
    pub home: PathBuf,
    pub clock: Clock,
    /// From when certificates count: TLS asks the machine's own clock, whatever `clock` says.
    began: Timestamp,
    keys: PathBuf,
    authorities: Vec<(MemberId, Authority)>,
    running: Option<Running>,
    _scratch: Scratch,
}

impl Federation {
    /// Members and a configuration, and no policies.
    pub fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (home, keys) = (scratch.path().join("gateway"), scratch.path().join("keys"));
        let clock = Clock::new().unwrap();
        let mut members = format!("format = 1\nfederation = \"{FEDERATION}\"\n");
        let mut authorities = Vec::new();
        for (id, class) in MEMBERS {
            let domain = TrustDomain::new(MemberId::new(id).unwrap(), FEDERATION).unwrap();
            let (authority, made) = Authority::create(&domain, id, 1, clock.now()).unwrap();
            write(&home.join(format!("certs/{id}-ca.pem")), &made.certificate);
            let officer = SigningKey::generate().unwrap();
            let officer = SignerKey::new(&format!("trial.officer.{id}"), officer).unwrap();
            write(&keys.join(format!("{id}/officer.key")), officer.reveal().as_str());
            members.push_str(&format!(
                "\n[[member]]\nid = \"{id}\"\nname = \"{id}\"\nclass = \"{class}\"\n\
                 anchors = [\"certs/{id}-ca.pem\"]\n[[member.officer]]\nname = \"trial.officer.{id}\"\n\
                 office = \"Trial officer\"\nkey = \"{}\"\ntrial = true\n",
                officer.verifier()
            ));
            authorities.push((MemberId::new(id).unwrap(), authority));
        }
        write(&home.join("members.toml"), &members);
        let life = Lifetime { now: clock.now(), days: DAYS };
        let server =
            authorities[0].1.server(&["localhost".to_owned()], &["127.0.0.1".parse().unwrap()], life);
        let server = server.unwrap();
        write(&home.join("certs/server.pem"), &server.certificate);
        write(&home.join("certs/server.key"), &server.key);
        owners_alone(&home.join("certs/server.key"));
        let configuration = "format = 1\n[gateway]\nmember = \"glenmore\"\n[partners]\naddress = \"127.0.0.1:0\"\n\
            certificate = \"certs/server.pem\"\nkey = \"certs/server.key\"\n[local]\naddress = \"127.0.0.1:0\"\n\
            [log]\nlevel = \"warn\"\n";
        write(&home.join("tolbooth.toml"), configuration);
        let began = clock.now();
        Self { home, clock, began, keys, authorities, running: None, _scratch: scratch }
    }

    /// Copies a folder of the project into the gateway's, as `cp -r` does.
    pub fn copy(&self, folder: &str, to: &str) {
        copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &self.home.join(to));
    }

    /// Moves the clock on to the next Wednesday at noon, when everybody is at work: some agreements have hours.
    pub fn at_work(&self) {
        let now = self.clock.london();
        let days = (1..=7).find(|days| (now.date() + days.days()).weekday() == Weekday::Wednesday).unwrap();
        let noon = (now.date() + days.days()).at(12, 0, 0, 0).to_zoned(self.clock.zone().clone()).unwrap();
        self.clock.shift(noon.timestamp().duration_since(now.timestamp()));
    }

    /// Puts every agreement in force from today, signed by every party's officer.
    pub fn agree(&self) {
        let (first, last) = (self.clock.today(), self.clock.today() + i64::from(DAYS).days());
        for name in self.agreements() {
            let text = agreements::text(&self.home, &name)
                .replace("from = 2026-12-01", &format!("from = {first}"))
                .replace("until = 2027-02-28", &format!("until = {last}"))
                .replace("review_due = 2027-02-01", &format!("review_due = {last}"));
            agreements::agree(&self.home, &name, &text);
        }
    }

    fn agreements(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.home.join("policies/agreements")).unwrap();
        let names = folder.map(|entry| entry.unwrap().path());
        let names = names.filter(|path| path.extension().is_some_and(|end| end == "toml"));
        names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    pub fn start(&mut self) {
        let configuration = config::load(&self.home.join("tolbooth.toml")).unwrap();
        let started = app::start(configuration, self.clock.clone());
        self.running = Some(started.unwrap_or_else(|fault| panic!("{fault}")));
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// A system with a certificate of its member's, as `member/system`: the same each time.
    pub fn system(&self, system: &str) -> Partner {
        let files = ["pem", "key"].map(|end| self.keys.join(format!("{system}.{end}")));
        if !files[0].exists() {
            self.certify(system, &files);
        }
        let [certificate, key] = files;
        let files = trial::Partner { certificate, key };
        Partner::new(&self.home.join("certs/glenmore-ca.pem"), &files, self.running().partners)
    }

    fn certify(&self, system: &str, [certificate, key]: &[PathBuf; 2]) {
        let (member, name) = system.split_once('/').unwrap();
        let (id, authority) = self.authorities.iter().find(|(id, _)| id.as_str() == member).unwrap();
        let domain = TrustDomain::new(id.clone(), FEDERATION).unwrap();
        let life = Lifetime { now: self.began, days: DAYS };
        let spiffe = SpiffeId { domain, system: SystemName::new(name).unwrap() };
        let made = authority.client(&spiffe, life).unwrap();
        write(certificate, &made.certificate);
        write(key, &made.key);
        owners_alone(key);
    }
}

impl Drop for Federation {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.join();
        }
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn owners_alone(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).unwrap();
        }
    }
}
