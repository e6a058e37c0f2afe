//! Who is an operator.

use admin_api::idempotency_key;
use admin_api::operators::{OperatorSettings, Role, Which};

use crate::desk::{Desk, Person, at, by, settings};

#[tokio::test]
async fn an_operator_is_added_once_and_the_same_request_gives_the_same_one() {
    let desk = Desk::with(OperatorSettings { most: 2, ..settings() }).await;
    let first = Person::of(&desk.given("ada", Role::Admin).await);
    // The answer was lost: the same request gives the same operator, and what was lost is nothing.
    let again = Person::of(&desk.given("ada", Role::Admin).await);
    assert!(again.id == first.id && again.password != first.password && again.uri != first.uri);
    assert!(desk.signs_in(&first, 0).await.is_err());
    assert!(desk.signs_in(&again, 0).await.is_ok());
    let add = async |name: &str, key: &str| {
        let made = (by(), idempotency_key("test", key));
        desk.operators.add((name, Role::Employee), made, at(1)).await.err().map(|it| it.code)
    };
    assert_eq!(add("ada", "ada").await, Some("CONFLICT"), "somebody got in by it");
    assert_eq!(add("ada", "other").await, Some("CONFLICT"));
    assert_eq!(add("eve", "ada").await, Some("CONFLICT"), "the key is another request's");
    for name in ["", "ab", "Ada", "ada lovelace", "ädä", "1ada", "../ada", &"a".repeat(33)] {
        assert_eq!(add(name, name).await, Some("INVALID_REQUEST"), "{name}");
    }
    assert_eq!(add("bob", "bob").await, None);
    assert_eq!(add("eve", "eve").await, Some("EXHAUSTED"));
    assert_eq!(desk.operators.list(at(1)).await.expect("a list").len(), 2);
    desk.close().await;
}

#[tokio::test]
async fn nobody_does_so_to_themselves_and_the_last_administrator_stays() {
    let desk = Desk::new().await;
    let ada = desk.person("ada", Role::Admin).await;
    let (operators, me, own) = (&desk.operators, Some(ada.id), Which::Id(ada.id));
    let code = |result: Result<(), admin_api::Problem>| result.err().map(|problem| problem.code);
    for by in [me, None] {
        assert_eq!(code(operators.block(own, by).await), Some("CONFLICT"), "{by:?}");
        let role = operators.set_role(own, Role::Manager, by).await;
        assert_eq!(code(role), Some("CONFLICT"), "{by:?}");
    }
    assert_eq!(code(operators.unblock(own, me, at(0)).await), Some("CONFLICT"));
    assert_eq!(code(operators.reset(own, me, at(0)).await.map(drop)), Some("CONFLICT"));
    let missing = Which::Name("nobody");
    assert_eq!(code(operators.block(missing, me).await), Some("NOT_FOUND"));
    desk.given("bob", Role::Admin).await;
    // Two administrators block each other at once: one of them is left.
    let bob = Which::Name("bob");
    let (one, other) = tokio::join!(operators.block(own, None), operators.block(bob, None));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
    let left = "SELECT count(*) FROM operator WHERE role = 'ADMIN' AND NOT blocked";
    assert_eq!(desk.count(left).await, 1);
    desk.close().await;
}
