//! A simulated HSM by its own bytes, without a client, and on the command line.

use std::process::Stdio;

use simulators::hsm::{HsmUnit, Settings};
use switch_security::{Key, KeyCipher, KeyUsage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

const HEADER: &[u8] = b"ABCD0001";

async fn unit() -> (HsmUnit, TcpStream) {
    let unit = HsmUnit::listen(([127, 0, 0, 1], 0).into(), Settings::default()).await.unwrap();
    let stream = TcpStream::connect(unit.address()).await.unwrap();
    (unit, stream)
}

/// Sends a command, and gives back what follows the header of its answer.
async fn ask(stream: &mut TcpStream, command: &[u8]) -> Vec<u8> {
    let body = [HEADER, command].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, body.as_slice()].concat()).await.unwrap();
    let length = usize::from(stream.read_u16().await.unwrap());
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.unwrap();
    answer.strip_prefix(HEADER).expect("the header comes back").to_vec()
}

#[tokio::test]
async fn it_answers_as_a_unit_does() {
    let (unit, mut stream) = unit().await;
    let said = ask(&mut stream, b"NC").await;
    let expected = format!("ND00{}00000000001500-0026", unit.check_value());
    assert_eq!(said, expected.as_bytes());
    assert_eq!(ask(&mut stream, b"NO00").await, b"NP0031641500-002600000");
    assert_eq!(ask(&mut stream, b"B20003abc").await, b"B300abc");
    assert_eq!(ask(&mut stream, b"ZZ").await, b"ZA68");
    for wrong in [b"CY".as_slice(), b"CYU00", b"NO01", b"B20004abc", b"KQ", b"M6"] {
        let answer = ask(&mut stream, wrong).await;
        assert!(answer.ends_with(b"15") || answer.ends_with(b"26"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_key_comes_in_its_block_and_is_used() {
    let (unit, mut stream) = unit().await;
    let clear = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes();
    let key = Key::new(KeyUsage::C0, KeyCipher::Tdes, &clear).unwrap();
    let block = unit.wrap_key(&key).unwrap();
    let made = ask(&mut stream, format!("CW{block}9999991234567894;2912201").as_bytes()).await;
    let value = made.strip_prefix(b"CX00").expect("made").to_vec();
    let value = String::from_utf8(value).unwrap();
    let verify = format!("CY{block}{value}9999991234567894;2912201");
    assert_eq!(ask(&mut stream, verify.as_bytes()).await, b"CZ00");
    let other = verify.replace(";2912", ";2911");
    assert_eq!(ask(&mut stream, other.as_bytes()).await, b"CZ01");
    let check = ask(&mut stream, format!("BUFFF{block};FFF;001").as_bytes()).await;
    assert_eq!(check, format!("BV00{}", key.check_value()).as_bytes());
    // One character of the block is another: it is no key of this unit.
    let last = if block.ends_with('0') { "1" } else { "0" };
    let spoilt = [&block[..block.len() - 1], last].concat();
    let refused = ask(&mut stream, format!("BUFFF{spoilt};FFF;001").as_bytes()).await;
    assert_eq!(refused, b"BV10");
}

#[tokio::test]
async fn on_the_command_line_it_prints_where_it_is_and_what_its_keys_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_cardswitch-sim"))
        .args(["hsm", "--listen", "127.0.0.1:0", "--make", "C0", "--make", "V2", "--stay", "0"])
        .stdout(Stdio::piped())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let (first, counts) = said.split_once('\n').unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    assert!(first["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(first["lmk_check_value"].as_str().unwrap().len(), 6);
    assert!(first["keys"]["C0"].as_str().unwrap().starts_with('S'));
    assert!(first["keys"]["V2"].as_str().unwrap().starts_with('S'));
    let counts: serde_json::Value = serde_json::from_str(counts).unwrap();
    assert_eq!(counts["open"], 0);
}
