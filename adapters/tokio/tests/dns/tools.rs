//! The tools that administrators use, where they are installed.

use hickory_proto::op::{Message, ResponseCode};
use tokio::process::Command;

use crate::scripted::{Setup, addresses, at_once, denial, patient};

/// Runs a tool; none if it is not there.
async fn run(tool: &str, arguments: &str) -> Option<String> {
    match Command::new(tool).args(arguments.split_whitespace()).output().await {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => {
            eprintln!("{tool} is not installed: not tried");
            None
        }
    }
}

fn script(question: &Message) -> Option<Message> {
    let name = question.queries[0].name.to_ascii();
    Some(match name.split('.').next().unwrap() {
        "www" => addresses(question, &[300]),
        "large" => addresses(question, &[300; 200]),
        _ => denial(question, ResponseCode::NXDomain, Some((60, 60))),
    })
}

/// Both print what they get for a name, a name that does not exist, and an answer that needs TCP.
#[tokio::test]
async fn dig_and_kdig() {
    let setup = Setup::new(patient(), at_once(script)).await;
    let server = format!("@127.0.0.1 -p {}", setup.address().port());
    for (tool, patience) in [("dig", "+tries=1 +time=10"), ("kdig", "+retry=0 +time=10")] {
        let Some(short) = run(tool, &format!("{server} {patience} +short wWw.example.test A")).await else {
            continue;
        };
        assert_eq!(short.trim(), "192.0.2.1", "{tool}");
        let whole = run(tool, &format!("{server} {patience} wWw.example.test A")).await.unwrap();
        // kdig prints all names in lower case.
        assert!(tool == "kdig" || whole.matches("wWw.example.test").count() > 1, "its spelling: {whole}");
        assert!(whole.to_lowercase().contains("noerror"), "{whole}");
        let none = run(tool, &format!("{server} {patience} nowhere.example.test A")).await.unwrap();
        assert!(none.contains("NXDOMAIN"), "{none}");
        let large = run(tool, &format!("{server} {patience} +short large.example.test A")).await.unwrap();
        assert_eq!(large.lines().filter(|line| line.starts_with("192.0.2.")).count(), 200, "{tool} goes on to TCP");
        let tcp = run(tool, &format!("{server} {patience} +tcp +short www.example.test A")).await.unwrap();
        assert_eq!(tcp.trim(), "192.0.2.1", "{tool}");
    }
}
