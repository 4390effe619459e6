//! A message as signatures see it: its control data and fields, and the value each component has in
//! it (RFC 9421 sections 2.1 and 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::Uri;
use http::{HeaderMap, HeaderName};

use super::component::{Component, Source};
use super::fault::ComponentFault;
use super::query;

/// A request, or an answer with the request it answers.
#[derive(Debug)]
pub struct Message<'m> {
    control: Control<'m>,
    fields: &'m HeaderMap,
    question: Option<&'m Message<'m>>,
}

#[derive(Debug)]
enum Control<'m> {
    Request { method: &'m str, scheme: &'m str, authority: String, path: &'m str, query: Option<&'m str> },
    Answer { status: u16 },
}

impl<'m> Message<'m> {
    /// A request that came over `scheme`. In HTTP/1.1 its authority stands in `Host`; where the target
    /// names one too, they are the same or there is none.
    pub fn request(method: &'m str, scheme: &'m str, target: &'m Uri, fields: &'m HeaderMap) -> Self {
        let path = if target.path().is_empty() { "/" } else { target.path() };
        let authority = authority(scheme, target, fields);
        let control = Control::Request { method, scheme, authority, path, query: target.query() };
        Self { control, fields, question: None }
    }

    /// An answer. Components with `req` are taken from `question` (section 2.4).
    pub fn answer(status: u16, fields: &'m HeaderMap, question: Option<&'m Message<'m>>) -> Self {
        Self { control: Control::Answer { status }, fields, question }
    }

    pub(super) fn fields(&self) -> &HeaderMap {
        self.fields
    }

    /// The value of a component, always printable ASCII on one line.
    pub(super) fn value(&self, component: &Component) -> Result<String, ComponentFault> {
        let message = match (component.of_the_question(), self.question) {
            (false, _) => self,
            (true, Some(question)) => question,
            (true, None) => return Err(component.fault("has the parameter `req`, and this is no answer")),
        };
        let value = match component.source() {
            Source::Field { name, wrapped } => message.field(name, *wrapped),
            derived => message.derived(derived),
        };
        let value = value.map_err(|why| component.fault(why))?;
        // Section 2.5: a newline could pretend to be another component.
        let printable = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if printable { Ok(value) } else { Err(component.fault("is not ASCII: cover it with `bs`")) }
    }

    fn derived(&self, target: &Source) -> Result<String, &'static str> {
        let (method, scheme, authority, path, query) = match &self.control {
            Control::Request { method, scheme, authority, path, query } => {
                (*method, *scheme, authority.as_str(), *path, *query)
            }
            Control::Answer { status } if *target == Source::Status => return Ok(format!("{status:03}")),
            Control::Answer { .. } => return Err("is not a component of an answer"),
        };
        let asked = || query.map_or_else(String::new, |query| format!("?{query}"));
        let authority =
            || if authority.is_empty() { Err("is missing, or said in two ways") } else { Ok(authority) };
        Ok(match target {
            Source::Method => method.to_owned(),
            Source::TargetUri => format!("{scheme}://{}{path}{}", authority()?, asked()),
            Source::Authority => authority()?.to_owned(),
            Source::Scheme => scheme.to_ascii_lowercase(),
            Source::RequestTarget => format!("{path}{}", asked()),
            Source::Path => path.to_owned(),
            // Section 2.2.7: without a query, the question mark alone.
            Source::Query => format!("?{}", query.unwrap_or_default()),
            Source::QueryParam(name) => query::parameter(query.unwrap_or_default(), name)?,
            Source::Status => return Err("is not a component of a request"),
            Source::Field { name, wrapped } => self.field(name, *wrapped)?,
        })
    }

    /// Sections 2.1 and 2.1.3: all lines of a field, in their order.
    fn field(&self, name: &HeaderName, wrapped: bool) -> Result<String, &'static str> {
        if !self.fields.contains_key(name) {
            return Err("is covered and not there");
        }
        let mut out: Vec<u8> = Vec::new();
        for (index, line) in self.fields.get_all(name).iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            let line = line.as_bytes().trim_ascii();
            if wrapped {
                out.extend_from_slice(format!(":{}:", STANDARD.encode(line)).as_bytes());
            } else {
                out.extend_from_slice(line);
            }
        }
        String::from_utf8(out).map_err(|_| "is not ASCII: cover it with `bs`")
    }
}

/// RFC 9110 section 4.2.3: in small letters, without the port everybody knows. Empty where there is
/// none, or two that differ.
fn authority(scheme: &str, target: &Uri, fields: &HeaderMap) -> String {
    let mut hosts = fields.get_all(http::header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => host.to_str().ok(),
        (Some(_), Some(_)) => return String::new(),
    };
    let named = target.authority().map(http::uri::Authority::as_str);
    let normal = |text: &str| {
        let text = text.to_ascii_lowercase();
        let known = if scheme == "http" { ":80" } else { ":443" };
        text.strip_suffix(known).unwrap_or(&text).to_owned()
    };
    match (host.map(normal), named.map(normal)) {
        (Some(host), Some(named)) if host != named => String::new(),
        (Some(host), _) => host,
        (None, named) => named.unwrap_or_default(),
    }
}
