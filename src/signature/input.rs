//! `Signature-Input` and `Signature` (RFC 9421 section 4) and the signature base (section 2.5). This
//! is where structured fields (RFC 9651) are read and written.
//!
//! Both fields are taken in their strict form only (RFC 9651 section 4.1), as every library writes them:
//! what is lenient about reading them, such as the last of two labels or parameters of one name, could
//! be read in two ways.

use http::HeaderMap;
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, Item, Key, List, ListEntry, Parser};

use super::component::Component;
use super::fault::{ComponentFault, SignatureFault};
use super::message::Message;
use crate::crypto::{PublicKey, SigningKey};
use crate::model::limits::{SIGNATURE_BYTES_MAX, SIGNATURE_COMPONENTS_MAX, SIGNATURE_INPUT_BYTES_MAX};

const INPUT: &str = "Signature-Input";
const SIGNATURE: &str = "Signature";

/// What a signature covers, and its parameters, in their order.
#[derive(Debug, Clone)]
pub struct Input {
    label: Key,
    components: Vec<Component>,
    parameters: sfv::Parameters,
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'v> {
    Integer(i64),
    Text(&'v str),
}

/// A signature as it came.
#[derive(Debug, Clone)]
pub struct Signed {
    pub input: Input,
    signature: Vec<u8>,
}

impl Input {
    /// For whoever signs. `None` for a label, component or parameter that a structured field cannot hold.
    pub fn new(label: &str, components: &[Component], parameters: &[(&str, Value<'_>)]) -> Option<Self> {
        let mut all = sfv::Parameters::new();
        for (name, value) in parameters {
            let value = match value {
                Value::Integer(number) => BareItem::Integer((*number).try_into().ok()?),
                Value::Text(text) => BareItem::String(sfv::String::from_string((*text).to_owned()).ok()?),
            };
            all.insert(Key::from_string((*name).to_owned()).ok()?, value);
        }
        let label = Key::from_string(label.to_owned()).ok()?;
        Some(Self { label, components: components.to_vec(), parameters: all })
    }

    fn read(label: Key, list: InnerList) -> Result<Self, SignatureFault> {
        if list.items.len() > SIGNATURE_COMPONENTS_MAX {
            return Err(SignatureFault::TooLong(INPUT));
        }
        let mut components: Vec<Component> = Vec::with_capacity(list.items.len());
        for item in list.items {
            let component = Component::read(item)?;
            // Section 2: each identifier occurs once.
            if components.contains(&component) {
                return Err(SignatureFault::CoveredTwice(component.name().to_owned()));
            }
            components.push(component);
        }
        Ok(Self { label, components, parameters: list.params })
    }

    pub fn components(&self) -> &[Component] {
        &self.components
    }

    pub(super) fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(|name| name.as_str())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.parameters.get(name)? {
            BareItem::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.parameters.get(name)? {
            BareItem::Integer(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// The value of `@signature-params` (section 2.3).
    fn parameters(&self) -> String {
        let items: Vec<Item> = self.components.iter().map(|component| component.item().clone()).collect();
        let list = InnerList { items, params: self.parameters.clone() };
        let all: List = vec![ListEntry::InnerList(list)];
        all.serialize().unwrap_or_default()
    }

    /// The bytes that are signed (section 2.5).
    pub fn base(&self, message: &Message<'_>) -> Result<String, ComponentFault> {
        let mut base = String::with_capacity(1024);
        for component in &self.components {
            base.push_str(&component.identifier());
            base.push_str(": ");
            base.push_str(&message.value(component)?);
            base.push('\n');
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(&self.parameters());
        Ok(base)
    }

    /// The values of `Signature-Input` and `Signature` for a message (section 3.1).
    pub fn sign(&self, message: &Message<'_>, key: &SigningKey) -> Result<(String, String), ComponentFault> {
        use base64::Engine as _;
        let signature = key.sign(self.base(message)?.as_bytes());
        let signature = base64::engine::general_purpose::STANDARD.encode(signature);
        let label = self.label.as_str();
        Ok((format!("{label}={}", self.parameters()), format!("{label}=:{signature}:")))
    }
}

impl Signed {
    /// Whether the signature is that of the message under a key (section 3.2).
    pub fn verify(&self, message: &Message<'_>, key: &PublicKey) -> Result<bool, ComponentFault> {
        Ok(key.verifies(self.input.base(message)?.as_bytes(), &self.signature))
    }

    #[cfg(test)]
    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// All signatures of a message, each with its input.
pub fn read(fields: &HeaderMap) -> Result<Vec<Signed>, SignatureFault> {
    let inputs = dictionary(fields, INPUT, SIGNATURE_INPUT_BYTES_MAX)?;
    let mut signatures = dictionary(fields, SIGNATURE, SIGNATURE_BYTES_MAX)?;
    if inputs.len() != signatures.len() {
        return Err(SignatureFault::Unpaired);
    }
    let mut all = Vec::with_capacity(inputs.len());
    for (label, entry) in inputs {
        let ListEntry::InnerList(list) = entry else { return Err(SignatureFault::Malformed(INPUT)) };
        let signature = signatures.swap_remove(&label).ok_or(SignatureFault::Unpaired)?;
        let ListEntry::Item(item) = signature else { return Err(SignatureFault::Malformed(SIGNATURE)) };
        let BareItem::ByteSequence(signature) = item.bare_item else {
            return Err(SignatureFault::Malformed(SIGNATURE));
        };
        all.push(Signed { input: Input::read(label, list)?, signature });
    }
    Ok(all)
}

fn dictionary(
    fields: &HeaderMap,
    name: &'static str,
    bytes_max: usize,
) -> Result<Dictionary, SignatureFault> {
    let mut text = String::new();
    for line in fields.get_all(name) {
        let line = line.to_str().map_err(|_| SignatureFault::Malformed(name))?;
        let separator = if text.is_empty() { "" } else { ", " };
        if text.len() + separator.len() + line.len() > bytes_max {
            return Err(SignatureFault::TooLong(name));
        }
        text.push_str(separator);
        text.push_str(line);
    }
    let read: Dictionary = Parser::new(&text).parse().map_err(|_| SignatureFault::Malformed(name))?;
    if read.serialize().unwrap_or_default() != text {
        return Err(SignatureFault::Malformed(name));
    }
    Ok(read)
}
