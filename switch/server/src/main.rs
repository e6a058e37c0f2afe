//! The `cardswitch` binary: reads the command line and runs one command. It owns nothing but the
//! exit code: 0 done, 1 failed, 2 a wrong command line or configuration.

use std::process::ExitCode;

use clap::Parser;
use switch_server::cli::Cli;
use switch_server::commands;

/// What a link allocates a shard frees, on another thread: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cardswitch: {error:#}");
            ExitCode::from(commands::exit_code(&error))
        }
    }
}
