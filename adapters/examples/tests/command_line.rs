//! The command line of the HTTP proxy: help and mistakes.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::process::{Command, Output};

fn http(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_http")).args(arguments).output().unwrap()
}

#[test]
fn help_is_no_mistake() {
    for argument in ["--help", "-h"] {
        let Output { status, stdout, stderr } = http(&[argument]);
        assert_eq!((status.code(), stderr), (Some(0), Vec::new()));
        let help = String::from_utf8(stdout).unwrap();
        assert!(help.contains("http LISTEN ORIGIN") && help.contains("Left out"), "{help}");
    }
}

#[test]
fn mistakes_are_named() {
    for (arguments, words) in [
        (["--bad"].as_slice(), "--bad"),
        (&["127.0.0.1:1"], "two addresses"),
        (&["here", "127.0.0.1:1"], "here"),
        (&["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], "two addresses"),
    ] {
        let Output { status, stdout, stderr } = http(arguments);
        let error = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), stdout), (Some(2), Vec::new()), "{arguments:?}");
        assert!(error.contains(words) && error.lines().count() == 1, "{error}");
    }
}
