//! The conventional server: the same wire and the same checks, with one SQL transaction for each
//! authorization, as a user would otherwise write it. Must be written as well as it can be: what it
//! does badly would flatter the switch.

#[cfg(test)]
mod alike;
mod answer;
mod apart;
mod fill;
mod one_trip;
mod pool;
mod request;
mod serve;
pub(crate) mod statements;

use clap::ValueEnum;

pub(crate) use fill::{fill, pan, token_seed};
pub(crate) use serve::{ServeArguments, serve};

/// How an authorization is put to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Statement by statement in a transaction.
    Statements,
    /// One call of a function in the database.
    Function,
}

impl Form {
    /// Both.
    pub(crate) const ALL: [Form; 2] = [Form::Statements, Form::Function];

    /// Its name in tables and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Form::Statements => "statements",
            Form::Function => "function",
        }
    }
}
