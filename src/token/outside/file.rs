//! `policies/issuers/*.toml`, format 1: an issuer of others, how its tokens are checked, and what its claims
//! mean here. Strict, all faults at once. Whether it may speak for a member is that member's entry's to say.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::config::strict::{self, Item, Table};
use crate::https::HttpsUrl;
use crate::model::{Faults, MemberId, RoleId, SystemId, SystemName};
use crate::tls::MessageKey;
use crate::token::issuer::{ClientNames, Mapping};
use crate::token::key::Algorithm;

const TEXT_CHARS_MAX: usize = 500;

/// An issuer as its file has it. Paths are as written.
#[derive(Debug)]
pub struct IssuerFile {
    pub name: String,
    pub audience: String,
    pub mapping: Mapping,
    pub way: Way,
}

/// How its tokens are checked.
#[derive(Debug)]
pub enum Way {
    Jwt { algorithms: Vec<Algorithm>, lifetime_seconds_max: i64, keys: KeysFrom },
    Opaque(AskFile),
}

/// Where its keys come from.
#[derive(Debug)]
pub enum KeysFrom {
    File(Named),
    Url {
        url: HttpsUrl,
        ca: Named,
        /// How long keys are used while newer ones cannot be had.
        kept_seconds_max: u64,
    },
}

/// How it is asked about a token (RFC 7662).
#[derive(Debug)]
pub struct AskFile {
    pub url: HttpsUrl,
    pub ca: Named,
    /// What it calls us.
    pub client: String,
    pub proof: ProofFile,
    pub seconds_max: u64,
    pub at_once_max: usize,
}

/// How we prove to it who we are.
#[derive(Debug)]
pub enum ProofFile {
    /// `tls_client_auth` (RFC 8705 section 2.1).
    Certificate { certificate: Named, key: Named },
    /// `private_key_jwt` (RFC 7523 section 2.2).
    Key { key: Named, algorithm: Option<String> },
}

/// A file that is named, and the line that names it.
#[derive(Debug)]
pub struct Named {
    pub file: String,
    pub line: usize,
}

impl IssuerFile {
    pub fn load(name: &str, text: &str) -> Result<Self, Faults> {
        strict::read(name, text, |root| {
            strict::format_1(root);
            let issuer = root.table("issuer");
            let clients = root.table("clients").and_then(clients);
            let claims = root.optional("claims").and_then(Item::table);
            let keys = root.optional("keys").and_then(Item::table);
            let introspection = root.optional("introspection").and_then(Item::table);
            let mapping = mapping(clients, claims.as_ref());
            drop(claims);
            let issuer = issuer?;
            let name = issuer.required("name").and_then(|item| item.parsed(HttpsUrl::parse));
            let audience = issuer.required("audience").and_then(|item| short(&item));
            let tokens =
                issuer.required("tokens").and_then(|item| item.word(&["jwt", "opaque"], |word| word));
            let way = match (tokens?, keys, introspection) {
                ("jwt", Some(keys), None) => jwt(&keys),
                ("opaque", None, Some(introspection)) => opaque(&introspection),
                (kind, keys, introspection) => {
                    for table in [keys, introspection].iter().flatten() {
                        table.leave_rest();
                    }
                    let wanted = if kind == "jwt" {
                        "[keys] and no [introspection]"
                    } else {
                        "[introspection] and no [keys]"
                    };
                    issuer.fault(format!("tokens of the kind `{kind}` want {wanted}"));
                    None
                }
            };
            Some(Self { name: name?.as_str().to_owned(), audience: audience?, mapping: mapping?, way: way? })
        })
    }
}

fn jwt(table: &Table<'_>) -> Option<Way> {
    let algorithms = table.required("algorithms").and_then(|item| algorithms(&item));
    let lifetime = count(table, "lifetime_seconds_max", 3600, 60..=86_400);
    let kept = count(table, "kept_seconds_max", 3600, 60..=86_400);
    let (url, file) = (table.optional("url"), table.optional("file"));
    let ca = table.optional("ca");
    let keys = match (url, file) {
        (Some(url), None) => {
            let ca = ca.or_else(|| table.required("ca"));
            let (url, ca) = (url.parsed(HttpsUrl::parse), ca.and_then(|item| named(&item)));
            url.zip(ca).map(|(url, ca)| KeysFrom::Url { url, ca, kept_seconds_max: kept })
        }
        (None, Some(file)) => {
            if let Some(ca) = ca {
                ca.fault("nothing is fetched from anywhere: the keys lie in a file");
            }
            named(&file).map(KeysFrom::File)
        }
        _ => {
            table.fault("the keys come from `url` or from `file`, and not from both");
            None
        }
    };
    Some(Way::Jwt {
        algorithms: algorithms?,
        lifetime_seconds_max: i64::try_from(lifetime).ok()?,
        keys: keys?,
    })
}

