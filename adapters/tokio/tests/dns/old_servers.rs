//! Servers that are old, careless or careful, and questions that are out of the ordinary.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, OpCode, ResponseCode},
    rr::{
        DNSClass, Name, RData, Record, RecordType,
        rdata::{A, CNAME},
    },
};

use crate::{
    asking::{ask, exchange, explained, question, send, ttls},
    scripted::{Setup, addresses, at_once, denial, pass, patient, reply_to},
};

const NAME: &str = "www.example.test.";

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn address(owner: &str) -> Record {
    Record::from_rdata(name(owner), 300, RData::A(A::new(192, 0, 2, 9)))
}

/// C128: a server that knows no EDNS and answers FORMERR, without the question, is asked again without.
#[tokio::test]
async fn c128_a_server_without_edns() {
    for repeats in [false, true] {
        let setup = Setup::new(
            patient(),
            at_once(move |question| {
                if question.edns.is_none() {
                    return Some(addresses(question, &[300]));
                }
                let mut complaint = reply_to(question, ResponseCode::FormErr);
                if !repeats {
                    complaint.queries.clear();
                }
                Some(complaint)
            }),
        )
        .await;
        assert_eq!(ttls(&ask(setup.address(), NAME).await), [300]);
        assert_eq!(setup.upstream.asked(), 2);
    }
}

/// C128: records that do not belong to the question are not passed on; those that its aliases lead to are.
#[tokio::test]
async fn c128_foreign_records() {
    let setup = Setup::new(
        patient(),
        at_once(|question| {
            let alias = |from: &str, to: &str| Record::from_rdata(name(from), 300, RData::CNAME(CNAME(name(to))));
            let mut reply = reply_to(question, ResponseCode::NoError);
            reply.add_answers([
                address("bank.test."),
                alias("b.example.test.", "c.other.test."),
                alias("www.example.test.", "B.example.test."),
                address("c.other.test."),
                alias("bank.test.", "www.example.test."),
            ]);
            reply.add_authority(Record::from_rdata(name("test."), 1, RData::A(A::new(192, 0, 2, 66))));
            reply.add_additional(address("bank.test."));
            Some(reply)
        }),
    )
    .await;
    for _ in 0..2 {
        let answer = ask(setup.address(), NAME).await;
        let names: Vec<_> = answer.answers.iter().map(|record| record.name.to_ascii().to_lowercase()).collect();
        assert_eq!(names, ["b.example.test.", "www.example.test.", "c.other.test."]);
        assert_eq!((answer.authorities.len(), answer.additionals.len()), (0, 0));
        assert_eq!(ttls(&answer), [300; 3], "nor do their TTLs count");
    }
    assert_eq!(setup.upstream.asked(), 1);
}

/// C128: the SOA of a denial is of a zone above the name, or it is none.
#[tokio::test]
async fn c128_a_foreign_denial() {
    let setup = Setup::new(
        patient(),
        at_once(|question| {
            let mut reply = denial(question, ResponseCode::NXDomain, Some((60, 60)));
            reply.authorities[0].name = name("other.test.");
            Some(reply)
        }),
    )
    .await;
    for asked in 1..=2 {
        let answer = ask(setup.address(), NAME).await;
        assert_eq!((answer.metadata.response_code, answer.authorities.len()), (ResponseCode::NXDomain, 0));
        assert_eq!(setup.upstream.asked(), asked, "without an SOA it is not kept");
    }
}

/// C128: a stale answer says that it is one, and so does a stale denial; a fresh one does not.
#[tokio::test]
async fn c128_stale_answers_are_explained() {
    let works = std::sync::Arc::new(AtomicBool::new(true));
    let setup = Setup::new(patient(), {
        let works = std::sync::Arc::clone(&works);
        at_once(move |question| {
            Some(match question.queries[0].name.to_ascii().as_str() {
                _ if !works.load(Relaxed) => reply_to(question, ResponseCode::ServFail),
                NAME => addresses(question, &[60]),
                _ => denial(question, ResponseCode::NXDomain, Some((60, 60))),
            })
        })
    })
    .await;
    let asked = |name| {
        let mut message = question(name, RecordType::A);
        message.edns = Some(Edns::new());
        message.to_vec().unwrap()
    };
    let none = "none.example.test.";
    for name in [NAME, none] {
        assert_eq!(explained(&send(setup.address(), &asked(name)).await), None);
    }
    works.store(false, Relaxed);
    pass(Duration::from_secs(61)).await;
    // Asked for, just failed and kept as failed.
    for _ in 0..2 {
        let stale = send(setup.address(), &asked(NAME)).await;
        assert_eq!((explained(&stale), ttls(&Message::from_vec(&stale).unwrap())), (Some(3), vec![30]));
        assert_eq!(explained(&send(setup.address(), &asked(none)).await), Some(19));
    }
    assert_eq!(explained(&send(setup.address(), &asked("new.example.test.")).await), None, "the upstream's own code");
    assert_eq!(explained(&send(setup.address(), &asked("new.example.test.")).await), Some(13), "kept");
}

/// C128: what is no ordinary question never reaches the upstream.
#[tokio::test]
async fn c128_extraordinary_questions() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let of_class = |class, name| {
        let mut message = question(name, RecordType::TXT);
        message.queries[0].set_query_class(class);
        message
    };
    let mut notify = question(NAME, RecordType::SOA);
    notify.metadata.op_code = OpCode::Notify;
    for (asked, code) in [
        (question(NAME, RecordType::OPT), ResponseCode::FormErr),
        (question(NAME, RecordType::AXFR), ResponseCode::NotImp),
        (question(NAME, RecordType::Unknown(249)), ResponseCode::NotImp),
        (of_class(DNSClass::ANY, NAME), ResponseCode::NotImp),
        (of_class(DNSClass::NONE, NAME), ResponseCode::NotImp),
        (of_class(DNSClass::CH, "version.bind."), ResponseCode::Refused),
        (of_class(DNSClass::CH, "ID.Server."), ResponseCode::Refused),
        (notify, ResponseCode::NotImp),
    ] {
        // (Read by hand: the library does not read all of these again.)
        let answer = send(setup.address(), &asked.to_vec().unwrap()).await;
        assert_eq!(u16::from(answer[3] & 0xf), u16::from(code), "{asked}");
    }
    let all = exchange(setup.address(), &question(NAME, RecordType::ANY)).await;
    assert_eq!(all.answers.len(), 1);
    assert_eq!(all.answers[0].record_type(), RecordType::HINFO, "a small answer");
    assert_eq!(setup.upstream.asked(), 0);
}

/// C128: who wants no recursion has what is there, and else is refused.
#[tokio::test]
async fn c128_without_recursion() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let mut asked = question(NAME, RecordType::A);
    asked.metadata.recursion_desired = false;
    assert_eq!(exchange(setup.address(), &asked).await.metadata.response_code, ResponseCode::Refused);
    assert_eq!(setup.upstream.asked(), 0);
    ask(setup.address(), NAME).await;
    let answer = exchange(setup.address(), &asked).await;
    assert_eq!((answer.answers.len(), answer.metadata.recursion_desired), (1, false));
    assert_eq!(setup.upstream.asked(), 1);
}
