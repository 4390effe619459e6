//! What a dataset file says of an HTTP source.
//!
//! ```toml
//! [source]
//! kind = "http"
//! url = "https://records.example/api"   # http or https; its path comes before every operation's
//! ca = "certs/records-ca.pem"           # https: whom to trust
//! certificate = "certs/tolbooth.pem"    # https: a client certificate, if it wants one
//! key = "secrets/tolbooth.key"
//! timeout_ms = 3000                     # the whole answer; the exchange's own deadline may be earlier
//! connect_timeout_ms = 1000
//! answer_bytes_max = 8388608
//! connections_max = 256                 # in flight at once
//! headers = [{ name = "authorization", file = "secrets/records" }]   # the value is the file's
//! forward_headers = ["x-correlation-id"]
//!
//! [[operation]]
//! id = "check"
//! method = "POST"
//! path = "/clients/{chi}"               # every field here has to be required
//! query = { mode = "full", area = "{area}" }   # an absent or null field leaves its parameter out
//! headers = { x-area = "{area}" }
//! body = { chi = "{chi}", deep = { full = true } }   # "{field}" alone keeps the field's type
//! document = "/clients/0"               # JSON Pointer (RFC 6901); the whole answer if not given
//! no_match = ["status 404", "empty document", "missing document"]
//! rename = { date_of_birth = "/dob", "address.street" = "/line1" }
//! ```

use std::time::Duration;

use ::http::{HeaderName, Method};

use super::body::Body;
use super::url::BaseUrl;
use crate::config::strict::{Item, Table};
use crate::model::{FieldPath, limits};
use crate::source::dataset::{OperationFile, file_name};
use crate::source::template::{self, Template};

#[derive(Debug, Clone)]
pub struct HttpFile {
    pub url: BaseUrl,
    pub tls: Option<TlsFile>,
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub answer_bytes_max: usize,
    pub connections_max: usize,
    pub headers: Vec<SecretHeader>,
    pub forward: Vec<HeaderName>,
    pub operations: Vec<HttpOperation>,
}

#[derive(Debug, Clone)]
pub struct TlsFile {
    pub line: usize,
    pub ca: String,
    /// Certificate and key.
    pub client: Option<(String, String)>,
}

/// A header sent with every request; its value lies in a file, so that a dataset file holds no secret.
#[derive(Debug, Clone)]
pub struct SecretHeader {
    pub name: HeaderName,
    pub file: String,
    pub line: usize,
}

#[derive(Debug, Clone)]
pub struct HttpOperation {
    pub head: OperationFile,
    pub method: Method,
    /// Each segment without its slash.
    pub path: Vec<Template>,
    /// Names already percent-encoded, with their `=`.
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(HeaderName, Template)>,
    pub body: Option<Body>,
    pub document: String,
    pub no_match: NoMatchFile,
    pub renames: Vec<Rename>,
}

/// What means no match, out of a closed list.
#[derive(Debug, Clone, Default)]
pub struct NoMatchFile {
    pub statuses: Vec<u16>,
    /// Null, an empty object or list, or past the end of a list that is there.
    pub empty: bool,
    /// The pointer leads nowhere. Apart from `empty`, because an answer that lacks a member may as
    /// well be an error told with status 200.
    pub missing: bool,
}

#[derive(Debug, Clone)]
pub struct Rename {
    pub field: FieldPath,
    pub pointer: String,
    pub line: usize,
}

impl HttpFile {
    pub fn read(source: &Table<'_>, operations: &[Table<'_>]) -> Option<Self> {
        let url = source.required("url").and_then(|item| item.parsed(BaseUrl::parse));
        let tls = tls(source, url.as_ref());
        let timeout = count(source, "timeout_ms", 3_000, 1..=120_000);
        let connect_timeout = count(source, "connect_timeout_ms", 1_000, 1..=120_000);
        let bytes_max = count(source, "answer_bytes_max", limits::ANSWER_BYTES_MAX as u64, 1..=256 << 20);
        let connections_max = count(source, "connections_max", 256, 1..=10_000);
        let headers = secret_headers(source);
        let forward = forward(source);
        let read: Vec<_> = operations.iter().map(|table| (table, HttpOperation::read(table))).collect();
        let fixed: Vec<&HeaderName> = headers.iter().map(|header| &header.name).collect();
        once(source, fixed.iter().copied().chain(&forward));
        for (table, operation) in &read {
            let own = operation.iter().flat_map(|operation| operation.headers.iter().map(|(name, _)| name));
            once(table, own.chain(fixed.iter().copied()).chain(&forward));
        }
        Some(Self {
            url: url?,
            tls: tls?,
            timeout: Duration::from_millis(timeout?),
            connect_timeout: Duration::from_millis(connect_timeout?),
            answer_bytes_max: usize::try_from(bytes_max?).ok()?,
            connections_max: usize::try_from(connections_max?).ok()?,
            headers,
            forward,
            operations: read.into_iter().map(|(_, operation)| operation).collect::<Option<_>>()?,
        })
    }
}

