//! Whose count of the day is whose: versions of an agreement share one, over a reload too.

use std::sync::Arc;

use jiff::civil::{Date, date};

use super::samples::{load, member, trial};
use crate::policy::daily::{DayUse, Over};
use crate::policy::register::Register;
use crate::policy::standing::Standing;

const TODAY: Date = date(2026, 12, 4);

/// The trial in these versions, each with its limits.
fn register(versions: &[(u32, &str)], before: Option<&Register>) -> Register {
    let judged = versions.iter().map(|(version, limits)| {
        let text = trial()
            .replace("version = 1", &format!("version = {version}"))
            .replace("user = \"none\"", "user = \"required\"")
            .replace("per_minute = 30", &format!("per_minute = 30\n{limits}"));
        let agreement = load(&text);
        let standing = Standing::supposed(&agreement);
        (Arc::new(agreement), standing)
    });
    Register::new(&member("glenmore"), judged.collect(), before).unwrap()
}

/// Asks under the version at a place of the register.
fn ask(register: &Register, place: usize) -> Result<(), Over> {
    let daily = register.all()[place].daily.as_ref().unwrap();
    daily.admit(TODAY, Some(("nhs-lomond", "mairi"))).map(DayUse::keep)
}

fn count(register: &Register) {
    let counts = register.all().iter().filter_map(|entry| entry.daily.as_ref());
    counts.for_each(|daily| daily.recount().begin(TODAY));
}

#[test]
fn versions_share_one_count_and_each_has_its_own_limit() {
    let both = register(&[(1, "per_day = 3"), (2, "per_day = 2")], None);
    count(&both);
    assert_eq!((ask(&both, 0), ask(&both, 1)), (Ok(()), Ok(())));
    assert_eq!((ask(&both, 1), ask(&both, 0)), (Err(Over::PerDay), Ok(())));
    // A third version, and a reload.
    let after = register(&[(3, "per_day = 4")], Some(&both));
    assert_eq!((ask(&after, 0), ask(&after, 0)), (Ok(()), Err(Over::PerDay)));
    // Without a limit of the day nothing is counted.
    assert!(register(&[(4, "")], Some(&after)).all()[0].daily.is_none());
}

#[test]
fn a_first_limit_by_user_is_counted_before_anything_is_answered_under_any_version() {
    let before = register(&[(1, "per_day = 3")], None);
    count(&before);
    assert_eq!(ask(&before, 0), Ok(()));
    let after = register(&[(1, "per_day = 3"), (2, "per_user_per_day = 1")], Some(&before));
    assert_eq!((ask(&after, 0), ask(&after, 1)), (Err(Over::Uncounted), Err(Over::Uncounted)));
    count(&after);
    assert_eq!((ask(&after, 1), ask(&after, 1)), (Ok(()), Err(Over::PerUser)));
    assert_eq!((ask(&after, 0), ask(&after, 0), ask(&after, 0)), (Ok(()), Ok(()), Err(Over::PerDay)));
}
