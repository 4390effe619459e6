//! Texts with `{field}` in them, filled from a question that passed its contract. A value is data from
//! outside: each place it can go to has one escape below, and a value the place cannot hold is refused.

use std::borrow::Cow;

use super::SourceFault;
use crate::json::{Kind, Node};
use crate::model::{FieldPath, ScalarKind, Shape, Step};

/// A question field, by its path from the question's root.
#[derive(Debug, Clone, PartialEq)]
pub struct Field(FieldPath);

impl Field {
    /// Parses `name` or `object.name`; the items of lists have no single value to fill in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = FieldPath::parse(text).map_err(|error| error.to_string())?;
        if path.steps().contains(&Step::Items) {
            return Err(format!("`{text}` is in a list: only a single value can be filled in"));
        }
        Ok(Self(path))
    }

    pub fn path(&self) -> &FieldPath {
        &self.0
    }

    /// What is wrong with this field for this question; `always` wants it there in every question.
    pub fn fault(&self, question: &Shape, always: bool) -> Option<String> {
        match question.at(&self.0) {
            None => Some(format!("the contract's question has no field `{}`", self.0)),
            Some((Shape::Scalar(scalar), required)) => {
                let kept = required && !scalar.nullable && scalar.kind != ScalarKind::Null;
                (always && !kept)
                    .then(|| format!("`{}` has to be required, and not null, to be used here", self.0))
            }
            Some(_) => Some(format!("`{}` is not a single value", self.0)),
        }
    }

    /// The value in a question; `None` if it is absent or null.
    pub fn node<'q>(&self, question: Node<'q>) -> Option<Node<'q>> {
        let mut node = question;
        for step in self.0.steps() {
            let Step::Property(name) = step else { return None };
            node = node.get(name)?;
        }
        (!node.is_null()).then_some(node)
    }

    /// The value as text; `None` if it is absent or null.
    pub fn text<'q>(&self, question: Node<'q>) -> Result<Option<Cow<'q, str>>, SourceFault> {
        let Some(node) = self.node(question) else { return Ok(None) };
        match node.kind() {
            Kind::String => Ok(node.text()),
            Kind::Number | Kind::Boolean => Ok(Some(String::from_utf8_lossy(node.raw()))),
            Kind::Null | Kind::Array | Kind::Object => {
                Err(SourceFault::Question("a field is not a single value".into()))
            }
        }
    }
}

/// A key the source is not asked by would be answered with somebody else's record.
pub fn unused_keys(question: &Shape, used: &[&Field]) -> Vec<String> {
    let keys = question.fields().into_iter().filter(|(_, property)| property.marks.key);
    let unused = keys.filter(|(path, _)| !used.iter().any(|field| field.path() == path));
    unused.map(|(path, _)| format!("the key `{path}` of the question is not used")).collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    Field(Field),
}

/// A text with fields in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

/// Writes a value as its place wants it, or refuses it.
pub type Escape = fn(&str, &mut Vec<u8>) -> Result<(), SourceFault>;

impl Template {
    /// Parses `text {field} text`. There is no way to write a brace that is not a field's.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stray = || format!("`{text}`: a brace without its partner");
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(stray)?;
            if before.contains('}') {
                return Err(stray());
            }
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(Part::Field(Field::parse(name)?));
            rest = after;
        }
        if rest.contains('}') {
            return Err(stray());
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The field, if the text is one field and nothing else.
    pub fn lone_field(&self) -> Option<&Field> {
        match self.0.as_slice() {
            [Part::Field(field)] => Some(field),
            _ => None,
        }
    }

    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Literal(_) => None,
        })
    }

    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(_) => None,
            Part::Literal(text) => Some(text.as_str()),
        })
    }

    /// Replaces each literal by what `escape` writes for it, so that only values are escaped later.
    pub fn escaped(self, escape: Escape) -> Result<Self, SourceFault> {
        let parts = self.0.into_iter().map(|part| match part {
            Part::Field(field) => Ok(Part::Field(field)),
            Part::Literal(text) => {
                let mut out = Vec::new();
                escape(&text, &mut out)?;
                Ok(Part::Literal(String::from_utf8_lossy(&out).into_owned()))
            }
        });
        Ok(Self(parts.collect::<Result<_, _>>()?))
    }

    /// Appends the filled text; `false`, and nothing appended, if a field is absent or null.
    pub fn fill(&self, question: Node<'_>, escape: Escape, out: &mut Vec<u8>) -> Result<bool, SourceFault> {
        let start = out.len();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Field(field) => match field.text(question)? {
                    Some(value) => escape(&value, out)?,
                    None => {
                        out.truncate(start);
                        return Ok(false);
                    }
                },
            }
        }
        Ok(true)
    }
}

/// One path segment (RFC 3986 section 3.3): nothing that a server could read as several, as a step
/// upwards or as none.
pub fn segment(value: &str, out: &mut Vec<u8>) -> Result<(), SourceFault> {
    let steps = matches!(value, "" | "." | "..");
    if steps || value.contains(['/', '\\']) || value.contains(char::is_control) {
        return Err(SourceFault::Question("a value cannot be part of the source's path".into()));
    }
    percent_encode(value, out);
    Ok(())
}

