//! What a look by person could not see, in words: records whose subject key is missing.

use std::fmt;

use serde_json::Value;

/// Why a look by person is not whole.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Unseen {
    keys: Vec<String>,
}

impl Unseen {
    /// From what the gateway says of missing keys; `None` if the look is whole.
    pub(in crate::cli) fn read(told: &Value) -> Option<Self> {
        let keys: Vec<String> = told
            .get("missing_keys")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        let all_known = told.get("missing_keys_all_known").and_then(Value::as_bool).unwrap_or(true);
        (!keys.is_empty() || !all_known).then_some(Self { keys })
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.is_empty() {
            return f.write_str(
                "this may not be all: the gateway still reads older segments for subject keys that are missing; \
                 ask again in a while",
            );
        }
        write!(
            f,
            "this is not all: there are records under {} {}, which is missing here, and they cannot be searched by \
             person. Stop the gateway and put the key back with `tolbooth ledger recover-subject-keys`",
            if self.keys.len() == 1 { "the subject key" } else { "the subject keys" },
            self.keys.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_look_is_whole_only_if_no_key_is_missing_and_all_was_asked() {
        let told = |keys: &[&str], known: bool| {
            Unseen::read(&json!({ "missing_keys": keys, "missing_keys_all_known": known }))
        };
        assert_eq!(told(&[], true), None);
        assert_eq!(Unseen::read(&json!({})), None);
        assert!(
            told(&["2026-0a1b2c3d"], true).unwrap().to_string().contains("2026-0a1b2c3d, which is missing")
        );
        assert!(told(&[], false).unwrap().to_string().contains("may not be all"));
    }
}
