//! One cell as the contract's type, exactly: nothing is trimmed, guessed or rounded.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;

use crate::config::strict::Table;
use crate::json;
use crate::model::{Format, Scalar, ScalarKind};

/// How dates or date-times of a column are written.
#[derive(Debug, Clone)]
pub struct TimeFormat {
    /// For `strptime`.
    format: String,
    zone: Option<(String, TimeZone)>,
}

impl TimeFormat {
    pub fn read(table: &Table<'_>) -> Option<Self> {
        let format = table.required("format").and_then(|item| item.text().map(str::to_owned));
        let zone = match table.optional("zone") {
            None => None,
            Some(item) => Some(item.parsed(|name| match TimeZone::get(name) {
                Ok(zone) => Ok((name.to_owned(), zone)),
                Err(_) => Err(format!("`{name}` is not a time zone, such as `Europe/London` or `UTC`")),
            })?),
        };
        Some(Self { format: format?, zone })
    }

    /// What is wrong with it for values of this format of the contract.
    pub fn fault(&self, of: Option<Format>) -> Option<String> {
        // Later than 12 in every part that could be mistaken for another; and in two centuries, since a year of
        // two digits is one of 1969 to 2068 and would make a child of somebody born in 1945.
        let samples = [date(2017, 11, 23).at(21, 34, 45, 0), date(1917, 11, 23).at(21, 34, 45, 0)];
        let written = |sample: DateTime| jiff::fmt::strtime::format(&self.format, sample).ok();
        let is_date = |sample: &DateTime| {
            let read = written(*sample).and_then(|text| Date::strptime(&self.format, text).ok());
            read == Some(sample.date())
        };
        let is_time = |sample: &DateTime| {
            let read = written(*sample).and_then(|text| DateTime::strptime(&self.format, text).ok());
            read.is_some_and(|read| read.with().second(45).build().is_ok_and(|read| read == *sample))
        };
        match of {
            Some(Format::Date) if self.zone.is_some() => Some("a date has no zone".to_owned()),
            Some(Format::Date) => (!samples.iter().all(is_date)).then(|| {
                format!("`{}` does not make a whole date, with all four digits of its year", self.format)
            }),
            Some(Format::DateTime) if self.zone.is_none() => {
                Some("a date-time wants its `zone`, such as `Europe/London` or `UTC`".to_owned())
            }
            Some(Format::DateTime) => (!samples.iter().all(is_time)).then(|| {
                format!(
                    "`{}` does not make a whole date and time, with all four digits of its year",
                    self.format
                )
            }),
            _ => Some("only dates and date-times have a format".to_owned()),
        }
    }

    /// How it is told to those who sign the view.
    pub fn in_words(&self) -> String {
        match &self.zone {
            Some((zone, _)) => format!("written `{}` in {zone}", self.format),
            None => format!("written `{}`", self.format),
        }
    }

    /// The RFC 3339 spelling; `None` for what is not so written, and for an hour that the zone has
    /// twice or not at all: which one is meant nobody can say.
    fn read_cell(&self, cell: &str) -> Option<String> {
        match &self.zone {
            None => Some(Date::strptime(&self.format, cell).ok()?.to_string()),
            Some((_, zone)) => {
                let local = DateTime::strptime(&self.format, cell).ok()?;
                let at = zone.to_ambiguous_zoned(local).unambiguous().ok()?;
                Some(at.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string())
            }
        }
    }
}

/// Why a cell is not a value. Holds nothing of the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOfType(pub &'static str);

/// Appends a cell as JSON; `false`, and nothing appended, if it is empty and so absent.
pub fn write(
    cell: &str,
    scalar: &Scalar,
    format: Option<&TimeFormat>,
    out: &mut Vec<u8>,
) -> Result<bool, NotOfType> {
    if cell.is_empty() {
        if scalar.nullable || scalar.kind == ScalarKind::Null {
            out.extend_from_slice(b"null");
            return Ok(true);
        }
        return Ok(false);
    }
    match scalar.kind {
        ScalarKind::String => write_text(cell, scalar.format, format, out)?,
        ScalarKind::Integer => {
            if !is_integer(cell) {
                return Err(NotOfType("an integer"));
            }
            out.extend_from_slice(cell.as_bytes());
        }
        ScalarKind::Number => {
            if !is_number(cell) {
                return Err(NotOfType("a number"));
            }
            out.extend_from_slice(cell.as_bytes());
        }
        ScalarKind::Boolean => match cell {
            "true" | "false" => out.extend_from_slice(cell.as_bytes()),
            _ => return Err(NotOfType("true or false")),
        },
        ScalarKind::Null => return Err(NotOfType("empty")),
    }
    Ok(true)
}

fn write_text(
    cell: &str,
    of: Option<Format>,
    format: Option<&TimeFormat>,
    out: &mut Vec<u8>,
) -> Result<(), NotOfType> {
    match (format, of) {
        (Some(format), _) => {
            let text = format.read_cell(cell).ok_or(NotOfType("a time in the declared format and zone"))?;
            json::write_string(out, &text);
        }
        (None, Some(Format::Date)) if !is_date(cell) => return Err(NotOfType("a date such as 2026-12-01")),
        // All other formats are the contract's to check.
        (None, _) => json::write_string(out, cell),
    }
    Ok(())
}

/// A JSON integer without fraction or exponent that fits 64 bits; `-0` is not one.
pub fn is_integer(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain && cell != "-0" && cell.parse::<i64>().is_ok()
}

/// The number grammar of RFC 8259 section 6, finite.
fn is_number(cell: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(cell).is_ok()
        && cell.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
}

fn is_date(cell: &str) -> bool {
    let shape = cell.bytes().enumerate().all(|(at, b)| match at {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    cell.len() == 10 && shape && cell.parse::<Date>().is_ok()
}
