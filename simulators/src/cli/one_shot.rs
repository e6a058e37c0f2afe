//! One request at a time, printed as sent and as answered. Must print masked forms only.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use jiff::Timestamp;

use simulators::acquirer::{
    Acquirer, Channel, NetworkCode, Original, Purchase, network_management, purchase, repeat_of,
    reversal_of,
};
use simulators::demo_file::DemoFile;
use simulators::iso::Message;

/// A switch to talk to.
#[derive(Debug, clap::Args)]
pub(super) struct LinkArgs {
    /// The demo.json of the running switch.
    #[arg(long, value_name = "PATH")]
    demo: PathBuf,
}

/// A card and an amount.
#[derive(Debug, clap::Args)]
struct Sale {
    #[command(flatten)]
    link: LinkArgs,
    /// A card of this state (good, lock-1, expired, ...), or the card at this index of demo.json.
    #[arg(long, default_value = "good")]
    card: String,
    /// The amount, with two decimals or none.
    #[arg(long, default_value = "12.50", value_parser = minor_units)]
    amount: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct TerminalArgs {
    #[command(subcommand)]
    what: TerminalCommand,
}

#[derive(Debug, Subcommand)]
enum TerminalCommand {
    /// Ask for an authorization (0100).
    Purchase {
        #[command(flatten)]
        sale: Sale,
        /// Then send it again with the repeat digit and a new DE7 (0101): the answer must be the
        /// same.
        #[arg(long)]
        repeat: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ReverseArgs {
    #[command(flatten)]
    sale: Sale,
    /// What identifies the purchase, as `purchase` printed it.
    #[arg(long)]
    original: Option<Original>,
    /// Where the purchase was made.
    #[arg(long, value_enum, default_value_t = Place::Pos)]
    at: Place,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Place {
    Pos,
    Atm,
    Ecom,
}

/// A signed-on acquirer that prints what it does.
struct Desk {
    acquirer: Acquirer,
    demo: DemoFile,
}

impl Desk {
    async fn open(link: &LinkArgs) -> Result<Desk> {
        let demo = DemoFile::read(&link.demo)?;
        let acquirer = Acquirer::connect(&demo.iso.address, &demo.framing(), 1).await?;
        Ok(Desk { acquirer, demo })
    }

    async fn show(&mut self, request: &Message) -> Result<Message> {
        print!("sent      {}", request.describe());
        let answer = self.acquirer.exchange(0, request).await?;
        print!("received  {}", answer.describe());
        Ok(answer)
    }

    async fn manage(&mut self, code: NetworkCode) -> Result<()> {
        let numbers = self.acquirer.numbers().next(Timestamp::now());
        let answer = self.show(&network_management(code, &numbers)?).await?;
        ensure!(answer.text(39) == Some("00"), "the switch refused");
        Ok(())
    }

    fn request(&mut self, channel: Channel, sale: &Sale) -> Result<Message> {
        let card = &self.demo.cards[self.demo.card(&sale.card)?];
        let currency = &self.demo.currency;
        let numbers = self.acquirer.numbers().next(Timestamp::now());
        purchase(&Purchase { channel, card, minor: sale.amount, currency }, &numbers)
    }
}

impl LinkArgs {
    pub(super) async fn echo(&self) -> Result<()> {
        let mut desk = Desk::open(self).await?;
        desk.acquirer.network_management(NetworkCode::SignOn).await?;
        desk.manage(NetworkCode::Echo).await
    }

    pub(super) async fn sign_on(&self) -> Result<()> {
        Desk::open(self).await?.manage(NetworkCode::SignOn).await
    }
}

impl TerminalArgs {
    pub(super) async fn run(&self, channel: Channel) -> Result<()> {
        let TerminalCommand::Purchase { sale, repeat } = &self.what;
        let mut desk = Desk::open(&sale.link).await?;
        desk.acquirer.network_management(NetworkCode::SignOn).await?;
        let request = desk.request(channel, sale)?;
        desk.show(&request).await?;
        if *repeat {
            desk.show(&repeat_of(&request, Timestamp::now())?).await?;
        }
        println!("to reverse it: --original {}", Original::of(&request)?);
        desk.acquirer.network_management(NetworkCode::SignOff).await
    }
}

impl ReverseArgs {
    pub(super) async fn run(&self) -> Result<()> {
        let channel = match self.at {
            Place::Pos => Channel::Pos,
            Place::Atm => Channel::Atm,
            Place::Ecom => Channel::Ecommerce,
        };
        let mut desk = Desk::open(&self.sale.link).await?;
        desk.acquirer.network_management(NetworkCode::SignOn).await?;
        let request = desk.request(channel, &self.sale)?;
        let original = match &self.original {
            Some(original) => original.clone(),
            None => {
                desk.show(&request).await?;
                Original::of(&request)?
            }
        };
        let numbers = desk.acquirer.numbers().next(Timestamp::now());
        desk.show(&reversal_of(&request, &original, &numbers)?).await?;
        desk.acquirer.network_management(NetworkCode::SignOff).await
    }
}

/// `12.50` or `12` as 1250 or 1200.
pub(super) fn minor_units(text: &str) -> Result<u64> {
    let wrong = || format!("{text:?} is not an amount such as 12.50");
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    ensure!(cents.len() == 2 && cents.bytes().all(|b| b.is_ascii_digit()), wrong());
    let whole: u64 = whole.parse().with_context(wrong)?;
    let cents: u64 = cents.parse().with_context(wrong)?;
    whole.checked_mul(100).and_then(|minor| minor.checked_add(cents)).with_context(wrong)
}