pub fn count(
    table: &Table<'_>,
    key: &'static str,
    default: u64,
    within: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    table.optional(key).map_or(Some(default), |item| item.count(within))
}

/// The outer `None` is a fault that was reported.
#[expect(clippy::option_option, reason = "a fault, no TLS, and TLS are three things")]
fn tls(source: &Table<'_>, url: Option<&BaseUrl>) -> Option<Option<TlsFile>> {
    let file = |key| source.optional(key).map(|item| item.parsed(file_name));
    let (ca, certificate, key) = (file("ca"), file("certificate"), file("key"));
    match (url?.tls, ca) {
        (false, None) if certificate.is_none() && key.is_none() => Some(None),
        (false, _) => {
            source.fault("`ca`, `certificate` and `key` are for an https url");
            None
        }
        (true, None) => {
            source.fault_with_help("an https url wants `ca`", "write the file whose certificates to trust");
            None
        }
        (true, Some(ca)) => {
            let client = match (certificate, key) {
                (None, None) => None,
                (Some(certificate), Some(key)) => Some((certificate?, key?)),
                _ => {
                    source.fault("`certificate` and `key` go together");
                    return None;
                }
            };
            Some(Some(TlsFile { line: source.line(), ca: ca?, client }))
        }
    }
}

fn secret_headers(source: &Table<'_>) -> Vec<SecretHeader> {
    let read = |table: Table<'_>| {
        let name = table.required("name").and_then(|item| item.parsed(header_name));
        let file = table.required("file").and_then(|item| item.parsed(file_name));
        Some(SecretHeader { name: name?, file: file?, line: table.line() })
    };
    source.tables("headers").into_iter().filter_map(read).collect()
}

fn forward(source: &Table<'_>) -> Vec<HeaderName> {
    let items = source.optional("forward_headers").and_then(|item| item.list()).unwrap_or_default();
    items.iter().filter_map(|item| item.parsed(forwarded_name)).collect()
}

/// Reports a header that would be set twice.
fn once<'n>(table: &Table<'_>, names: impl Iterator<Item = &'n HeaderName>) {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            table.fault(format!("the header `{name}` is set twice"));
        }
        seen.push(name);
    }
}

/// A header the dataset file may set: not one that frames the message or steers the connection.
fn header_name(text: &str) -> Result<HeaderName, String> {
    const OURS: [&str; 13] = [
        "host",
        "connection",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "accept-encoding",
        "proxy-connection",
    ];
    let name =
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("`{text}` is not a header name"))?;
    if OURS.contains(&name.as_str()) {
        return Err(format!("the header `{name}` is set by the gateway alone"));
    }
    Ok(name)
}

/// A header of the caller that may go on: not one that could speak for the gateway.
fn forwarded_name(text: &str) -> Result<HeaderName, String> {
    let name = header_name(text)?;
    let speaks = matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie" | "forwarded")
        || name.as_str().starts_with("x-forwarded-");
    if speaks { Err(format!("the caller's `{name}` is never forwarded")) } else { Ok(name) }
}

impl HttpOperation {
    fn read(table: &Table<'_>) -> Option<Self> {
        let head = OperationFile::read(table);
        let method = table.required("method").and_then(|item| item.parsed(method));
        let path = table.required("path").and_then(|item| item.parsed(path));
        let query = pairs(table, "query", query_pair);
        let headers = pairs(table, "headers", header_pair);
        let body = table.optional("body").map(|item| body(item, method.as_ref()));
        let document = table.optional("document").map_or(Some(String::new()), |item| item.parsed(pointer));
        let no_match = no_match(table);
        let renames = renames(table);
        Some(Self {
            head: head?,
            method: method?,
            path: path?,
            query: query?,
            headers: headers?,
            body: body.map_or(Some(None), |body| body.map(Some))?,
            document: document?,
            no_match: no_match?,
            renames: renames?,
        })
    }
}

fn body(item: Item<'_>, method: Option<&Method>) -> Option<Body> {
    if method == Some(&Method::GET) {
        item.fault("a GET has no body");
        return None;
    }
    Body::read(item)
}

