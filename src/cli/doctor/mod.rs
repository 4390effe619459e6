//! `tolbooth doctor URL`: names what is wrong between here and a partner's gateway, in the order in which
//! it can go wrong. It sends nothing to a server that has not proven itself, and asks for nobody's data:
//! only for the caller's own view (`inbound/own_view.rs`).

mod answer;
mod papers;
mod report;
mod talk;
mod token;
mod way;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::papers::Papers;
use self::report::{Report, Stopped};
use super::{Exit, complain, say};
use crate::clock::Clock;

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The gateway, best with a dataset: https://gateway.example:8443/child-protection/v1
    url: String,
    /// The client certificate, PEM
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Its private key [default: beside the certificate, ending in .key]
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The CA the gateway's certificate is under, as its host handed it over
    #[arg(long, value_name = "FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    cacert: PathBuf,
    /// A file with an access token; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// How long each step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    timeout: u64,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Where the gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    /// As a name is looked up and proven: an IPv6 address without its brackets.
    host: String,
    port: u16,
    /// As it is sent.
    authority: String,
    /// `{dataset}/v{major}`, if the URL names one.
    dataset: Option<String>,
}

impl Target {
    fn parse(url: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "wanted a URL such as https://gateway.example:8443/child-protection/v1";
        let uri: http::Uri = url.parse().map_err(|_| WANTED)?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(WANTED)?;
        if uri.scheme_str() != Some("https") {
            return Err("a gateway is asked by https:// alone");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let mut segments = uri.path().split('/').skip(1);
        let dataset = match (segments.next(), segments.next()) {
            (Some(dataset), Some(version)) if !dataset.is_empty() && version.starts_with('v') => {
                Some(format!("{dataset}/{version}"))
            }
            _ => None,
        };
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(443),
            authority: authority.to_string(),
            dataset,
        })
    }
}

/// Yes if nothing is wrong, no if something is, 3 if it could not be decided what.
pub fn run(args: &DoctorArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    let target = match Target::parse(&args.url) {
        Ok(target) => target,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    let mut report = Report::default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return Exit::Undecided;
        }
    };
    let looked = look(args, &target, &mut report, clock, &runtime);
    // A look-up of a name runs on a thread of its own, and may hang for longer than anybody waits.
    runtime.shutdown_background();
    if let Err(Stopped) = looked {
        tracing::debug!("a step failed, and the steps behind it were not taken");
    }
    if args.json {
        say(out, report.json(&args.url));
    } else {
        report.show(out, std::io::stdout().is_terminal());
    }
    report.exit()
}

fn look(
    args: &DoctorArgs,
    target: &Target,
    report: &mut Report,
    clock: &Clock,
    runtime: &tokio::runtime::Runtime,
) -> Result<(), Stopped> {
    let papers = Papers::read(args, report, clock)?;
    let within = Duration::from_secs(args.timeout);
    runtime.block_on(async {
        let stream = way::go(target, report, within).await?;
        talk::talk(target, &papers, stream, report, clock, within).await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_gateway_and_perhaps_a_dataset() {
        let parsed = Target::parse("https://gateway.example/child-protection/v1/check").unwrap();
        assert_eq!((&*parsed.host, parsed.port), ("gateway.example", 443));
        assert_eq!(parsed.dataset.as_deref(), Some("child-protection/v1"));
        let bare = Target::parse("https://[::1]:8443").unwrap();
        assert_eq!(
            (&*bare.host, bare.port, &*bare.authority, bare.dataset),
            ("::1", 8443, "[::1]:8443", None)
        );
        for bad in
            ["gateway.example", "http://gateway.example", "https://user@gateway.example/", "", "https:///x"]
        {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }
}
