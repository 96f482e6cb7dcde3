//! The service: gets a client's request, finds the page, writes the response.

use std::error::Error;

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue},
};
use larder_tokio::{LoadError, TimeLeft, Ttl};

use super::{
    cache::{Found, PageCache},
    origin::OriginError,
    server::Service,
};

/// A caching proxy in front of one origin.
#[derive(Debug)]
pub(crate) struct Proxy {
    pages: PageCache,
}

impl Proxy {
    pub(crate) const fn new(pages: PageCache) -> Self {
        Self { pages }
    }

    pub(crate) const fn pages(&self) -> &PageCache {
        &self.pages
    }
}

impl Service for Proxy {
    async fn answer(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        if request.method() != Method::GET {
            return Some(plain(StatusCode::METHOD_NOT_ALLOWED, "only GET"));
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Some(match self.pages.find(path).await {
            Ok(found) => page(&found),
            Err(error) => plain(StatusCode::BAD_GATEWAY, &describe(&error)),
        })
    }
}

/// Writes a page, how the cache found it, and how long it is still fresh.
fn page(found: &Found) -> Response<Full<Bytes>> {
    let page = found.value();
    let mut response = Response::new(Full::new(page.body.clone()));
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    headers.extend(page.content_type.clone().map(|kind| (CONTENT_TYPE, kind)));
    headers.extend(page.etag.clone().map(|tag| (ETAG, tag)));
    let control = match (page.lifetime, found.time_left()) {
        (Ttl::NotStored, _) => HeaderValue::from_static("no-store"),
        (_, TimeLeft::For(left)) => number("max-age=", left.as_secs()),
        _ => HeaderValue::from_static("immutable"),
    };
    headers.insert(CACHE_CONTROL, control);
    let status = if found.error().is_some() { "stale_if_error" } else { found.status().as_str() };
    headers.insert(STATUS, HeaderValue::from_static(status));
    headers.insert(SINCE, number("", found.age().as_secs()));
    response
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn describe(error: &LoadError<OriginError>) -> String {
    let source = error.error().and_then(Error::source);
    let origin = error.error().map_or_else(|| error.to_string(), ToString::to_string);
    source.map_or_else(|| origin.clone(), |source| format!("{origin}: {source}"))
}

fn number(prefix: &str, number: u64) -> HeaderValue {
    HeaderValue::try_from(format!("{prefix}{number}")).unwrap_or(HeaderValue::from_static(""))
}

/// The header for how the cache found a page: `hit`, `miss`, `lock_hit`, `stale`, ...
pub(crate) const STATUS: &str = "x-cache";

/// The header for how many seconds ago a page was fetched; unlike `Age`, it is not reset by "not modified".
pub(crate) const SINCE: &str = "x-cache-since";
