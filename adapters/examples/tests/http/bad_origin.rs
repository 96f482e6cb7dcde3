//! The origin gives answers that it should not give.

use hyper::StatusCode;
use larder_tokio::Cause;

use crate::{
    origin::OriginError,
    scripted::{Setup, response},
};

/// A "304" to a request without a condition is a failure, not a page.
#[tokio::test]
async fn nothing_to_keep() {
    let setup = Setup::new(|_| response(304, &[("cache-control", "max-age=60")], "")).await;
    let error = setup.pages.find("/").await.unwrap_err();
    assert!(matches!(error.failure().unwrap().cause(), Cause::NothingToKeep), "{error:?}");
}

/// An endless body is not read to its end.
#[tokio::test]
async fn too_long() {
    let long = "x".repeat((4 << 20) + 1);
    let setup = Setup::new(move |_| response(200, &[("cache-control", "max-age=60")], &long)).await;
    let error = setup.pages.find("/").await.unwrap_err();
    assert!(matches!(error.error(), Some(OriginError::Body(_))), "{error:?}");
}

/// "503" is an error and not a page; "404" is a page like any other.
#[tokio::test]
async fn statuses() {
    let setup = Setup::new(|number| match number {
        1 => response(503, &[("cache-control", "max-age=60")], "busy"),
        _ => response(404, &[("cache-control", "max-age=60")], "no"),
    })
    .await;
    let error = setup.pages.find("/").await.unwrap_err();
    assert!(matches!(error.error(), Some(OriginError::Status(StatusCode::SERVICE_UNAVAILABLE))), "{error:?}");
    setup.pass(10);
    for _ in 0..2 {
        assert_eq!(setup.pages.find("/").await.unwrap().value().status, StatusCode::NOT_FOUND);
    }
    assert_eq!(setup.asked("host").len(), 2);
}
