//! An origin scripted by a test, with a cache in front of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Bytes, Incoming},
};

use crate::{
    cache::{PageCache, Settings},
    clock::Skipping,
    demo::LOOPBACK,
    origin::Origin,
    server::{Server, Service},
};

/// Answers each request by a closure of its headers, and records the requests.
pub(crate) struct Closure<F> {
    answer: F,
    asked: Mutex<Vec<HeaderMap>>,
}

impl<F> Service for Closure<F>
where
    F: Fn(usize) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    async fn answer(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.headers().clone());
        Some((self.answer)(asked.len()))
    }
}

/// A cache and its origin.
pub(crate) struct Setup<F> {
    pub(crate) clock: Skipping,
    pub(crate) pages: PageCache,
    origin: Arc<Closure<F>>,
    _server: Server,
}

impl<F: Fn(usize) -> Response<Full<Bytes>> + Send + Sync + 'static> Setup<F> {
    /// Starts an origin whose n-th answer, from 1 on, is `answer(n)`.
    pub(crate) async fn new(answer: F) -> Self {
        Self::with(Settings::default(), answer).await
    }

    /// The same, with these settings of the cache.
    pub(crate) async fn with(settings: Settings, answer: F) -> Self {
        let origin = Arc::new(Closure { answer, asked: Mutex::default() });
        let server = Server::bind(LOOPBACK, Arc::clone(&origin)).await.unwrap();
        let clock = Skipping::new();
        let pages = PageCache::new(clock.clone(), Origin::new(server.address()), settings).unwrap();
        Self { clock, pages, origin, _server: server }
    }

    /// Returns this header of each request so far.
    pub(crate) fn asked(&self, name: &str) -> Vec<Option<String>> {
        let asked = self.origin.asked.lock().unwrap();
        asked.iter().map(|headers| headers.get(name).map(|value| value.to_str().unwrap().to_owned())).collect()
    }

    /// Moves the clock of the cache forward.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.skip(Duration::from_secs(seconds));
    }
}

/// Makes a response.
pub(crate) fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}
