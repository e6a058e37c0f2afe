//! Any valid set of fields, for property tests. Included by the tests that need it.

use codecs::iso8583::{Dialect, Encoding, FieldSpec, FieldType, LengthForm, MessageWriter, Mti};
use proptest::prelude::*;

/// A value as one sets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    pub(crate) fn set(&self, field: u8, message: &mut MessageWriter<'_>) {
        match self {
            Value::Text(text) => message.text(field, text).unwrap(),
            Value::Bytes(bytes) => message.bytes(field, bytes).unwrap(),
        }
    }
}

fn value(spec: FieldSpec) -> BoxedStrategy<Value> {
    let unit = if spec.encoding == Encoding::Hex { 2 } else { 1 };
    let longest = usize::from(spec.max) / unit;
    let lengths = match spec.length {
        LengthForm::Fixed => longest..=longest,
        LengthForm::Ll | LengthForm::Lll => 0..=longest,
    };
    let text = |characters: &str| {
        let alphabet: Vec<char> = (' '..='~').filter(|c| characters.contains(*c)).collect();
        prop::collection::vec(prop::sample::select(alphabet), lengths.clone())
            .prop_map(|picked| Value::Text(picked.into_iter().collect()))
            .boxed()
    };
    let (digits, letters) = ("0123456789", "ABCXYZabcxyz ");
    let printable: String = (' '..='~').collect();
    match spec.kind {
        FieldType::Numeric => text(digits),
        FieldType::Alpha => text(letters),
        FieldType::Alphanumeric => text(&[digits, letters].concat()),
        FieldType::Text => text(&printable),
        FieldType::Track => text("0123456789="),
        FieldType::SignedAmount => (prop::bool::ANY, 0..10u64.pow(8))
            .prop_map(move |(debit, amount)| {
                let sign = if debit { 'D' } else { 'C' };
                Value::Text(format!("{sign}{amount:0width$}", width = longest - 1))
            })
            .boxed(),
        FieldType::Binary => {
            prop::collection::vec(any::<u8>(), lengths).prop_map(Value::Bytes).boxed()
        }
    }
}

/// A message type, and up to 30 fields of the dialect in any order.
pub(crate) fn any_message(
    dialect: &Dialect,
) -> impl Strategy<Value = (Mti, Vec<(u8, Value)>)> + use<> {
    let specs: Vec<_> =
        dialect.defined().iter().map(|field| (field, *dialect.spec(field).unwrap())).collect();
    let mtis = ["0100", "0101", "0110", "0400", "0401", "0410", "0800", "0810"];
    let mti = prop::sample::select(mtis.map(|mti| Mti::parse(mti).unwrap()).to_vec());
    let fields = prop::sample::subsequence(specs, 0..30).prop_shuffle().prop_flat_map(|specs| {
        specs.into_iter().map(|(field, spec)| (Just(field), value(spec))).collect::<Vec<_>>()
    });
    (mti, fields)
}
