//! Commands about links as data: what comes over the control socket, one JSON object each. It owns
//! the names and shapes of their members; a link does what is asked.

use std::sync::Arc;

use admin_api::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_network::{LinkHandle, Purpose, Request, RequestError};

use crate::key_exchange::KeyExchange;

/// One command about links. Their names all begin with `link-`, and those of no other do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", deny_unknown_fields)]
pub(crate) enum LinkOperation {
    /// How all links stand.
    #[serde(rename = "link-list")]
    List,
    /// How one stands.
    #[serde(rename = "link-show")]
    Show {
        /// Its name.
        link: String,
    },
    /// No new authorizations from now on.
    #[serde(rename = "link-pause")]
    Pause {
        /// Its name.
        link: String,
    },
    /// Serve again.
    #[serde(rename = "link-resume")]
    Resume {
        /// Its name.
        link: String,
    },
    /// Answer what is owed, and close.
    #[serde(rename = "link-drain")]
    Drain {
        /// Its name.
        link: String,
    },
    /// Ask something of the peer.
    #[serde(rename = "link-request")]
    Request {
        /// Its name.
        link: String,
        /// What is asked.
        request: Asked,
        /// The day that a cut-over begins, as DE15 of the dialect has it.
        settlement_date: Option<String>,
    },
    /// Send the peer a new key.
    #[serde(rename = "link-exchange-key")]
    ExchangeKey {
        /// Its name.
        link: String,
    },
    /// Read certificates again.
    #[serde(rename = "link-reload")]
    Reload {
        /// Of one link alone.
        link: Option<String>,
    },
}

/// What can be asked of a peer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// Is anybody there?
    Echo,
    /// We sign on.
    SignOn,
    /// We sign off.
    SignOff,
    /// The business day ends.
    CutOver,
}

/// All links, and who keeps the keys that they exchange.
#[derive(Clone)]
pub(crate) struct Links {
    pub(crate) handles: Arc<[LinkHandle]>,
    pub(crate) exchange: Option<Arc<KeyExchange>>,
}

/// Does what is asked and gives the result.
///
/// # Errors
/// There is no such link, or it cannot be done now.
pub(crate) async fn perform(all: &Links, operation: LinkOperation) -> Result<Value, Problem> {
    let links = &*all.handles;
    let named = |name: &str| {
        links.iter().find(|link| link.name() == name).ok_or_else(|| {
            let names: Vec<_> = links.iter().map(LinkHandle::name).collect();
            Problem::not_found(format!(
                "there is no link {name:?}; there are: {}",
                names.join(", ")
            ))
        })
    };
    match operation {
        LinkOperation::List => Ok(links.iter().map(view).collect()),
        LinkOperation::Show { link } => named(&link).map(view),
        LinkOperation::Pause { link } => {
            let link = named(&link)?;
            link.pause();
            Ok(view(link))
        }
        LinkOperation::Resume { link } => {
            let link = named(&link)?;
            link.resume();
            Ok(view(link))
        }
        LinkOperation::Drain { link } => {
            let link = named(&link)?;
            link.drain();
            Ok(view(link))
        }
        LinkOperation::Request { link, request, settlement_date } => {
            ask(named(&link)?, request, settlement_date).await
        }
        LinkOperation::ExchangeKey { link } => {
            exchange_key(named(&link)?, all.exchange.as_ref()).await
        }
        LinkOperation::Reload { link: Some(link) } => reload(&[named(&link)?.clone()]).await,
        LinkOperation::Reload { link: None } => reload(links).await,
    }
}

async fn ask(link: &LinkHandle, asked: Asked, day: Option<String>) -> Result<Value, Problem> {
    let purpose = match asked {
        Asked::Echo => Purpose::Echo,
        Asked::SignOn => Purpose::SignOn,
        Asked::SignOff => Purpose::SignOff,
        Asked::CutOver => Purpose::CutOver,
    };
    let mut request = Request::network(purpose);
    if let Some(day) = day {
        request = request.for_day(day);
    }
    match link.request(request).await {
        Ok(answer) => Ok(json!({
            "link": link.name(),
            "request": purpose.name(),
            "action_code": answer.action_code,
            "accepted": answer.accepted,
            "after_ms": u64::try_from(answer.after.as_millis()).unwrap_or(u64::MAX),
        })),
        Err(error) => {
            let code = match error {
                RequestError::NotConnected => "NOT_CONNECTED",
                RequestError::TooMany(_) => "OVERLOADED",
                RequestError::Unwritable(_) => "INVALID_REQUEST",
                RequestError::NoAnswer(_) | RequestError::Closed => "NO_ANSWER",
            };
            Err(Problem::new(code, format!("link {}: {error}", link.name())))
        }
    }
}

/// Makes a key, keeps it, sends it, and uses it once the peer has taken it. Where nobody knows
/// whether the peer has, it stays pending: what comes under it makes it active.
async fn exchange_key(
    link: &LinkHandle,
    exchange: Option<&Arc<KeyExchange>>,
) -> Result<Value, Problem> {
    let none = || Problem::invalid("there are no keys to exchange: see docs/keys.md".to_owned());
    let exchange = exchange.ok_or_else(none)?;
    let name = link.name().to_owned();
    let (version, field, text) = apart(exchange, &name, KeyExchange::offer).await?;
    let request = Request::network(Purpose::KeyChange).with(field, text);
    let state = match link.request(request).await {
        Ok(answer) if answer.accepted => {
            apart(exchange, &name, move |keys, link| keys.activate(link, version)).await?;
            "active"
        }
        Ok(_) => {
            apart(exchange, &name, move |keys, link| keys.withdraw(link, version)).await?;
            "refused"
        }
        Err(RequestError::NoAnswer(_) | RequestError::Closed) => "pending",
        Err(error) => {
            apart(exchange, &name, move |keys, link| keys.withdraw(link, version)).await?;
            return Err(Problem::new("NOT_SENT", format!("link {name}: {error}")));
        }
    };
    Ok(json!({ "link": name, "version": version, "state": state }))
}

/// Does something with the key file, which takes its time, on a thread that may wait.
async fn apart<T: Send + 'static>(
    exchange: &Arc<KeyExchange>,
    link: &str,
    act: impl FnOnce(&KeyExchange, &str) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let (exchange, link) = (Arc::clone(exchange), link.to_owned());
    let done = tokio::task::spawn_blocking(move || act(&exchange, &link)).await;
    let failed = |error: anyhow::Error| Problem::invalid(format!("{error:#}"));
    done.map_err(|error| failed(error.into()))?.map_err(failed)
}

/// All of them, also where one of them fails: the broken files of one link must not keep another
/// from its renewal.
async fn reload(links: &[LinkHandle]) -> Result<Value, Problem> {
    let (mut reloaded, mut failed) = (Vec::new(), Vec::new());
    for link in links {
        match link.reload().await {
            Ok(true) => reloaded.push(link.name()),
            Ok(false) => {}
            Err(error) => failed.push(format!("link {}: {error}", link.name())),
        }
    }
    if failed.is_empty() {
        return Ok(json!({ "reloaded": reloaded }));
    }
    let detail = format!("{}; the certificates that were in use stay in use", failed.join("; "));
    Err(Problem::invalid(detail))
}

fn view(link: &LinkHandle) -> Value {
    serde_json::to_value(link.view()).unwrap_or_default()
}
