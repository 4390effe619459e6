//! `access.hours`: `"24x7"`, or a table of the days of the week with their spans in London. A day that is not named
//! is closed; without the key questions may be asked at any hour.

use jiff::civil::Weekday;

use crate::config::strict::{Item, Table};
use crate::model::{DAYS, HourSpan, Hours, HoursFault};

/// What a file says for any hour.
const ANY_HOUR: &str = "24x7";

pub(super) fn hours(access: &Table<'_>) -> Option<Hours> {
    let Some(item) = access.optional("hours") else { return Some(Hours::Always) };
    if item.is_text() {
        return item.word(&[()], |()| ANY_HOUR).map(|()| Hours::Always);
    }
    let table = item.table()?;
    let days = DAYS.into_iter().filter_map(|(day, name)| Some((day, table.optional(name)?)));
    let days: Vec<(Weekday, Item<'_>)> = days.collect();
    let read: Vec<_> = days.iter().map(|(day, item)| (*day, spans(item))).collect();
    let named: Option<Vec<_>> = read.into_iter().map(|(day, spans)| Some((day, spans?))).collect();
    Hours::new(&named?).map_err(|fault| tell(fault, &table, &days)).ok()
}

fn spans(item: &Item<'_>) -> Option<Vec<HourSpan>> {
    let items = item.list()?;
    if items.is_empty() {
        item.fault_with_help("names no hour", Some("leave the day out, if it is closed".to_owned()));
        return None;
    }
    let read: Vec<_> = items.iter().map(|item| item.parsed(HourSpan::parse)).collect();
    read.into_iter().collect()
}

fn tell(fault: HoursFault, table: &Table<'_>, days: &[(Weekday, Item<'_>)]) {
    match fault {
        HoursFault::Never => table.fault_with_help(
            "`hours` names no day: nothing could ever be asked",
            "name the days, such as `monday = [\"08:00-18:00\"]`; or say `hours = \"24x7\"`",
        ),
        HoursFault::Apart(day) => {
            if let Some((_, item)) = days.iter().find(|(known, _)| *known == day) {
                item.fault_with_help(
                    "its hours overlap, touch or are not in order",
                    Some("write them from morning to night, and two that touch as one".to_owned()),
                );
            }
        }
    }
}
