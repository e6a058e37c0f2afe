//! What many operations have alike, put into a document once and named where it belongs: headers,
//! parameters, and the answers that say what went wrong. It owns which those are: of each name, and
//! of each status, the most frequent.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::{ComponentsBuilder, OpenApi, Ref, RefOr};

use super::operations::operations;

/// So many operations have it alike before it is named.
const AT_LEAST: usize = 3;

/// Names what is alike. Comes last: what is put into an answer afterwards would be missed.
pub(super) fn share(document: &mut OpenApi) {
    let mut named = document.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
    named.headers.extend(name_alike(document, "headers", |operation, see| {
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            for (name, header) in &mut response.headers {
                see(name.clone(), header);
            }
        }
    }));
    named.parameters.extend(name_alike(document, "parameters", |operation, see| {
        for parameter in operation.parameters.iter_mut().flatten() {
            let RefOr::T(known) = &*parameter else { continue };
            see(known.name.clone(), parameter);
        }
    }));
    named.responses.extend(name_alike(document, "responses", |operation, see| {
        for (status, response) in &mut operation.responses.responses {
            if status.starts_with(['4', '5']) {
                see(format!("Problem{status}"), response);
            }
        }
    }));
    document.components = Some(named);
}

/// Shows each part of one kind that an operation has, with the name that it may get.
type Parts<T> = fn(&mut Operation, &mut dyn FnMut(String, &mut RefOr<T>));

/// Puts the name in the place of what is alike, in all operations; gives what was named.
fn name_alike<T: Clone + PartialEq>(
    document: &mut OpenApi,
    kind: &str,
    parts: Parts<T>,
) -> BTreeMap<String, RefOr<T>> {
    let mut all: BTreeMap<String, Vec<(T, usize)>> = BTreeMap::new();
    each(document, parts, &mut |name, part| {
        let RefOr::T(part) = part else { return };
        let given = all.entry(name).or_default();
        match given.iter_mut().find(|(known, _)| known == part) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => given.push((part.clone(), 1)),
        }
    });
    let frequent = all.into_iter().filter_map(|(name, given)| {
        let (part, count) = given.into_iter().max_by_key(|(_, count)| *count)?;
        (count >= AT_LEAST).then_some((name, part))
    });
    let frequent: BTreeMap<String, T> = frequent.collect();
    each(document, parts, &mut |name, part| {
        if let (RefOr::T(this), Some(shared)) = (&*part, frequent.get(&name))
            && this == shared
        {
            *part = RefOr::Ref(Ref::new(format!("#/components/{kind}/{name}")));
        }
    });
    frequent.into_iter().map(|(name, part)| (name, RefOr::T(part))).collect()
}

fn each<T>(document: &mut OpenApi, parts: Parts<T>, see: &mut dyn FnMut(String, &mut RefOr<T>)) {
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            parts(operation, see);
        }
    }
}
