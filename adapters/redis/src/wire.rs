//! The seam to the client library: calls of scripts, and what is heard.

mod client;

use std::sync::Arc;

use crate::{decide::Found, host::BoxFuture, scripts::Script};

pub(crate) use client::Client;

/// A way to a server.
pub(crate) trait Wire: Send + Sync {
    /// Connects, and listens to what is said of keys that begin with `prefix`.
    ///
    /// What is heard is told from inside the reader of the connection: before any answer is delivered that the server
    /// has written later.
    fn connect(
        &self,
        prefix: String,
        hear: Box<dyn Fn(Heard<'_>) + Send + Sync>,
    ) -> BoxFuture<Result<Arc<dyn Line>, Lost>>;
}

/// A connection. It is closed when the last handle of it is dropped.
pub(crate) trait Line: Send + Sync {
    /// Calls a script, whether or not the server knows it.
    fn call(&self, call: Call) -> BoxFuture<Result<Reply, Lost>>;

    /// Asks for an answer, which the server writes after all that it had to say before.
    fn ping(&self) -> BoxFuture<Result<(), Lost>>;
}

/// A script with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) script: Script,
    pub(crate) keys: Vec<String>,
    pub(crate) arguments: Vec<Vec<u8>>,
}

/// What a script returns.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Of a lookup.
    Found(Found),
    /// Of all others: whether it was done.
    Done(bool),
}

/// What is heard on a connection.
#[derive(Debug)]
pub(crate) enum Heard<'a> {
    /// This key was touched.
    Touched(&'a [u8]),
    /// The server has forgotten everything.
    Flushed,
    /// The connection has ended.
    Ended,
}

/// There was no usable answer. Whether the call was carried out is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;
