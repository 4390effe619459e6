//! Makes the benchmark's gateway; see `README.md` beside this file.

mod federation;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("federation: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn make() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).cloned().unwrap_or_else(|| default.to_owned())
    };
    let home = PathBuf::from(
        arguments.first().ok_or("usage: federation DIR [--agreements N] [--backend URL] [--port P]")?,
    );
    let agreements: usize = value("--agreements", "1000").parse()?;
    federation::make(
        &home,
        agreements,
        &value("--backend", "http://127.0.0.1:19080"),
        &value("--port", "8443"),
    )?;
    println!("{agreements} agreements in {}", home.display());
    Ok(())
}
