//! The `tolbooth` command: parse, run, end with a documented code.

use std::process::ExitCode;

use clap::Parser as _;
use tolbooth::cli::Arguments;

fn main() -> ExitCode {
    Arguments::parse().run().into()
}
