//! What came back: whether it is a gateway's, its clock, and what it says of certificate, token and
//! agreement.

use jiff::Timestamp;
use serde_json::Value;

use super::Target;
use super::papers::Papers;
use super::report::{Report, Stopped};
use super::talk::{GATEWAY, Said};

const ACCEPTED: &str = "accepted";
const CLOCK: &str = "clock";
const TOKEN: &str = "token accepted";
const AGREEMENT: &str = "agreement";
/// Clocks further apart than this make signatures and tokens invalid (design 3).
const SKEW_SECONDS_MAX: i64 = 60;

pub(super) fn judge(
    said: &Said,
    target: &Target,
    papers: &Papers,
    asked: bool,
    report: &mut Report,
) -> Result<(), Stopped> {
    is_gateway(said, target, report)?;
    if !asked {
        let text =
            "no certificate was asked for on the way: something between ends TLS and goes on by itself";
        let next = "ask the host for the gateway's own address, without a balancer that ends TLS";
        return Err(report.bad(ACCEPTED, text, next));
    }
    let problem: Value = serde_json::from_slice(&said.body).unwrap_or_default();
    let code = problem.get("code").and_then(Value::as_str).unwrap_or_default();
    let sentence = problem.get("title").and_then(Value::as_str).unwrap_or_default();
    if code.starts_with("certificate_") {
        let next = "ask the host what members.toml lists for your member, and whether this certificate is on its deny-list";
        return Err(report.bad(ACCEPTED, format!("{code}: {sentence}"), next));
    }
    let who = papers.system.clone().unwrap_or_else(|| "this system".to_owned());
    report.good(ACCEPTED, format!("the gateway knows {who}"));
    // Clocks apart are wrong, and yet hide nothing behind them.
    let clocks = clock(said, report);
    if code.starts_with("token_") {
        let next = "ask the token endpoint for a new token, with this certificate";
        return Err(report.bad(TOKEN, format!("{code}: {sentence}"), next));
    }
    agreement(said, &problem, code, &who, target, report)?;
    clocks
}

/// A proxy's own page must never be read as a gateway's answer.
fn is_gateway(said: &Said, target: &Target, report: &mut Report) -> Result<(), Stopped> {
    let header =
        |name: &str| said.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !header("tolbooth-outcome").is_empty() {
        let synthetic = if header("tolbooth-synthetic") == "true" {
            ", a sandbox: all it answers is made up"
        } else {
            ""
        };
        report.good(GATEWAY, format!("it is a Tolbooth gateway{synthetic}"));
        return Ok(());
    }
    let status = said.status;
    let said = match status {
        300..=399 => format!("it sends elsewhere ({status}), which a gateway never does"),
        _ if header("content-type").starts_with("text/html") => {
            format!(
                "it answers with a web page ({status}): a sign-in page of the network, a proxy, or another server"
            )
        }
        _ => format!("it answers {status} without Tolbooth-Outcome, and so is no gateway"),
    };
    let next = format!(
        "check host and port {}; from a browser on this machine, see whether the network wants a sign-in",
        target.authority
    );
    Err(report.bad(GATEWAY, said, next))
}

fn clock(said: &Said, report: &mut Report) -> Result<(), Stopped> {
    let date = said.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    // RFC 9110 section 5.6.7: the preferred form is RFC 5322's.
    let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(&date.replace("GMT", "+0000")).ok());
    let Some(theirs) = theirs.map(|theirs| theirs.timestamp()) else {
        report.skipped(CLOCK, "the gateway says no time");
        return Ok(());
    };
    let apart = apart(said.heard_at, theirs);
    if apart.abs() > SKEW_SECONDS_MAX {
        let side = if apart > 0 { "behind" } else { "ahead of" };
        let text = format!("this machine is {} s {side} the gateway", apart.abs());
        let next = "set this machine's clock by NTP; if it is right, tell the host";
        return Err(report.bad(CLOCK, text, next));
    }
    report.good(CLOCK, format!("within {} s of the gateway's", apart.abs().max(1)));
    Ok(())
}

/// Seconds by which theirs is ahead.
fn apart(here: Timestamp, theirs: Timestamp) -> i64 {
    theirs.as_second() - here.as_second()
}

fn agreement(
    said: &Said,
    problem: &Value,
    code: &str,
    who: &str,
    target: &Target,
    report: &mut Report,
) -> Result<(), Stopped> {
    let Some(dataset) = &target.dataset else {
        report.skipped(AGREEMENT, "name a dataset to see whether it may be asked: https://HOST/DATASET/v1");
        return Ok(());
    };
    let detail = problem.get("title").and_then(Value::as_str).unwrap_or("no reason given");
    match (said.status, code) {
        (200, _) => {
            report.good(AGREEMENT, format!("{who} may ask {dataset}: {}", agreements(problem)));
            Ok(())
        }
        (_, "not_agreed") => {
            let text = format!("none in force lets {who} ask {dataset}: {detail}");
            let next = "ask the officers of both members for an agreement that lists this system, or the host whether one ended; POST /explain says more to a party";
            Err(report.bad(AGREEMENT, text, next))
        }
        (_, "limit_reached") => {
            Err(report.unsure(AGREEMENT, "asked too often for now", "wait a minute, and look again"))
        }
        (status @ 500..=599, _) => {
            let text = format!("the gateway could not say ({status} {code}): {detail}");
            Err(report.unsure(AGREEMENT, text, "try again, then tell the host"))
        }
        (status, _) => Err(report.bad(
            AGREEMENT,
            format!("{status} {code}: {detail}"),
            "docs/refusals.md says who can fix it",
        )),
    }
}

/// Each agreement of an own view, with its limit.
fn agreements(view: &Value) -> String {
    let all = view.get("x-tolbooth-agreements").and_then(Value::as_array).into_iter().flatten();
    let told: Vec<String> = all
        .filter_map(|one| {
            let agreement = one.get("agreement")?.as_str()?;
            Some(format!("under {agreement}, {} a minute", one.get("per_minute")?))
        })
        .collect();
    told.join("; ")
}
