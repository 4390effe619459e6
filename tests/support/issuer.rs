//! A real OAuth 2.0 server (npm `oidc-provider`) as a token issuer, over TLS with certificates of the
//! test's own. What it needs is installed once under `target/`, from the lock file in `oidc/`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::{Value, json};
use tolbooth::cli::trial;
use tolbooth::model::Digest;

use super::forge;
use super::partner::{Partner, Said};
use super::until;

/// The audience whose tokens are JWTs, and the one whose tokens are opaque.
pub const JWT: &str = "https://glenmore.example/jwt";
pub const OPAQUE: &str = "https://glenmore.example/opaque";

/// Who asks the issuer for tokens, and who asks it about them.
pub const NURSE_CLIENT: &str = "ed-trak";
pub const POLICE_CLIENT: &str = "control-room";
pub const KEY_CLIENT: &str = "ed-trak-key";
pub const GATEWAY_TLS: &str = "gateway-tls";
pub const GATEWAY_KEY: &str = "gateway-key";

pub struct Issuer {
    child: Child,
    orders: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
    configuration: PathBuf,
    pub address: SocketAddr,
    /// What its certificate is under.
    pub ca: PathBuf,
    /// What the gateway shows it.
    pub client: trial::Partner,
    /// What the gateway signs for it, and the partner.
    pub key: PathBuf,
    pub partner_key: PathBuf,
}

impl Issuer {
    /// Starts one for the federation `home` is the gateway of. Its tokens live for `seconds`.
    pub fn start(home: &Path, seconds: u32) -> Self {
        let folder = home.parent().unwrap().join("issuer");
        std::fs::create_dir_all(&folder).unwrap();
        let (ca, certificate, key) = server_certificate(&folder);
        let client =
            forge::client(home, "glenmore", "introspects", &KeyPair::generate().unwrap(), |params| {
                params.subject_alt_names = vec![forge::uri("spiffe://glenmore.caledonia.example/gateway")];
            });
        let (gateway_key, gateway_public) = key_pair(&folder, "gateway-jwt");
        let (partner_key, partner_public) = key_pair(&folder, "partner-jwt");
        let client_ca = folder.join("clients-ca.pem");
        let cas = ["glenmore", "nhs-lomond", "police-caledonia"]
            .map(|member| std::fs::read_to_string(home.join(format!("certs/{member}-ca.pem"))).unwrap());
        std::fs::write(&client_ca, cas.concat()).unwrap();
        let name = |member: &str, system: &str| format!("spiffe://{member}.caledonia.example/{system}");
        let configuration = json!({
            "certificate": certificate, "key": key, "client_ca": client_ca,
            "seconds": seconds, "opaque": OPAQUE,
            "clients": [
                { "id": NURSE_CLIENT, "certificate_name": name("nhs-lomond", "ed-trak") },
                { "id": POLICE_CLIENT, "certificate_name": name("police-caledonia", "control-room") },
                { "id": KEY_CLIENT, "public_key": partner_public },
                { "id": GATEWAY_TLS, "certificate_name": name("glenmore", "gateway") },
                { "id": GATEWAY_KEY, "public_key": gateway_public },
            ],
            "claims": {
                NURSE_CLIENT: { "nhs": { "uid": "nurse-7", "roles": ["R8003"] } },
                KEY_CLIENT: { "nhs": { "uid": "nurse-8", "roles": ["R8003"] } },
                POLICE_CLIENT: { "nhs": { "uid": "officer-1", "roles": ["R8003"] } },
            },
        });
        let file = folder.join("issuer.json");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let (child, orders, said, address) = run(&file);
        Self { child, orders, said, configuration: file, address, ca, client, key: gateway_key, partner_key }
    }

