//! Spend controls of a running switch, and reports of what they declined. It owns the arguments of
//! the commands; what they may be is for the service and the engine to say.

mod backtest;
mod report;

use std::process::ExitCode;

use admin_api::control_operation::{ControlOperation, ControlSpec, SubjectName};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::SocketArgs;
use crate::control_socket;

/// Spend controls.
#[derive(Debug, Subcommand)]
pub enum ControlsCommand {
    /// Make a control: in force for the next authorization
    Define {
        /// Whom it is for
        #[command(flatten)]
        subject: SubjectArgs,
        /// What it says of which purchases
        #[command(flatten)]
        terms: Box<TermsArgs>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Change the amount, the count, the name or the shadow of a control; what was used stays. All
    /// of it is said again
    Change {
        /// The control
        id: i64,
        /// Whom it is for
        #[command(flatten)]
        subject: SubjectArgs,
        /// What it says of which purchases
        #[command(flatten)]
        terms: Box<TermsArgs>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Remove a control, and what was used of it
    Remove {
        /// The control
        id: i64,
        /// Whom it is for
        #[command(flatten)]
        subject: SubjectArgs,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// The controls that a purchase meets, and what was used of them
    List {
        /// Whose
        #[command(flatten)]
        subject: SubjectArgs,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// What controls declined, and what those in shadow would have: by day and by category
    Report(report::ReportArgs),
    /// What a new or changed control would have declined of what was bought; no effect on anything
    Backtest(backtest::BacktestArgs),
}

/// Whom a control is for.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SubjectArgs {
    /// One card
    #[arg(long)]
    card: Option<i64>,
    /// All cards of a balance together
    #[arg(long)]
    balance: Option<i64>,
    /// Every card of a programme, each by itself
    #[arg(long)]
    programme: Option<i64>,
}

impl SubjectArgs {
    fn subject(self) -> SubjectName {
        match self {
            Self { card: Some(id), .. } => SubjectName::Card(id),
            Self { balance: Some(id), .. } => SubjectName::Balance(id),
            // The command line names one of the three.
            Self { programme, .. } => SubjectName::Programme(programme.unwrap_or_default()),
        }
    }
}

/// What a control says.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RuleArg {
    /// Decline what it is about
    Forbid,
    /// Decline all else
    AllowOnly,
    /// Decline at all merchants but the first that was granted
    OneMerchant,
    /// No more than --amount in --window
    Amount,
    /// No more than --count in --window
    Count,
}

/// A control in words: its rule, and which purchases it is about. Where nothing is said, any.
#[derive(Clone, Debug, Args)]
pub struct TermsArgs {
    /// Its name for people
    #[arg(long)]
    name: String,
    /// What it says
    #[arg(long)]
    rule: RuleArg,
    /// Decline nothing, and note what would have been
    #[arg(long)]
    shadow: bool,
    /// In major units, as 100.00
    #[arg(long, required_if_eq("rule", "amount"))]
    amount: Option<String>,
    /// How many
    #[arg(long, required_if_eq("rule", "count"))]
    count: Option<u32>,
    /// transaction, day, week, month, year, lifetime, or rolling:24 for so many hours
    #[arg(long)]
    window: Option<String>,
    /// Of the window's calendar and of the hours, as Europe/Madrid [default: UTC]
    #[arg(long)]
    zone: Option<String>,
    /// atm, pos, ecommerce, contactless, stripe or cash_back; more than one by commas
    #[arg(long = "use", value_delimiter = ',')]
    uses: Vec<String>,
    /// Merchant categories: 5411, or 3000-3299; more than one by commas
    #[arg(long = "mcc", value_delimiter = ',')]
    categories: Vec<String>,
    /// Countries of merchants, as ES; more than one by commas
    #[arg(long = "country", value_delimiter = ',')]
    countries: Vec<String>,
    /// Merchants in any other country than this
    #[arg(long)]
    abroad_of: Option<String>,
    /// A merchant by the number of DE42; may come again
    #[arg(long = "merchant")]
    merchants: Vec<String>,
    /// As "mon-fri 09:00-17:00" or "sat,sun 22:00-06:00"
    #[arg(long)]
    hours: Option<String>,
}

impl TermsArgs {
    fn spec(self) -> Box<ControlSpec> {
        let rule = match self.rule {
            RuleArg::Forbid => "forbid",
            RuleArg::AllowOnly => "allow-only",
            RuleArg::OneMerchant => "one-merchant",
            RuleArg::Amount => "amount",
            RuleArg::Count => "count",
        };
        Box::new(ControlSpec {
            name: self.name,
            shadow: self.shadow,
            rule: rule.to_owned(),
            amount: self.amount,
            count: self.count,
            window: self.window,
            zone: self.zone,
            uses: self.uses,
            categories: self.categories,
            countries: self.countries,
            abroad_of: self.abroad_of,
            merchants: self.merchants,
            hours: self.hours,
        })
    }
}

pub(super) async fn run(command: ControlsCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        ControlsCommand::Define { subject, terms, socket } => {
            let (subject, terms) = (subject.subject(), terms.spec());
            (socket, ControlOperation::ControlDefine { subject, terms })
        }
        ControlsCommand::Change { id, subject, terms, socket } => {
            let (subject, terms) = (subject.subject(), terms.spec());
            (socket, ControlOperation::ControlChange { control: id, subject, terms })
        }
        ControlsCommand::Remove { id, subject, socket } => {
            let subject = subject.subject();
            (socket, ControlOperation::ControlRemove { control: id, subject })
        }
        ControlsCommand::List { subject, socket } => {
            (socket, ControlOperation::ControlList { subject: subject.subject() })
        }
        ControlsCommand::Report(args) => return report::run(args).await,
        ControlsCommand::Backtest(args) => return backtest::run(args).await,
    };
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}
