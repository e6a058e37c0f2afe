//! Cursors: one of ours comes back as it was, and anything else is refused.

use admin_api::http::Cursor;
use proptest::prelude::any;
use proptest::{prop_assert_eq, proptest};

proptest! {
    #[test]
    fn a_cursor_comes_back_as_it_was(key in any::<i64>()) {
        prop_assert_eq!(Cursor::<i64>::read(&Cursor(key).text()).expect("one of ours").0, key);
    }

    #[test]
    fn what_is_no_cursor_is_refused_and_never_panics(text in ".{0,300}") {
        if let Ok(Cursor(key)) = Cursor::<i64>::read(&text) {
            prop_assert_eq!(Cursor::<i64>::read(&Cursor(key).text()).expect("one of ours").0, key);
        }
    }
}
