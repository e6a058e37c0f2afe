//! Showing a test number leaves an audit event that itself shows BIN and last four digits only.

use std::io::Write;
use std::sync::{Arc, Mutex};

use switch_domain::Pan;
use switch_security::exit::{pan_for_encrypted_answer, pin_for_host_command, test_pan_for_sandbox};
use switch_security::{ChosenPin, reveal_test_pan};
use zeroize::Zeroizing;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_reveal_and_each_refusal_is_logged_masked() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        for (digits, is_test) in [("9999991200000018", true), ("4111111111111111", false)] {
            let pan = Pan::from_digits(digits.as_bytes()).expect("well formed");
            assert_eq!(reveal_test_pan(&pan).is_ok(), is_test);
            let mut line = Zeroizing::new(Vec::with_capacity(32));
            assert_eq!(test_pan_for_sandbox(&pan, &mut line).is_ok(), is_test);
            assert_eq!(line.as_slice(), if is_test { digits.as_bytes() } else { b"" });
        }
        let pan = Pan::from_digits(b"4111111111111111").expect("well formed");
        let mut answer = Zeroizing::new(Vec::with_capacity(32));
        pan_for_encrypted_answer(&pan, &mut answer);
        assert_eq!(answer.as_slice(), b"4111111111111111");
        let pin = ChosenPin::from_ascii(b"826405").expect("a PIN");
        assert!(pin_for_host_command(&pin, &pan, |digits| digits == b"826405"));
    });
    let text = String::from_utf8(log.0.lock().expect("one thread").clone()).expect("text");
    for expected in ["audit", "99999912", "0018", "41111111", "1111"] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("9999991200000018") && !text.contains("4111111111111111"), "{text}");
    assert!(!text.contains("826405"), "{text}");
    assert_eq!(text.lines().count(), 6);
}
