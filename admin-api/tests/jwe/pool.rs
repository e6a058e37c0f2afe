//! The bounded pool: so many work, so many wait, one more is refused at once; who goes away frees
//! its place; and the service that puts tokens through it.

use std::sync::Arc;
use std::sync::mpsc;

use admin_api::jwe::{
    EncryptionProblem, Jwe, JweError, OpenPolicy, PoolError, PoolSettings, RsaPool,
};
use zeroize::Zeroizing;

use crate::stage::{NOW, fresh_keys, operations, partner};
use crate::vectors::all;

/// Work that says when it begins, and ends when it is told.
fn held(
    pool: &RsaPool,
) -> (tokio::task::JoinHandle<Result<(), PoolError>>, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (end, ended) = mpsc::channel();
    let (begin, began) = mpsc::channel();
    let pool = pool.clone();
    let work = async move {
        pool.run(move || {
            begin.send(()).expect("somebody waits");
            ended.recv().expect("told to end");
        })
        .await
    };
    (tokio::spawn(work), end, began)
}

#[tokio::test]
async fn one_more_than_work_and_wait_is_refused_at_once() {
    let pool = RsaPool::new(PoolSettings { workers: 1, waiting: 1 });
    let (first, end_first, began) = held(&pool);
    let began = tokio::task::spawn_blocking(move || began.recv());
    began.await.expect("no panic").expect("the first works");
    let (second, end_second, began_second) = held(&pool);
    // The spawned one runs until it waits for the worker.
    tokio::task::yield_now().await;
    assert!(began_second.try_recv().is_err(), "it waits");
    assert_eq!(pool.run(|| ()).await, Err(PoolError::Full));

    // Who goes away while it waits leaves its place.
    second.abort();
    assert!(second.await.is_err());
    drop(end_second);
    let (third, end_third, began_third) = held(&pool);
    tokio::task::yield_now().await;
    assert_eq!(pool.run(|| ()).await, Err(PoolError::Full));
    end_first.send(()).expect("it listens");
    assert_eq!(first.await.expect("no panic"), Ok(()));
    let began = tokio::task::spawn_blocking(move || began_third.recv());
    began.await.expect("no panic").expect("the third works now");
    end_third.send(()).expect("it listens");
    assert_eq!(third.await.expect("no panic"), Ok(()));
    assert_eq!(pool.run(|| 7).await, Ok(7));
}

#[tokio::test]
async fn who_goes_away_does_not_free_a_worker_that_works() {
    let pool = RsaPool::new(PoolSettings { workers: 1, waiting: 0 });
    let (gone, end, began) = held(&pool);
    let began = tokio::task::spawn_blocking(move || began.recv());
    began.await.expect("no panic").expect("it works");
    gone.abort();
    assert!(gone.await.is_err());
    assert_eq!(pool.run(|| ()).await, Err(PoolError::Full), "its thread is busy still");
    end.send(()).expect("it listens");
    while pool.run(|| ()).await == Err(PoolError::Full) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn work_that_panics_is_an_error_and_frees_its_worker() {
    let pool = RsaPool::new(PoolSettings { workers: 0, waiting: 0 });
    let failed = pool.run(|| panic!("on purpose")).await;
    assert_eq!(failed, Err::<(), _>(PoolError::Failed));
    assert_eq!(pool.run(|| 1).await, Ok(1), "no workers count as one");
}

#[tokio::test]
async fn the_service_opens_seals_and_refuses_cheaply_while_the_pool_is_full() {
    let pool = RsaPool::new(PoolSettings { workers: 1, waiting: 0 });
    let jwe = Jwe::new(fresh_keys(), pool.clone());
    let policy = OpenPolicy::default();
    let genuine = &all()[0];
    let opened = jwe.open(genuine.token, &policy, NOW).await.expect("opens");
    assert_eq!(crate::stage::part(opened.json()), genuine.plaintext.expect("a payload"));
    let recipient = Arc::new(partner("rsa4096-a"));
    let payload = || Zeroizing::new(b"{\"a\":1}".to_vec());
    let sealed = jwe.seal(recipient.clone(), payload()).await.expect("sealed");
    let opened = jwe.open(&sealed, &policy, NOW).await.expect("opens");
    assert_eq!(opened.json(), b"{\"a\":1}");

    let (busy, end, began) = held(&pool);
    let began = tokio::task::spawn_blocking(move || began.recv());
    began.await.expect("no panic").expect("it works");
    let full = Some(JweError::Pool(PoolError::Full));
    assert_eq!(jwe.open(genuine.token, &policy, NOW).await.err(), full);
    assert_eq!(jwe.seal(recipient, payload()).await.err(), full);
    let invalid = Some(JweError::Refused(EncryptionProblem::InvalidPayload));
    assert_eq!(jwe.open("a.b", &policy, NOW).await.err(), invalid, "without a worker");
    end.send(()).expect("it listens");
    assert_eq!(busy.await.expect("no panic"), Ok(()));

    let before = jwe.keys();
    jwe.replace_keys(fresh_keys());
    assert_eq!(operations(&jwe.keys()), 0);
    assert_eq!(operations(&before), 3);
}
