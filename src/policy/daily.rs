//! The limits of an agreement by the day in London: so many answers, and so many to one user. What counts is what
//! the record shows ([`Outcome::counts_for_the_day`](crate::model::Outcome::counts_for_the_day)), so that a restart
//! forgives nothing: it begins with the journal's count, and nothing is admitted before that was made.
//!
//! A question takes its place when it is permitted and gives it back when it ends without having told anything, so
//! that of several at once no more are answered than may be. Users are kept as keyed hashes, under a key of this
//! process alone.
//!
//! Not here: reading the journal (`desk/days.rs`), and what a caller is told (`desk/bounds.rs`).

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;

use super::agreement::Limits;

/// Users counted on one day under one agreement: a health board has as many staff. 16 bytes each, and so some 2 MiB
/// for an agreement at most. Beyond it a user who was not counted yet is refused until the next day.
const USERS_MAX: usize = 65_536;

/// Shared by all threads and by every version of the agreement.
#[derive(Debug, Clone)]
pub struct Daily {
    per_day: Option<u32>,
    per_user: Option<u32>,
    day: Arc<Mutex<Day>>,
}

/// Why a question is not admitted on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// What was answered today is not counted yet.
    Uncounted,
    PerDay,
    PerUser,
    /// More users than are counted.
    Users,
    /// It counts by user, and none is stated.
    Nobody,
}

#[derive(Debug)]
struct Day {
    /// `None` until the journal was counted.
    date: Option<Date>,
    total: u32,
    /// `None` where nobody counts by user.
    users: Option<Users>,
}

#[derive(Debug, Default)]
struct Users {
    key: RandomState,
    counts: HashMap<u64, u32>,
    /// Answers of which it is not known whom they were told: they count for everybody.
    unknown: u32,
}

/// Who asks, as stated: a member, and its user.
pub type AskedBy<'a> = (&'a str, &'a str);

impl Daily {
    /// `by_user`: whether any version of the agreement counts by user. `None` where this one has no limit by the day.
    pub fn new(limits: &Limits, by_user: bool) -> Option<Self> {
        let users = by_user.then(Users::default);
        let day = Arc::new(Mutex::new(Day { date: None, total: 0, users }));
        Self { per_day: None, per_user: None, day }.continued(limits, by_user)
    }

    /// The same count under other limits: a reload must not forgive what was asked before it. `None` where there are
    /// none, and where users would have to be counted and were not.
    pub fn continued(&self, limits: &Limits, by_user: bool) -> Option<Self> {
        let Limits { per_day, per_user_per_day, per_minute: _, rows_per_answer: _ } = *limits;
        let none = per_day.is_none() && per_user_per_day.is_none();
        let enough = !by_user || self.day().users.is_some();
        let day = Arc::clone(&self.day);
        (!none && enough).then_some(Self { per_day, per_user: per_user_per_day, day })
    }

    fn day(&self) -> MutexGuard<'_, Day> {
        day(&self.day)
    }

    /// Whether the journal was counted.
    pub fn is_counted(&self) -> bool {
        self.day().date.is_some()
    }

    /// Takes a place on this day, or says why there is none. What is refused does not count.
    pub fn admit(&self, today: Date, by: Option<AskedBy<'_>>) -> Result<DayUse, Over> {
        let mut day = self.day();
        let date = day.on(today).ok_or(Over::Uncounted)?;
        if self.per_day.is_some_and(|most| day.total >= most) {
            return Err(Over::PerDay);
        }
        let user = match (&mut day.users, by) {
            (Some(users), Some(by)) => Some(users.take(by, self.per_user)?),
            (_, None) if self.per_user.is_some() => return Err(Over::Nobody),
            (Some(users), None) => {
                users.unknown = users.unknown.saturating_add(1);
                None
            }
            (None, _) => None,
        };
        day.total = day.total.saturating_add(1);
        Ok(DayUse { day: Arc::clone(&self.day), date, user, kept: false })
    }

    /// A count of what the journal has of this day.
    pub fn recount(&self) -> Recount {
        let users =
            self.day().users.as_ref().map(|users| Users { key: users.key.clone(), ..Users::default() });
        Recount { into: Arc::clone(&self.day), total: 0, users }
    }
}

