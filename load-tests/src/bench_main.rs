//! `cardswitch-bench`: reads arguments and runs the bench. Must only read them, call the library
//! and give its exit code.

use std::process::ExitCode;

use clap::Parser;
use load_tests::bench::{Arguments, run};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cardswitch-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
