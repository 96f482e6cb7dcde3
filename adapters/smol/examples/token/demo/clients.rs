//! Clients, each with its own connection and task.

use std::{net::SocketAddr, sync::Arc};

use hyper::StatusCode;
use larder_smol::Status;
use smol::lock::Barrier;

use super::super::{
    cache::Tokens,
    http::{Connection, Failure},
};

/// A client that calls a server.
pub(super) struct Client {
    connection: Connection,
    tokens: Tokens,
}

/// What one client got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Whether the server accepted it in the end.
    pub(super) is_served: bool,
    /// How often the server refused it.
    pub(super) refused: u64,
    /// Whether it had to wait for the first token that it sent.
    pub(super) has_waited: bool,
    /// Whether it had no token to send.
    pub(super) is_tokenless: bool,
}

impl Client {
    /// Makes many clients.
    pub(super) async fn crowd(clients: usize, server: SocketAddr, tokens: &Tokens) -> Result<Vec<Self>, Failure> {
        let mut crowd = Vec::with_capacity(clients);
        for _ in 0..clients {
            crowd.push(Self { connection: Connection::open(server).await?, tokens: tokens.clone() });
        }
        Ok(crowd)
    }

    /// Makes all clients call the server at once, each with the token that it found, and returns what each got.
    pub(super) async fn all_call(crowd: &mut Vec<Self>) -> Result<Vec<Seen>, Failure> {
        let ready = Arc::new(Barrier::new(crowd.len()));
        let call = |mut client: Self| {
            let ready = Arc::clone(&ready);
            smol::spawn(async move {
                let seen = client.call(&ready).await;
                (client, seen)
            })
        };
        let tasks: Vec<_> = crowd.drain(..).map(call).collect();
        let mut saw = Vec::with_capacity(tasks.len());
        for task in tasks {
            let (client, seen) = task.await;
            crowd.push(client);
            saw.push(seen?);
        }
        Ok(saw)
    }

    /// Calls the server with a token, and with another one if the first is refused.
    async fn call(&mut self, ready: &Barrier) -> Result<Seen, Failure> {
        let mut seen = Seen::default();
        let mut found = self.tokens.current().await;
        seen.has_waited = found.as_ref().is_ok_and(|found| !matches!(found.status(), Status::Hit | Status::Stale(_)));
        // So that no client is accepted before all have a token.
        ready.wait().await;
        for _ in 0..2 {
            let Ok(token) = &found else {
                seen.is_tokenless = true;
                break;
            };
            let (status, _) = self.connection.get("/", Some(token.value())).await?;
            if status != StatusCode::UNAUTHORIZED {
                seen.is_served = true;
                break;
            }
            seen.refused += 1;
            self.tokens.was_refused(token);
            found = self.tokens.current().await;
        }
        Ok(seen)
    }
}
