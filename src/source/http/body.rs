//! A JSON body with the question's fields in it.

use crate::config::strict::Item;
use crate::json::{self, Kind, Node};
use crate::model::Shape;
use crate::source::SourceFault;
use crate::source::template::{self, Field, Template};

/// A JSON value of the dataset file, read once and written for each question.
#[derive(Debug, Clone)]
pub enum Body {
    /// A value without fields, as JSON.
    Literal(String),
    /// `"{field}"`: the field with its type.
    Field(Field),
    /// A text with fields in it: always a string.
    Text(Template),
    /// Names are JSON strings already.
    Object(Vec<(String, Body)>),
    List(Vec<Body>),
}

impl Body {
    pub fn read(item: Item<'_>) -> Option<Self> {
        if item.is_table() {
            let entries = item.table()?.entries();
            let members: Vec<_> =
                entries.into_iter().map(|(name, item)| Some((string(&name), Self::read(item)?))).collect();
            return Some(Self::Object(members.into_iter().collect::<Option<_>>()?));
        }
        if item.is_text() {
            let template = item.parsed(Template::parse)?;
            return Some(match template.lone_field() {
                Some(field) => Self::Field(field.clone()),
                None if template.fields().next().is_none() => Self::Literal(string(item.text()?)),
                None => Self::Text(template),
            });
        }
        if item.is_integer() {
            return Some(Self::Literal(item.integer()?.to_string()));
        }
        if item.is_float() {
            return Some(Self::Literal(item.number()?.to_string()));
        }
        if item.is_boolean() {
            return Some(Self::Literal(item.boolean()?.to_string()));
        }
        if item.is_date() {
            item.fault("JSON has no dates: write it as a text");
            return None;
        }
        let items: Vec<_> = item.list()?.into_iter().map(Self::read).collect();
        Some(Self::List(items.into_iter().collect::<Option<_>>()?))
    }

    /// What is wrong with the fields for this question. In a list a field has to be there always, or
    /// the items after it would move.
    pub fn faults(&self, question: &Shape) -> Vec<String> {
        let mut out = Vec::new();
        self.find_faults(question, false, &mut out);
        out
    }

    fn find_faults(&self, question: &Shape, always: bool, out: &mut Vec<String>) {
        match self {
            Self::Literal(_) => {}
            Self::Field(field) => out.extend(field.fault(question, always)),
            Self::Text(template) => {
                out.extend(template.fields().filter_map(|field| field.fault(question, always)))
            }
            Self::Object(members) => {
                members.iter().for_each(|(_, body)| body.find_faults(question, false, out))
            }
            Self::List(items) => items.iter().for_each(|body| body.find_faults(question, true, out)),
        }
    }

    /// The fields it is filled from.
    pub fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Field(field) => vec![field],
            Self::Text(template) => template.fields().collect(),
            Self::Object(members) => members.iter().flat_map(|(_, body)| body.fields()).collect(),
            Self::List(items) => items.iter().flat_map(Self::fields).collect(),
        }
    }

    /// Appends the value; `false`, and nothing appended, if a field is absent or null.
    pub fn write(&self, question: Node<'_>, out: &mut Vec<u8>) -> Result<bool, SourceFault> {
        match self {
            Self::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Self::Field(field) => match field.node(question) {
                None => return Ok(false),
                Some(node) if matches!(node.kind(), Kind::Array | Kind::Object) => {
                    return Err(SourceFault::Question("a field is not a single value".into()));
                }
                Some(node) => out.extend_from_slice(node.raw()),
            },
            Self::Text(template) => {
                let mut text = Vec::new();
                if !template.fill(question, template::plain, &mut text)? {
                    return Ok(false);
                }
                json::write_string(out, &String::from_utf8_lossy(&text));
            }
            Self::Object(members) => {
                out.push(b'{');
                let mut first = true;
                for (name, body) in members {
                    let start = out.len();
                    if !first {
                        out.push(b',');
                    }
                    out.extend_from_slice(name.as_bytes());
                    out.push(b':');
                    if body.write(question, out)? {
                        first = false;
                    } else {
                        out.truncate(start);
                    }
                }
                out.push(b'}');
            }
            Self::List(items) => {
                out.push(b'[');
                for (index, body) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    if !body.write(question, out)? {
                        return Err(SourceFault::Question("a field in a list is absent".into()));
                    }
                }
                out.push(b']');
            }
        }
        Ok(true)
    }
}

fn string(text: &str) -> String {
    let mut out = Vec::new();
    json::write_string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}
