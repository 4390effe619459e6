//! `@query-param` (RFC 9421 section 2.2.8): one parameter of a query written as HTML forms are (WHATWG
//! URL, section 5).

/// The value of the one parameter of this encoded name, encoded anew.
pub(super) fn parameter(query: &str, name: &str) -> Result<String, &'static str> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if encode(&decode(key)) != name {
            continue;
        }
        if found.replace(value).is_some() {
            return Err("is there more than once");
        }
    }
    found.map(|value| encode(&decode(value))).ok_or("is covered and not there")
}

fn decode(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, digit(bytes.get(at)), digit(bytes.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            (other, ..) => out.push(*other),
        }
    }
    // The form decoder reads UTF-8 and replaces what is not.
    String::from_utf8_lossy(&out).into_owned().into_bytes()
}

/// The `application/x-www-form-urlencoded` percent-encode set, with `%20` for a space.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(char::from(*byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
