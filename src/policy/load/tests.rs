//! One good file, and each thing that can be wrong with it.

use jiff::civil::{Weekday, date};

use crate::model::{Basis, Check, Digest, FieldPath, Hours, Literal, Regime, Rows, Test, Transform};
use crate::policy::agreement::{Side, Stage};
use crate::policy::tests::samples::{faults, live, load, trial};

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

/// The trial with one line (or part of one) changed, and what is said of it.
fn said(from: &str, to: &str) -> String {
    let text = trial();
    assert!(text.contains(from), "{from}");
    faults(&text.replacen(from, to, 1))
}

fn check_each(cases: &[(&str, &str, &str)]) {
    for (from, to, wanted) in cases {
        let found = said(from, to);
        assert!(found.contains(wanted), "{from} -> {to}\nwanted: {wanted}\nsaid: {found}");
    }
}

#[test]
fn a_good_file_says_what_it_says() {
    let text = trial();
    let agreement = load(&text);
    assert_eq!(agreement.reference.to_string(), "glenmore-nhs-lomond-child-protection@1");
    assert_eq!(agreement.stage, Stage::Trial);
    assert_eq!(agreement.provider().unwrap().as_str(), "glenmore");
    assert_eq!(agreement.parties[1].side, Side::Consumer);
    assert_eq!(agreement.parties[1].systems[0].roles.len(), 2);
    assert_eq!(agreement.dataset.to_string(), "child-protection/v1");
    assert!(!agreement.user_required);
    assert_eq!(agreement.dates.from, date(2026, 12, 1));
    assert_eq!(agreement.seal, None);
    assert_eq!(agreement.digest, Digest::of(text.as_bytes()));
    assert_eq!(agreement.release.fields[2], (path("date_of_birth"), Transform::YearOfBirth));
    assert_eq!(agreement.release.rows, Rows::Every);
    let live = load(&live());
    assert_eq!(live.law[0].basis, Some(Basis::Art6e));
    assert_eq!(live.law[1].regime, Regime::UkGdpr);
    assert_eq!(live.law[0].powers[0].section, "22");
}

#[test]
fn format_1_loads_and_3_waits_for_a_newer_tolbooth() {
    assert_eq!(faults(&trial()), "");
    let newer = said("format = 1", "format = 3\nsomething_new = true");
    assert_eq!(
        newer,
        "agreement.toml:1: `format`: format 3 was written for a newer Tolbooth; this one reads up to 2\n    update Tolbooth"
    );
    assert!(said("format = 1", "format = 0").contains("there is no such format"));
    assert!(said("format = 1", "").starts_with("agreement.toml:1: `format` is missing"));
    assert!(said("format = 1", "format = \"1\"").contains("a whole number is wanted here"));
}

#[test]
fn bytes_that_do_not_read_the_same_everywhere_are_one_clear_fault() {
    let with = |bytes: &[u8]| {
        let text = [bytes, trial().as_bytes()].concat();
        crate::policy::load("a.toml", &text).unwrap_err().to_string()
    };
    assert!(with(b"\xef\xbb\xbf").starts_with("a.toml:1: begins with a byte order mark"));
    assert!(with(b"#\r\n").starts_with("a.toml:1: has a carriage return"));
    assert!(with(b"# x\n# caf\xe9\n").starts_with("a.toml:2: is not UTF-8"));
    assert!(with("# \u{202e}x\n".as_bytes()).contains("changes the order of text"));
    for one in [b"\xef\xbb\xbf".as_slice(), b"#\r\n"] {
        assert_eq!(with(one).lines().count(), 2, "one fault and its help");
    }
}

#[test]
fn all_faults_come_at_once() {
    let text = trial()
        .replace("stage = \"trial\"", "stage = \"tryal\"")
        .replace("major = 1", "major = 0")
        .replace("withhold", "withold")
        .replace("per_minute = 30", "per_minute = \"30\"");
    let found = faults(&text);
    for wanted in [
        "agreement.toml:7: `agreement.stage`: `tryal` is not known here\n    did you mean `trial`?",
        "`dataset.major`: 0 is not from 1",
        "unknown key `withold` in [data]\n    did you mean `withhold`?",
        "`limits.per_minute`: a whole number is wanted here",
    ] {
        assert!(found.contains(wanted), "{found}");
    }
}

