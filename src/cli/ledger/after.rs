//! Where the next page of a search begins, as the page before says it and `--after` takes it: a record, and its log
//! where that is an earlier one.

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct After {
    pub record: u64,
    /// `None` of the log that is looked into first.
    pub log: Option<String>,
}

/// Reads what a page said: `41872`, or `41872@LOG`.
pub(super) fn after(text: &str) -> Result<After, String> {
    let (record, log) = match text.split_once('@') {
        Some((record, log)) => (record, Some(log.to_owned())),
        None => (text, None),
    };
    let wanted = "wanted the number the page before named, such as 41872, or 41872@LOG";
    Ok(After { record: record.parse().map_err(|_| wanted.to_owned())?, log })
}

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.log {
            Some(log) => write!(f, "{}@{log}", self.record),
            None => self.record.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_says_is_what_the_next_takes() {
        for text in ["0", "41872", "7@glenmore.caledonia.example/ledger/2026-12-04-0a1b2c3d"] {
            assert_eq!(after(text).unwrap().to_string(), text);
        }
        for wrong in ["", "x", "-1", "@log", "1 @log"] {
            assert!(after(wrong).is_err(), "{wrong}");
        }
    }
}