/// A parameter of the query (RFC 3986 section 3.4).
pub fn query(value: &str, out: &mut Vec<u8>) -> Result<(), SourceFault> {
    if value.contains(char::is_control) {
        return Err(SourceFault::Question("a value with control characters cannot be a parameter".into()));
    }
    percent_encode(value, out);
    Ok(())
}

/// A header value: visible ASCII, so that no value ends the line (RFC 9110 section 5.5).
pub fn header(value: &str, out: &mut Vec<u8>) -> Result<(), SourceFault> {
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(SourceFault::Question("a value that is not visible ASCII cannot be a header".into()));
    }
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

/// As it is: for a text that is escaped as a whole afterwards.
#[expect(clippy::unnecessary_wraps, reason = "an escape among escapes that can refuse")]
pub fn plain(value: &str, out: &mut Vec<u8>) -> Result<(), SourceFault> {
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

/// Everything but the unreserved characters (RFC 3986 section 2.3).
fn percent_encode(value: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            _ => out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn filled(template: &str, question: &str, escape: Escape) -> Result<Option<String>, SourceFault> {
        let document = Document::parse(question.to_owned().into(), 8).unwrap();
        let mut out = Vec::new();
        let there = Template::parse(template).unwrap().fill(document.root(), escape, &mut out)?;
        let text = String::from_utf8(out).unwrap();
        assert!(there || text.is_empty());
        Ok(there.then_some(text))
    }

    #[test]
    fn a_value_is_escaped_as_one_segment() {
        for (value, wanted) in [
            (r#""0101019999""#, "0101019999"),
            (r#""a b?c#d&e=f""#, "a%20b%3Fc%23d%26e%3Df"),
            (r#""é""#, "%C3%A9"),
            (r#""%2e%2e""#, "%252e%252e"),
            (r#""...""#, "..."),
            ("17", "17"),
            ("true", "true"),
        ] {
            let question = format!(r#"{{"k":{value}}}"#);
            assert_eq!(filled("{k}", &question, segment).unwrap().as_deref(), Some(wanted));
        }
    }

    #[test]
    fn a_value_that_would_move_the_path_is_refused() {
        for value in [
            "", ".", "..", "../etc", "a/b", "/", r"..\\x", r"a\\b", r"a\u0000", r"a\nb", r"\u007f", r"\u0085",
        ] {
            let question = format!(r#"{{"k":"{value}"}}"#);
            let fault = filled("{k}", &question, segment).unwrap_err();
            assert!(matches!(fault, SourceFault::Question(_)), "{value}");
        }
        assert!(filled("{k}", r#"{"k":["a"]}"#, segment).is_err());
        assert!(filled("{k}", r#"{"k":{"a":1}}"#, segment).is_err());
    }

    #[test]
    fn a_header_cannot_end_its_line() {
        for value in [r"a\r\nx-admin: 1", "a b", "é", "", r"a\u0000"] {
            assert!(filled("{k}", &format!(r#"{{"k":"{value}"}}"#), header).is_err(), "{value}");
        }
        assert_eq!(filled("v-{k}", r#"{"k":"a"}"#, header).unwrap().as_deref(), Some("v-a"));
    }

    #[test]
    fn an_absent_or_null_field_leaves_the_whole_text_out() {
        assert_eq!(filled("a-{k}", "{}", query).unwrap(), None);
        assert_eq!(filled("a-{k}-{j}", r#"{"k":"x","j":null}"#, query).unwrap(), None);
        assert_eq!(filled("{o.k}", r#"{"o":{"k":"x"}}"#, query).unwrap().as_deref(), Some("x"));
    }

    #[test]
    fn braces_are_fields_or_faults() {
        for bad in ["{", "}", "{a", "a}", "{a}}", "}{a}", "{}", "{a b}", "{a[]}", "{{a}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
        assert!(Template::parse("").unwrap().lone_field().is_none());
        assert!(Template::parse("{a}").unwrap().lone_field().is_some());
    }

    #[test]
    fn a_field_is_checked_against_the_question() {
        let scalar = |nullable| {
            let kind = ScalarKind::String;
            Shape::Scalar(crate::model::Scalar { kind, nullable, format: None, values: None })
        };
        let property = |name: &str, required, shape| crate::model::Property {
            name: name.into(),
            required,
            shape,
            marks: crate::model::Marks::default(),
        };
        let list = Shape::Array { items: Box::new(scalar(false)), nullable: false };
        let properties = vec![
            property("key", true, scalar(false)),
            property("maybe", false, scalar(false)),
            property("null", true, scalar(true)),
            property("list", true, list),
        ];
        let shape = Shape::Object(crate::model::ObjectShape { properties, nullable: false });
        let fault = |name: &str, always| Field::parse(name).unwrap().fault(&shape, always);
        assert_eq!(fault("key", true), None);
        assert_eq!(fault("maybe", false), None);
        for (name, always) in [("maybe", true), ("null", true), ("list", false), ("other", false)] {
            assert!(fault(name, always).is_some(), "{name}");
        }
    }
}
