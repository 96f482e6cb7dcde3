//! The command line.

use std::{error, ffi::OsString, fmt, net::SocketAddr, str::FromStr, thread, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use super::{cache::CacheSettings, demo::Plan, forwarder::Settings, upstream::Patience};

/// What to do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Demo(Plan, Settings),
    Help,
    Serve { listen: SocketAddr, upstream: SocketAddr, workers: usize, settings: Settings },
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
    upstream: Option<SocketAddr>,
    workers: usize,
    no_cache: bool,
    client_timeout: Duration,
    cache: CacheSettings,
    patience: Patience,
    plan: Plan,
}

impl Choices {
    fn to_serve() -> Self {
        Self {
            listen: None,
            upstream: None,
            workers: thread::available_parallelism().map_or(1, usize::from),
            no_cache: false,
            client_timeout: Duration::from_millis(1800),
            cache: CacheSettings::default(),
            patience: Patience { tries: 2, try_timeout: Duration::from_millis(800) },
            plan: Plan::default(),
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
            "upstream" => self.upstream = Some(number(name, value)?),
            "workers" => self.workers = positive(name, value)?,
            "no-cache" => self.no_cache = true,
            "capacity" => self.cache.capacity = number(name, value)?,
            "client-timeout" => self.client_timeout = duration(name, value)?,
            "load-budget" => self.cache.load_budget = Some(duration(name, value)?),
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
        };
        match (self.listen, self.upstream) {
            _ if !serves && self.no_cache => {
                Err(UsageError("--no-cache needs --listen: the demonstration shows both".to_owned()))
            }
            _ if !serves => Ok(Command::Demo(self.plan, settings)),
            (Some(listen), Some(upstream)) => Ok(Command::Serve { listen, upstream, workers: self.workers, settings }),
            (None, _) => Err(UsageError("--upstream needs --listen, the address to serve on".to_owned())),
            (_, None) => Err(UsageError("--listen needs --upstream, the server to ask".to_owned())),
        }
    }
}

fn unknown(name: &str) -> UsageError {
    UsageError(format!("there is no option --{name}"))
}

fn number<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, UsageError> {
    value.parse().map_err(|error| UsageError(format!("--{name} {value}: {error}")))
}

fn positive<T: FromStr<Err: fmt::Display> + Default + PartialEq>(name: &str, value: &str) -> Result<T, UsageError> {
    match number(name, value)? {
        zero if zero == T::default() => Err(UsageError(format!("--{name} {value}: must be at least 1"))),
        number => Ok(number),
    }
}

fn share(name: &str, value: &str) -> Result<f64, UsageError> {
    match number(name, value)? {
        share if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(UsageError(format!("--{name} {value}: must be between 0 and 1"))),
    }
}

/// Reads "1.8s", "200ms", "5m", "12h", "1d"; without a unit they are seconds.
fn duration(name: &str, value: &str) -> Result<Duration, UsageError> {
    let digits = value.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err(UsageError(format!("--{name} {value}: the units of time are ms, s, m, h and d"))),
    };
    let seconds: f64 = number(name, digits)?;
    Duration::try_from_secs_f64(seconds * unit).map_err(|error| UsageError(format!("--{name} {value}: {error}")))
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

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A caching DNS forwarder, made with Larder.

  dns                                 demonstrates itself on loopback
  dns --listen ADDR --upstream ADDR   serves until Ctrl-C; ADDR: 127.0.0.1:5300

Serving:
  --workers N            UDP sockets that share the port     one per core
  --no-cache             every question goes to the upstream
  --capacity N           answers kept                        100000
  --tries N              questions sent before giving up     2 (demo: 3)
  --try-timeout TIME     wait for each of them               800ms (demo: 90ms)

The four timers of serve-stale (RFC 8767):
  --client-timeout TIME  a client has some answer by then    1.8s (demo: 300ms)
  --load-budget TIME     all tries together take no longer   as --client-timeout
  --recheck TIME         a dead upstream is left in peace    30s
  --max-stale TIME       answers serve on after their TTL    1d
and for failures with no stale answer behind them (RFC 9520):
  --error-ttl TIME       the failure is kept                 5s

Demonstration:
  --questions N  --clients N  --names N    10000, 100, 2000
  --latency TIME --loss SHARE              of its upstream: 20ms, 0.01

TIME is a number with ms, s, m, h or d; a bare number is seconds.
";
