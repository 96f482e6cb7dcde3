//! The seam, filled by the crate `redis`.
//!
//! Of that crate we use one connection, which carries answers and pushes. Reconnecting is ours, since what was heard and
//! what was missed depends on it; so are deadlines, which have to hold on the cache's clock.

use std::sync::Arc;

use redis::{
    AsyncConnectionConfig, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisError, Value,
    aio::MultiplexedConnection, cmd,
};

use super::{Call, Heard, Line, Lost, Reply, Wire};
use crate::{decide::Found, host::BoxFuture, mutant, scripts::Script};

/// The address of a server.
pub(crate) struct Client(redis::Client);

impl Client {
    /// Reads an address; says why it is none.
    pub(crate) fn new(url: &str) -> Result<Self, String> {
        let open = || {
            let address = url.into_connection_info()?;
            // Pushes are of this protocol.
            let settings = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            redis::Client::open(address.set_redis_settings(settings))
        };
        open().map(Self).map_err(|error: RedisError| error.to_string())
    }
}

impl Wire for Client {
    fn connect(
        &self,
        prefix: String,
        hear: Box<dyn Fn(Heard<'_>) + Send + Sync>,
    ) -> BoxFuture<Result<Arc<dyn Line>, Lost>> {
        let client = self.0.clone();
        let push = move |push: PushInfo| {
            match push.kind {
                PushKind::Invalidate => match push.data.first() {
                    Some(Value::Array(keys)) => {
                        for key in keys {
                            if let Value::BulkString(key) = key {
                                hear(Heard::Touched(key));
                            }
                        }
                    }
                    _ => hear(Heard::Flushed),
                },
                PushKind::Disconnection => hear(Heard::Ended),
                _ => {}
            }
            Ok::<(), ()>(())
        };
        Box::pin(async move {
            // (Timeouts are the caller's.)
            let config = AsyncConnectionConfig::new()
                .set_push_sender(push)
                .set_connection_timeout(None)
                .set_response_timeout(None);
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            if !mutant::is("no-tracking") {
                let mut track = cmd("CLIENT");
                track.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(prefix);
                track.query_async::<()>(&mut connection).await?;
            }
            Ok(Arc::new(Connection(connection)) as Arc<dyn Line>)
        })
    }
}

struct Connection(MultiplexedConnection);

impl Line for Connection {
    fn call(&self, call: Call) -> BoxFuture<Result<Reply, Lost>> {
        let mut connection = self.0.clone();
        Box::pin(async move {
            let ask = |name: &str, script: &str| {
                let mut command = cmd(name);
                command.arg(script).arg(call.keys.len()).arg(&call.keys).arg(&call.arguments);
                command
            };
            let answer = ask("EVALSHA", call.script.hash()).query_async::<Value>(&mut connection).await;
            let answer = match answer {
                // It has been started anew, or is another one: it is told the script again.
                Err(error) if error.code() == Some("NOSCRIPT") => {
                    ask("EVAL", call.script.text()).query_async::<Value>(&mut connection).await
                }
                answer => answer,
            };
            read(call.script, answer?).ok_or(Lost)
        })
    }

    fn ping(&self) -> BoxFuture<Result<(), Lost>> {
        let mut connection = self.0.clone();
        Box::pin(async move { Ok(cmd("PING").query_async::<()>(&mut connection).await?) })
    }
}

fn read(script: Script, answer: Value) -> Option<Reply> {
    match script {
        Script::Lookup => Some(Reply::Found(Found::read(redis::from_redis_value(answer).ok()?)?)),
        _ => Some(Reply::Done(redis::from_redis_value::<i64>(answer).ok()? == 1)),
    }
}

impl From<RedisError> for Lost {
    fn from(_: RedisError) -> Self {
        Self
    }
}
