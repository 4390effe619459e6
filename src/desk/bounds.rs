//! What an agreement's hours and limits say of a question, as callers and policy tests are told it: when it opens, when
//! to ask again, and which limit it was. The truth of a limit is its key, so that whoever explains a refusal later
//! knows which of several it stands on.
//!
//! Not here: counting (`policy/rate.rs`, `policy/daily.rs`).

use jiff::Zoned;
use jiff::civil::Weekday;
use serde_json::Value;

use super::judging::Denied;
use crate::clock::date_in_words;
use crate::minimise::Minimised;
use crate::model::{Code, DAYS, Hours};
use crate::policy::{Agreement, Over};

/// How soon asking again makes sense while today's answers are being counted.
const COUNTING_SECONDS: u64 = 1;

/// Whether the agreement may be asked under at this moment in London.
///
/// # Errors
/// It is closed.
pub fn within_hours(agreement: &Agreement, london: &Zoned) -> Result<(), Denied> {
    if agreement.hours.has(london.datetime()) {
        return Ok(());
    }
    let opens = agreement.hours.opens_after(london);
    let opens = opens.filter(|opens| agreement.dates.until.is_none_or(|until| opens.date() <= until));
    let detail = match &opens {
        Some(opens) => format!(
            "It opens on {} {} at {}, London time.",
            opens.strftime("%A"),
            date_in_words(opens.date()),
            opens.strftime("%H:%M"),
        ),
        None => "It does not open again before the agreement ends.".to_owned(),
    };
    let retry_after = opens.map(|opens| seconds_until(london, &opens));
    Err(Denied { code: Code::OutsideHours, detail: Some(detail), truth: None, retry_after })
}

/// When may be asked, for programs: `24x7`, or the spans of each day, in London.
pub fn hours(hours: &Hours) -> Value {
    let of_day = |(day, name): &(Weekday, &str)| {
        let spans: Vec<String> = hours.of(*day).iter().map(ToString::to_string).collect();
        (!spans.is_empty()).then(|| ((*name).to_owned(), spans.into()))
    };
    match hours {
        Hours::Always => "24x7".into(),
        Hours::Week(_) => Value::Object(DAYS.iter().filter_map(of_day).collect()),
    }
}

/// A limit of a minute was reached; in so many seconds there is room again.
pub fn beyond_minute(seconds: u64) -> Denied {
    limit("limits.per_minute", format!("Ask again in {seconds} s."), seconds)
}

/// There is no place for a question on this day.
pub fn beyond_day(over: Over, london: &Zoned) -> Denied {
    let tomorrow = london.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    // A day of 25 hours, if there were none.
    let seconds = tomorrow.map_or(25 * 3600, |tomorrow| seconds_until(london, &tomorrow));
    match over {
        Over::PerDay => {
            let detail = "The answers of the day are used up until midnight in London.";
            limit("limits.per_day", detail, seconds)
        }
        Over::PerUser => {
            let detail = "The user's answers of the day are used up until midnight in London.";
            limit("limits.per_user_per_day", detail, seconds)
        }
        Over::Users => {
            let detail =
                "More users were answered today than are counted: ask again after midnight in London.";
            limit("limits.per_user_per_day", detail, seconds)
        }
        Over::Uncounted => Denied {
            code: Code::CannotDecide,
            detail: Some("What was answered today is still being counted.".to_owned()),
            truth: Some("the day's answers are not counted yet".to_owned()),
            retry_after: Some(COUNTING_SECONDS),
        },
        Over::Nobody => Denied { code: Code::UserMissing, detail: None, truth: None, retry_after: None },
    }
}

fn limit(key: &str, detail: impl Into<String>, seconds: u64) -> Denied {
    Denied {
        code: Code::LimitReached,
        detail: Some(detail.into()),
        truth: Some(key.to_owned()),
        retry_after: Some(seconds),
    }
}

/// Whole seconds, upwards and at least one: no sooner is it true.
fn seconds_until(from: &Zoned, to: &Zoned) -> u64 {
    let milliseconds = to.timestamp().as_millisecond().saturating_sub(from.timestamp().as_millisecond());
    u64::try_from(milliseconds).unwrap_or(0).div_ceil(1000).max(1)
}

/// Whether an answer has no more records than the agreement allows in one. Those that may not leave are not counted,
/// so that nothing is told of them.
///
/// # Errors
/// It has more, and nothing of it may leave.
pub fn few_enough(agreement: &Agreement, minimised: &Minimised) -> Result<(), Denied> {
    let (Some(most), rows) = (agreement.limits.rows_per_answer, minimised.rows_released) else {
        return Ok(());
    };
    if rows <= u64::from(most) {
        return Ok(());
    }
    let detail = Some(format!("The agreement allows {most} in one answer."));
    let truth = Some(format!("{rows} records, at most {most}"));
    Err(Denied { code: Code::TooManyMatches, detail, truth, retry_after: None })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::ZONE;

    fn london(text: &str) -> Zoned {
        text.parse::<Timestamp>().unwrap().in_tz(ZONE).unwrap()
    }

    #[test]
    fn a_day_ends_at_midnight_in_london_however_long_it_is() {
        for (now, seconds) in [
            ("2026-12-04T23:00:00Z", 3600),
            ("2026-12-04T23:59:59.5Z", 1),
            // In summer midnight is an hour earlier, and the days of the changes have 23 hours and 25.
            ("2026-07-03T22:59:00Z", 60),
            ("2027-03-28T00:00:00Z", 23 * 3600),
            ("2026-10-24T23:00:00Z", 25 * 3600),
        ] {
            let denied = beyond_day(Over::PerDay, &london(now));
            assert_eq!((denied.code, denied.retry_after), (Code::LimitReached, Some(seconds)), "{now}");
        }
    }
}
