//! Which fields a request must have, by its type: looked at once it is decoded, on sets of field
//! numbers alone. It owns the rules and their form in a dialect file; it never looks into a field.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::dialect::Dialect;
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::field_set::FieldSet;
use super::mti::Mti;
use super::spec::Version;

/// What one request type must have.
#[derive(Clone, Debug)]
pub(super) struct Presence {
    mti: Mti,
    mandatory: FieldSet,
    conditions: Vec<Condition>,
}

/// Fields that must be there on a condition.
#[derive(Clone, Copy, Debug)]
struct Condition {
    fields: FieldSet,
    /// Any of these makes them needed; with none given they are needed from the start.
    when: Option<FieldSet>,
    /// Any of these makes them needless.
    unless: FieldSet,
}

/// `"0100" = { mandatory = [...], conditional = [...] }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresenceEntry {
    mandatory: Vec<Spanned<u8>>,
    #[serde(default)]
    conditional: Vec<Spanned<ConditionEntry>>,
}

/// `{ fields = [2], unless = [35] }` or `{ fields = [53], when = [52] }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionEntry {
    fields: Vec<Spanned<u8>>,
    #[serde(default)]
    when: Vec<Spanned<u8>>,
    #[serde(default)]
    unless: Vec<Spanned<u8>>,
}

impl Dialect {
    /// The first field that a message of this type must have, and that is not among those it has; a
    /// repeat needs what its original does. `None` where nothing is missing, or the dialect says
    /// nothing of the type.
    #[must_use]
    pub fn missing_field(&self, mti: Mti, present: FieldSet) -> Option<u8> {
        let mti = mti.without_repeat();
        let rule = self.presence.iter().find(|rule| rule.mti == mti)?;
        let missing = rule.mandatory.without(present);
        let missing = rule.conditions.iter().fold(missing, |missing, condition| {
            let needed = condition.when.is_none_or(|when| when.intersects(present));
            let needless = condition.unless.intersects(present);
            if needed && !needless {
                missing.union(condition.fields.without(present))
            } else {
                missing
            }
        });
        missing.iter().next()
    }

    /// The fields that a message of this type must have whatever else is in it; `None` where the
    /// dialect says nothing of the type.
    #[must_use]
    pub fn mandatory_fields(&self, mti: Mti) -> Option<FieldSet> {
        let mti = mti.without_repeat();
        self.presence.iter().find(|rule| rule.mti == mti).map(|rule| rule.mandatory)
    }
}

/// Checks the rules of a dialect file.
pub(super) fn compile_presence(
    source: &Source<'_>,
    requests: &BTreeMap<Spanned<String>, Spanned<PresenceEntry>>,
    version: Version,
    defined: &dyn Fn(u8) -> bool,
    answers: &[(Mti, FieldSet)],
) -> Result<Vec<Presence>, DialectError> {
    let mut rules = Vec::with_capacity(requests.len());
    for (key, entry) in requests {
        let mti = Mti::parse(key.get_ref());
        let mti = mti.filter(|mti| mti.is_request() && !mti.is_repeat());
        let Some(mti) = mti.filter(|mti| mti.version() == version.mti_digit()) else {
            let version = version.as_str();
            let problem = format!(
                "'{}' is not a request type of {version}; repeats follow the rule of their \
                 original",
                key.get_ref()
            );
            return Err(source.error(&key.span(), None, problem));
        };
        let answered = mti.response();
        if let Some(response) = answered
            && !answers.iter().any(|(mti, _)| *mti == response)
        {
            let problem = format!("{mti} has a rule, and [answers] has none for {response}");
            return Err(source.error(&key.span(), None, problem));
        }
        let list = List { source, mti, defined };
        let mandatory = list.compile(&entry.get_ref().mandatory)?;
        let mut conditions = Vec::new();
        for condition in &entry.get_ref().conditional {
            conditions.push(list.condition(condition, mandatory)?);
        }
        rules.push(Presence { mti, mandatory, conditions });
    }
    Ok(rules)
}

/// Lists of fields of one rule.
struct List<'a> {
    source: &'a Source<'a>,
    mti: Mti,
    defined: &'a dyn Fn(u8) -> bool,
}

impl List<'_> {
    fn compile(&self, fields: &[Spanned<u8>]) -> Result<FieldSet, DialectError> {
        let mut set = FieldSet::EMPTY;
        for field in fields {
            let number = *field.get_ref();
            let mti = self.mti;
            if !(self.defined)(number) {
                let problem = format!("is in the rule of {mti} but not defined in this dialect");
                return Err(self.source.error(&field.span(), Some(number), problem));
            }
            if set.contains(number) {
                let problem = format!("stands twice in one list of the rule of {mti}");
                return Err(self.source.error(&field.span(), Some(number), problem));
            }
            set.insert(number);
        }
        Ok(set)
    }

    fn condition(
        &self,
        entry: &Spanned<ConditionEntry>,
        mandatory: FieldSet,
    ) -> Result<Condition, DialectError> {
        let ConditionEntry { fields, when, unless } = entry.get_ref();
        let wrong = |span: &Range<usize>, field, problem: String| {
            Err(self.source.error(span, field, problem))
        };
        if fields.is_empty() || (when.is_empty() && unless.is_empty()) {
            let problem = format!(
                "a condition of {} needs fields, and when or unless: without a condition list them \
                 as mandatory",
                self.mti
            );
            return wrong(&entry.span(), None, problem);
        }
        let (named, on) = (fields, self.compile(when)?);
        let (fields, unless) = (self.compile(fields)?, self.compile(unless)?);
        let same = |field: &&Spanned<u8>| {
            let number = *field.get_ref();
            mandatory.contains(number) || on.contains(number) || unless.contains(number)
        };
        if let Some(field) = named.iter().find(same) {
            let problem = format!(
                "is conditional in {}, and mandatory or the condition itself as well",
                self.mti
            );
            return wrong(&field.span(), Some(*field.get_ref()), problem);
        }
        let when = (!on.is_empty()).then_some(on);
        Ok(Condition { fields, when, unless })
    }
}
