//! From the text of a token to its claims, or why not. RFC 9068 section 4, under RFC 8725.
//!
//! The order matters: form, header, key, signature, claims. Nothing in the token chooses how it is checked
//! but `alg` and `kid`, each out of a closed list that belongs to the issuer: no key and no address of one is
//! ever taken from a token, and nothing is fetched for one.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::crypto::Sha256;
use crate::json::{Document, Kind, Node};
use crate::model::limits::CLAIM_BYTES_MAX;
use crate::model::{AgreementId, PurposeCode, SystemId};
use crate::tls::SpiffeId;

use super::TOKEN_BYTES_MAX;
use super::claims::{Claims, Says, Scope};
use super::fault::TokenFault;
use super::issuer::{ClientNames, Issuer, Issuers, Mapping};
use super::key::{Algorithm, KeySet, decode};

/// The header is flat; claims nest as far as `cnf` and what an issuer adds for itself.
const HEADER_DEPTH_MAX: usize = 2;
const CLAIMS_DEPTH_MAX: usize = 8;
const AUDIENCES_MAX: usize = 16;
/// Roles an issuer may say of one user.
const ROLES_MAX: usize = 64;
/// Of `jti`, `sub` and the like: names, not documents.
const TEXT_BYTES_MAX: usize = 512;
/// The end of the year 9999: what is later is a mistake, or meant to be for ever.
const TIME_MAX: i64 = 253_402_300_799;

/// RFC 9068 section 2.1: both spellings, and no other.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];
/// `x5t` and `x5t#S256` only name a certificate of the issuer's key, and are not looked at. All else that
/// could stand here chooses keys (`jwk`, `jku`, `x5c`, `x5u`) or the way of checking (`crit`, `b64`, `zip`).
const HEADERS: [&str; 5] = ["typ", "alg", "kid", "x5t", "x5t#S256"];

/// A token whose signature is its issuer's, and what it was verified with: where one of those is replaced,
/// so is this.
#[derive(Debug, Clone)]
pub struct Verified {
    pub issuer: Arc<Issuer>,
    pub keys: Arc<KeySet>,
    pub claims: Arc<Claims>,
}

/// Verifies a token as its issuer's. Whether it is for whoever presents it, here and now, is
/// [`Claims::fit`]'s to say.
pub fn verify(token: &str, issuers: &Issuers) -> Result<Verified, TokenFault> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenFault::TooLarge);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Form)?;
    let (header, claims) = message.split_once('.').ok_or(TokenFault::Form)?;
    // A further dot is no letter of base64url. An empty signature is `none` by another name.
    if decode(signature).is_none_or(|signature| signature.is_empty()) {
        return Err(TokenFault::Form);
    }
    let (header, claims) = (decode(header), decode(claims));
    let (header, claims) = header.zip(claims).ok_or(TokenFault::Form)?;
    let (algorithm, key_id) = read_header(header)?;
    let claims = Document::parse(Bytes::from(claims), CLAIMS_DEPTH_MAX).map_err(|_| TokenFault::Claims)?;
    let claims = claims.root();
    if claims.kind() != Kind::Object {
        return Err(TokenFault::Claims);
    }
    let issuer = issuers.get(&text(&claims, "iss")?).ok_or(TokenFault::Issuer)?;
    let keys = issuer.keys.load_full();
    let key = keys.get(&key_id).ok_or_else(|| issuer.miss(&keys))?;
    if !key.allows(algorithm) || !issuer.algorithms.contains(&algorithm) {
        return Err(TokenFault::Algorithm);
    }
    if !key.verifies(algorithm, message.as_bytes(), signature) {
        return Err(TokenFault::Signature);
    }
    let claims = Arc::new(read_claims(&claims, issuer)?);
    Ok(Verified { issuer: Arc::clone(issuer), keys, claims })
}

/// Whose a token says it is, if it is one that says so: by this alone nobody believes it.
pub fn issuer_said(token: &str) -> Option<String> {
    let (message, _) = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_BYTES_MAX)?;
    let (_, claims) = message.split_once('.')?;
    let claims = Document::parse(Bytes::from(decode(claims)?), CLAIMS_DEPTH_MAX).ok()?;
    text(&claims.root(), "iss").ok()
}

