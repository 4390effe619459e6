//! Whether an agreement is nowhere looser than its template, key by key. What cannot be judged as tighter counts
//! as looser: an authority signed a limit, and nobody here knows what it would have said of a hard case.

use crate::model::{Fault, Faults, ReasonWanted, UserIdentity};
use crate::policy::agreement::{Agreement, Stage};
use crate::policy::particulars::Particulars;

use super::{Template, release};

/// Every key that is looser, by name.
pub(super) fn against(agreement: &Agreement, template: &Template) -> Faults {
    let mut faults = Faults::default();
    let mut looser = |key: &str, why: String| {
        let message = format!("`{key}` is looser than its template {}: {why}", template.reference());
        faults.push(
            Fault::new(&agreement.file, None, message)
                .with_help("make it as tight as the template, or take `template` out of [agreement]"),
        );
    };
    who_and_what(agreement, template, &mut looser);
    how_asked(agreement, template, &mut looser);
    release::against(&agreement.release, &template.release, &mut looser);
    when(agreement, template, &mut looser);
    match &agreement.particulars {
        Some(particulars) => promised(particulars, template, &mut looser),
        // Format 1 names no template: there is nothing of the rest in it to judge.
        None => looser("format", "only format 2 can be judged".to_owned()),
    }
    faults
}

type Looser<'l> = dyn FnMut(&str, String) + 'l;

fn who_and_what(agreement: &Agreement, template: &Template, looser: &mut Looser<'_>) {
    if template.stage == Stage::Trial && agreement.stage == Stage::Live {
        looser("agreement.stage", "it is for trials".to_owned());
    }
    if agreement.purpose != template.purpose {
        looser("purpose.code", format!("it is for `{}`", template.purpose));
    }
    if agreement.dataset != template.dataset {
        looser("dataset", format!("it is for `{}`", template.dataset));
    }
    for operation in agreement.operations.iter().filter(|one| !template.operations.contains(one)) {
        looser("dataset.operations", format!("`{operation}` is not in it"));
    }
    for system in agreement.consumers().flat_map(|party| &party.systems) {
        // Without a role anybody at the system may ask.
        if system.roles.is_empty() && !template.roles.is_empty() {
            looser("party[].system[].roles", format!("`{}` asks without a role", system.id));
        }
        for role in system.roles.iter().filter(|role| !template.roles.contains(role)) {
            looser("party[].system[].roles", format!("`{role}` is not in it"));
        }
    }
}

fn how_asked(agreement: &Agreement, template: &Template, looser: &mut Looser<'_>) {
    if agreement.assurance < template.assurance {
        looser("access.assurance", format!("it wants `{}`", template.assurance.as_str()));
    }
    if rank_of_reason(agreement.reason) < rank_of_reason(template.reason) {
        looser("access.reason", format!("it wants `{}`", template.reason));
    }
    if template.case_required && !agreement.case_required {
        looser("access.case_ref", "it wants a case".to_owned());
    }
    if !agreement.hours.is_within(&template.hours) {
        looser("access.hours", "it is open for fewer".to_owned());
    }
    let (limits, most) = (&agreement.limits, &template.limits);
    if limits.per_minute > most.per_minute {
        looser("limits.per_minute", format!("at most {}", most.per_minute));
    }
    for (key, said, most) in [
        ("limits.per_day", limits.per_day, most.per_day),
        ("limits.per_user_per_day", limits.per_user_per_day, most.per_user_per_day),
        ("limits.rows_per_answer", limits.rows_per_answer, most.rows_per_answer),
    ] {
        // Where nothing is said there is no limit.
        if let Some(most) = most.filter(|most| said.is_none_or(|said| said > *most)) {
            looser(key, format!("at most {most}"));
        }
    }
    if agreement.audit_years > template.audit_years {
        looser("retention.audit_years", format!("at most {}", template.audit_years));
    }
}

fn when(agreement: &Agreement, template: &Template, looser: &mut Looser<'_>) {
    let dates = agreement.dates;
    if let Some(from) = template.from.filter(|from| dates.from < *from) {
        looser("dates.from", format!("not before {from}"));
    }
    if let Some(until) = template.until.filter(|last| dates.until.is_none_or(|until| until > *last)) {
        looser("dates.until", format!("not after {until}"));
    }
}

fn promised(particulars: &Particulars, template: &Template, looser: &mut Looser<'_>) {
    let user = particulars.asking.user;
    if rank_of_user(user) < rank_of_user(template.user) {
        looser("access.user", format!("it wants `{}`", template.user));
    }
    for missing in template.prohibited.iter().filter(|one| !particulars.aim.prohibited.contains(one)) {
        looser("purpose.prohibited", format!("it prohibits `{missing}`"));
    }
    let (kept, most) = (particulars.keeping.consumer.as_deref(), template.consumer_keeps.as_deref());
    if !is_no_longer(kept, most) {
        looser("retention.consumer", format!("at most {}", most.unwrap_or("not_stored")));
    }
}

fn rank_of_user(user: UserIdentity) -> u8 {
    match user {
        UserIdentity::SystemOnly => 0,
        UserIdentity::UserPseudonym => 1,
        UserIdentity::NamedUser => 2,
    }
}

fn rank_of_reason(reason: ReasonWanted) -> u8 {
    match reason {
        ReasonWanted::None => 0,
        ReasonWanted::Code => 1,
        ReasonWanted::CodeAndText => 2,
    }
}

/// `None`: not kept at all. Periods are of one unit each; months and days are not likened.
fn is_no_longer(kept: Option<&str>, most: Option<&str>) -> bool {
    let (Some(kept), Some(most)) = (kept, most) else { return kept.is_none() };
    let (Some((kind, kept)), Some((other, most))) = (measured(kept), measured(most)) else { return false };
    kind == other && kept <= most
}

/// A period as so many of the smallest unit it can be said in exactly, and which that is.
fn measured(period: &str) -> Option<(char, u64)> {
    let (hours, rest) = match period.strip_prefix("PT") {
        Some(rest) => (true, rest),
        None => (false, period.strip_prefix('P')?),
    };
    let unit = rest.chars().last()?;
    let count: u64 = rest.strip_suffix(unit)?.parse().ok()?;
    Some(match (hours, unit) {
        (true, 'M') => ('m', count),
        (true, 'H') => ('m', count * 60),
        (false, 'D') => ('m', count * 24 * 60),
        (false, 'W') => ('m', count * 7 * 24 * 60),
        (false, 'M') => ('M', count),
        (false, 'Y') => ('M', count * 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_compared_where_their_units_can_be() {
        for (kept, most) in
            [("P1D", "P1D"), ("PT24H", "P1D"), ("P1W", "P7D"), ("P11M", "P1Y"), ("PT59M", "PT1H")]
        {
            assert!(is_no_longer(Some(kept), Some(most)), "{kept} {most}");
        }
        for (kept, most) in
            [("P2D", "P1D"), ("P30D", "P1M"), ("P1M", "P31D"), ("P13M", "P1Y"), ("PT25H", "P1D")]
        {
            assert!(!is_no_longer(Some(kept), Some(most)), "{kept} {most}");
        }
        assert!(is_no_longer(None, None) && is_no_longer(None, Some("P1D")));
        assert!(!is_no_longer(Some("P0D"), None));
    }
}