#[test]
fn what_belongs_to_later_versions_is_unknown() {
    check_each(&[
        ("[limits]\n", "[limits]\nper_week = 5\n", "unknown key `per_week` in [limits]"),
        ("[purpose]\n", "[emergency]\nallowed = true\n[purpose]\n", "unknown key `emergency`"),
        ("\"certificate\"", "\"tokens\"", "`tokens` is not known here\n    did you mean `token`?"),
        ("user = \"none\"", "user = \"named\"", "`named` is not known here"),
        ("[purpose]\n", "[signatures]\n[purpose]\n", "unknown key `signatures`"),
    ]);
}

#[test]
fn limits_of_the_day_are_checked() {
    let day = |more: &str| said("[limits]\n", &format!("[limits]\n{more}\n"));
    let user = trial().replacen("user = \"none\"", "user = \"required\"", 1);
    let agreement = load(&user.replacen(
        "[limits]\n",
        "[limits]\nper_day = 5\nper_user_per_day = 5\nrows_per_answer = 1\n",
        1,
    ));
    let limits = agreement.limits;
    assert_eq!(
        (limits.per_day, limits.per_user_per_day, limits.rows_per_answer),
        (Some(5), Some(5), Some(1))
    );
    assert_eq!((load(&trial()).limits.per_day, load(&trial()).hours), (None, Hours::Always));
    for (more, wanted) in [
        ("per_day = 0", "`limits.per_day`: 0 is not from 1 to"),
        ("per_day = \"5\"", "`limits.per_day`: a whole number is wanted here"),
        ("rows_per_answer = 0", "`limits.rows_per_answer`: 0 is not from 1 to"),
        ("per_user_per_day = 5", "counts by user, and `access.user` wants none stated"),
    ] {
        assert!(day(more).contains(wanted), "{more}: {}", day(more));
    }
    let above = user.replacen("[limits]\n", "[limits]\nper_day = 5\nper_user_per_day = 6\n", 1);
    assert!(faults(&above).contains("6 is more than `per_day`, 5, and never reached"), "{}", faults(&above));
}

#[test]
fn hours_are_any_or_spans_of_days() {
    let with =
        |hours: &str| trial().replacen("user = \"none\"", &format!("user = \"none\"\nhours = {hours}"), 1);
    assert_eq!(load(&with("\"24x7\"")).hours, Hours::Always);
    let office = load(&with("{ monday = [\"08:00-12:00\", \"13:00-24:00\"] }")).hours;
    assert_eq!(office.of(Weekday::Monday).len(), 2);
    assert!(office.of(Weekday::Tuesday).is_empty());
    for (hours, wanted) in [
        ("\"24/7\"", "`24/7` is not known here\n    did you mean `24x7`?"),
        ("7", "`access.hours`: a table is wanted here, not integer"),
        ("{}", "names no day"),
        ("{ mon = [\"08:00-18:00\"] }", "unknown key `mon` in [access.hours]"),
        ("{ monday = \"08:00-18:00\" }", "`access.hours.monday`: a list is wanted here"),
        ("{ monday = [] }", "names no hour\n    leave the day out"),
        ("{ monday = [\"8-18\"] }", "`access.hours.monday[0]`: `8-18` is not a time from and to"),
        ("{ monday = [\"22:00-06:00\"] }", "over midnight is two"),
        ("{ monday = [\"08:00-12:00\", \"11:00-13:00\"] }", "overlap, touch or are not in order"),
    ] {
        let found = faults(&with(hours));
        assert!(found.contains(wanted), "{hours}\nwanted: {wanted}\nsaid: {found}");
    }
}

