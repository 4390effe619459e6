//! Questions to be copied: `curl`, and Python with its standard library or with `requests`. Written from
//! values of the contract and the agreement alone; whatever they hold stays a value in the language it is
//! written in.

use serde_json::Value;

use super::own_view::{OwnOperation, OwnView, Under};

/// Where the asking is done from.
#[derive(Debug, Clone)]
pub struct AskedFrom {
    /// Of the gateway: host, and port if it is not 443.
    pub authority: String,
    /// PEM files of the client, as it names them.
    pub certificate: String,
    pub key: String,
    /// PEM file of the CA the gateway's certificate is under.
    pub ca: String,
}

impl AskedFrom {
    /// With names of files that speak for themselves.
    pub fn somewhere(authority: String) -> Self {
        Self {
            authority,
            certificate: "client.pem".into(),
            key: "client.key".into(),
            ca: "gateway-ca.pem".into(),
        }
    }
}

/// One question in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// As syntax highlighters know it.
    pub lang: &'static str,
    pub label: String,
    pub source: String,
}

/// A question and everything it is sent with.
struct Asking<'a> {
    from: &'a AskedFrom,
    path: String,
    headers: Vec<(&'static str, String)>,
    question: Value,
}

/// The samples of one operation under one agreement; none where no question can be made from the contract.
pub fn samples(
    view: &OwnView<'_>,
    operation: &OwnOperation<'_>,
    under: &Under<'_>,
    from: &AskedFrom,
) -> Vec<Sample> {
    let Some(question) = operation.question() else { return Vec::new() };
    let version = &view.offer.contract.version;
    let path = format!("/{}/v{}{}", version.dataset, version.major, operation.offered.operation.path);
    let headers = operation.wanted(under).into_iter().map(|wanted| (wanted.name, wanted.example)).collect();
    let asking = Asking { from, path, headers, question };
    let agreement = &under.agreement.reference;
    let label = |of: &str| format!("{of}, under {agreement}");
    vec![
        Sample { lang: "Shell", label: label("curl"), source: asking.curl() },
        Sample { lang: "Python", label: label("Python, standard library"), source: asking.python() },
        Sample { lang: "Python", label: label("Python, requests"), source: asking.requests() },
    ]
}

impl Asking<'_> {
    fn url(&self) -> String {
        format!("https://{}{}", self.from.authority, self.path)
    }

    fn curl(&self) -> String {
        let AskedFrom { certificate, key, ca, .. } = self.from;
        let mut lines = vec![
            format!("curl --silent --show-error --include --cert {}", shell(certificate)),
            format!("--key {}", shell(key)),
            format!("--cacert {}", shell(ca)),
            "--header 'Content-Type: application/json'".to_owned(),
        ];
        lines.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("--header {}", shell(&format!("{name}: {value}")))),
        );
        lines.push(format!("--data-raw {}", shell(&self.question.to_string())));
        lines.push(shell(&self.url()));
        format!("{}\n", lines.join(" \\\n    "))
    }

    fn python(&self) -> String {
        let AskedFrom { authority, certificate, key, ca } = self.from;
        format!(
            "import http.client\nimport json\nimport ssl\n\n\
             context = ssl.create_default_context(cafile={})\n\
             context.load_cert_chain({}, {})\n\
             gateway = http.client.HTTPSConnection({}, context=context, timeout=30)\n\
             headers = {}\nquestion = {}\n\n\
             gateway.request(\"POST\", {}, json.dumps(question), headers)\n\
             answer = gateway.getresponse()\n\
             # An answer without Tolbooth-Outcome does not come from a gateway.\n\
             print(answer.status, answer.headers[\"Tolbooth-Outcome\"])\n\
             print(json.loads(answer.read()))\n",
            text(ca),
            text(certificate),
            text(key),
            text(authority),
            self.python_headers(true),
            literal(&self.question),
            text(&self.path),
        )
    }

    fn requests(&self) -> String {
        let AskedFrom { certificate, key, ca, .. } = self.from;
        format!(
            "import requests\n\n\
             answer = requests.post(\n    {},\n    json={},\n    headers={},\n    \
             cert=({}, {}),\n    verify={},\n    timeout=30,\n)\n\
             # An answer without Tolbooth-Outcome does not come from a gateway.\n\
             print(answer.status_code, answer.headers[\"Tolbooth-Outcome\"])\n\
             print(answer.json())\n",
            text(&self.url()),
            literal(&self.question),
            self.python_headers(false),
            text(certificate),
            text(key),
            text(ca),
        )
    }

    fn python_headers(&self, with_type: bool) -> String {
        let content_type = with_type.then(|| ("Content-Type", "application/json".to_owned()));
        let pairs: Vec<String> = content_type
            .iter()
            .chain(&self.headers)
            .map(|(name, value)| format!("{}: {}", text(name), text(value)))
            .collect();
        format!("{{{}}}", pairs.join(", "))
    }
}

/// One word of a POSIX shell (2.2.2, Single-Quotes), quoted only where it has to be.
fn shell(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'-' | b':' | b'@');
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A text of Python: every escape JSON writes means the same there.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value of Python.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(said) => text(said),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let pairs: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", text(name), literal(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_a_value_holds_it_stays_one_word_of_the_shell() {
        assert_eq!(shell("certs/a-b.pem"), "certs/a-b.pem");
        assert_eq!(shell("it's $(here)"), "'it'\\''s $(here)'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn a_value_is_written_as_python_reads_it() {
        let value = json!({"a\"b": [null, true, false, 1.5, "M\u{f2}r\nag\\"]});
        assert_eq!(literal(&value), "{\"a\\\"b\": [None, True, False, 1.5, \"Mòr\\nag\\\\\"]}");
    }
}
