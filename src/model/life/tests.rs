//! What counts of what happened.

use super::*;

fn taxi() -> AgreementRef {
    AgreementRef { id: AgreementId::new("taxi").unwrap(), version: 2 }
}

fn act(action: Action, member: &str, number: u8, lifts: Option<u8>) -> ActDone {
    ActDone {
        action,
        agreement: taxi(),
        member: MemberId::new(member).unwrap(),
        statement: Digest::of(&[number]),
        lifts: lifts.map(|number| Digest::of(&[number])),
        at: Timestamp::from_millisecond(i64::from(number)).unwrap(),
    }
}

fn against(acts: &[ActDone]) -> Vec<Digest> {
    let mut life = Life::default();
    acts.iter().for_each(|act| life.note(LifeEvent::Act(act.clone())));
    life.against(&taxi()).into_iter().map(|act| act.statement).collect()
}

#[test]
fn a_suspension_ends_by_the_party_that_made_it_and_a_withdrawal_never() {
    let suspended = act(Action::Suspend, "glenmore", 1, None);
    assert_eq!(against(std::slice::from_ref(&suspended)), [suspended.statement]);
    let by = |member, lifts| [suspended.clone(), act(Action::Resume, member, 2, lifts)];
    assert_eq!(against(&by("glenmore", Some(1))), []);
    // Not by the other party, nor by taking back something else, nor nothing.
    assert_eq!(against(&by("nhs-lomond", Some(1))), [suspended.statement]);
    assert_eq!(against(&by("glenmore", Some(9))), [suspended.statement]);
    assert_eq!(against(&by("glenmore", None)), [suspended.statement]);
    // A later one stands, whatever took back the first, and in whatever order they came.
    let again = act(Action::Suspend, "glenmore", 3, None);
    let [first, resumed] = by("glenmore", Some(1));
    assert_eq!(against(&[again.clone(), resumed, first]), [again.statement]);
    // An accept takes back a decline and no suspension.
    let accepted = act(Action::Accept, "glenmore", 4, Some(1));
    assert_eq!(against(&[suspended.clone(), accepted]), [suspended.statement]);
    let declined = act(Action::Decline, "glenmore", 5, None);
    assert_eq!(against(&[declined, act(Action::Accept, "glenmore", 6, Some(5))]), []);
    let withdrawn = act(Action::Withdraw, "glenmore", 7, None);
    for (number, action) in (8..).zip(Action::ALL) {
        let undone = act(action, "glenmore", number, Some(7));
        assert_eq!(against(&[withdrawn.clone(), undone])[0], withdrawn.statement, "{action:?}");
    }
}

#[test]
fn everything_reads_as_it_was_written_and_the_last_word_counts() {
    let halt = |scope: &StopScope, message: &str| {
        let until = Some(Timestamp::from_millisecond(5).unwrap());
        LifeEvent::Stopped(Halt { scope: scope.clone(), message: message.to_owned(), until })
    };
    let scopes =
        ["all", "partner:nhs-lomond", "dataset:taxi-licence"].map(|text| StopScope::parse(text).unwrap());
    let mut life = Life::default();
    let mut all = vec![LifeEvent::Act(act(Action::Suspend, "glenmore", 1, None))];
    all.push(LifeEvent::Act(act(Action::Resume, "glenmore", 2, Some(1))));
    all.extend(scopes.iter().map(|scope| halt(scope, "Moving \"house\"\nuntil noon")));
    for event in &all {
        assert_eq!(LifeEvent::parse(&event.line()).as_ref(), Some(event));
        assert!(!event.line().contains('\n'));
        life.note(event.clone());
    }
    assert_eq!(life.events().collect::<Vec<_>>().len(), all.len());
    let (nhs, taxi) = (MemberId::new("nhs-lomond").unwrap(), DatasetId::new("taxi-licence").unwrap());
    let other = (MemberId::new("other").unwrap(), DatasetId::new("other").unwrap());
    life.note(LifeEvent::Started(StopScope::All));
    assert_eq!(life.halt(&nhs, &other.1).unwrap().scope, scopes[1]);
    assert_eq!(life.halt(&other.0, &taxi).unwrap().scope, scopes[2]);
    assert_eq!(life.halt(&other.0, &other.1), None);
    // An older state followed by a newer one: what was started again stays so.
    let mut older = Life::default();
    older.note(halt(&scopes[0], "older"));
    life.events().for_each(|event| older.note(event));
    assert_eq!(older, life);
    assert_eq!(StopScope::parse("everything"), None);
    assert_eq!(LifeEvent::parse("[\"withdraw\"]"), None);
    // What is there and does not read is not nothing.
    let (stopped, resumed) = (halt(&scopes[0], "a").line(), all[1].line());
    assert_eq!(LifeEvent::parse(&stopped.replace(",5]", ",\"soon\"]")), None);
    assert_eq!(LifeEvent::parse(&resumed.replace("\"sha256:", "\"sha512:")), None);
}