/// The algorithm and the key a header names.
fn read_header(header: Vec<u8>) -> Result<(Algorithm, String), TokenFault> {
    let header = Document::parse(Bytes::from(header), HEADER_DEPTH_MAX).map_err(|_| TokenFault::Header)?;
    let header = header.root();
    if header.kind() != Kind::Object {
        return Err(TokenFault::Header);
    }
    if header.named().any(|(name, _)| !HEADERS.iter().any(|known| name.is(known))) {
        return Err(TokenFault::HeaderNotAllowed);
    }
    let word = |name: &str| header.get(name).and_then(|node| node.text());
    if !word("typ").is_some_and(|typ| TYPES.contains(&typ.as_ref())) {
        return Err(TokenFault::Type);
    }
    let algorithm = word("alg").and_then(|alg| Algorithm::parse(&alg)).ok_or(TokenFault::Algorithm)?;
    // Looked up as it is spelt, in a table: it never names a file, a query or an address.
    Ok((algorithm, word("kid").ok_or(TokenFault::Key)?.into_owned()))
}

/// The claims RFC 9068 section 2.2 requires, and those the issuer is asked for.
fn read_claims(claims: &Node<'_>, issuer: &Issuer) -> Result<Claims, TokenFault> {
    let (issued, expires) = (seconds(claims, "iat")?, seconds(claims, "exp")?);
    let not_before = claims.get("nbf").map(|_| seconds(claims, "nbf")).transpose()?;
    if expires.saturating_sub(issued) > issuer.lifetime_seconds_max {
        return Err(TokenFault::Lifetime);
    }
    text(claims, "jti")?;
    text(claims, "sub")?;
    claims_of(claims, issuer, Times { issued, not_before, expires })
}

/// When a token counts, in seconds since 1970.
pub(super) struct Times {
    pub(super) issued: i64,
    pub(super) not_before: Option<i64>,
    pub(super) expires: i64,
}

/// What is asked of a JWT's claims and of what an issuer says of an opaque token alike.
pub(super) fn claims_of(claims: &Node<'_>, issuer: &Issuer, times: Times) -> Result<Claims, TokenFault> {
    let Times { issued, not_before, expires } = times;
    let certificate = thumbprint(claims).ok_or(TokenFault::Unbound)?;
    let audiences = audiences(claims).ok_or(TokenFault::Audience)?;
    let (client, federation) = client(claims, &issuer.mapping)?;
    let scope = if issuer.mapping.scoped {
        let scope = text(claims, "scope")?;
        Some(Scope::parse(&scope).ok_or(TokenFault::Claim("scope"))?)
    } else {
        None
    };
    let user = user(claims, &issuer.mapping)?;
    let role = role(claims, &issuer.mapping)?;
    let speaks = issuer.listed.then(|| Arc::clone(&issuer.name));
    let says = Says { user: issuer.mapping.user.is_some(), role: issuer.mapping.role.is_some() };
    Ok(Claims {
        client,
        federation,
        audiences,
        certificate,
        issued,
        not_before,
        expires,
        scope,
        user,
        role,
        speaks,
        says,
    })
}

/// A text that is there, is not empty, and is short.
pub(super) fn text(claims: &Node<'_>, name: &'static str) -> Result<String, TokenFault> {
    let text = claims.get(name).and_then(|node| node.text());
    // A scope lists agreements; the token as a whole bounds it.
    let bytes_max = if name == "scope" { TOKEN_BYTES_MAX } else { TEXT_BYTES_MAX };
    let legal = |text: &str| !text.is_empty() && text.len() <= bytes_max;
    text.filter(|text| legal(text)).map(|text| text.into_owned()).ok_or(TokenFault::Claim(name))
}

/// The user, where the issuer says who it is.
fn user(claims: &Node<'_>, mapping: &Mapping) -> Result<Option<String>, TokenFault> {
    let node = mapping.user.as_deref().and_then(|path| claims.pointer(path));
    node.map(|node| printable(&node).ok_or(TokenFault::Claim("of the user"))).transpose()
}

