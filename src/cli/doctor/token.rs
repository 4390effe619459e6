//! An access token as it lies here, looked into and not verified: whom it is for, how long it lasts, and
//! whether it is bound to the certificate that is shown with it (RFC 7519, RFC 8705 section 3). Whether it
//! is genuine only the gateway can say. Nothing of it but these facts is printed.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::report::{Report, Stopped};
use crate::clock::Clock;
use crate::tls::Credential;

const STEP: &str = "token";
/// A token larger than a request head is none.
const BYTES_MAX: u64 = 16 * 1024;

pub(super) fn look(
    file: &Path,
    credential: Option<&Credential>,
    report: &mut Report,
    clock: &Clock,
) -> Result<Zeroizing<String>, Stopped> {
    let text = read(file).map_err(|why| report.bad(STEP, why, "give --token a file with the token alone"))?;
    let anew = "ask the token endpoint for a new one";
    let Some(claims) = claims(&text) else {
        report.good(STEP, "it is no JWT, so that only its issuer can say what it is");
        return Ok(text);
    };
    let time =
        |name: &str| claims.get(name).and_then(Value::as_i64).and_then(|at| Timestamp::from_second(at).ok());
    let now = clock.now();
    match time("exp") {
        Some(end) if end <= now => {
            return Err(report.bad(STEP, format!("it expired at {end} (here it is {now:.0})"), anew));
        }
        None => return Err(report.bad(STEP, "it does not say when it ends (exp)", anew)),
        Some(_) => {}
    }
    if let Some(begin) = time("nbf").filter(|begin| *begin > now) {
        return Err(report.bad(
            STEP,
            format!("it begins at {begin}, and here it is {now:.0}"),
            "set this machine's clock",
        ));
    }
    let binding = binding(&claims, credential)
        .map_err(|why| report.bad(STEP, why, "ask for the token with the certificate it is used with"))?;
    let word = |name: &str| claims.get(name).map_or_else(|| "not said".to_owned(), printable);
    let seconds = time("exp").map_or(0, |end| end.as_second() - now.as_second());
    report.good(
        STEP,
        format!(
            "issued by {}, for {}, for another {seconds} s, {binding}; not verified here",
            word("iss"),
            word("aud")
        ),
    );
    Ok(text)
}

fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let unread = |error: std::io::Error| format!("{}: {error}", file.display());
    if file == Path::new("-") {
        std::io::stdin().take(BYTES_MAX).read_to_string(&mut text).map_err(unread)?;
    } else {
        let opened = std::fs::File::open(file).map_err(unread)?;
        opened.take(BYTES_MAX).read_to_string(&mut text).map_err(unread)?;
    }
    let token = Zeroizing::new(text.trim().to_owned());
    // RFC 6750 section 2.1: b64token.
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || !token.bytes().all(legal) {
        return Err("it holds no token: a line of letters, digits and `-._~+/=` is wanted".to_owned());
    }
    Ok(token)
}

/// The claims of a JWT; `None` if it is none.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_head, body, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    claims.is_object().then_some(claims)
}

/// Whether it is bound to the certificate, in words; an error if it is bound to another.
fn binding(claims: &Value, credential: Option<&Credential>) -> Result<&'static str, String> {
    let bound = claims.get("cnf").and_then(|cnf| cnf.get("x5t#S256")).and_then(Value::as_str);
    match (bound, credential) {
        (None, _) => Ok("bound to no certificate"),
        (Some(_), None) => Err("it is bound to a certificate, and none was given (--cert, --key)".to_owned()),
        (Some(bound), Some(own)) if bound == URL_SAFE_NO_PAD.encode(own.certificate().digest.0) => {
            Ok("bound to this certificate")
        }
        (Some(_), Some(_)) => Err("it is bound to another certificate than the one given".to_owned()),
    }
}

/// Names of an issuer and of audiences, short and on one line.
fn printable(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}