fn day(day: &Mutex<Day>) -> MutexGuard<'_, Day> {
    // Nothing in here can panic half way, so that a poisoned count is still a count.
    day.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Day {
    /// The day that is counted now; a new one begins with nothing. A thread that read the clock a moment earlier than
    /// another counts into the later day.
    fn on(&mut self, today: Date) -> Option<Date> {
        let date = self.date?;
        if date >= today {
            return Some(date);
        }
        self.date = Some(today);
        self.total = 0;
        if let Some(users) = &mut self.users {
            users.counts = HashMap::new();
            users.unknown = 0;
        }
        Some(today)
    }
}

impl Users {
    fn name(&self, by: AskedBy<'_>) -> u64 {
        self.key.hash_one(by)
    }

    /// Counts one more of a user, of whom there may be `most`.
    fn take(&mut self, by: AskedBy<'_>, most: Option<u32>) -> Result<u64, Over> {
        let user = self.name(by);
        let known = self.counts.get(&user).copied();
        let count = known.unwrap_or(0).saturating_add(self.unknown);
        if most.is_some_and(|most| count >= most) {
            return Err(Over::PerUser);
        }
        if known.is_none() && self.counts.len() >= USERS_MAX {
            return Err(Over::Users);
        }
        self.add(user, 1);
        Ok(user)
    }

    fn add(&mut self, user: u64, more: u32) {
        let count = self.counts.entry(user).or_default();
        *count = count.saturating_add(more);
    }
}

/// A place on a day. Dropped, it is given back, unless it was kept.
#[derive(Debug)]
pub struct DayUse {
    day: Arc<Mutex<Day>>,
    date: Date,
    user: Option<u64>,
    kept: bool,
}

impl DayUse {
    /// It counts from now on, whatever becomes of the answer.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for DayUse {
    fn drop(&mut self) {
        let mut day = day(&self.day);
        if self.kept || day.date != Some(self.date) {
            return;
        }
        day.total = day.total.saturating_sub(1);
        let Some(users) = &mut day.users else { return };
        match self.user {
            None => users.unknown = users.unknown.saturating_sub(1),
            Some(user) => {
                let left = users.counts.get(&user).copied().unwrap_or(0).saturating_sub(1);
                // Nobody is kept who was told nothing: whoever makes up users takes no room with them.
                if left == 0 {
                    users.counts.remove(&user);
                } else {
                    users.counts.insert(user, left);
                }
            }
        }
    }
}

/// What the journal has of one day, while it is read.
pub struct Recount {
    into: Arc<Mutex<Day>>,
    total: u32,
    users: Option<Users>,
}

impl Recount {
    /// One more, and by whom, where that is still known.
    pub fn add(&mut self, by: Option<AskedBy<'_>>) {
        self.add_many(by, 1);
    }

    /// So many more.
    pub fn add_many(&mut self, by: Option<AskedBy<'_>>, more: u32) {
        self.total = self.total.saturating_add(more);
        let Some(users) = &mut self.users else { return };
        // More users than are counted count for everybody.
        match by.map(|by| users.name(by)) {
            Some(user) if users.counts.len() < USERS_MAX || users.counts.contains_key(&user) => {
                users.add(user, more);
            }
            _ => users.unknown = users.unknown.saturating_add(more),
        }
    }