fn method(text: &str) -> Result<Method, String> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    known
        .into_iter()
        .find(|method| method.as_str() == text)
        .ok_or_else(|| format!("`{text}` is not GET, POST, PUT, PATCH or DELETE"))
}

fn path(text: &str) -> Result<Vec<Template>, String> {
    let rest = text.strip_prefix('/').ok_or("a path begins with `/`")?;
    let segments: Vec<&str> = rest.split('/').collect();
    let last = segments.len() - 1;
    let segment = |(index, text): (usize, &&str)| {
        if text.is_empty() && index < last {
            return Err("a path has no empty segment".to_owned());
        }
        let template = Template::parse(text)?;
        if !template.literals().all(is_path_literal) || matches!(*text, "." | "..") {
            return Err(format!("`{text}` cannot be written in a path: percent-encode it"));
        }
        Ok(template)
    };
    segments.iter().enumerate().map(segment).collect()
}

/// `pchar` of RFC 3986 section 3.3.
fn is_path_literal(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&b))
}

/// The entries of an optional table of templates.
fn pairs<T>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(&str, &Item<'_>) -> Result<T, String>,
) -> Option<Vec<T>> {
    let Some(item) = table.optional(key) else { return Some(Vec::new()) };
    let entries = item.table()?.entries();
    let read = |(name, item): &(String, Item<'_>)| read(name, item).map_err(|error| item.fault(error)).ok();
    // All of them are read before one that failed counts.
    entries.iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

fn template_of(item: &Item<'_>) -> Result<Template, String> {
    match item.is_text() {
        true => Template::parse(item.text().unwrap_or_default()),
        false => Err("a text is wanted here: write it in quotes".to_owned()),
    }
}

fn query_pair(name: &str, item: &Item<'_>) -> Result<(String, Template), String> {
    let mut out = Vec::new();
    template::query(name, &mut out).map_err(|fault| fault.to_string())?;
    out.push(b'=');
    let template = template_of(item)?.escaped(template::query).map_err(|fault| fault.to_string())?;
    Ok((String::from_utf8_lossy(&out).into_owned(), template))
}

fn header_pair(name: &str, item: &Item<'_>) -> Result<(HeaderName, Template), String> {
    let template = template_of(item)?;
    if !template.literals().all(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())) {
        return Err("only visible ASCII can be in a header".to_owned());
    }
    Ok((header_name(name)?, template))
}

/// A JSON Pointer (RFC 6901): empty, or `/`-led with `~0` and `~1` as the only escapes.
fn pointer(text: &str) -> Result<String, String> {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && escapes {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not a JSON Pointer, such as `/clients/0`"))
    }
}

fn no_match(table: &Table<'_>) -> Option<NoMatchFile> {
    let mut out = NoMatchFile::default();
    let Some(item) = table.optional("no_match") else { return Some(out) };
    let mut good = true;
    for item in item.list()? {
        let word = item.text().unwrap_or_default();
        match word {
            "empty document" => out.empty = true,
            "missing document" => out.missing = true,
            _ => match status(word) {
                Ok(status) => out.statuses.push(status),
                Err(error) => {
                    item.fault(error);
                    good = false;
                }
            },
        }
    }
    out.statuses.sort_unstable();
    out.statuses.dedup();
    good.then_some(out)
}

/// `status NNN`, of those that can say that there is no such record and are not a fault by definition.
fn status(word: &str) -> Result<u16, String> {
    let code = word.strip_prefix("status ").and_then(|code| code.parse::<u16>().ok()).ok_or_else(|| {
        "write `status 404`, `empty document` (null, {}, [] or past the end of a list) or `missing document`"
            .to_owned()
    })?;
    match code {
        401 | 407 | 408 | 429 => Err(format!("{code} is a fault of the exchange and never means no match")),
        204 | 400..=499 => Ok(code),
        _ => Err(format!("{code} never means no match: only 204 and 400 to 499 can")),
    }
}

fn renames(table: &Table<'_>) -> Option<Vec<Rename>> {
    pairs(table, "rename", |name, item| {
        let field = FieldPath::parse(name).map_err(|error| error.to_string())?;
        if !item.is_text() {
            return Err("a JSON Pointer in quotes is wanted here".to_owned());
        }
        let pointer = pointer(item.text().unwrap_or_default())?;
        if pointer.is_empty() {
            return Err("the empty pointer is the object itself".to_owned());
        }
        Ok(Rename { field, pointer, line: item.line() })
    })
}
