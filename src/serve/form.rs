//! The body of a token request: `application/x-www-form-urlencoded` (RFC 6749 appendix B), read in one way
//! or not at all.

/// Names and values, unescaped; without those that have no value, which count as not there (RFC 6749
/// section 3.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

/// Parameters of one request: the RFCs name a dozen.
const PARAMETERS_MAX: usize = 32;

impl Form {
    /// `None` where a name is there twice, an escape is misspelt, or the text is not UTF-8.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut form = Self::default();
        for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut parts = pair.splitn(2, |b| *b == b'=');
            let name = unescape(parts.next()?)?;
            let value = unescape(parts.next().unwrap_or_default())?;
            if form.get(&name).is_some() || form.0.len() >= PARAMETERS_MAX {
                return None;
            }
            form.0.push((name, value));
        }
        form.0.retain(|(_, value)| !value.is_empty());
        Some(form)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn unescape(text: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) =
                    (char::from(bytes.next()?).to_digit(16)?, char::from(bytes.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_one_reading() {
        let form =
            Form::parse(b"grant_type=client_credentials&scope=agreement%3Ax+purpose%3ay&empty=&none&&")
                .unwrap();
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("scope"), Some("agreement:x purpose:y"));
        assert_eq!((form.get("empty"), form.get("none")), (None, None));
        assert_eq!(Form::parse(b""), Some(Form::default()));
        let many: String = (0..40).map(|at| format!("n{at}=x&")).collect();
        for bad in ["a=1&a=2", "a=&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%4g", "a=%ff", "%ff=a", &many] {
            assert_eq!(Form::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
