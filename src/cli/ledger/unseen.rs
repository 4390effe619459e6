//! What a look could not see, in words: records whose subject key is missing, and logs that were left out.

use std::collections::BTreeSet;
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

/// The years that cannot be searched by person any more, in words; `None` if there are none.
pub(in crate::cli) fn ended_years(told: &Value) -> Option<String> {
    let keys = told.get("destroyed_keys").and_then(Value::as_array)?;
    let years: BTreeSet<&str> =
        keys.iter().filter_map(Value::as_str).filter_map(|key| key.split('-').next()).collect();
    let years: Vec<&str> = years.into_iter().collect();
    (!years.is_empty()).then(|| {
        format!(
            "nothing recorded in {} can be searched by person any more: all of it was erased, and the keys were \
             destroyed",
            years.join(" and ")
        )
    })
}

/// Whether a log that was not looked into should have been: it is not where it should be.
pub(in crate::cli) fn is_absent(told: &Value) -> bool {
    told.get("folder").is_some_and(Value::is_string)
}

/// A log that was not looked into, and why, in words.
pub(in crate::cli) fn left_out(told: &Value) -> String {
    let text = |key| told.get(key).and_then(Value::as_str);
    let log = text("log").unwrap_or_default();
    match text("folder") {
        Some(folder) => format!("the earlier log {log}: it is not in {folder}, nor is what came before it"),
        None => format!("the log {log}. `--log {log}` looks into it alone, and no `--log` into all"),
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
