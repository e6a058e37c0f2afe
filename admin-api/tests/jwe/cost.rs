//! What a token costs, counted by the keys and not by a clock: nothing before decryption (J-02),
//! and the same for every token that gets so far (J-03).

use admin_api::jwe::{OpenPolicy, Openable};

use crate::stage::{NOW, fresh_keys, join, open, operations, parts};
use crate::vectors::all;

#[test]
fn what_is_refused_before_decryption_costs_no_rsa_operation() {
    let keys = fresh_keys();
    let mut seen = 0;
    for vector in all() {
        let early = ["size", "structure", "header", "key"].contains(&vector.stage);
        if !early || vector.name == "kid missing" {
            continue;
        }
        assert!(open(vector.token, &keys).is_err(), "{}", vector.id);
        assert_eq!(operations(&keys), 0, "{} {}", vector.id, vector.name);
        seen += 1;
    }
    println!("{seen} tokens refused without an RSA operation");
    assert_eq!(seen, 65);
}

#[test]
fn a_token_that_names_its_key_costs_one_operation_whatever_is_wrong_with_it() {
    let keys = fresh_keys();
    let mut seen = 0;
    for vector in all() {
        if !["", "decrypt", "payload"].contains(&vector.stage) {
            continue;
        }
        let before = operations(&keys);
        drop(open(vector.token, &keys));
        assert_eq!(operations(&keys) - before, 1, "{} {}", vector.id, vector.name);
        seen += 1;
    }
    println!("{seen} tokens, one RSA operation each");
    assert_eq!(seen, 84);
}

//
#[test]
fn a_token_without_a_name_costs_one_operation_of_every_live_key() {
    let keys = fresh_keys();
    let vector = all().into_iter().find(|vector| vector.name == "kid missing").expect("one");
    let openable = Openable::check(vector.token, &keys, &OpenPolicy::default(), NOW);
    let openable = openable.expect("it may be opened");
    assert_eq!((openable.cost(), operations(&keys)), (2, 0));
    assert!(openable.open().is_ok());
    let each = |keys: &admin_api::jwe::PlatformKeys| -> Vec<u64> {
        keys.iter().map(|(key, _)| key.operations()).collect()
    };
    assert_eq!(each(&keys), [1, 1], "also behind the one that fits");

    // The same where none fits, and where what comes is no number of either key.
    let whole = parts(vector.token);
    for (round, key) in
        [vec![7; 256], vec![0xff; 256], vec![7; 512], vec![], vec![1; 3]].into_iter().enumerate()
    {
        let mut broken = whole.clone();
        broken[1] = key;
        assert!(open(&join(&broken), &keys).is_err());
        let count = u64::try_from(round).expect("few") + 2;
        assert_eq!(each(&keys), [count, count]);
    }
}