fn algorithms(item: &Item<'_>) -> Option<Vec<Algorithm>> {
    let items = item.list()?;
    let read: Vec<_> = items.iter().map(|item| item.word(&Algorithm::ALL, Algorithm::as_str)).collect();
    let algorithms = read.into_iter().collect::<Option<Vec<_>>>()?;
    if algorithms.is_empty() {
        item.fault("name the algorithms this issuer signs with");
        return None;
    }
    Some(algorithms)
}

fn opaque(table: &Table<'_>) -> Option<Way> {
    let url = table.required("url").and_then(|item| item.parsed(HttpsUrl::parse));
    let ca = table.required("ca").and_then(|item| named(&item));
    let client = table.required("client").and_then(|item| short(&item));
    let seconds_max = count(table, "seconds_max", 3, 1..=10);
    let at_once_max = usize::try_from(count(table, "at_once_max", 16, 1..=256)).ok()?;
    let file = |key| table.optional(key).and_then(|item| named(&item));
    let (certificate, key, signing) = (file("certificate"), file("key"), file("signing_key"));
    let algorithm = table.optional("algorithm");
    let proof = match (certificate, key, signing) {
        (Some(certificate), Some(key), None) => {
            if let Some(algorithm) = algorithm {
                algorithm.fault("goes with `signing_key` alone");
            }
            Some(ProofFile::Certificate { certificate, key })
        }
        (None, None, Some(key)) => {
            let known: Vec<&'static str> = MessageKey::algorithms().collect();
            let algorithm = match algorithm {
                Some(item) => Some(item.word(&known, |word| word)?.to_owned()),
                None => None,
            };
            Some(ProofFile::Key { key, algorithm })
        }
        _ => {
            table.fault(
                "we prove who we are with `certificate` and `key`, or with `signing_key`, and not with both",
            );
            None
        }
    };
    Some(Way::Opaque(AskFile {
        url: url?,
        ca: ca?,
        client: client?,
        proof: proof?,
        seconds_max,
        at_once_max,
    }))
}

/// The systems its clients are, by the names it has for them.
fn clients(table: Table<'_>) -> Option<ClientNames> {
    if table.is_empty() {
        table.fault_with_help("there is no client", "write `\"<its client_id>\" = \"<member>/<system>\"`");
    }
    let entries = table.entries();
    let read = |(name, item): (String, Item<'_>)| Some((name, item.parsed(system)?));
    let read: Vec<_> = entries.into_iter().map(read).collect();
    let names: BTreeMap<String, SystemId> = read.into_iter().collect::<Option<_>>()?;
    (!names.is_empty()).then_some(ClientNames::Listed(names))
}

fn system(text: &str) -> Result<SystemId, String> {
    let (member, system) = text.split_once('/').ok_or("wanted `<member>/<system>`")?;
    let member = MemberId::new(member).map_err(|error| error.to_string())?;
    let system = SystemName::new(system).map_err(|error| error.to_string())?;
    Ok(SystemId { member, system })
}

/// What its claims say in our words.
fn mapping(clients: Option<ClientNames>, table: Option<&Table<'_>>) -> Option<Mapping> {
    let Some(table) = table else {
        let roles = BTreeMap::new();
        return Some(Mapping { clients: clients?, user: None, role: None, roles, scoped: false });
    };
    let path =
        |key| table.optional(key).map(|item| item.parsed(pointer)).map_or(Some(None), |path| path.map(Some));
    let (user, role) = (path("user"), path("role"));
    let scoped = table.optional("scope").map_or(Some(false), |item| item.boolean());
    let roles = table.optional("roles");
    let has_role = !matches!(role, Some(None));
    match (has_role, &roles) {
        (true, None) => table.fault_with_help(
            "its roles mean nothing here yet",
            "add [claims.roles]: its name of a role = ours",
        ),
        (false, Some(roles)) => roles.fault("wants `role`, the claim they stand in"),
        _ => {}
    }
    let entries = roles.and_then(Item::table).map(Table::entries).unwrap_or_default();
    let read = |(theirs, item): (String, Item<'_>)| Some((theirs, item.parsed(RoleId::new)?.to_string()));
    let read: Vec<_> = entries.into_iter().map(read).collect();
    let roles = read.into_iter().collect::<Option<_>>();
    Some(Mapping { clients: clients?, user: user?, role: role?, roles: roles?, scoped: scoped? })
}

/// A claim by its name, or by a JSON Pointer (RFC 6901) where it lies deeper: `/nhs/uid`.
fn pointer(text: &str) -> Result<String, &'static str> {
    let legal = !text.is_empty() && text.len() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control);
    match legal {
        false => Err("wanted the name of a claim, or a JSON Pointer such as `/nhs/uid`"),
        true if text.starts_with('/') => Ok(text.to_owned()),
        true => Ok(format!("/{}", text.replace('~', "~0").replace('/', "~1"))),
    }
}

