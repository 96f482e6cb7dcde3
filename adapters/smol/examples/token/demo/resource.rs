//! The server that the clients call; it accepts good tokens only.

use std::sync::Arc;

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::AUTHORIZATION,
};

use super::{super::http::Service, provider::Scripted};

/// An HTTP server that checks tokens.
pub(crate) struct Resource(pub(crate) Arc<Scripted>);

impl Service for Resource {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut response = Response::new(Full::default());
        if !self.0.is_good(token) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    }
}
