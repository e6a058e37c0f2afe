//! Pages: none is skipped, none comes twice, and a cursor is ours or refused.

use admin_api::http::{Cursor, Page};
use proptest::prelude::{Just, Strategy, any};
use proptest::{prop_assert_eq, proptest};

fn page(rows: &[i64], behind: Option<i64>, limit: u32) -> Page<i64> {
    let behind = behind.unwrap_or(i64::MIN);
    let room = usize::try_from(limit).unwrap() + 1;
    let found = rows.iter().copied().filter(|row| *row > behind).take(room).collect();
    Page::of(found, limit, |row| *row, |row| row)
}

proptest! {
    #[test]
    fn pages_are_the_list(
        (rows, limit) in (proptest::collection::btree_set(any::<i64>(), 0..60), 1_u32..9)
            .prop_flat_map(|(rows, limit)| (Just(rows), Just(limit)))
    ) {
        let rows: Vec<i64> = rows.into_iter().filter(|row| *row > i64::MIN).collect();
        let (mut all, mut behind) = (Vec::new(), None);
        loop {
            let page = page(&rows, behind, limit);
            all.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            behind = Some(Cursor::read(&cursor).expect("one of ours").0);
        }
        prop_assert_eq!(all, rows);
    }

    #[test]
    fn what_is_no_cursor_is_refused_and_never_panics(text in ".{0,300}") {
        if let Ok(Cursor(key)) = Cursor::<i64>::read(&text) {
            prop_assert_eq!(Cursor::<i64>::read(&Cursor(key).text()).expect("one of ours").0, key);
        }
    }
}
