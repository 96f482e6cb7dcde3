//! Clients, each with its own connection.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Barrier, task::JoinSet, time::Instant};

use super::super::{
    origin::Failure,
    proxy::{SINCE, STATUS},
};

/// How many clients ask, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) clients: usize,
    /// All at once, or one after another.
    pub(crate) at_once: bool,
}

/// What one client got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// How the proxy's cache found the page, or "error".
    pub(crate) status: String,
    /// How many seconds ago the page was fetched.
    pub(crate) since: u64,
    pub(crate) body: Bytes,
    pub(crate) latency: Duration,
}

/// Makes all clients ask for `path`, and returns what each got.
pub(crate) async fn ask(server: SocketAddr, path: &'static str, crowd: Crowd) -> Result<Vec<Seen>, Failure> {
    let mut seen = Vec::with_capacity(crowd.clients);
    let ready = Arc::new(Barrier::new(if crowd.at_once { crowd.clients } else { 1 }));
    let mut running = JoinSet::new();
    for _ in 0..crowd.clients {
        running.spawn(client(server, path, Arc::clone(&ready)));
        if !crowd.at_once {
            seen.extend(running.join_next().await.transpose()?.transpose()?);
        }
    }
    while let Some(next) = running.join_next().await {
        seen.push(next??);
    }
    Ok(seen)
}

async fn client(server: SocketAddr, path: &str, ready: Arc<Barrier>) -> Result<Seen, Failure> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path).header(HOST, server.to_string()).body(Empty::<Bytes>::new())?;
    let exchange = async {
        ready.wait().await;
        let start = Instant::now();
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_page = head.status == StatusCode::OK;
        Ok(Seen {
            status: if is_page { header(STATUS) } else { "error" }.to_owned(),
            since: header(SINCE).parse().unwrap_or(0),
            body,
            latency: start.elapsed(),
        })
    };
    tokio::select! {
        seen = exchange => seen,
        Err(error) = connection => Err(error.into()),
    }
}
