//! `cardswitch-sim network` as a person runs it.

use std::process::{Output, Stdio};

use codecs::iso8583::Mti;
use simulators::network::{Function, NetworkPeer, Tally};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::stub::{PAN, Stub, listen, plain, settings};

fn command(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardswitch-sim"));
    command.arg("network").args(words.split(' ')).kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[tokio::test]
async fn it_listens_buys_and_prints_what_it_counted() {
    let words = format!(
        "--listen 127.0.0.1:0 --dialect iso93-binary --length ascii4 --wait-for-sign-on \
         --malformed 50 --purchases 3 --kill-every 2 --pan {PAN} --amount 3.00"
    );
    let mut child = command(&words).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).await.expect("its address");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = said["address"].as_str().and_then(|text| text.parse().ok()).expect("an address");

    let framing = codecs::framing::Framing::new(codecs::framing::LengthHeader::Ascii(4));
    let settings = settings("iso93-binary", framing);
    let mut bought = 0;
    while bought < 3 {
        let mut issuer = Stub::dial(address, &settings).await;
        issuer.ask(Function::SignOn).await;
        while bought < 3 {
            let Some((frame, said)) = issuer.next().await else { break };
            let request = said.filter(|said| said.view().mti().and_then(Mti::response).is_some());
            let Some(request) = request else { continue };
            let purchase = request.mti() == "1100" && request.text(2).as_deref() == Some(PAN);
            bought += u32::from(purchase);
            assert!(!purchase || request.text(4).as_deref() == Some("000000000300"));
            let answer = issuer.answer_to(&request, if purchase { "000" } else { "800" });
            issuer.send(frame.header, &answer).await;
        }
    }
    let mut rest = String::new();
    out.read_to_string(&mut rest).await.expect("text");
    assert!(child.wait().await.expect("it ends").success(), "{rest}");
    let tally: Tally = serde_json::from_str(&rest).expect("a tally");
    assert_eq!((tally.answered_with("000"), tally.killed, tally.malformed), (3, 1, 50));
    assert!(!rest.contains(PAN));
}

#[tokio::test]
async fn it_asks_for_a_lock_and_prints_what_the_issuer_said() {
    let words =
        format!("--listen 127.0.0.1:0 --dialect iso93-binary --pan {PAN} --lock 7 --unlock");
    let mut child = command(&words).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).await.expect("its address");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let address = said["address"].as_str().and_then(|text| text.parse().ok()).expect("an address");

    let mut issuer = Stub::dial(address, &settings("iso93-binary", plain())).await;
    for (action, function, record) in [("300", "301", Some("07")), ("306", "303", None)] {
        let asked = issuer.answer(action).await;
        assert_eq!((asked.mti(), asked.text(24).as_deref()), ("1304", Some(function)));
        assert_eq!((asked.text(2).as_deref(), asked.text(72).as_deref()), (Some(PAN), record));
        assert_eq!(asked.text(101).as_deref(), Some("CARD-LOCK"));
    }
    let mut rest = String::new();
    out.read_to_string(&mut rest).await.expect("text");
    assert!(child.wait().await.expect("it ends").success(), "{rest}");
    assert!(rest.contains("{\"file_action\":\"300\"}") && rest.contains("\"306\""), "{rest}");
    assert!(!rest.contains(PAN));
}

#[tokio::test]
async fn it_dials_and_signs_on() {
    let issuer: NetworkPeer = listen(settings("iso87-bcd", plain())).await;
    let words = format!("--dial {} --dialect iso87-bcd --sign-on --stay 0", issuer.address());
    let output = command(&words).output().await.expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(issuer.tally().sign_ons, 1);
}

#[tokio::test]
async fn what_it_cannot_do_is_said() {
    for (words, says) in [
        ("--dialect iso87-ascii", "--listen"),
        ("--listen 127.0.0.1:0 --dialect iso88", "iso88: no dialect and no file"),
        ("--listen 127.0.0.1:0 --framing header=3", "--framing"),
        ("--listen 127.0.0.1:0 --purchases 1", "--pan"),
        ("--listen 127.0.0.1:0 --tls-authorities missing.pem", "missing.pem"),
        ("--dial 127.0.0.1:1 --sign-on --patience 1", "it did not come to that"),
    ] {
        let output = command(words).output().await.expect("it runs");
        assert!(!output.status.success(), "{words}");
        assert!(said(&output).contains(says), "{words}: {}", said(&output));
    }
}
