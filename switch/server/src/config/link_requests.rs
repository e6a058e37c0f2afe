//! What a link asks of its peer by itself: keys of a link's table about echoes and requests. It
//! owns how these keys become the network's settings; what is done with them is the network's
//! affair.

use std::time::Duration;

use switch_network::RequestConfig;

use super::Link;

impl Link {
    /// What is asked of the peer, as the network takes it.
    ///
    /// # Errors
    /// A key that says nothing, and why.
    pub fn request_settings(&self) -> Result<RequestConfig, (&'static str, String)> {
        let header = match self.request_header.as_str() {
            "" => None,
            text => Some(hex::decode(text).map_err(|error| {
                ("request_header", format!("write its bytes in hexadecimal: {error}"))
            })?),
        };
        let field = |(field, value): (&String, &String)| match field.parse::<u8>() {
            Ok(number) => Ok((number, value.clone())),
            Err(_) => Err(("request_fields", format!("{field:?} is no number of a field"))),
        };
        let interval = Duration::from_millis(self.echo_interval_ms);
        Ok(RequestConfig {
            deadline: Duration::from_millis(self.request_deadline_ms),
            max_outstanding: self.max_requests,
            match_fields: self.match_fields.clone(),
            fields: self.request_fields.iter().map(field).collect::<Result<_, _>>()?,
            header,
            echo_interval: Some(interval).filter(|interval| !interval.is_zero()),
            echo_unanswered: self.echo_unanswered,
            sign_on: self.sign_on_after_connect,
        })
    }
}
