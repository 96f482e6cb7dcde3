//! A page store: slow, and asked over loopback. It knows one number of each page, its version.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::support::random;

pub(crate) const PAGES: u64 = 300;

pub(crate) struct Store {
    pub(crate) port: u16,
    loads: Arc<AtomicUsize>,
}

impl Store {
    pub(crate) async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = Self { port: listener.local_addr().unwrap().port(), loads: Arc::default() };
        let (loads, versions) = (Arc::clone(&store.loads), Arc::new(Mutex::new(vec![1_u64; PAGES as usize])));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&loads), Arc::clone(&versions)));
            }
        });
        store
    }

    /// Returns how many pages were loaded since the last time.
    pub(crate) fn take_loads(&self) -> usize {
        self.loads.swap(0, SeqCst)
    }
}

async fn answer(stream: TcpStream, loads: Arc<AtomicUsize>, versions: Arc<Mutex<Vec<u64>>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (what, page) = line.split_once(' ')?;
        let page: usize = page.parse().ok()?;
        let version = if what == "change" {
            let mut versions = versions.lock().unwrap();
            versions[page] += 1;
            versions[page]
        } else {
            loads.fetch_add(1, SeqCst);
            let version = versions.lock().unwrap()[page];
            sleep(Duration::from_millis(20 + random(40))).await;
            version
        };
        write.write_all(format!("{version}\n").as_bytes()).await.ok()?;
    }
    Some(())
}

/// The way to the store, with connections that are kept.
#[derive(Clone)]
pub(crate) struct Client {
    port: u16,
    idle: Arc<Mutex<Vec<BufReader<TcpStream>>>>,
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, idle: Arc::default() }
    }

    /// Loads a page; returns its version.
    pub(crate) async fn load(&self, page: u64) -> io::Result<u64> {
        self.ask(format!("load {page}\n")).await
    }

    /// Changes a page; returns its new version.
    pub(crate) async fn change(&self, page: u64) -> io::Result<u64> {
        self.ask(format!("change {page}\n")).await
    }

    async fn ask(&self, line: String) -> io::Result<u64> {
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?),
        };
        stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        let version = answer.trim().parse().map_err(io::Error::other)?;
        self.idle.lock().unwrap().push(stream);
        Ok(version)
    }
}
