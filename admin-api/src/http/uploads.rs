//! Long bodies. It owns that few of them are taken at a time, for each stands in memory several
//! times over while it is read, hashed and sealed; and that one caller has half of the places at
//! most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::counter;

use super::caller::Caller;
use super::failure::Failure;
use crate::Problem;

/// How long bodies are that bring a document, and how many are taken at a time.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// Bytes of a body.
    pub body_limit: usize,
    places: Arc<Places>,
}

#[derive(Debug)]
struct Places {
    most: usize,
    /// How many each caller has; callers without one are not in it.
    taken: Mutex<HashMap<String, usize>>,
}

/// A place, until it is dropped: by whoever ends the request, though its caller went away.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    caller: String,
}

impl Uploads {
    /// So many at a time.
    #[must_use]
    pub fn new(body_limit: usize, at_once: usize) -> Self {
        let places = Places { most: at_once, taken: Mutex::default() };
        Self { body_limit, places: Arc::new(places) }
    }
}

impl Places {
    fn take(self: &Arc<Self>, caller: String) -> Option<Place> {
        let mut taken = self.taken();
        let own = taken.get(&caller).copied().unwrap_or_default();
        if taken.values().sum::<usize>() >= self.most || own >= self.most.div_ceil(2) {
            return None;
        }
        taken.insert(caller.clone(), own.saturating_add(1));
        Some(Place { places: Arc::clone(self), caller })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        match taken.get_mut(&self.caller) {
            Some(own) if *own > 1 => *own = own.saturating_sub(1),
            _ => {
                taken.remove(&self.caller);
            }
        }
    }
}

/// The layer around routes that take one.
pub(crate) async fn in_a_place(
    State(uploads): State<Uploads>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(place) = uploads.places.take(caller.scope()) else {
        counter!("cardswitch_api_uploads_refused_total").increment(1);
        let what = "too many documents come in at once: try again, with the same key";
        return Failure::from(Problem::new("OVERLOADED", what)).into_response();
    };
    request.extensions_mut().insert(Arc::new(place));
    next.run(request).await
}

#[test]
fn one_caller_has_half_of_the_places_and_each_comes_back() {
    let uploads = Uploads::new(1, 4);
    let take = |caller: &str| uploads.places.take(caller.to_owned());
    let own = [take("one"), take("one")];
    assert!(own.iter().all(Option::is_some) && take("one").is_none());
    let others = [take("two"), take("three")];
    assert!(others.iter().all(Option::is_some) && take("four").is_none());
    drop(own);
    assert!(take("one").is_some() && take("four").is_some());
    drop(others);
    assert!(uploads.places.taken().is_empty());
}