fn short(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let legal =
        !text.is_empty() && text.len() <= TEXT_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !legal {
        item.fault(format!("wanted 1 to {TEXT_CHARS_MAX} visible ASCII characters without blanks"));
    }
    legal.then(|| text.to_owned())
}

fn named(item: &Item<'_>) -> Option<Named> {
    Some(Named { file: item.text()?.to_owned(), line: item.line() })
}

fn count(table: &Table<'_>, key: &'static str, default: u64, within: RangeInclusive<u64>) -> u64 {
    table.optional(key).and_then(|item| item.count(within)).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = r#"format = 1
[issuer]
name = "https://identity.nhs-lomond.example"
audience = "https://glenmore.example"
tokens = "jwt"
[keys]
url = "https://identity.nhs-lomond.example/jwks"
ca = "certs/identity-ca.pem"
algorithms = ["ES256"]
[clients]
"ed-trak.7" = "nhs-lomond/ed-trak"
[claims]
user = "/nhs/uid"
role = "nhs/role"
[claims.roles]
R8003 = "ed_nurse"
"#;

    fn faults(text: &str) -> String {
        IssuerFile::load("i.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_issuer_of_jwts_is_read() {
        let file = IssuerFile::load("i.toml", JWT).unwrap();
        assert_eq!(file.mapping.user.as_deref(), Some("/nhs/uid"));
        assert_eq!(file.mapping.role.as_deref(), Some("/nhs~1role"));
        assert_eq!(file.mapping.roles["R8003"], "ed_nurse");
        assert!(matches!(&file.mapping.clients, ClientNames::Listed(names) if names.len() == 1));
        let Way::Jwt { algorithms, lifetime_seconds_max: 3600, keys: KeysFrom::Url { .. } } = file.way else {
            panic!("{:?}", file.way)
        };
        assert_eq!(algorithms, [Algorithm::Es256]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = JWT
            .replace(
                "https://identity.nhs-lomond.example\"\naud",
                "http://identity.nhs-lomond.example\"\naud",
            )
            .replace("/jwks", "/jwks?a=b")
            .replace("ES256", "HS256")
            .replace("nhs-lomond/ed-trak", "ed-trak")
            .replace("ed_nurse", "Nurse")
            .replace("ca = ", "cas = ");
        let told = faults(&text);
        for wanted in [
            "i.toml:3: `issuer.name`: not an https url",
            "`keys.url`: no query or fragment belongs here",
            "`keys.algorithms[0]`: `HS256` is not known here",
            "`ca` is missing in [keys]",
            "unknown key `cas` in [keys]\n    did you mean `ca`?",
            "`clients.ed-trak.7`: wanted `<member>/<system>`",
            "`claims.roles.R8003`: `Nurse` is not a role",
        ] {
            assert!(told.contains(wanted), "{wanted}\n---\n{told}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let opaque = r#"[introspection]
url = "https://identity.nhs-lomond.example/introspect"
ca = "ca.pem"
client = "glenmore"
"#;
        let (head, rest) = JWT.split_once("[keys]").unwrap();
        let (_, rest) = rest.split_once("[clients]").unwrap();
        let of = |more: &str| {
            let head = head.replace("\"jwt\"", "\"opaque\"");
            format!("{head}{opaque}{more}\n[clients]{rest}")
        };
        for good in ["certificate = \"a\"\nkey = \"b\"", "signing_key = \"a\"\nalgorithm = \"RS512\""] {
            assert!(IssuerFile::load("i.toml", &of(good)).is_ok(), "{good}");
        }
        for (text, wanted) in [
            (of(""), "we prove who we are with"),
            (of("certificate = \"a\""), "we prove who we are with"),
            (of("certificate = \"a\"\nkey = \"b\"\nsigning_key = \"c\""), "we prove who we are with"),
            (of("certificate = \"a\"\nkey = \"b\"\nalgorithm = \"ES256\""), "goes with `signing_key` alone"),
            (of("signing_key = \"a\"\nalgorithm = \"HS256\""), "`HS256` is not known here"),
            (JWT.replace("\"jwt\"", "\"opaque\""), "want [introspection] and no [keys]"),
            (format!("{JWT}{opaque}"), "want [keys] and no [introspection]"),
            (JWT.replace("ca = ", "file = \"k\"\nca = "), "not from both"),
            (JWT.replace("[\"ES256\"]", "[]"), "name the algorithms"),
            (JWT.replace("[claims.roles]\nR8003 = \"ed_nurse\"\n", ""), "its roles mean nothing here yet"),
            (JWT.replace("role = \"nhs/role\"\n", ""), "wants `role`"),
            (JWT.replace("\"ed-trak.7\" = \"nhs-lomond/ed-trak\"", ""), "there is no client"),
        ] {
            let told = faults(&text);
            assert!(told.contains(wanted), "{wanted}\n---\n{told}");
        }
    }
}