#[test]
fn heads_are_checked() {
    let long = format!("title = \"{}\"", "x".repeat(81));
    check_each(&[
        ("title = \"Child protection status check by A&E\"", &long, "81 characters, at most 80"),
        ("title = \"Child protection status check by A&E\"", "title = \" \"", "may not be empty"),
        ("title = \"Child", "title = \"\\nChild", "without control characters"),
        ("id = \"glenmore-nhs", "id = \"Glenmore-nhs", "is not a agreement id"),
        ("version = 1", "version = 0", "0 is not from 1"),
        ("version = 1\n", "", "`version` is missing in [agreement]"),
        ("code = \"safeguarding_child\"", "code = \"safeguarding\"", "`safeguarding` is not known here"),
        ("operations = [\"check\"]", "operations = []", "wants at least one"),
        ("operations = [\"check\"]", "operations = [\"check\", \"check\"]", "`check` is listed twice"),
    ]);
}

#[test]
fn parties_are_one_provider_and_consumers_with_systems() {
    let second = "[[party]]\nmember = \"nhs-lomond\"\nside = \"provider\"\n\n[purpose]\n";
    let system = "[[party.system]]\nid = \"ed-trak\"\npurposes = [\"safeguarding_child\"]\n\n[purpose]\n";
    let on_provider =
        "side = \"provider\"\n[[party.system]]\nid = \"x\"\npurposes = [\"safeguarding_child\"]\n";
    check_each(&[
        ("side = \"consumer\"", "side = \"provider\"", "a provider has no [[party.system]]"),
        ("side = \"provider\"\n", on_provider, "a provider has no [[party.system]]"),
        ("side = \"provider\"", "side = \"consumer\"", "a consumer needs at least one [[party.system]]"),
        ("[purpose]\n", second, "`nhs-lomond` is a party twice"),
        ("[purpose]\n", &second.replace("nhs-lomond", "fife"), "2 providers and 1 consumers"),
        ("[purpose]\n", system, "system `ed-trak` is listed twice"),
        ("\"ed_clinician\", ", "\"ed_nurse\", ", "`ed_nurse` is listed twice"),
        ("purposes = [\"safeguarding_child\"]", "purposes = []", "wants at least one"),
        (
            "purposes = [\"safeguarding_child\"]",
            "purposes = [\"research\"]",
            "`research` is not the agreement's purpose, `safeguarding_child`",
        ),
        ("purposes = [\"safeguarding_child\"]", "purposes = [\"snooping\"]", "`snooping` is not known here"),
        ("roles = [\"ed_clinician\"", "roles = [\"ED clinician\"", "is not a role"),
    ]);
}

#[test]
fn a_trial_lasts_ninety_days_and_dates_are_in_order() {
    check_each(&[
        (
            "until = 2027-02-28",
            "until = 2027-03-01",
            "a trial of 91 days, first and last included: at most 90",
        ),
        ("until = 2027-02-28\n", "", "`until` is missing: a trial lasts at most 90 days"),
        ("until = 2027-02-28", "until = 2026-11-30", "2026-11-30 is before `from`, 2026-12-01"),
        ("until = 2027-02-28", "until = \"2027-02-28\"", "a date such as 2026-12-01"),
    ]);
    assert_eq!(said("until = 2027-02-28", "until = 2026-12-01"), "");
    assert_eq!(load(&live().replace("until = 2027-02-28\n", "")).dates.until, None);
}

#[test]
fn a_live_agreement_has_law_for_every_party() {
    let lawless = trial().replace("\"trial\"", "\"live\"");
    let found = faults(&lawless);
    assert!(found.contains("[law.glenmore] is missing"), "{found}");
    assert!(found.contains("[law.nhs-lomond] is missing"), "{found}");
    for (from, to, wanted) in [
        ("[law.glenmore]", "[law.glenmoor]", "`glenmoor` is not a party\n    did you mean `glenmore`?"),
        ("art6_1_e", "s35_consent", "`s35_consent` belongs to `dpa_part3`, not to `uk_gdpr`"),
        ("art6_1_e", "art6_1_z", "`art6_1_z` is not known here"),
        ("basis = \"art6_1_e\"\n", "", "`basis` is missing under `uk_gdpr`"),
        ("regime = \"uk_gdpr\"", "regime = \"non_personal\"", "data that is not personal needs no basis"),
        ("power = [{ statute", "powr = [{ statute", "`art6_1_e` needs a power in statute"),
        ("section = \"22\", ", "", "`section` is missing in [law.glenmore.power[0]]"),
    ] {
        let found = faults(&live().replacen(from, to, 1));
        assert!(found.contains(wanted), "{from} -> {to}\n{found}");
    }
}

