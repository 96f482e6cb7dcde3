//! Connections, and sockets in front of a [`Service`].

use std::{
    error::Error,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client,
    header::{AUTHORIZATION, HOST},
    server,
    service::service_fn,
};
use smol::{
    Task,
    net::{TcpListener, TcpStream},
};
use smol_hyper::rt::FuturesIo;

/// Any error.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A client's connection; it is closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: client::conn::http1::SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    _driver: Task<hyper::Result<()>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = client::conn::http1::handshake(FuturesIo::new(stream)).await?;
        Ok(Self { sender, address, _driver: smol::spawn(driver) })
    }

    /// Sends a request, with this token if there is one, and returns the status and body of the answer.
    pub(crate) async fn get(&mut self, path: &str, token: Option<&str>) -> Result<(StatusCode, Bytes), Failure> {
        let mut request = Request::get(path).header(HOST, self.address.to_string());
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Empty::new())?).await?;
        let (head, body) = response.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }
}

/// Answers requests.
pub(crate) trait Service: Send + Sync + 'static {
    /// Returns the response.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// A running server; it accepts no more connections when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _task: Task<()>,
}

impl Server {
    /// Starts to serve `service` on a free port of this machine.
    pub(crate) async fn start(service: Arc<impl Service>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                smol::spawn(converse(stream, Arc::clone(&service))).detach();
            }
        };
        Ok(Self { address, _task: smol::spawn(serve) })
    }

    /// Returns its address.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves one connection until the client closes it.
async fn converse(stream: TcpStream, service: Arc<impl Service>) {
    let respond = service_fn(|request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, io::Error>(service.answer(request).await) }
    });
    let _ = stream.set_nodelay(true);
    // A connection that ends early concerns only its client.
    let _ = server::conn::http1::Builder::new().serve_connection(FuturesIo::new(stream), respond).await;
}
