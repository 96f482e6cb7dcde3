//! The program's arguments.

use std::time::Duration;

use crate::{
    demo,
    options::{Command, HELP, parse},
};

fn parsed(arguments: &str) -> Result<Command, String> {
    parse(arguments.split_whitespace().map(Into::into)).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_rfc_8767() {
    let Ok(Command::Serve(_, settings)) = parsed("--listen 127.0.0.1:0 --upstream [::1]:53") else {
        panic!("serves");
    };
    let cache = settings.cache.unwrap();
    assert_eq!(settings.client_timeout, Duration::from_millis(1800));
    assert_eq!((cache.recheck, cache.max_stale), (Duration::from_secs(30), Duration::from_secs(86400)));
    assert_eq!(cache.error_ttl, Duration::from_secs(5));
}

#[test]
fn options_are_read() {
    let arguments = "--client-timeout 200ms --recheck=2m --max-stale 12h --error-ttl 1.5 --load-budget 7s --tries 4";
    let Ok(Command::Demo(plan, settings)) = parsed(&format!("{arguments} --questions 7 --loss 0.5")) else {
        panic!("demonstrates");
    };
    let cache = settings.cache.unwrap();
    assert_eq!(settings.client_timeout, Duration::from_millis(200));
    assert_eq!((cache.recheck, cache.max_stale), (Duration::from_secs(120), Duration::from_secs(43200)));
    assert_eq!((cache.error_ttl, cache.load_budget), (Duration::from_millis(1500), Duration::from_secs(7)));
    assert_eq!((settings.patience.tries, plan.questions, plan.loss), (4, 7, 0.5));
    assert!(
        matches!(parsed("--listen [::]:53 --upstream [::1]:53 --no-cache"), Ok(Command::Serve(_, settings)) if settings.cache.is_none())
    );
    assert!(matches!(parsed("--no-cache -h"), Ok(Command::Help)));
}

#[test]
fn mistakes_are_named() {
    for (arguments, words) in [
        ("--bad", "--bad"),
        ("--bad 5", "--bad"),
        ("stray", "stray"),
        ("-x", "-x"),
        ("--recheck", "--recheck"),
        ("--recheck 2x", "units"),
        ("--recheck -2s", "negative"),
        ("--no-cache", "--listen"),
        ("--tries 0", "at least 1"),
        ("--loss 1.1", "between 0 and 1"),
        ("--memory many", "--memory"),
        ("--memory 5T", "units"),
        ("--max-open 0", "at least 1"),
        ("--allow 10.0.0.0/33", "fewer bits"),
        ("--allow here", "--allow"),
        ("--listen here --upstream there", "--listen here"),
        ("--listen 127.0.0.1:53", "--upstream"),
        ("--upstream 127.0.0.1:53", "--listen"),
    ] {
        let error = parsed(arguments).expect_err(arguments);
        assert!(error.contains(words), "{arguments}: {error}");
    }
}

#[test]
fn help_fits_a_terminal() {
    assert!(HELP.lines().all(|line| line.len() <= 80));
}

/// The run without arguments, made small, ends by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_runs() {
    let Ok(Command::Demo(plan, settings)) = parsed("--questions 200 --clients 10 --names 20 --latency 1ms") else {
        panic!("demonstrates");
    };
    demo::run(plan, settings).await.unwrap();
}
