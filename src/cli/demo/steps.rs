//! The partners' part of the walk.

use serde_json::Value;
use tokio::runtime::Runtime;

use super::Stage;
use super::asking::{Asking, Said};
use super::records::{Mood, client};
use super::told::Told;

/// The child of the walk: on the register, and invented.
pub(super) const CHI: &str = "1403170129";
const CHILD_CHECK: &str = "/child-protection/v1/check";
const TAXI_CHECK: &str = "/taxi-licence/v1/check";

/// One step: what is done, and how it should end.
struct Step {
    name: &'static str,
    title: &'static str,
    expected: &'static str,
    take: fn(&Walk<'_, '_>) -> Result<(), String>,
}

const STEPS: [Step; 6] = [
    Step {
        name: "child_check",
        title: "A&E of NHS Lomond asks whether a child is on the child protection register",
        expected: "only what was agreed left",
        take: child_check,
    },
    Step {
        name: "wrong_purpose",
        title: "The same system asks for another purpose",
        expected: "refused, because the agreement is for safeguarding alone",
        take: wrong_purpose,
    },
    Step {
        name: "taxi_check",
        title: "Police Caledonia check a taxi licence; behind it is a CSV file",
        expected: "answered, and the officer is on the record, as stated by the police",
        take: taxi_check,
    },
    Step {
        name: "stranger",
        title: "Another system of the police, under no agreement, asks for the child",
        expected: "told nothing but that there is no agreement",
        take: stranger,
    },
    Step {
        name: "safe_address",
        title: "After an update the records system suddenly sends a safe address",
        expected: "the answer left without it, and an alarm was raised",
        take: safe_address,
    },
    Step {
        name: "broken_field",
        title: "Then it breaks a field the contract requires",
        expected: "the answer stopped, and nobody was told \"not known\"",
        take: broken_field,
    },
];

pub(super) fn walk(stage: &Stage, runtime: &Runtime, told: &mut Told<'_>) {
    for step in STEPS {
        told.step(step.title);
        let held = (step.take)(&Walk { stage, runtime, told });
        told.judge(step.name, step.expected, held);
    }
    stage.records.feels(Mood::AsAlways);
}

struct Walk<'a, 'o> {
    stage: &'a Stage,
    runtime: &'a Runtime,
    told: &'a Told<'o>,
}

impl Walk<'_, '_> {
    fn ask(&self, asking: &Asking<'_>) -> Result<Said, String> {
        let said = self.runtime.block_on(asking.ask(&self.stage.trial.ca, self.stage.gateway));
        let said = said.map_err(|fault| fault.to_string())?;
        self.told.exchange(self.stage, asking, &said);
        Ok(said)
    }

    fn child(&self, headers: &[(&'static str, &'static str)]) -> Result<Said, String> {
        let body = format!("{{\"chi\":\"{CHI}\"}}");
        self.ask(&Asking { partner: &self.stage.trial.nhs, path: CHILD_CHECK, headers, body })
    }
}

fn want(said: &Said, status: u16, outcome: &str, code: &str) -> Result<(), String> {
    if said.status == status && said.outcome == outcome && said.code() == code {
        return Ok(());
    }
    Err(format!("the answer was {} {} {}", said.status, said.outcome, said.code()))
}

fn child_check(walk: &Walk<'_, '_>) -> Result<(), String> {
    let said = walk.child(&[("Tolbooth-Role", "ed_nurse")])?;
    want(&said, 200, "answered", "")?;
    let held = client(CHI).ok_or("the records system does not know the child")?;
    side_by_side(walk.told, &held, &said.json());
    let left = String::from_utf8_lossy(&said.body).into_owned();
    for stayed in ["MacDh", "Tobar", "Physical injury", "Seen at school", "2017-03-14"] {
        if left.contains(stayed) {
            return Err(format!("`{stayed}` left"));
        }
    }
    let receipt = said.receipt.as_deref().ok_or("there is no receipt")?;
    super::auditor::keep(walk.stage, &said, receipt).map_err(|fault| fault.to_string())
}

