//! A socket in front of a [`Service`].

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Answers requests; the proxy is one, and the demonstration's origin is another.
pub(crate) trait Service: Send + Sync + 'static {
    /// Returns the response, or none to close the connection without one.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Option<Response<Full<Bytes>>>> + Send;
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts to serve `service` on `address`; port 0 takes a free one.
    pub(crate) async fn bind(address: SocketAddr, service: Arc<impl Service>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, service));
        Ok(Self { address, _tasks: tasks })
    }

    /// Returns its address.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves each connection in its own task; all tasks end with the server.
async fn serve(listener: TcpListener, service: Arc<impl Service>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, Arc::clone(&service)));
            }
            // Probably out of file descriptors: wait until some are free again.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, service: Arc<impl Service>) {
    let respond = service_fn(|request| {
        let service = Arc::clone(&service);
        async move { service.answer(request).await.ok_or(io::ErrorKind::ConnectionAborted).map_err(io::Error::from) }
    });
    let _ = stream.set_nodelay(true);
    // A connection that ends early concerns only its client. The timer bounds how long headers may take.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), respond).await;
}
