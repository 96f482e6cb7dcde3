//! The origin is gone.

use std::time::Duration;

use larder_tokio::Status;

use crate::{
    cache::Found,
    demo::{
        Stage,
        clients::{self, Crowd},
    },
    origin::OriginError,
};

fn is_connection(error: Option<&OriginError>) -> bool {
    matches!(error, Some(OriginError::Connection(_)))
}

/// No server listens any more: within the limit, clients get the stale page with the error beside it; beyond it, the
/// error. There is one try per recheck time.
#[tokio::test]
async fn stale_if_error() {
    let Stage { clock, origin, proxy, _origin_server: listener, .. } = Stage::start().await.unwrap();
    let pages = proxy.pages();
    pages.find("/page").await.unwrap();
    drop(listener);

    for seconds in [100, 10, 10] {
        clock.skip(Duration::from_secs(seconds));
        let failed = pages.stats().loads_failed;
        for _ in 0..10 {
            let found: Found = pages.find("/page").await.unwrap();
            assert!(matches!(found.status(), Status::Stale(_)), "{found:?}");
            assert!(is_connection(found.error().and_then(|failure| failure.error())), "{found:?}");
            assert_eq!(found.value().body, "/page, version 1\n");
        }
        assert_eq!(pages.stats().loads_failed, failed + 1, "one try per recheck time");
    }
    clock.skip(Duration::from_secs(600));
    assert!(is_connection(pages.find("/page").await.unwrap_err().error()), "too old");
    assert!(is_connection(pages.find("/other").await.unwrap_err().error()), "never there");
    assert_eq!(origin.counts(), [1, 1, 0, 0]);
}

/// Clients are told what failed.
#[tokio::test]
async fn what_clients_are_told() {
    let Stage { server, _origin_server: listener, .. } = Stage::start().await.unwrap();
    drop(listener);
    let seen = clients::ask(server.address(), "/page", Crowd { clients: 2, at_once: true }).await.unwrap();
    for client in seen {
        assert_eq!(client.status, "error");
        let text = String::from_utf8_lossy(&client.body).into_owned();
        assert!(text.starts_with("the origin cannot be reached: "), "{text}");
    }
}
