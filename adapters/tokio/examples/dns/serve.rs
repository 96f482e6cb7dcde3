//! The program as a server, from its start to the signal that ends it.

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    forwarder::{Forwarder, Settings},
    server::Server,
};

/// Where to serve, and whom to ask.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) listen: SocketAddr,
    /// The preferred one first.
    pub(crate) upstreams: Vec<SocketAddr>,
    pub(crate) workers: usize,
}

/// Serves until it is told to end, answers what is under way, then tells what happened.
pub(crate) async fn run(plan: Plan, settings: Settings) -> Result<(), Box<dyn Error>> {
    let Plan { listen, upstreams, workers } = plan;
    let patience = settings.client_timeout + GRACE;
    let mut signals = Signals::new()?;
    let forwarder = Arc::new(Forwarder::new(&upstreams, settings)?);
    let server = Server::bind(listen, workers, Arc::clone(&forwarder)).await;
    let server = server.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let upstreams = upstreams.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
    println!("Forwarding {} to {upstreams}; Ctrl-C ends it.", server.address());
    while signals.next().await == Signal::Tell {
        println!("{}", forwarder.statistics());
    }
    server.close(patience).await;
    println!("\n{}", forwarder.report());
    Ok(())
}

/// What the system, or somebody at the keyboard, wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Signal {
    End,
    Tell,
}

#[cfg(unix)]
struct Signals {
    end: [tokio::signal::unix::Signal; 2],
    tell: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let end = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        Ok(Self { end, tell: signal(SignalKind::user_defined1())? })
    }

    async fn next(&mut self) -> Signal {
        let [interrupt, terminate] = &mut self.end;
        tokio::select! {
            _ = interrupt.recv() => Signal::End,
            _ = terminate.recv() => Signal::End,
            _ = self.tell.recv() => Signal::Tell,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::End
    }
}

/// How much longer than a client waits the end may take.
const GRACE: Duration = Duration::from_millis(500);
