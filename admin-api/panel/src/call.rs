//! A call of `/admin`: its method, the template of its path as the table of roles has it, and what
//! stands in the places of the template. It owns that what a person typed stays one segment of a
//! path or one member of a query.

use admin_api::routes::Access;
use axum::http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A call that can be made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    template: &'static str,
    places: Vec<String>,
    query: Vec<(&'static str, String)>,
}

impl Call {
    pub(crate) const fn new(method: Method, template: &'static str) -> Self {
        Self { method, template, places: Vec::new(), query: Vec::new() }
    }

    pub(crate) const fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template)
    }

    pub(crate) const fn post(template: &'static str) -> Self {
        Self::new(Method::POST, template)
    }

    /// What stands in the next place of the template.
    pub(crate) fn at(mut self, place: impl ToString) -> Self {
        self.places.push(place.to_string());
        self
    }

    /// A member of the query; none where there is nothing in it.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.query.push((name, value));
        }
        self
    }

    /// The path and the query, encoded.
    pub(crate) fn target(&self) -> String {
        let mut places = self.places.iter();
        let segments = self.template.split('/').map(|part| match part.starts_with('{') {
            true => {
                let place = places.next().map_or("", String::as_str);
                // `.` and `..` would be steps of a path.
                let dots = !place.is_empty() && place.bytes().all(|byte| byte == b'.');
                if dots { "-".to_owned() } else { utf8_percent_encode(place, SEGMENT).to_string() }
            }
            false => part.to_owned(),
        });
        let mut target = segments.collect::<Vec<_>>().join("/");
        if !self.query.is_empty() {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(self.query.iter().map(|(name, value)| (*name, value)));
            target.push('?');
            target.push_str(&query.finish());
        }
        target
    }
}

/// Whether an operator of this role may make such a call: what they may not is not offered.
pub(crate) fn allowed(role: admin_api::http::Role, method: &str, template: &str) -> bool {
    Access::needed(method, template).is_some_and(|needs| needs.allows(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_in_its_place() {
        let call = Call::get("/admin/cards/{cardId}/details");
        assert_eq!(call.clone().at(17).target(), "/admin/cards/17/details");
        assert_eq!(call.clone().at("../operators").target(), "/admin/cards/..%2Foperators/details");
        assert_eq!(call.clone().at("..").target(), "/admin/cards/-/details");
        assert_eq!(call.at("1?x=2").target(), "/admin/cards/1%3Fx%3D2/details");
        let listed =
            Call::get("/admin/customers").with("partnerId", "3&limit=9").with("cursor", "");
        assert_eq!(listed.target(), "/admin/customers?partnerId=3%26limit%3D9");
    }
}
