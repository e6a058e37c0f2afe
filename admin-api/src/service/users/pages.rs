//! Pages of lists. It owns that a cursor is the opaque name of the last one shown, looked up with
//! its tenant: it tells no numbers, never ends, and is nothing in another tenant's hands.

use uuid::Uuid;

use crate::Problem;

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the order in which they were made.
    pub rows: Vec<T>,
    /// What gives the next page; none after the last.
    pub next: Option<Uuid>,
}

impl<T> Page<T> {
    /// Of rows that were asked for one more than the page has.
    pub(in crate::service) fn cut(
        mut rows: Vec<T>,
        size: usize,
        name: impl Fn(&T) -> Uuid,
    ) -> Self {
        let more = rows.len() > size;
        rows.truncate(size);
        let next = if more { rows.last().map(name) } else { None };
        Self { rows, next }
    }
}

/// How many rows a page is to have.
pub(in crate::service) fn size(asked: Option<u32>, most: u32) -> Result<u32, Problem> {
    match asked {
        None => Ok(most),
        Some(size) if (1..=most).contains(&size) => Ok(size),
        Some(_) => Err(Problem::field("limit", format!("1 to {most}"))),
    }
}

/// What a cursor is that names nothing of the caller's.
pub(in crate::service) fn no_cursor() -> Problem {
    Problem::field("cursor", "it is none of this list")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn names() -> impl Strategy<Value = Vec<u128>> {
        proptest::collection::vec(any::<u128>(), 0..50)
    }

    proptest! {
        #[test]
        fn a_page_has_a_next_one_only_where_something_is_left(
            names in names(),
            size in 1..20usize,
        ) {
            let asked: Vec<u128> = names.iter().copied().take(size + 1).collect();
            let page = Page::cut(asked, size, |name| Uuid::from_u128(*name));
            prop_assert!(page.rows.len() <= size);
            prop_assert_eq!(&page.rows[..], &names[..size.min(names.len())]);
            let next = (names.len() > size).then(|| Uuid::from_u128(names[size - 1]));
            prop_assert_eq!(page.next, next);
        }
    }
}
