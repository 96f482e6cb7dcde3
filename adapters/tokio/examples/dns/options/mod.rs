//! The command line.

mod help;
mod values;

use std::{error, ffi::OsString, fmt, net::SocketAddr, thread, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

pub(crate) use self::help::HELP;
use self::values::{duration, number, positive, share, size};
use super::{
    allow::{Network, Networks},
    cache::CacheSettings,
    demo,
    forwarder::Settings,
    serve,
    upstream::Patience,
};

/// What to do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Demo(demo::Plan, Settings),
    Help,
    Serve(serve::Plan, Settings),
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut options = Vec::new();
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("no-cache") => options.push(("no-cache".to_owned(), String::new())),
            // Whatever exists is mentioned in the help.
            Arg::Long(name) if !HELP.contains(&format!("--{name} ")) => return Err(unknown(name)),
            Arg::Long(name) => options.push((name.to_owned(), parser.value()?.string()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    let serves = options.iter().any(|(name, _)| name == "listen" || name == "upstream");
    let mut choices = if serves { Choices::to_serve() } else { Choices::to_demonstrate() };
    for (name, value) in options {
        choices.set(&name, &value)?;
    }
    choices.command(serves)
}

/// All options, at their defaults until set.
#[derive(Debug)]
struct Choices {
    listen: Option<SocketAddr>,
    upstreams: Vec<SocketAddr>,
    allow: Vec<Network>,
    workers: usize,
    no_cache: bool,
    client_timeout: Duration,
    cache: CacheSettings,
    patience: Patience,
    max_open: usize,
    plan: demo::Plan,
}

impl Choices {
    fn to_serve() -> Self {
        Self {
            listen: None,
            upstreams: Vec::new(),
            allow: Vec::new(),
            workers: thread::available_parallelism().map_or(1, usize::from),
            no_cache: false,
            client_timeout: Duration::from_millis(1800),
            cache: CacheSettings::default(),
            patience: Patience { tries: 7, try_timeout: Duration::from_millis(400) },
            max_open: 10_000,
            plan: demo::Plan::default(),
        }
    }

    /// The demonstration's upstream is near, lossy and in the end dead: it is given up sooner.
    fn to_demonstrate() -> Self {
        Self {
            client_timeout: Duration::from_millis(300),
            patience: Patience { tries: 3, try_timeout: Duration::from_millis(90) },
            ..Self::to_serve()
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        match name {
            "listen" => self.listen = Some(number(name, value)?),
            "upstream" => self.upstreams.push(number(name, value)?),
            "allow" => self.allow.push(number(name, value)?),
            "workers" => self.workers = positive(name, value)?,
            "no-cache" => self.no_cache = true,
            "memory" => self.cache.memory = size(name, value)?,
            "prefetch" => self.cache.prefetch = duration(name, value)?,
            "max-open" => self.max_open = positive(name, value)?,
            "client-timeout" => self.client_timeout = duration(name, value)?,
            "load-budget" => self.cache.load_budget = duration(name, value)?,
            "recheck" => self.cache.recheck = duration(name, value)?,
            "error-ttl" => self.cache.error_ttl = duration(name, value)?,
            "max-stale" => self.cache.max_stale = duration(name, value)?,
            "tries" => self.patience.tries = positive(name, value)?,
            "try-timeout" => self.patience.try_timeout = duration(name, value)?,
            "questions" => self.plan.questions = positive(name, value)?,
            "clients" => self.plan.clients = positive(name, value)?,
            "names" => self.plan.names = positive(name, value)?,
            "latency" => self.plan.latency = duration(name, value)?,
            "loss" => self.plan.loss = share(name, value)?,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn command(self, serves: bool) -> Result<Command, UsageError> {
        let settings = Settings {
            client_timeout: self.client_timeout,
            cache: (!self.no_cache).then_some(self.cache),
            patience: self.patience,
            max_open: self.max_open,
            allow: if self.allow.is_empty() { Networks::default() } else { Networks::new(self.allow) },
        };
        match self.listen {
            _ if !serves && self.no_cache => {
                Err(UsageError("--no-cache needs --listen: the demonstration shows both".to_owned()))
            }
            _ if !serves => Ok(Command::Demo(self.plan, settings)),
            None => Err(UsageError("--upstream needs --listen, the address to serve on".to_owned())),
            Some(_) if self.upstreams.is_empty() => {
                Err(UsageError("--listen needs --upstream, the server to ask".to_owned()))
            }
            Some(listen) => {
                let plan = serve::Plan { listen, upstreams: self.upstreams, workers: self.workers };
                Ok(Command::Serve(plan, settings))
            }
        }
    }
}

fn unknown(name: &str) -> UsageError {
    UsageError(format!("there is no option --{name}"))
}

/// Arguments that make no sense; says which and why.
#[derive(Debug)]
pub(crate) struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}
