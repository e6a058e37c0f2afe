//! Any valid set of fields, for property tests. Included by the tests that need it.

use codecs::iso8583::{
    Counts, Dialect, Encoding, FieldSpec, FieldType, LengthForm, MessageWriter, Mti,
};
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
    let counted = usize::from(spec.max);
    let longest = match (spec.encoding, spec.counts) {
        (Encoding::Hex, Counts::Characters) => counted / 2,
        (Encoding::Bcd, Counts::Bytes) => counted * 2,
        _ => counted,
    };
    // Of digits whose bytes are counted nobody can tell an odd number, unless what fills them up is
    // none.
    let even = spec.counts == Counts::Bytes && spec.encoding == Encoding::Bcd;
    let lengths = match spec.length {
        LengthForm::Fixed => longest..=longest,
        // Longer ones are more of the same.
        _ => 0..=longest.min(400),
    };
    let text = |characters: &str| {
        let alphabet: Vec<char> = (' '..='~').filter(|c| characters.contains(*c)).collect();
        prop::collection::vec(prop::sample::select(alphabet), lengths.clone())
            .prop_map(move |mut picked| {
                if even && picked.len() % 2 == 1 {
                    picked.pop();
                }
                Value::Text(picked.into_iter().collect())
            })
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
    // What is within a field would have to be right as well.
    let plain = dialect.defined().iter().filter(|field| !dialect.has_elements(*field));
    let specs: Vec<_> = plain.map(|field| (field, *dialect.spec(field).unwrap())).collect();
    let digit = dialect.version().mti_digit();
    let kinds = ["100", "101", "110", "400", "401", "410", "800", "810"];
    let mtis = kinds.map(|kind| Mti::parse(&format!("{digit}{kind}")).unwrap());
    let mti = prop::sample::select(mtis.to_vec());
    let fields = prop::sample::subsequence(specs, 0..30).prop_shuffle().prop_flat_map(|specs| {
        specs.into_iter().map(|(field, spec)| (Just(field), value(spec))).collect::<Vec<_>>()
    });
    (mti, fields)
}
