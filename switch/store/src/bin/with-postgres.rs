//! `with-postgres COMMAND...`: runs a command with a throw-away PostgreSQL around it, for the
//! Makefile. It passes on the command's exit code and adds nothing to its output.

use std::process::ExitCode;

use switch_store::private_postgres::{exit_code, run_with_cluster};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run_with_cluster(std::env::args_os().skip(1).collect()).await {
        Ok(status) => exit_code(status),
        Err(error) => {
            eprintln!("with-postgres: {error}");
            ExitCode::from(125)
        }
    }
}
