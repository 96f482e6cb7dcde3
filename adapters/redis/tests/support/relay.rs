//! Between a process and the server: connections that are cut, or hang.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    time::sleep,
};

#[derive(Clone, Copy, PartialEq)]
enum State {
    Flows,
    Frozen,
    Cut,
}

/// A connection, by what it is told to do.
type Connection = watch::Sender<State>;

pub(crate) struct Relay {
    port: u16,
    connections: Arc<Mutex<Vec<Connection>>>,
    /// What new connections begin with.
    begin: watch::Sender<State>,
}

impl Relay {
    /// Passes on to this port what comes in.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            begin: watch::channel(State::Flows).0,
        };
        let (connections, begin) = (Arc::clone(&relay.connections), relay.begin.subscribe());
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let tell = watch::channel(*begin.borrow()).0;
                let state = tell.subscribe();
                connections.lock().unwrap().push(tell);
                tokio::spawn(async move {
                    let Ok(there) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let _ = (here.set_nodelay(true), there.set_nodelay(true));
                    let ((from_here, to_here), (from_there, to_there)) = (here.into_split(), there.into_split());
                    tokio::join!(pump(from_here, to_there, state.clone()), pump(from_there, to_here, state));
                });
            }
        });
        relay
    }

    pub(crate) fn url(&self) -> String {
        super::server::url(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts a connection, as if the other side had gone.
    pub(crate) fn cut_one(&self) {
        if let Some(connection) = self.any() {
            connection.send_replace(State::Cut);
        }
    }

    /// Lets a connection hang for a while.
    pub(crate) fn freeze_one(&self, time: Duration) {
        if let Some(connection) = self.any() {
            connection.send_replace(State::Frozen);
            tokio::spawn(async move {
                sleep(time).await;
                connection.send_replace(State::Flows);
            });
        }
    }

    /// Lets all connections hang, those to come as well, or flow again.
    pub(crate) fn freeze(&self, is_frozen: bool) {
        let state = if is_frozen { State::Frozen } else { State::Flows };
        self.begin.send_replace(state);
        for connection in self.open() {
            connection.send_replace(state);
        }
    }

    fn any(&self) -> Option<Connection> {
        let mut open = self.open();
        if open.is_empty() {
            return None;
        }
        let at = super::random(open.len() as u64) as usize;
        Some(open.swap_remove(at))
    }

    fn open(&self) -> Vec<Connection> {
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|connection| connection.receiver_count() > 0);
        connections.clone()
    }
}

async fn pump(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 1 << 14];
    loop {
        let flows = state.wait_for(|state| *state != State::Frozen).await.is_ok_and(|state| *state == State::Flows);
        if !flows {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = state.changed() => continue,
        };
        let Ok(read @ 1..) = read else { return };
        let flows = state.wait_for(|state| *state != State::Frozen).await.is_ok_and(|state| *state == State::Flows);
        if !flows || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
