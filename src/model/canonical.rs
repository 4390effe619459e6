//! JSON Canonicalization Scheme (RFC 8785): one spelling for one value, so that it can be signed.

use serde_json::{Number, Value};

/// The canonical text of a value.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            // Section 3.2.3: sorted by UTF-16 code units.
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write(members.get(name).unwrap_or(&Value::Null), out);
            }
            out.push('}');
        }
    }
}

/// Section 3.2.2.2; serde_json writes the same two-character escapes and lower-case `\u00xx`.
fn write_text(text: &str, out: &mut String) {
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        // A string always serialises; should that change, an empty one would be a lie.
        Err(_) => out.push_str("\"\u{fffd}\""),
    }
}

/// Section 3.2.2.3: every number is a double, written as ECMAScript writes it.
fn number_text(number: &Number) -> String {
    let double = number.as_f64().unwrap_or(f64::NAN);
    if double == 0.0 {
        return "0".to_owned();
    }
    let size = double.abs();
    if (1e-6..1e21).contains(&size) {
        return format!("{double}");
    }
    // ECMAScript writes the sign of a positive exponent; Rust does not.
    let text = format!("{double:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 8785 section 3.2.2, input and output.
        let input = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let value: Value = serde_json::from_str(input).unwrap();
        let wanted = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
            \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(&value), wanted);
    }

    #[test]
    fn names_sort_by_utf16() {
        // U+1F600 is a surrogate pair (0xD83D), below U+FB33 in UTF-16 and above it in UTF-8.
        let value: Value = serde_json::from_str("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"1\":3}").unwrap();
        assert_eq!(canonical(&value), "{\"1\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }
}
