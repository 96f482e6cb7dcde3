//! The program as a process: signals, its last words and its status.

#![cfg(unix)]

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::sync::Semaphore;

use crate::{
    asking::{ask, connect, exchange_tcp, question, receive, until},
    options,
    scripted::{LOOPBACK, Scripted, gated, is_slow},
    serve,
    server::Server,
};

const NAME: &str = "www.example.test.";
const ARGUMENTS: &str = "LARDER_TEST_DNS";

/// What runs in the process that is sent signals: this very test, with the arguments of the program.
#[test]
fn child() {
    let Ok(arguments) = env::var(ARGUMENTS) else {
        return;
    };
    let Ok(options::Command::Serve(plan, settings)) = options::parse(arguments.split(' ').map(Into::into)) else {
        panic!("it serves");
    };
    tokio::runtime::Runtime::new().unwrap().block_on(serve::run(plan, settings)).unwrap();
}

struct Program {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Program {
    fn start(upstream: SocketAddr) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "ends::child", "--nocapture"])
            .env(ARGUMENTS, format!("--listen 127.0.0.1:0 --upstream {upstream} --client-timeout 30s"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let begin = output.find_map(|line| line.unwrap().split_once("Forwarding ").map(|(_, rest)| rest.to_owned()));
        let address = begin.unwrap().split(' ').next().unwrap().parse().unwrap();
        Self { process, output, address }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
    }

    /// Reads on to a line with these words.
    fn says(&mut self, words: &str) -> String {
        self.output.find_map(|line| Some(line.unwrap()).filter(|line| line.contains(words))).expect(words)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

/// C129: either signal ends it: what is under way is answered, the report is printed, the status is 0.
#[tokio::test]
async fn c129_signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let gate = Arc::new(Semaphore::new(0));
        let upstream = Arc::new(Scripted::new(gated(&gate, 300, is_slow)));
        let upstream_server = Server::bind(LOOPBACK, 1, Arc::clone(&upstream)).await.unwrap();
        let mut program = Program::start(upstream_server.address());
        ask(program.address, NAME).await;

        program.signal(Signal::SIGUSR1);
        assert!(program.says("questions, ").contains("1 questions, 1 answered"));
        program.says("1 answers held");
        program.says(&format!("{}: round trip", upstream_server.address()));

        let slow = question(&format!("slow.{NAME}"), hickory_proto::rr::RecordType::A);
        let client = connect(program.address).await;
        client.send(&slow.to_vec().unwrap()).await.unwrap();
        let over_tcp = tokio::spawn({
            let (address, slow) = (program.address, slow.clone());
            async move { exchange_tcp(address, &slow).await }
        });
        until(|| upstream.asked() == 2).await;
        while {
            program.signal(Signal::SIGUSR1);
            !program.says("questions, ").contains("3 questions")
        } {}
        program.signal(signal);
        // It takes no more questions now; the end waits for those that it has.
        gate.add_permits(100);
        assert_eq!(receive(&client).await[3] & 0xf, 0);
        assert_eq!(over_tcp.await.unwrap().answers.len(), 1);
        assert!(program.says("questions, ").contains("questions to the upstream"));
        assert_eq!(program.process.wait().unwrap().code(), Some(0));
    }
}
