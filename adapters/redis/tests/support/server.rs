//! A redis-server of the test's own, on loopback, which ends with the test that started it.

use std::{
    env, fs, io,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub(crate) struct Server {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
    arguments: Vec<&'static str>,
}

impl Server {
    /// Starts a server; `None` where there is none to be had.
    ///
    /// `LARDER_REDIS_SERVER` says which program to run; otherwise it is Redis or Valkey.
    pub(crate) fn start(arguments: &[&'static str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder =
            env::temp_dir().join(format!("larder-redis-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst)));
        fs::create_dir_all(&folder).unwrap();
        let mut server = Self { child: None, port: 0, folder, arguments: arguments.to_vec() };
        // (A port that is free may be taken before the server has it: another one is tried.)
        for _ in 0..20 {
            server.port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            match server.spawn() {
                Ok(()) if server.answers() => return Some(server),
                Ok(()) => server.kill(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
                Err(error) => panic!("redis-server: {error}"),
            }
        }
        panic!("redis-server does not answer");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    /// Runs a command, and returns the answer.
    pub(crate) fn run(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(10)).unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut connection).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Runs a command that answers with text or a number.
    pub(crate) fn ask(&self, words: &[&str]) -> Option<String> {
        redis::from_redis_value(self.run(words)).unwrap()
    }

    /// Returns how many connections there are, beside the one that asks.
    pub(crate) fn connections(&self) -> usize {
        self.ask(&["CLIENT", "LIST"]).unwrap().lines().filter(|line| line.contains("addr=")).count() - 1
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it anew at its port, with nothing in it.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.spawn().unwrap();
        assert!(self.answers(), "redis-server does not come back");
    }

    /// Stops it in mid-air, or lets it go on.
    pub(crate) fn pause(&self, is_paused: bool) {
        let child = self.child.as_ref().unwrap();
        let signal = if is_paused { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    }

    fn spawn(&mut self) -> io::Result<()> {
        let programs = env::var_os("LARDER_REDIS_SERVER")
            .map_or_else(|| vec!["redis-server".into(), "valkey-server".into()], |program| vec![program]);
        let mut error = io::Error::from(io::ErrorKind::NotFound);
        for program in programs {
            let mut command = Command::new(program);
            command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--loglevel", "warning"]);
            command.args(["--save", "", "--appendonly", "no"]).arg("--dir").arg(&self.folder).args(&self.arguments);
            match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
                Ok(child) => {
                    self.child = Some(child);
                    return Ok(());
                }
                Err(found) => error = found,
            }
        }
        Err(error)
    }

    fn answers(&mut self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end && self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            let connection = client.get_connection_with_timeout(Duration::from_millis(200));
            if connection.is_ok_and(|mut connection| redis::cmd("PING").query::<()>(&mut connection).is_ok()) {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}/")
}
