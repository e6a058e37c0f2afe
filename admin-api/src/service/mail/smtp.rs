//! The relay: who takes letters, over SMTP and TLS. It owns how it is reached, that its certificate
//! comes from the authorities that are configured, how it is logged in at, and what its answers
//! mean. It looks nothing up but the one name of the configuration, and gives no password in clear.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use switch_security::{PasswordFileError, read_password};
use uuid::Uuid;

use super::MailAddress;

/// How the way to the relay is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// TLS from the first byte; certificates come from the authorities in this file.
    Implicit(PathBuf),
    /// TLS after `STARTTLS`, and nothing without it.
    StartTls(PathBuf),
    /// In clear: for a developer, on this machine.
    Plain,
}

/// Who we are for the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLogin {
    /// The name.
    pub user: String,
    /// Where the password lies, in a file of the switch's user alone.
    pub password_file: PathBuf,
}

/// The relay.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its name, or address: what its certificate says.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is protected.
    pub tls: MailTls,
    /// Who we are for it; it may want nobody in particular.
    pub login: Option<MailLogin>,
    /// Who sends.
    pub from: MailAddress,
    /// For a try.
    pub patience: Duration,
}

/// The relay cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A file of authorities cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// They are no certificates.
    #[error("the certificates of the relay's authorities: {0}")]
    Certificates(lettre::transport::smtp::Error),
    /// There is no password.
    #[error("the password for the relay: {0}")]
    Password(#[from] PasswordFileError),
    /// It would go in clear.
    #[error("a password goes to the relay over TLS alone")]
    InClear,
}

/// Answers to who logs in: the relay wants it, or does not know us (RFC 4954, RFC 5248).
const NOT_LET_IN: [u16; 5] = [454, 530, 534, 535, 538];

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The relay has it.
    Taken,
    /// It will never take it (5xx).
    Refused,
    /// It takes it later, or was not reached.
    PutOff,
}

impl Relay {
    /// Whether it can be used as it is configured. Changed files are read again with each round.
    ///
    /// # Errors
    /// See [`RelayError`].
    pub fn check(&self) -> Result<(), RelayError> {
        self.transport().map(|_| ())
    }

    pub(super) fn transport(&self) -> Result<SmtpTransport, RelayError> {
        let tls = match &self.tls {
            MailTls::Plain => Tls::None,
            MailTls::Implicit(ca) => Tls::Wrapper(self.parameters(ca)?),
            MailTls::StartTls(ca) => Tls::Required(self.parameters(ca)?),
        };
        let builder = SmtpTransport::builder_dangerous(self.host.as_str());
        let name = ClientId::Domain(self.from.domain().to_owned());
        let builder = builder.port(self.port).tls(tls).timeout(Some(self.patience));
        let builder = builder.hello_name(name);
        let Some(login) = &self.login else { return Ok(builder.build()) };
        if self.tls == MailTls::Plain {
            return Err(RelayError::InClear);
        }
        let password = read_password(&login.password_file)?;
        let credentials = Credentials::new(login.user.clone(), password.to_string());
        let ways = vec![Mechanism::Plain, Mechanism::Login];
        Ok(builder.credentials(credentials).authentication(ways).build())
    }

    fn parameters(&self, ca: &Path) -> Result<TlsParameters, RelayError> {
        let pem = std::fs::read(ca)
            .map_err(|error| RelayError::File { path: ca.to_path_buf(), error })?;
        let roots = Certificate::from_pem(&pem).map_err(RelayError::Certificates)?;
        TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::None)
            .add_root_certificate(roots)
            .build_rustls()
            .map_err(RelayError::Certificates)
    }

    /// A letter as it is sent, by the name that it keeps.
    pub(super) fn message(
        &self,
        id: Uuid,
        recipient: &MailAddress,
        (subject, body): (&str, &str),
    ) -> Result<Message, lettre::error::Error> {
        Message::builder()
            .from(Mailbox::new(Some("Cardswitch".to_owned()), self.from.address()))
            .to(Mailbox::new(None, recipient.address()))
            .subject(subject)
            .message_id(Some(format!("<{}@{}>", id.hyphenated(), self.from.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(body.to_owned())
    }

    /// Hands a letter over. It blocks.
    pub(super) fn send(transport: &SmtpTransport, message: &Message) -> Answer {
        match transport.send(message) {
            Ok(_) => Answer::Taken,
            // A letter is not to be lost over a password that is wrong, or was changed.
            Err(error) if error.status().is_some_and(|it| NOT_LET_IN.contains(&it.into())) => {
                tracing::error!(status = ?error.status(), "the mail relay does not let us log in");
                Answer::PutOff
            }
            // What it says may have an address in it: that is not logged.
            Err(error) if error.is_permanent() => {
                tracing::warn!(status = ?error.status(), "the mail relay refuses a letter");
                Answer::Refused
            }
            Err(error) => {
                let (status, tls) = (error.status(), error.is_tls());
                tracing::warn!(?status, tls, "a letter is not sent; tried again");
                Answer::PutOff
            }
        }
    }
}