/// What the system held beside what left: everything it said, leaf by leaf.
fn side_by_side(told: &Told<'_>, held: &Value, left: &Value) {
    let released = [
        ("/cp/on_register", "/registered"),
        ("/cp/state", "/status"),
        ("/cp/since", "/start_date"),
        ("/cp/worker/fullname", "/lead_officer/name"),
        ("/cp/worker/tel", "/lead_officer/day_phone"),
        ("/cp/worker/tel_ooh", "/lead_officer/out_of_hours_phone"),
        ("/cp/enquiries_90d", "/recent_enquiries"),
        ("/person/dob", "/date_of_birth"),
    ];
    told.line(format_args!("   {:<24} {:<44} WHAT LEFT", "IN THE RECORDS SYSTEM", "WHAT IT HELD"));
    for (pointer, value) in leaves(held) {
        let leaf = released.iter().find(|(from, _)| *from == pointer).and_then(|(_, to)| left.pointer(to));
        let mut shown = value.to_string();
        if shown.chars().count() > 42 {
            shown = shown.chars().take(41).chain(['\u{2026}']).collect();
        }
        let went = leaf.map_or_else(|| "stayed".to_owned(), Value::to_string);
        told.line(format_args!("   {pointer:<24} {shown:<44} {went}"));
    }
}

fn leaves(value: &Value) -> Vec<(String, &Value)> {
    let below = |name: String, value| {
        leaves(value).into_iter().map(move |(rest, leaf)| (format!("/{name}{rest}"), leaf))
    };
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| below(name.clone(), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| below(index.to_string(), value)).collect()
        }
        leaf => vec![(String::new(), leaf)],
    }
}

fn wrong_purpose(walk: &Walk<'_, '_>) -> Result<(), String> {
    let said = walk.child(&[("Tolbooth-Role", "ed_nurse"), ("Tolbooth-Purpose", "fraud_prevention")])?;
    want(&said, 403, "refused", "purpose_not_allowed")
}

fn taxi_check(walk: &Walk<'_, '_>) -> Result<(), String> {
    let said = walk.ask(&Asking {
        partner: &walk.stage.trial.police,
        path: TAXI_CHECK,
        headers: &[("Tolbooth-User", "pc.1234")],
        body: "{\"licence_no\":\"TX-1042\"}".to_owned(),
    })?;
    want(&said, 200, "answered", "")
}

fn stranger(walk: &Walk<'_, '_>) -> Result<(), String> {
    let said = walk.ask(&Asking {
        partner: &walk.stage.trial.stranger,
        path: CHILD_CHECK,
        headers: &[],
        body: format!("{{\"chi\":\"{CHI}\"}}"),
    })?;
    want(&said, 403, "refused", "not_agreed")
}

fn safe_address(walk: &Walk<'_, '_>) -> Result<(), String> {
    walk.stage.records.feels(Mood::SafeAddress);
    let said = walk.child(&[("Tolbooth-Role", "ed_clinician")])?;
    want(&said, 200, "answered", "")?;
    if String::from_utf8_lossy(&said.body).contains("Hidden Close") {
        return Err("the safe address left".to_owned());
    }
    let metrics = local(walk, "/metrics")?;
    let alarm = "tolbooth_alarms_total{alarm=\"safe_address_dropped\",dataset=\"child-protection\"} 1";
    let raised = metrics.lines().find(|line| *line == alarm).ok_or("no alarm was raised")?;
    walk.told.about("alarm", raised);
    Ok(())
}

fn broken_field(walk: &Walk<'_, '_>) -> Result<(), String> {
    walk.stage.records.feels(Mood::BrokenField);
    let said = walk.child(&[("Tolbooth-Role", "ed_clinician")])?;
    want(&said, 502, "refused", "source_invalid")
}

/// A page of the local listener.
fn local(walk: &Walk<'_, '_>, path: &str) -> Result<String, String> {
    use std::io::{Read as _, Write as _};
    let fetch = || -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect(walk.stage.local)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    };
    fetch().map_err(|error| error.to_string())
}
