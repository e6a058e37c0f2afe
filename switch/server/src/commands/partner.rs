//! `cardswitch partner`: partners, and the client certificates by which the management API knows
//! them; what they chose stands in `partner_choices`. It owns the arguments; each becomes one
//! operation of a running switch.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_api::certificate_operation::CertificateOperation;
use admin_api::certificates::RevocationReason;
use admin_api::operation::Operation;
use admin_api::setup_operation::SetupOperation;
use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::manage::{Id, send};
use super::partner_choices::{self, KeyCommand, SettingsCommand};
use crate::cli::SocketArgs;
use crate::control_socket;

/// Most bytes of a request or a key that are read: none has so many.
const MOST_READ: u64 = 16 * 1024;

/// Partners.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Make a partner
    Create {
        /// Its name for people
        #[arg(long)]
        name: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// How it is set up
    Show(Id),
    /// How all of them are
    List(SocketArgs),
    /// Give it another name
    Rename {
        /// The partner
        id: i64,
        /// Its name for people
        #[arg(long)]
        name: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Decline every authorization of its cards
    Suspend(Id),
    /// Serve its cards again
    Resume(Id),
    /// From which amount on a part of a purchase is approved, where a terminal can go on with less
    PartialMinimum {
        /// The partner
        id: i64,
        /// Of which currency, as EUR
        #[arg(long)]
        currency: String,
        /// The least, in major units
        #[arg(long, required_unless_present = "none")]
        amount: Option<String>,
        /// Approve nothing in part
        #[arg(long, conflicts_with = "amount")]
        none: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Sign a request for a client certificate (CSR): the partner makes it with a key of its own,
    /// which never leaves it, and shows the certificate where it connects
    Csr {
        /// For which partner
        #[arg(long)]
        partner: i64,
        /// The request, as `openssl req -new` writes it
        #[arg(long = "in", value_name = "FILE")]
        request: PathBuf,
        /// Where the certificate goes; a file that is there is not written over
        #[arg(long = "out", value_name = "FILE")]
        certificate: PathBuf,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Its client certificates, the newest first
    Certificates {
        /// Of which partner
        #[arg(long)]
        partner: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// What it chose
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// The keys that its answers are encrypted to
    #[command(subcommand)]
    Key(KeyCommand),
    /// Take a client certificate back, for good and at once
    RevokeCertificate {
        /// Its serial number, as `certificates` or `openssl x509 -serial` shows it
        serial: String,
        /// Why
        #[arg(long)]
        reason: Reason,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

/// Why a certificate is taken back.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Reason {
    /// Somebody else has the key, or may have it
    KeyCompromise,
    /// Another certificate is used instead
    Superseded,
    /// The partner's system is no more
    Ceased,
    /// The partner may not use it any more
    Withdrawn,
}

impl Reason {
    const fn as_kept(self) -> RevocationReason {
        match self {
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::Superseded => RevocationReason::Superseded,
            Self::Ceased => RevocationReason::Ceased,
            Self::Withdrawn => RevocationReason::Withdrawn,
        }
    }
}

pub(super) async fn run(command: PartnerCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        PartnerCommand::Create { name, socket } => (socket, Operation::PartnerCreate { name }),
        PartnerCommand::Show(Id { id, socket }) => {
            return send(socket, SetupOperation::SetupPartnerShow { partner: id }).await;
        }
        PartnerCommand::List(socket) => {
            return send(socket, SetupOperation::SetupPartnerList).await;
        }
        PartnerCommand::Rename { id, name, socket } => {
            return send(socket, SetupOperation::SetupPartnerRename { partner: id, name }).await;
        }
        PartnerCommand::Suspend(Id { id, socket }) => {
            (socket, Operation::PartnerSuspend { partner: id })
        }
        PartnerCommand::Resume(Id { id, socket }) => {
            (socket, Operation::PartnerResume { partner: id })
        }
        PartnerCommand::PartialMinimum { id, currency, amount, none: _, socket } => {
            let (partner, minimum) = (id, amount);
            (socket, Operation::PartnerPartialMinimum { partner, currency, minimum })
        }
        PartnerCommand::Csr { partner, request, certificate, socket } => {
            return csr(partner, &request, &certificate, socket).await;
        }
        PartnerCommand::Certificates { partner, socket } => {
            return send(socket, CertificateOperation::CertificateList { partner }).await;
        }
        PartnerCommand::Settings(command) => return partner_choices::settings(command).await,
        PartnerCommand::Key(command) => return partner_choices::keys(command).await,
        PartnerCommand::RevokeCertificate { serial, reason, socket } => {
            let reason = reason.as_kept();
            let operation = CertificateOperation::CertificateRevoke { serial, reason };
            return send(socket, operation).await;
        }
    };
    send(socket, operation).await
}

/// Has a request signed, and writes the certificate beside it.
async fn csr(
    partner: i64,
    request: &Path,
    certificate: &Path,
    socket: SocketArgs,
) -> anyhow::Result<ExitCode> {
    let text = read(request).with_context(|| request.display().to_string())?;
    // Before anything is signed: a certificate that cannot be kept would count all the same.
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(certificate).with_context(|| {
            format!("{}: the certificate would be written there", certificate.display())
        })?;
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let operation = CertificateOperation::CertificateSign { partner, request: text };
    let signed = control_socket::call(&socket.socket, key, operation).await;
    let written = signed.and_then(|mut signed| {
        let pem = signed.as_object_mut().and_then(|members| members.remove("certificate"));
        let pem = pem.as_ref().and_then(Value::as_str).context("the switch sent no certificate")?;
        file.write_all(pem.as_bytes()).context("writing the certificate")?;
        Ok(signed)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(certificate);
    }
    println!("{}", serde_json::to_string_pretty(&written?)?);
    Ok(ExitCode::SUCCESS)
}

/// A short text.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_READ.saturating_add(1)).read_to_string(&mut text)?;
    anyhow::ensure!(
        text.len() as u64 <= MOST_READ,
        "over {MOST_READ} bytes: this is neither a request for a certificate nor a key"
    );
    Ok(text)
}