#[test]
fn a_field_is_released_once_or_withheld() {
    check_each(&[
        ("\"registered\", ", "\"status\", ", "`status` is released twice"),
        ("\"registered\", ", "\"date_of_birth\", ", "`date_of_birth` is released twice"),
        ("\"registered\", ", "\"case_notes\", ", "`case_notes` is both released and withheld"),
        ("\"registered\", ", "\"safe.street\", ", "`safe.street` is released, but withheld with `safe`"),
        ("\"safe\"]", "\"safe\", \"safe\"]", "`safe` is listed twice"),
        ("\"registered\", ", "\"a b\", ", "is not a field"),
        ("\"registered\", ", "3, ", "a table is wanted here, not integer"),
    ]);
    let nothing = "release = []\nwithhold = [\"x\"]\nall_rows = true\n[limits]\n";
    let text = trial();
    let (head, rest) = text.split_once("release").unwrap();
    let (_, rest) = rest.split_once("[limits]\n").unwrap();
    assert!(faults(&format!("{head}{nothing}{rest}")).contains("releases nothing"));
}

#[test]
fn transforms_have_what_they_need() {
    let plain = "\"registered\", ";
    let with = |table: &str| said(plain, &format!("{{ field = \"x\", {table} }}, "));
    for (table, wanted) in [
        ("transform = \"age_bnd\"", "`age_bnd` is not a transform\n    did you mean `age_band`?"),
        ("transform = \"age_bnd\", bands = []", "`age_bnd` is not a transform"),
        ("trnsform = \"none\"", "`transform` is missing"),
        ("transform = \"initials\", characters = 3", "unknown key `characters`"),
        ("transform = \"mask_keep_last\"", "`characters` is missing"),
        ("transform = \"mask_keep_last\", characters = 0", "0 is not from 1 to 32"),
        ("transform = \"round\", to = 0", "wants a number above zero"),
        ("transform = \"round\", to = nan", "a number is wanted here"),
        ("transform = \"age_band\", bands = []", "wants at least one band"),
        ("transform = \"age_band\", bands = [{ from = 16, label = \"16+\" }]", "bands begin at 0 and rise"),
        (
            "transform = \"age_band\", bands = [{ from = 0, label = \"a\" }, { from = 0, label = \"b\" }]",
            "bands begin at 0 and rise",
        ),
        ("transform = \"code_map\", table = {}", "wants at least one code"),
        ("transform = \"code_map\", table = { A = 1 }", "a text is wanted here"),
    ] {
        let found = with(table);
        assert!(found.contains(wanted), "{table}\n{found}");
        assert!(!table.contains("age_bnd\", bands") || !found.contains("unknown key"), "{found}");
    }
    let good = "{ field = \"a\", transform = \"mask_keep_last\", characters = 3 }, \
         { field = \"b\", transform = \"round\", to = 5 }, \
         { field = \"c\", transform = \"code_map\", table = { A = \"a\" } }, \
         { field = \"d\", transform = \"age_band\", bands = [{ from = 0, label = \"0-15\" }, { from = 16, label = \"16+\" }] }, \
         { field = \"e\", transform = \"none\" }, ";
    let agreement = load(&trial().replacen(plain, good, 1));
    let names: Vec<&str> = agreement.release.fields.iter().take(5).map(|(_, how)| how.name()).collect();
    assert_eq!(names, ["mask_keep_last", "round", "code_map", "age_band", "none"]);
    for name in Transform::NAMES {
        let bare = with(&format!("transform = \"{name}\""));
        assert!(!bare.contains("is not a transform"), "{name} is known");
    }
}

