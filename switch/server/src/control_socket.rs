//! The Unix socket by which commands reach a running switch: one JSON object a line each way. It
//! owns who may speak (the switch's own user and root) and the limit of a line; what an operation
//! does is a service's affair. Every operation is logged with its actor; what does something is
//! recorded in the audit (`command_audit`), and what it changed stands in the journal with it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin_api::cards::Cards;
use admin_api::certificates::Certificates;
use admin_api::fees::Fees;
use admin_api::operation::{Caller, Operation, perform};
use admin_api::operators::Operators;
use admin_api::programmes::Programmes;
use admin_api::{
    ClearingSettings, PartnerKeys, Problem, Services, Users, certificate_operation,
    charging_operation, clearing_operation, control_operation, fee_operation, idempotency_key,
    operator_operation, partner_choice_operation, processor_operation, rate_operation,
    security_operation, setup_operation,
};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switch_attacks::Watch;
use switch_domain::AsciiText;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::Managed;
use crate::app::make_directory_of;
use crate::attack_control;
use crate::command_audit::CommandAudit;
use crate::link_control::{self, Links};

/// The longest request.
pub(crate) const LINE_LIMIT: u64 = 64 * 1024;
/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 64;

/// A request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request<O> {
    /// The caller's idempotency key.
    pub(crate) key: String,
    /// What to do.
    #[serde(flatten)]
    pub(crate) operation: O,
}

/// What commands are about.
#[derive(Clone)]
struct Subjects {
    services: Services,
    certificates: Certificates,
    /// What partners chose.
    about: (Users, PartnerKeys),
    operators: Option<Operators>,
    cards: Cards,
    programmes: Programmes,
    fees: Fees,
    links: Links,
    attacks: Option<Arc<Watch>>,
    clearing: ClearingSettings,
    audit: CommandAudit,
}

/// A reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Response {
    /// Done, with the result.
    Ok(Value),
    /// Not done: `code` and `detail`.
    Problem(Value),
}

/// A bound control socket.
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    own_uid: u32,
}

impl ControlSocket {
    /// Binds at `path`. What a dead switch left there is replaced; a living one is not.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        make_directory_of(path)?;
        if path.exists() {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                bail!("{}: another switch is listening on this control socket", path.display());
            }
            std::fs::remove_file(path)
                .with_context(|| format!("removing the stale {}", path.display()))?;
        }
        let listener = UnixListener::bind(path)
            .with_context(|| format!("control socket {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let own_uid = std::fs::metadata(path)?.uid();
        Ok(Self { listener, path: path.into(), own_uid })
    }

    /// Serves until stopped, and removes the socket.
    pub(crate) async fn run(
        self,
        managed: Managed,
        (links, attacks): (Links, Option<Arc<Watch>>),
        (clearing, audit): (ClearingSettings, CommandAudit),
        stop: CancellationToken,
    ) {
        let Managed { services, certificates, operators, cards, programmes, fees, .. } = managed;
        let Managed { users, partner_keys, .. } = managed;
        let about = (users, partner_keys);
        let subjects = Subjects {
            services,
            certificates,
            about,
            operators,
            cards,
            programmes,
            fees,
            links,
            attacks,
            clearing,
            audit,
        };
        let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let (subjects, stop, own_uid) = (subjects.clone(), stop.clone(), self.own_uid);
            tokio::spawn(async move {
                let _place = place;
                tokio::select! {
                    served = serve(stream, &subjects, own_uid) => if let Err(error) = served {
                        tracing::warn!(%error, "a control connection failed");
                    },
                    () = stop.cancelled() => {}
                }
            });
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, subjects: &Subjects, own_uid: u32) -> anyhow::Result<()> {
    let uid = stream.peer_cred()?.uid();
    if uid != own_uid && uid != 0 {
        bail!("user {uid} is not the owner of the switch");
    }
    let actor = format!("uid:{uid}");
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut lines).take(LINE_LIMIT).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            bail!("a request of over {LINE_LIMIT} bytes, or one cut short");
        }
        let response = answer(subjects, &actor, &line).await;
        let mut text = serde_json::to_vec(&response)?;
        text.push(b'\n');
        write.write_all(&text).await?;
    }
}

