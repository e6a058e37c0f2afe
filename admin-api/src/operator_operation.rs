//! Operations on operators as data: what comes over the control socket, one JSON object each. It
//! owns the names and shapes of their members. By these the first operator is made; whoever owns
//! the switch's process is above all roles.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::Timestamp;

use crate::Problem;
use crate::http::now;
use crate::operation::{Caller, done};
use crate::operators::{Given, ListedOperator, Operators, Role, Which};

/// One operation on operators.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum OperatorOperation {
    OperatorAdd { name: String, role: String },
    OperatorList {},
    OperatorBlock { name: String },
    OperatorUnblock { name: String },
    OperatorReset { name: String },
    OperatorRole { name: String, role: String },
}

/// Does an operation and gives its result.
///
/// # Errors
/// `UNAVAILABLE`: operators are not served. Else see [`Problem`].
pub async fn perform(
    operators: Option<&Operators>,
    caller: Caller,
    operation: OperatorOperation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    let Some(operators) = operators else {
        let what = "operators sign in at the listener [api.open], which is not set up";
        return Err(Problem::new("UNAVAILABLE", what));
    };
    let now = now();
    match operation {
        OperatorOperation::OperatorAdd { name, role } => {
            let role = role_of(&role)?;
            Ok(given(&operators.add((&name, role), (actor, key), now).await?))
        }
        OperatorOperation::OperatorList {} => {
            Ok(operators.list(now).await?.iter().map(listed).collect())
        }
        OperatorOperation::OperatorBlock { name } => {
            done(operators.block(Which::Name(&name), None).await)
        }
        OperatorOperation::OperatorUnblock { name } => {
            done(operators.unblock(Which::Name(&name), None, now).await)
        }
        OperatorOperation::OperatorReset { name } => {
            Ok(given(&operators.reset(Which::Name(&name), None, now).await?))
        }
        OperatorOperation::OperatorRole { name, role } => {
            let role = role_of(&role)?;
            done(operators.set_role(Which::Name(&name), role, None).await)
        }
    }
}

fn role_of(name: &str) -> Result<Role, Problem> {
    Role::named(name).ok_or_else(|| Problem::field("role", "EMPLOYEE, MANAGER or ADMIN"))
}

/// Told once, to the terminal of who asked.
fn given(given: &Given) -> Value {
    json!({
        "operator": given.operator,
        "name": given.name,
        "role": given.role.name(),
        "one_time_password": given.password.expose(),
        "otpauth": *given.uri,
    })
}

fn listed(operator: &ListedOperator) -> Value {
    json!({
        "operator": operator.operator,
        "name": operator.name,
        "role": operator.role.name(),
        "state": operator.state.name(),
        "must_change_password": operator.must_change,
        "seen_at": time(operator.seen_at),
        "made_at": time(operator.made_at),
    })
}

fn time(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_microsecond(at.0).ok().map(|at| at.to_string())
}
