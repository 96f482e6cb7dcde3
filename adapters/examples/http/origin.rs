//! Asks the origin server.

use std::{error::Error, fmt, net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue, IF_NONE_MATCH},
};
use hyper_util::rt::TokioIo;
use larder_tokio::Ttl;
use tokio::net::TcpStream;

use super::control;

/// The server that has the pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(SocketAddr);

/// The parts of an answer that are cached.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) etag: Option<HeaderValue>,
    pub(crate) body: Bytes,
    pub(crate) lifetime: Ttl,
}

/// The origin's answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This page.
    Page(Arc<Page>),
    /// The cached page is still good, for this long.
    NotModified(Ttl),
}

/// Why there is no answer that can be cached.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum OriginError {
    /// The body broke off, or is longer than `LONGEST`.
    Body(Failure),
    /// The connection failed or was closed; often no server listens there.
    Connection(Failure),
    /// The origin answered with a server error.
    Status(StatusCode),
}

/// Any error.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

impl Origin {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    /// Requests a page; if `held` has a tag, only a newer one.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the connection.
    pub(crate) async fn ask(&self, path: &str, held: Option<&Page>) -> Result<Answer, OriginError> {
        let mut request = Request::get(path).header(HOST, self.0.to_string());
        if let Some(etag) = held.and_then(|page| page.etag.as_ref()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(OriginError::connection)?;
        let stream = TcpStream::connect(self.0).await.map_err(OriginError::connection)?;
        stream.set_nodelay(true).map_err(OriginError::connection)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(OriginError::connection)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(OriginError::connection)?;
            read(response, held).await
        };
        // The connection has to be polled beside the request; it needs no task of its own.
        tokio::select! {
            answer = answer => answer,
            Err(error) = connection => Err(OriginError::connection(error)),
        }
    }
}

async fn read(response: Response<Incoming>, held: Option<&Page>) -> Result<Answer, OriginError> {
    let (head, body) = response.into_parts();
    let lifetime = control::lifetime(&head.headers);
    match head.status {
        // If this answer sets no lifetime, the page keeps its own.
        StatusCode::NOT_MODIFIED => {
            let former = held.map(|page| page.lifetime);
            return Ok(Answer::NotModified(lifetime.or(former).unwrap_or(Ttl::NotStored)));
        }
        status if status.is_server_error() => return Err(OriginError::Status(status)),
        _ => {}
    }
    let body = Limited::new(body, LONGEST).collect().await.map_err(OriginError::Body)?.to_bytes();
    let header = |name: HeaderName| head.headers.get(name).and_then(copied);
    Ok(Answer::Page(Arc::new(Page {
        status: head.status,
        content_type: header(CONTENT_TYPE),
        etag: header(ETAG),
        // (It may be a slice of the connection's buffer as well.)
        body: Bytes::copy_from_slice(&body),
        lifetime: lifetime.unwrap_or(Ttl::NotStored),
    })))
}

/// Copies a header out of the connection's buffer, all of which it would keep.
fn copied(value: &HeaderValue) -> Option<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

impl Page {
    /// Returns how many bytes it takes, but for its path.
    pub(crate) fn size(&self) -> usize {
        let headers = [&self.content_type, &self.etag].into_iter().flatten().map(HeaderValue::len);
        ENTRY + headers.sum::<usize>() + self.body.len()
    }
}

impl OriginError {
    fn connection(error: impl Into<Failure>) -> Self {
        Self::Connection(error.into())
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(_) => write!(f, "the origin's answer cannot be read"),
            Self::Connection(_) => write!(f, "the origin cannot be reached"),
            Self::Status(status) => write!(f, "the origin says {status}"),
        }
    }
}

impl Error for OriginError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(error) | Self::Connection(error) => Some(&**error),
            Self::Status(_) => None,
        }
    }
}

/// What a page takes beside its bytes: itself, its place in the cache, and what the allocator adds to each of its parts.
const ENTRY: usize = 512;

/// The longest body that is read, in bytes.
const LONGEST: usize = 4 << 20;
