//! `cardswitch iso`: one message, taken apart or put together. It owns how bytes come in
//! (hexadecimal, raw, framed) and what is printed of them: nothing of sensitive fields but their
//! length. What is put together is printed as it was given.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Encoder, FieldType, Fields, Mti, describe};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::config;

/// Bytes that are read at most: of a message, with what may stand around it in hexadecimal.
const MOST: u64 = 1 << 20;

/// Single messages: what is in these bytes?
#[derive(Debug, Subcommand)]
pub enum IsoCommand {
    /// Print every field of a message: number, name, offset, bytes, value; sensitive ones masked
    Decode(DecodeArgs),
    /// Print the bytes of a message that is given as JSON: {"mti": "0100", "2": "...", "55":
    /// "9F26..."}
    Encode(EncodeArgs),
}

/// What to put together.
#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// The message as one JSON object: "mti", and each field by its number; binary ones in
    /// hexadecimal [default: standard input]
    file: Option<PathBuf>,
    /// A shipped dialect by name, or the path of a dialect file
    #[arg(long, short)]
    dialect: String,
    /// Put a length in this form in front: binary2, ascii4, bcd2 and so on
    #[arg(long)]
    length: Option<LengthHeader>,
    /// Bytes instead of hexadecimal characters
    #[arg(long)]
    raw: bool,
}

/// What to take apart.
#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// The message: hexadecimal characters (blanks, colons and line ends are skipped) or raw bytes
    /// [default: standard input]
    file: Option<PathBuf>,
    /// A shipped dialect by name, or the path of a dialect file
    #[arg(long, short)]
    dialect: String,
    /// The bytes begin with a length in this form: binary2, ascii4, bcd2 and so on
    #[arg(long)]
    length: Option<LengthHeader>,
    /// The rest of the framing, as in a configuration: 'header = "tpdu"', 'inclusive = true'
    #[arg(long, requires = "length", value_name = "TOML")]
    framing: Vec<String>,
    /// The bytes are the message itself, also where they look like hexadecimal characters
    #[arg(long)]
    raw: bool,
}

/// Runs it.
///
/// # Errors
/// There is no such dialect or file, or the bytes are not framed so.
pub(super) fn run(command: &IsoCommand) -> Result<ExitCode> {
    match command {
        IsoCommand::Decode(arguments) => decode(arguments),
        IsoCommand::Encode(arguments) => encode(arguments),
    }
}

fn encode(arguments: &EncodeArgs) -> Result<ExitCode> {
    let dialect = config::dialect(&arguments.dialect).map_err(anyhow::Error::msg)?;
    let given = read(arguments.file.as_deref())?;
    let given: BTreeMap<String, String> =
        serde_json::from_slice(&given).context("one JSON object of texts is wanted")?;
    let message = message_of(&dialect, &given)?;
    let mut out = BytesMut::new();
    match arguments.length {
        None => out.extend_from_slice(&message),
        Some(length) => Framing::new(length).codec()?.append(None, &message, &mut out)?,
    }
    if arguments.raw {
        std::io::stdout().lock().write_all(&out)?;
    } else {
        println!("{}", hex::encode_upper(&out));
    }
    Ok(ExitCode::SUCCESS)
}

fn message_of(dialect: &Dialect, given: &BTreeMap<String, String>) -> Result<BytesMut> {
    let mti = given.get("mti").context("\"mti\" is missing")?;
    let mti = Mti::parse(mti).with_context(|| format!("{mti:?} is no message type"))?;
    let mut fields = BTreeMap::new();
    for (key, value) in given.iter().filter(|(key, _)| *key != "mti") {
        let field: u8 = key.parse().with_context(|| format!("{key:?} is no field number"))?;
        fields.insert(field, value);
    }
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, mti);
    for (field, value) in fields {
        let binary = dialect.spec(field).is_some_and(|spec| spec.kind == FieldType::Binary);
        if binary {
            let bytes = hex::decode(value).with_context(|| format!("field {field} is binary"))?;
            message.bytes(field, &bytes)?;
        } else {
            message.text(field, value)?;
        }
    }
    let mut out = BytesMut::new();
    message.finish(&mut out)?;
    Ok(out)
}

fn decode(arguments: &DecodeArgs) -> Result<ExitCode> {
    let dialect = config::dialect(&arguments.dialect).map_err(anyhow::Error::msg)?;
    let found = read(arguments.file.as_deref())?;
    let bytes = if arguments.raw { found } else { from_hexadecimal(&found).unwrap_or(found) };
    let messages = match arguments.length {
        None => vec![bytes],
        Some(length) => unframed(length, &arguments.framing, &bytes)?,
    };
    let mut good = true;
    for message in &messages {
        good &= print(&dialect, message);
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: Option<&Path>) -> Result<Vec<u8>> {
    let mut found = Vec::new();
    match file {
        Some(path) => {
            let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
            file.take(MOST).read_to_end(&mut found)?;
        }
        None => {
            std::io::stdin().lock().take(MOST).read_to_end(&mut found)?;
        }
    }
    Ok(found)
}

/// The bytes that hexadecimal characters stand for; `None` where these are others.
fn from_hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b':';
    let characters: Vec<u8> = text.iter().filter(|byte| !between(byte)).copied().collect();
    hex::decode(characters).ok().filter(|bytes| !bytes.is_empty())
}

fn unframed(length: LengthHeader, more: &[String], bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let text = format!("length = \"{length}\"\n{}", more.join("\n"));
    let framing: Framing = toml::from_str(&text).context("--framing")?;
    let mut codec = framing.codec()?;
    let mut left = BytesMut::from(bytes);
    let mut messages = Vec::new();
    while let Some(frame) = codec.decode_eof(&mut left)? {
        messages.push(frame.body.to_vec());
    }
    if messages.is_empty() {
        bail!("there is no message in these bytes: {} keep-alives", codec.keep_alives());
    }
    Ok(messages)
}

/// Prints a message as far as it can be read; false where that is not to its end.
fn print(dialect: &Dialect, message: &[u8]) -> bool {
    let mut fields = Fields::new();
    let decoded = dialect.decode(message, &mut fields);
    let mut out = String::new();
    for line in describe(dialect, message, &fields) {
        let (path, name, offset, raw) = (line.path, line.name, line.offset, line.raw);
        let _ = writeln!(out, "{offset:5} {:4}  {path:<10} {name:<48} {}", line.bytes, line.value);
        if raw != "*" {
            let _ = writeln!(out, "{:24}{raw}", "");
        }
    }
    print!("{out}");
    match decoded {
        Ok(()) => true,
        Err(error) => {
            println!("fault: {error}");
            if let Some(guess) = guess(dialect, message) {
                println!("{guess}");
            }
            false
        }
    }
}

/// What bytes look like that do not begin with a message type of this dialect.
fn guess(dialect: &Dialect, message: &[u8]) -> Option<String> {
    for length in LengthHeader::all().filter(|length| length.bytes() > 0) {
        let Ok(mut codec) = Framing::new(length).codec() else { continue };
        let mut left = BytesMut::from(message);
        if let Ok(Some(frame)) = codec.decode(&mut left)
            && left.is_empty()
            && dialect.decode(&frame.body, &mut Fields::new()).is_ok()
        {
            return Some(format!("with --length {length} it is a whole message"));
        }
    }
    for name in Dialect::shipped_names().filter(|name| *name != dialect.name()) {
        if let Some(other) = Dialect::shipped(name)
            && other.decode(message, &mut Fields::new()).is_ok()
        {
            return Some(format!("in dialect {name} it is a whole message"));
        }
    }
    None
}
