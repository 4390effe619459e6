//! What a signature covers: component identifiers (RFC 9421 section 2).
//!
//! Fields as they are or byte-wrapped (`bs`), all derived components, and `req` for an answer that
//! covers its question. `sf`, `key` and `tr` are refused by name: they make two messages equal that
//! are not the same bytes, or reach for trailers, which are not read here.

use http::HeaderName;
use sfv::{BareItem, FieldType as _, Item};

use super::fault::ComponentFault;

/// One covered component. Two are the same if source and `req` are, whatever the order of their
/// parameters (section 2).
#[derive(Debug, Clone)]
pub struct Component {
    item: Item,
    source: Source,
    of_the_question: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    /// The name, percent-encoded as section 2.2.8 says.
    QueryParam(String),
    Status,
    Field {
        name: HeaderName,
        wrapped: bool,
    },
}

impl PartialEq for Component {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.of_the_question) == (&other.source, other.of_the_question)
    }
}

impl Component {
    /// A derived component such as `@method`, or a field by its name in small letters.
    pub fn named(name: &str) -> Result<Self, ComponentFault> {
        let text = sfv::String::from_string(name.to_owned()).map_err(|_| fault(name, "is not a name"))?;
        Self::read(Item::new(text))
    }

    /// A field whose bytes are wrapped (section 2.1.3), as values beyond ASCII must be.
    pub fn wrapped(name: &str) -> Result<Self, ComponentFault> {
        let mut component = Self::named(name)?;
        component.item.params.insert(sfv::key_ref("bs").to_owned(), true.into());
        Self::read(component.item)
    }

    /// From one item of the list of covered components.
    pub(super) fn read(item: Item) -> Result<Self, ComponentFault> {
        let BareItem::String(name) = &item.bare_item else {
            return Err(ComponentFault { name: String::new(), why: "is not a string" });
        };
        let mut parameters = Parameters::default();
        for (key, value) in &item.params {
            parameters.take(key.as_str(), value).map_err(|why| fault(name.as_str(), why))?;
        }
        let source = source(name.as_str(), &parameters).map_err(|why| fault(name.as_str(), why))?;
        Ok(Self { of_the_question: parameters.req, source, item })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn of_the_question(&self) -> bool {
        self.of_the_question
    }

    pub(super) fn item(&self) -> &Item {
        &self.item
    }

    /// The identifier as the signature base spells it (section 2.5): `"@query-param";name="Pet"`.
    pub(super) fn identifier(&self) -> String {
        self.item.serialize()
    }

    /// The name alone, without parameters.
    pub fn name(&self) -> &str {
        match &self.item.bare_item {
            BareItem::String(name) => name.as_str(),
            _ => "",
        }
    }

    pub(super) fn fault(&self, why: &'static str) -> ComponentFault {
        fault(self.name(), why)
    }
}

fn fault(name: &str, why: &'static str) -> ComponentFault {
    ComponentFault { name: name.to_owned(), why }
}

#[derive(Default)]
struct Parameters {
    bs: bool,
    req: bool,
    name: Option<String>,
}

impl Parameters {
    fn take(&mut self, key: &str, value: &BareItem) -> Result<(), &'static str> {
        match (key, value) {
            ("bs", BareItem::Boolean(true)) => self.bs = true,
            ("req", BareItem::Boolean(true)) => self.req = true,
            ("name", BareItem::String(name)) => self.name = Some(name.as_str().to_owned()),
            ("sf", _) => return Err("has the parameter `sf`, which is not read here"),
            ("key", _) => return Err("has the parameter `key`, which is not read here"),
            ("tr", _) => return Err("has the parameter `tr`, and trailers are not read here"),
            _ => return Err("has a parameter that is not known, or of the wrong kind"),
        }
        Ok(())
    }
}

fn source(name: &str, parameters: &Parameters) -> Result<Source, &'static str> {
    let derived = match name {
        "@method" => Source::Method,
        "@target-uri" => Source::TargetUri,
        "@authority" => Source::Authority,
        "@scheme" => Source::Scheme,
        "@request-target" => Source::RequestTarget,
        "@path" => Source::Path,
        "@query" => Source::Query,
        "@status" => Source::Status,
        "@query-param" => {
            let name = parameters.name.clone().ok_or("needs the parameter `name`")?;
            return if parameters.bs { Err("cannot be wrapped") } else { Ok(Source::QueryParam(name)) };
        }
        // Among them `@signature-params`, which never names itself (section 2.3).
        _ if name.starts_with('@') => return Err("is not a component that can be covered"),
        _ => return field(name, parameters),
    };
    if parameters.bs || parameters.name.is_some() {
        return Err("has a parameter that only others may have");
    }
    Ok(derived)
}

fn field(name: &str, parameters: &Parameters) -> Result<Source, &'static str> {
    // Section 2.1: in small letters, and nothing else.
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("is not in small letters");
    }
    if parameters.name.is_some() {
        return Err("has the parameter `name`, which only `@query-param` has");
    }
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is not the name of a field")?;
    Ok(Source::Field { name, wrapped: parameters.bs })
}
