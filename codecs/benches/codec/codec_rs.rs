//! iso8583-codec-rs over the same bytes: it is told the fields of the message as its specification,
//! gives out JSON, and takes it.

use codecs::iso8583::{Dialect, Encoding, LengthForm};
use iso8583_codec_rs::field_spec::LoadedSpec;
use serde_json::{Map, Value as Json, json};

use super::message::Value;

/// Its specification, and the message as it takes it.
pub(crate) struct CodecRs {
    spec: LoadedSpec,
    message: Json,
}

impl CodecRs {
    pub(crate) fn new(dialect: &Dialect, set: &[(u8, Value)]) -> CodecRs {
        let described = set.iter().map(|(field, _)| {
            let spec = dialect.spec(*field).expect("a field of the dialect");
            let prefix = match spec.length {
                LengthForm::Fixed => "fixed",
                LengthForm::Ll => "LLVAR",
                _ => "LLLVAR",
            };
            let encoding = if spec.encoding == Encoding::Raw { "binary" } else { "ascii" };
            json!({
                "de": field, "name": "field", "type": "string", "length": spec.max,
                "prefix": prefix, "encoding": encoding,
            })
        });
        let spec = json!({
            "version": "1987",
            "defaults": { "bitmap_encoding": "binary" },
            "fields": described.collect::<Vec<_>>(),
        });
        let values = set.iter().map(|(field, value)| {
            let characters = match value {
                Value::Text(text) => (*text).to_owned(),
                Value::Bytes(bytes) => hex::encode_upper(bytes),
            };
            (format!("de{field:03}_field"), Json::from(characters))
        });
        let values: Map<String, Json> = values.collect();
        CodecRs {
            spec: iso8583_codec_rs::load_spec(&spec.to_string()).expect("a specification"),
            message: json!({ "mti": "0100", "fields": values }),
        }
    }

    pub(crate) fn decode(&self, wire: &[u8]) -> Json {
        iso8583_codec_rs::iso8583::parse_bytes(wire, &self.spec).expect("readable")
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        iso8583_codec_rs::iso8583::publish_bytes(&self.message, &self.spec).expect("whole")
    }
}