async fn answer(subjects: &Subjects, actor: &str, line: &[u8]) -> Response {
    let malformed = |error| problem(&Problem::invalid(format!("not a request: {error}")));
    let request: Request<Value> = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return malformed(error),
    };
    let Request { key, operation } = request;
    let name = operation.get("operation").and_then(Value::as_str).unwrap_or_default().to_owned();
    let caller = Caller {
        actor: AsciiText::new(actor.as_bytes()).unwrap_or_default(),
        key: idempotency_key(actor, &key),
    };
    let by = (actor, Uuid::from_bytes(caller.key.0));
    let result = match subjects.audit.begin(by, &name, &operation).await {
        Err(problem) => Ok(Err(problem)),
        Ok(begun) => {
            let result = perform_one(subjects, (actor, caller), &name, operation).await;
            // What was not understood was not done: it has no end but a refusal.
            let not_understood = || Err(Problem::invalid("not a request"));
            let told = result.as_ref().map_or_else(|_| not_understood(), Clone::clone);
            match subjects.audit.end(begun, &told).await {
                Ok(()) => result,
                Err(problem) => Ok(Err(problem)),
            }
        }
    };
    let result = match result {
        Ok(result) => result,
        Err(error) => return malformed(error),
    };
    let outcome = result.as_ref().map_or_else(|problem| problem.code, |_| "done");
    tracing::info!(target: "audit", actor, operation = name, outcome, "management");
    match result {
        Ok(value) => Response::Ok(value),
        Err(error) => {
            metrics::counter!("cardswitch_management_problems_total", "code" => error.code)
                .increment(1);
            problem(&error)
        }
    }
}

/// Does one operation; what cannot be read as one is an error.
async fn perform_one(
    subjects: &Subjects,
    (actor, caller): (&str, Caller),
    name: &str,
    operation: Value,
) -> serde_json::Result<Result<Value, Problem>> {
    Ok(if name.starts_with("link-") {
        link_control::perform(&subjects.links, serde_json::from_value(operation)?).await
    } else if name.starts_with("attack-") {
        let about = (subjects.attacks.as_ref(), &subjects.services);
        attack_control::perform(about, actor, serde_json::from_value(operation)?).await
    } else if name.starts_with("clearing-") {
        clearing_operation::perform(&subjects.services, &subjects.clearing, operation).await
    } else {
        return manage(subjects, caller, name, operation).await;
    })
}

/// What is done under an idempotency key.
async fn manage(
    subjects: &Subjects,
    caller: Caller,
    name: &str,
    operation: Value,
) -> serde_json::Result<Result<Value, Problem>> {
    let services = &subjects.services;
    Ok(if name.starts_with("fees-") {
        let about = (services, &subjects.programmes);
        fee_operation::perform(about, caller, serde_json::from_value(operation)?).await
    } else if name.starts_with("rate-") {
        rate_operation::perform(services, caller, serde_json::from_value(operation)?).await
    } else if name.starts_with("security-") {
        security_operation::perform(services, caller, serde_json::from_value(operation)?).await
    } else if name.starts_with("control-") {
        control_operation::perform(services, caller, serde_json::from_value(operation)?).await
    } else if name.starts_with("certificate-") {
        let about = (services, &subjects.certificates);
        certificate_operation::perform(about, caller, serde_json::from_value(operation)?).await
    } else if name.starts_with("partner-settings-") || name.starts_with("partner-key-") {
        let (users, keys) = &subjects.about;
        let operation = serde_json::from_value(operation)?;
        partner_choice_operation::perform((users, keys), caller, operation).await
    } else if name.starts_with("programme-processor-") {
        let operation = serde_json::from_value(operation)?;
        processor_operation::perform(&subjects.cards, caller, operation).await
    } else if name.starts_with("setup-") {
        let operation = serde_json::from_value(operation)?;
        setup_operation::perform(&subjects.programmes, caller, operation).await
    } else if name.starts_with("charging-") {
        let operation = serde_json::from_value(operation)?;
        charging_operation::perform(&subjects.fees, operation).await
    } else if name.starts_with("operator-") {
        let about = subjects.operators.as_ref();
        operator_operation::perform(about, caller, serde_json::from_value(operation)?).await
    } else {
        perform(services, caller, serde_json::from_value::<Operation>(operation)?).await
    })
}

fn problem(problem: &Problem) -> Response {
    Response::Problem(serde_json::to_value(problem).unwrap_or(Value::Null))
}

/// Sends one operation to the switch at `path` and gives its result.
pub(crate) async fn call(
    path: &Path,
    key: String,
    operation: impl Serialize,
) -> anyhow::Result<Value> {
    let stream = UnixStream::connect(path).await.with_context(|| {
        format!("{}: no switch is listening there; is it running?", path.display())
    })?;
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(&Request { key, operation })?;
    text.push(b'\n');
    write.write_all(&text).await?;
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await?;
    if line.is_empty() {
        bail!("the switch closed the connection; was the command sent by its owner?");
    }
    match serde_json::from_str(&line)? {
        Response::Ok(value) => Ok(value),
        Response::Problem(problem) => {
            let text = |member| problem.get(member).and_then(Value::as_str).unwrap_or_default();
            bail!("{} ({})", text("detail"), text("code"))
        }
    }
}