    /// Begins with this. What was counted before stays: then it was somebody else who counted first.
    pub fn begin(self, date: Date) {
        let Self { into, total, users } = self;
        let mut day = day(&into);
        if day.date.is_none() {
            *day = Day { date: Some(date), total, users };
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const FRIDAY: Date = date(2026, 12, 4);
    const SATURDAY: Date = date(2026, 12, 5);
    const MAIRI: Option<AskedBy<'static>> = Some(("nhs-lomond", "mairi"));
    const IAIN: Option<AskedBy<'static>> = Some(("nhs-lomond", "iain"));

    fn limits(per_day: Option<u32>, per_user_per_day: Option<u32>) -> Limits {
        Limits { per_minute: 30, per_day, per_user_per_day, rows_per_answer: None }
    }

    /// Counted: nothing today.
    fn daily(per_day: Option<u32>, per_user: Option<u32>) -> Daily {
        let daily = Daily::new(&limits(per_day, per_user), per_user.is_some()).unwrap();
        daily.recount().begin(FRIDAY);
        daily
    }

    fn ask(daily: &Daily, by: Option<AskedBy<'_>>) -> Result<(), Over> {
        daily.admit(FRIDAY, by).map(DayUse::keep)
    }

    #[test]
    fn a_limit_of_the_day_is_reached_and_begins_anew_with_the_next() {
        let daily = daily(Some(2), None);
        assert_eq!((ask(&daily, None), ask(&daily, MAIRI)), (Ok(()), Ok(())));
        assert_eq!(ask(&daily, IAIN), Err(Over::PerDay));
        daily.admit(SATURDAY, None).unwrap().keep();
        // A thread that is still on the day before counts into the later one.
        assert_eq!((ask(&daily, None), ask(&daily, None)), (Ok(()), Err(Over::PerDay)));
    }

    #[test]
    fn a_user_has_a_limit_of_their_own_under_their_own_member() {
        let daily = daily(Some(5), Some(1));
        assert_eq!(ask(&daily, MAIRI), Ok(()));
        assert_eq!(ask(&daily, MAIRI), Err(Over::PerUser));
        assert_eq!(ask(&daily, Some(("police-caledonia", "mairi"))), Ok(()));
        assert_eq!(ask(&daily, IAIN), Ok(()));
        assert_eq!(ask(&daily, None), Err(Over::Nobody));
        daily.admit(SATURDAY, MAIRI).unwrap().keep();
    }

    #[test]
    fn of_several_at_once_no_more_are_admitted_than_may_be_answered() {
        let daily = daily(Some(1), Some(1));
        let under_way = daily.admit(FRIDAY, MAIRI).unwrap();
        assert_eq!(ask(&daily, IAIN), Err(Over::PerDay));
        // It told nothing: its place is free again, and nobody is kept who was told nothing.
        drop(under_way);
        assert!(daily.day().users.as_ref().unwrap().counts.is_empty());
        let under_way = daily.admit(FRIDAY, MAIRI).unwrap();
        daily.admit(SATURDAY, IAIN).unwrap().keep();
        // Given back on the next day it takes nothing from that.
        drop(under_way);
        assert_eq!(daily.admit(SATURDAY, MAIRI).map(DayUse::keep), Err(Over::PerDay));
    }

    #[test]
    fn nothing_is_admitted_before_the_journal_was_counted() {
        let daily = Daily::new(&limits(Some(3), Some(2)), true).unwrap();
        assert_eq!((ask(&daily, MAIRI), daily.is_counted()), (Err(Over::Uncounted), false));
        let mut recount = daily.recount();
        recount.add(MAIRI);
        recount.add(None);
        recount.begin(FRIDAY);
        // One of hers, and one of somebody's, which could be hers.
        assert_eq!(ask(&daily, MAIRI), Err(Over::PerUser));
        assert_eq!(ask(&daily, IAIN), Ok(()));
        assert_eq!(ask(&daily, IAIN), Err(Over::PerDay));
        // A second count, of a reload at the same time, changes nothing.
        daily.recount().begin(FRIDAY);
        assert_eq!(ask(&daily, IAIN), Err(Over::PerDay));
    }

    #[test]
    fn a_reload_forgives_nothing_and_a_lower_limit_acts_at_once() {
        let first = daily(Some(3), None);
        assert_eq!(ask(&first, None), Ok(()));
        let lower = first.continued(&limits(Some(1), None), false).unwrap();
        assert_eq!(ask(&lower, None), Err(Over::PerDay));
        assert_eq!(ask(&first, None), Ok(()));
        assert!(first.continued(&limits(None, None), false).is_none(), "no limit any more");
        assert!(first.continued(&limits(None, Some(1)), true).is_none(), "users were not counted");
    }

    #[test]
    fn more_users_than_are_counted_are_refused_until_the_next_day() {
        let daily = Daily::new(&limits(None, Some(2)), true).unwrap();
        let mut recount = daily.recount();
        for user in 0..USERS_MAX {
            recount.add(Some(("nhs-lomond", &user.to_string())));
        }
        recount.begin(FRIDAY);
        assert_eq!(ask(&daily, MAIRI), Err(Over::Users));
        assert_eq!(ask(&daily, Some(("nhs-lomond", "7"))), Ok(()));
        daily.admit(SATURDAY, MAIRI).unwrap().keep();
    }

    #[test]
    fn no_user_is_kept_in_clear() {
        let daily = daily(Some(3), Some(2));
        assert_eq!(ask(&daily, MAIRI), Ok(()));
        assert!(!format!("{daily:?}").contains("mairi"));
        let other = self::daily(Some(3), Some(2));
        let name = |daily: &Daily| daily.day().users.as_ref().unwrap().name(("nhs-lomond", "mairi"));
        assert_ne!(name(&daily), name(&other), "the key is each count's own");
    }
}
