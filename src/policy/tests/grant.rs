//! A grant's file: what is wanted of it, and what is told of many.

use jiff::Timestamp;

use super::samples;
use crate::policy::{Agreement, habits, signature_text};

const ABOUT: &str = "[[subject]]\nkind = \"chi\"\ncommitment = \"";

/// A grant as somebody would write one, decided at this moment.
fn text(id: &str, decided: &str) -> String {
    let standing = samples::trial();
    let (_, rest) = standing.split_once("[[party]]").unwrap();
    let (rest, _) = rest.split_once("[limits]").unwrap();
    format!(
        "format = 1\n[grant]\nid = \"{id}\"\ntitle = \"One child\"\nstage = \"trial\"\ndecided = \"{decided}\"\n\
         [request]\nid = \"R-17\"\nname = \"Dr Iona Ferguson\"\nrank = \"Consultant\"\nverified = \"called back\"\n\
         power = \"voluntary\"\nnecessity = \"The child came alone and somebody has to be called for them now.\"\n\
         urgency = \"routine\"\ntip_off = false\n\
         [decision]\nruling = \"release\"\nby = \"Mairi MacLeod\"\nreview = 2026-12-18\n\
         {ABOUT}{}\"\n[[party]]{rest}",
        "0".repeat(64)
    )
}

fn grant(id: &str, decided: &str) -> Agreement {
    samples::load(&text(id, decided))
}

#[test]
fn a_grant_is_open_for_72_hours_where_it_says_nothing_else() {
    let agreement = grant("one", "2026-12-04T23:30:00Z");
    let grant = agreement.grant.as_ref().unwrap();
    assert_eq!(grant.expires, "2026-12-07T23:30:00Z".parse::<Timestamp>().unwrap());
    assert!(grant.is_open(grant.decided) && !grant.is_open(grant.expires));
    assert_eq!(agreement.reference.to_string(), "one@1");
    assert!(signature_text(&agreement).starts_with("tolbooth/grant/v1\none\n1\n"));
}

#[test]
fn what_is_wrong_with_a_grant_is_told() {
    let now = "2026-12-04T10:00:00Z";
    let second = text("one", now).replacen(
        "[[party.system]]",
        "[[party.system]]\nid = \"kiosk\"\npurposes = [\"safeguarding_child\"]\n\n[[party.system]]",
        1,
    );
    let with = |key: &str| text("one", now).replacen("[request]", &format!("{key}\n[request]"), 1);
    for (text, wanted) in [
        (text("one", "2026-12-04"), "not a moment in UTC"),
        (text("one", "2026-12-04T10:00:00+00:00"), "not a moment in UTC"),
        (with("expires = \"2026-12-04T10:00:00Z\""), "at most 30 days"),
        (with("expires = \"2027-01-04T10:00:00Z\""), "at most 30 days"),
        (with("limits = 3"), "limits"),
        (text("one", now).replace("\"release\"", "\"refuse\""), "makes no grant"),
        (text("one", now).replace("[\"check\"]", "[\"check\", \"list\"]"), "a grant is for one"),
        (second, "one [[party.system]] of one consumer"),
        (text("one", now).replacen(ABOUT, "[[nobody]]\ncommitment = \"", 1), "0 [[subject]]"),
        (text("one", now).replace("kind = \"chi\"", "kind = \"shoe_size\""), "not a kind of identifier"),
        (text("one", now).replacen(&"0".repeat(64), "0101011234", 1), "not a commitment"),
        (format!("{}\n[limits]\nper_minute = 3\n", text("one", now)), "limits"),
    ] {
        let told = samples::faults(&text);
        assert!(told.contains(wanted), "{wanted}: {told}");
        assert!(!told.contains("0101011234"), "{told}");
    }
    // Live, it needs law for both sides as an agreement does.
    assert!(
        samples::faults(&text("one", now).replace("\"trial\"", "\"live\""))
            .contains("[law.glenmore] is missing")
    );
}

#[test]
fn a_grant_may_bound_its_answer_and_its_hours() {
    let bounded = text("one", "2026-12-04T10:00:00Z").replacen(
        "user = \"none\"",
        "user = \"none\"\nhours = { friday = [\"08:00-18:00\"] }",
        1,
    );
    let loaded = samples::load(&format!("{bounded}\n[limits]\nrows_per_answer = 3\n"));
    assert_eq!((loaded.limits.rows_per_answer, loaded.limits.per_day), (Some(3), None));
    assert!(!loaded.hours.has(jiff::civil::date(2026, 12, 4).at(18, 0, 0, 0)));
    assert_eq!(samples::load(&text("one", "2026-12-04T10:00:00Z")).limits.rows_per_answer, None);
    let of_a_day = format!("{bounded}\n[limits]\nper_day = 3\n");
    assert!(samples::faults(&of_a_day).contains("unknown key `per_day` in [limits]"));
}

#[test]
fn three_grants_of_one_kind_in_90_days_are_a_habit() {
    let days = |days: [&str; 3]| {
        let given: Vec<_> =
            days.iter().map(|day| grant(&format!("g-{day}"), &format!("{day}T10:00:00Z"))).collect();
        habits(given.iter().chain([&samples::load(&samples::trial())])).len()
    };
    assert_eq!(days(["2026-12-04", "2026-10-01", "2026-11-01"]), 1);
    assert_eq!(days(["2026-12-04", "2026-09-01", "2026-11-01"]), 0);
}
