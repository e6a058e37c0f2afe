//! NO, NC and B2: whether a unit is there, sound and our own. They carry nothing of cards.

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};

/// `NO`, mode 00: what the unit is.
#[derive(Clone, Copy, Debug)]
pub struct Status;

/// What a unit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAnswer {
    /// How many connections it takes.
    pub sockets: u8,
    /// Its software.
    pub firmware: String,
}

impl HostCommand for Status {
    type Answer = StatusAnswer;

    fn code(&self) -> [u8; 2] {
        *b"NO"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.number("mode", 0, 2)
    }

    /// Buffer size 1, kind of connection 1, sockets 2, firmware 9, and what later models add.
    fn read(answer: &mut AnswerReader<'_>) -> Result<StatusAnswer, Malformed> {
        answer.digits::<1>("buffer size")?;
        answer.digits::<1>("kind of connection")?;
        let [tens, ones] = answer.digits::<2>("sockets")?;
        let sockets = (tens & 15).saturating_mul(10).saturating_add(ones & 15);
        let firmware = firmware(answer)?;
        Ok(StatusAnswer { sockets, firmware })
    }
}

/// `NC`: the unit tests itself, and says which local master key it has.
#[derive(Clone, Copy, Debug)]
pub struct Diagnostics;

/// What a unit says after testing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagnosticsAnswer {
    /// Check value of its local master key: the first bytes, which may be shown.
    pub lmk_check_value: [u8; 3],
    /// Its software.
    pub firmware: String,
}

impl HostCommand for Diagnostics {
    type Answer = DiagnosticsAnswer;

    fn code(&self) -> [u8; 2] {
        *b"NC"
    }

    fn write(&self, _: &mut CommandWriter) -> Result<(), Malformed> {
        Ok(())
    }

    /// Check value 16 digits, firmware 9.
    fn read(answer: &mut AnswerReader<'_>) -> Result<DiagnosticsAnswer, Malformed> {
        let [a, b, c, ..] = answer.hex::<8>("LMK check value")?;
        Ok(DiagnosticsAnswer { lmk_check_value: [a, b, c], firmware: firmware(answer)? })
    }
}

fn firmware(answer: &mut AnswerReader<'_>) -> Result<String, Malformed> {
    const FIELD: Malformed = Malformed("firmware");
    let number: [u8; 9] = answer.array("firmware")?;
    let plain = number.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(&number).ok().filter(|_| plain);
    text.map(str::to_owned).ok_or(FIELD)
}

/// `B2`: the same bytes back.
#[derive(Clone, Copy, Debug)]
pub struct Echo(
    /// What is sent.
    pub [u8; 16],
);

impl HostCommand for Echo {
    /// What came back: who sent it compares.
    type Answer = [u8; 16];

    fn code(&self) -> [u8; 2] {
        *b"B2"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.hex_number("length", self.0.len(), 4)?;
        out.bytes(&self.0);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 16], Malformed> {
        let back = answer.array("echo")?;
        answer.end()?;
        Ok(back)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, sent};
    use super::*;

    #[test]
    fn health_as_it_is_on_the_wire() {
        assert_eq!(sent(&Status), b"NO00");
        let status = read(&Status, b"0031641500-0026").unwrap();
        assert_eq!(status, StatusAnswer { sockets: 64, firmware: "1500-0026".into() });
        assert_eq!(read(&Status, b"003164150"), None);
        assert_eq!(sent(&Diagnostics), b"NC");
        let said = read(&Diagnostics, b"0026860400000000001500-0026").unwrap();
        assert_eq!(said.lmk_check_value, [0x26, 0x86, 0x04]);
        assert_eq!(read(&Diagnostics, b"00268604000000000015\x00000026"), None);
        let echo = Echo(*b"0123456789abcdef");
        assert_eq!(sent(&echo), b"B200100123456789abcdef");
        assert_eq!(read(&echo, b"000123456789abcdef"), Some(echo.0));
        for wrong in [b"000123456789abcde".as_slice(), b"00", b"000123456789abcdef0"] {
            assert_eq!(read(&echo, wrong), None);
        }
    }
}