/// The role in our words, where the issuer says one. Of several it says, exactly one must mean something
/// here: which of two somebody acts in is not ours to choose.
fn role(claims: &Node<'_>, mapping: &Mapping) -> Result<Option<String>, TokenFault> {
    let fault = TokenFault::Claim("of the role");
    let Some(node) = mapping.role.as_deref().and_then(|path| claims.pointer(path)) else { return Ok(None) };
    let theirs: Vec<Node<'_>> = match node.kind() {
        Kind::Array => node.items().take(ROLES_MAX + 1).collect(),
        _ => vec![node],
    };
    if theirs.len() > ROLES_MAX {
        return Err(fault);
    }
    let theirs: Vec<String> = theirs.iter().map(printable).collect::<Option<_>>().ok_or(fault)?;
    let ours: BTreeSet<&String> = theirs.iter().filter_map(|theirs| mapping.roles.get(theirs)).collect();
    let mut ours = ours.into_iter();
    match (ours.next(), ours.next()) {
        (Some(role), None) => Ok(Some(role.clone())),
        _ => Err(fault),
    }
}

/// A text as the header it stands for would be: bounded and printable.
fn printable(node: &Node<'_>) -> Option<String> {
    let text = node.text().filter(|text| {
        let trimmed = text.trim() == text && !text.is_empty();
        trimmed && text.len() <= CLAIM_BYTES_MAX && !text.chars().any(char::is_control)
    });
    text.map(|text| text.into_owned())
}

/// A time as whole seconds (of the forms RFC 7519 section 2 allows, the one that has one reading).
pub(super) fn seconds(claims: &Node<'_>, name: &'static str) -> Result<i64, TokenFault> {
    let seconds = claims.get(name).and_then(|node| node.integer());
    seconds.filter(|seconds| (0..=TIME_MAX).contains(seconds)).ok_or(TokenFault::Claim(name))
}

/// RFC 8705 section 3.1. A further member would be a second proof nobody here can ask for.
fn thumbprint(claims: &Node<'_>) -> Option<Sha256> {
    let cnf = claims.get("cnf").filter(|cnf| cnf.kind() == Kind::Object)?;
    if cnf.named().count() != 1 {
        return None;
    }
    decode(&cnf.get("x5t#S256")?.text()?)?.try_into().ok()
}

/// One name, or several (RFC 7519 section 4.1.3).
fn audiences(claims: &Node<'_>) -> Option<Vec<String>> {
    let aud = claims.get("aud")?;
    let names: Vec<Node<'_>> = match aud.kind() {
        Kind::String => vec![aud],
        Kind::Array => aud.items().take(AUDIENCES_MAX + 1).collect(),
        _ => return None,
    };
    if names.is_empty() || names.len() > AUDIENCES_MAX {
        return None;
    }
    names.iter().map(|name| Some(name.text().filter(|name| !name.is_empty())?.into_owned())).collect()
}

/// The system the token was given to, and its federation where the name says it.
fn client(claims: &Node<'_>, mapping: &Mapping) -> Result<(SystemId, Option<String>), TokenFault> {
    let client = text(claims, "client_id")?;
    match &mapping.clients {
        ClientNames::Spiffe => {
            // RFC 9068 section 2.2: with client credentials the subject is the client.
            if text(claims, "sub")? != client {
                return Err(TokenFault::Claim("sub"));
            }
            let id = SpiffeId::parse(&client).ok_or(TokenFault::Claim("client_id"))?;
            Ok((id.system_id(), Some(id.domain.federation().to_owned())))
        }
        ClientNames::Listed(names) => Ok((names.get(&client).ok_or(TokenFault::OtherClient)?.clone(), None)),
    }
}

impl Scope {
    /// Reads `agreement:<id>` and `purpose:<code>`, one blank between them (RFC 6749 section 3.3).
    pub fn parse(text: &str) -> Option<Self> {
        let (mut agreements, mut purposes) = (BTreeSet::new(), BTreeSet::new());
        for word in text.split(' ') {
            match word.split_once(':')? {
                ("agreement", id) => agreements.insert(AgreementId::new(id).ok()?),
                ("purpose", code) => purposes.insert(PurposeCode::parse(code)?),
                _ => return None,
            };
        }
        Some(Self { agreements, purposes })
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let agreements = self.agreements.iter().map(|id| format!("agreement:{id}"));
        let words: Vec<String> =
            agreements.chain(self.purposes.iter().map(|code| format!("purpose:{code}"))).collect();
        f.write_str(&words.join(" "))
    }
}