    /// The issuer's name, as its tokens say it.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Changes what it says of its clients' users, or how long its tokens live, at its next start.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        let text = std::fs::read_to_string(&self.configuration).unwrap();
        let mut configuration: Value = serde_json::from_str(&text).unwrap();
        change(&mut configuration);
        std::fs::write(&self.configuration, configuration.to_string()).unwrap();
    }

    /// Signs with a new key from now on: the old one is gone, or stays beside it for `overlap`.
    pub fn rotate(&mut self, overlap: bool) {
        let order: &[u8] = if overlap { b"add\n" } else { b"rotate\n" };
        let before = self.heard("done");
        self.orders.as_mut().unwrap().write_all(order).unwrap();
        until("the issuer has a new key", || (self.heard("done") > before).then_some(()));
    }

    pub fn stop(&mut self) {
        self.orders = None;
        let _ended = self.child.wait();
    }

    /// Starts again at the same address. Its keys and opaque tokens are other ones.
    pub fn restart(&mut self) {
        self.stop();
        let port = self.address.port();
        self.change(|configuration| configuration["port"] = json!(port));
        (self.child, self.orders, self.said, self.address) = run(&self.configuration);
    }

    /// How often it was asked this, such as `POST /token/introspection`.
    pub fn heard(&self, line: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|known| *known == line).count()
    }

    /// A token for a client that shows `partner`'s certificate.
    pub fn token(&self, partner: &trial::Partner, client: &str, audience: &str) -> String {
        let said = self.ask(partner, "/token", &Self::grant(client, audience));
        assert_eq!(said.status, 200, "{:?}", said.body);
        said.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A token for a client that signs for itself; it is bound to `partner`'s certificate all the same.
    pub fn token_by_key(&self, partner: &trial::Partner, audience: &str) -> String {
        let assertion = super::jws::assertion(&self.partner_key, KEY_CLIENT, &self.url());
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let form = Self::grant(KEY_CLIENT, audience);
        let form = format!("{form}&client_assertion_type={kind}&client_assertion={assertion}");
        let said = self.ask(partner, "/token", &form);
        assert_eq!(said.status, 200, "{:?}", said.body);
        said.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub fn revoke(&self, partner: &trial::Partner, client: &str, token: &str) {
        let said = self.ask(partner, "/token/revocation", &format!("client_id={client}&token={token}"));
        assert_eq!(said.status, 200, "{:?}", said.body);
    }

    fn grant(client: &str, audience: &str) -> String {
        format!("grant_type=client_credentials&scope=ask&client_id={client}&resource={audience}")
    }

    pub fn get(&self, partner: &trial::Partner, path: &str) -> Said {
        let request = Request::get(path).header("host", self.address.to_string());
        let request = request.body(Full::new(Bytes::new())).unwrap();
        Partner::new(&self.ca, partner, self.address).send(request)
    }

    fn ask(&self, partner: &trial::Partner, path: &str, form: &str) -> Said {
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.to_owned())))
            .unwrap();
        Partner::new(&self.ca, partner, self.address).send(request)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Its own CA, and its certificate and key under it.
fn server_certificate(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let mut ca = CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    (write("ca.pem", &ca_pem), write("server.pem", &certificate), write("server.key", &key.serialize_pem()))
}

/// A key file, and its public half as PEM.
fn key_pair(folder: &Path, name: &str) -> (PathBuf, String) {
    let key = KeyPair::generate().unwrap();
    let path = folder.join(format!("{name}.key"));
    std::fs::write(&path, key.serialize_pem()).unwrap();
    (path, key.public_key_pem())
}

type Run = (Child, Option<ChildStdin>, Arc<Mutex<Vec<String>>>, SocketAddr);

fn run(configuration: &Path) -> Run {
    let log = configuration.with_extension("log");
    let mut child = Command::new("node")
        .arg(installed().join("server.mjs"))
        .arg(configuration)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap_or_else(|error| panic!("{NEEDS_NODE}: {error}"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let (lines, kept) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&said));
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            kept.lock().unwrap().push(line);
        }
    });
    let port = until("the issuer listens", || {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "the issuer ended: {}", std::fs::read_to_string(&log).unwrap());
        let said = said.lock().unwrap();
        said.iter().find_map(|line: &String| line.strip_prefix("listening ")?.parse::<u16>().ok())
    });
    let orders = child.stdin.take();
    (child, orders, said, SocketAddr::from(([127, 0, 0, 1], port)))
}

const NEEDS_NODE: &str = "these tests run a real token issuer and need Node.js 18 or later with npm \
                          (apt-get install nodejs npm)";

/// The folder it is installed in, once for each lock file, by whichever test comes first.
fn installed() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/oidc");
    let lock = std::fs::read(here.join("package-lock.json")).unwrap();
    let digest = Digest::of(&lock).hex();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oidc-{}", digest.get(..16).unwrap()));
    std::fs::create_dir_all(&folder).unwrap();
    let alone = File::create(folder.join("lock")).unwrap();
    alone.lock().unwrap();
    if !folder.join("installed").exists() {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(here.join(name), folder.join(name)).unwrap();
        }
        let done = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&folder)
            .output()
            .unwrap_or_else(|error| panic!("{NEEDS_NODE}: {error}"));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "`npm ci` could not install the token issuer for the tests: {said}");
        std::fs::write(folder.join("installed"), b"").unwrap();
    }
    // Beside what it imports: Node looks for that from where a file really lies.
    super::agreements::replace(&folder.join("server.mjs"), &std::fs::read(here.join("server.mjs")).unwrap());
    folder
}