#[test]
fn rows_are_all_or_a_condition_and_never_by_default() {
    check_each(&[
        ("all_rows = true\n", "", "which rows may leave is not said"),
        ("all_rows = true", "all_rows = false", "there is no other meaning than `true`"),
        (
            "all_rows = true",
            "all_rows = true\nrows = { all = [{ field = \"a\", is = 1 }] }",
            "one of the two",
        ),
        ("all_rows = true", "rows = {}", "wants one of `all` and `any`"),
        ("all_rows = true", "rows = { all = [], any = [] }", "wants at least one test"),
        (
            "all_rows = true",
            "rows = { all = [{ field = \"a\", is = 1 }], any = [{ field = \"a\", is = 1 }] }",
            "wants one of",
        ),
    ]);
}

fn rows_of(test: &str) -> String {
    said("all_rows = true", &format!("rows = {{ any = [{{ field = \"status\", {test} }}] }}"))
}

#[test]
fn a_test_has_one_check_of_a_kind_that_fits() {
    for (test, wanted) in [
        ("is = 1, in = [1]", "several checks in one test: is, in\n    write a test for each"),
        ("equals = 1", "a test without a check"),
        ("equals = 1", "unknown key `equals`"),
        ("is = []", "a text, number, true, false or date is wanted here"),
        ("in = []", "wants at least one value"),
        ("in = [1, \"a\"]", "a text among values that are a number"),
        ("in = [\"a\", \"a\"]", "is listed twice"),
        ("at_least = \"a\"", "a number or a date is wanted here, not text"),
        ("at_most = true", "a number or a date is wanted here"),
        ("not_before_today = false", "there is no other meaning than `true`"),
        ("is = 2026-12-01T10:00:00", "a date such as"),
    ] {
        let found = rows_of(test);
        assert!(found.contains(wanted), "{test}\n{found}");
    }
    for bad in
        ["", "P", "12M", "P12", "P0D", "P1M1Y", "P1M2M", "PT24H", "P-1D", "P99999999999D", "P1.5Y", "P999Y"]
    {
        let found = rows_of(&format!("within = \"{bad}\""));
        assert!(found.contains("is not a period"), "{bad}\n{found}");
    }
}

#[test]
fn tests_mean_what_is_written() {
    let with = |test: &str| {
        let text =
            trial().replace("all_rows = true", &format!("[data.rows]\nall = [{{ field = \"x\", {test} }}]"));
        match &load(&text).release.rows {
            Rows::All(tests) => match tests.as_slice() {
                [Test { check, .. }] => check.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let text = |text: &str| Literal::Text(text.into());
    assert_eq!(with("is = true"), Check::Is(Literal::Boolean(true)));
    assert_eq!(with("in = [\"a\", \"b\"]"), Check::In(vec![text("a"), text("b")]));
    assert_eq!(with("not_in = [1, 2.5]"), Check::NotIn(vec![Literal::Integer(1), Literal::Number(2.5)]));
    assert_eq!(with("at_least = 2026-12-01"), Check::AtLeast(Literal::Date("2026-12-01".into())));
    assert_eq!(with("within = \"P1Y6M2W3D\""), Check::Within { months: 18, days: 17 });
    assert_eq!(with("not_before_today = true"), Check::NotBeforeToday);
}

#[test]
fn a_seal_is_a_digest() {
    let with = |seal: &str| faults(&format!("{}\n[seal]\n{seal}\n", trial()));
    assert!(with("view = \"sha256:12\"").contains("not a digest"));
    assert!(with("").contains("`view` is missing in [seal]"));
    assert_eq!(with(&format!("view = \"{}\"", Digest::of(b"x"))), "");
}

#[test]
fn format_1_knows_nothing_of_what_came_with_2() {
    check_each(&[
        ("stage = \"trial\"", "stage = \"trial\"\nsummary = \"x\"", "unknown key `summary`"),
        ("user = \"none\"", "user = \"none\"\nreason = \"code\"", "unknown key `reason`"),
        ("user = \"none\"", "user = \"named_user\"", "`named_user` is not known here"),
        ("side = \"provider\"", "side = \"observer\"", "`observer` is not known here"),
    ]);
    let law = live().replacen("basis = \"art6_1_e\"", "basis = \"art6_1_e\"\nart9 = \"art9_2_g\"", 1);
    assert!(faults(&law).contains("unknown key `art9`"));
}
