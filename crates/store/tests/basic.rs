//! HTTP's Basic authentication: what was good a moment ago is good at once, and not a moment longer than it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that can't go on has failed

use manara_model::role::{Right, Role};
use manara_store::Store;
use manara_store::people::{Basic, MadeAccount, NewAccount, Remembered};
use std::net::IpAddr;

const EMAIL: &str = "user@cert.example";
const FROM: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

struct Node {
    _folder: tempfile::TempDir,
    store: Store,
    made: MadeAccount,
    remembered: Remembered,
}

impl Node {
    fn new() -> Node {
        let folder = manara_testing::folder();
        let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
        let new = NewAccount { org: made.org.uuid, email: EMAIL.into(), role: Role::User };
        let made = store.add_account("test", new).unwrap();
        Node { _folder: folder, store, made, remembered: Remembered::default() }
    }

    fn ask(&self, name: &str, word: &str) -> Basic {
        self.store.basic(&self.remembered, name, word, FROM).unwrap()
    }

    fn is_good(&self, name: &str, word: &str) -> bool {
        match self.ask(name, word) {
            Basic::Good(caller) => caller.account.email == EMAIL,
            Basic::Wrong => false,
            Basic::Wait(seconds) => panic!("to wait for {seconds} seconds"),
        }
    }
}

#[test]
fn a_good_password_is_good_again_and_again() {
    let node = Node::new();
    for _ in 0..20 {
        assert!(node.is_good(EMAIL, &node.made.password));
    }
    assert!(node.is_good(" User@CERT.example ", &node.made.password), "blanks and case of an address don't matter");
}

#[test]
fn another_word_is_wrong_however_good_the_last_was() {
    let node = Node::new();
    assert!(node.is_good(EMAIL, &node.made.password));
    assert!(!node.is_good(EMAIL, &format!("{}x", node.made.password)));
    assert!(!node.is_good(EMAIL, ""));
    assert!(!node.is_good("admin@cert.example", &node.made.password), "a word is good for its account alone");
    assert!(!node.is_good("nobody@cert.example", &node.made.password));
    // Where the name ends and the word begins is part of it.
    let (head, tail) = node.made.password.split_at(1);
    assert!(!node.is_good(&format!("{EMAIL}{head}"), tail));
    assert!(node.is_good(EMAIL, &node.made.password), "and the good one stays good");
}

#[test]
fn a_key_is_good_under_any_name() {
    let node = Node::new();
    for name in ["", "key", EMAIL, "somebody@else.example"] {
        assert!(node.is_good(name, &node.made.api_key), "{name}");
    }
    let reader = node.store.add_key("test", EMAIL, "reads", &[Right::Read], None).unwrap();
    match node.ask("", &reader) {
        Basic::Good(caller) => assert!(caller.may(Right::Read) && !caller.may(Right::Write), "with its scope"),
        other => panic!("{other:?}"),
    }
    let key = node.store.keys(Some(EMAIL)).unwrap().pop().unwrap();
    node.store.revoke_key("test", key.id).unwrap();
    assert!(!node.is_good("", &reader), "no longer than it is a key");
}

#[test]
fn a_change_of_password_is_seen_by_the_next_request() {
    let node = Node::new();
    assert!(node.is_good(EMAIL, &node.made.password));
    let new = node.store.reset_password("test", EMAIL).unwrap();
    assert!(!node.is_good(EMAIL, &node.made.password));
    assert!(node.is_good(EMAIL, &new));
    node.store.set_password("test", EMAIL, "a long enough one, I hope").unwrap();
    assert!(!node.is_good(EMAIL, &new));
    assert!(node.is_good(EMAIL, "a long enough one, I hope"));
}

#[test]
fn a_disabled_account_is_out_at_once_and_in_again() {
    let node = Node::new();
    assert!(node.is_good(EMAIL, &node.made.password));
    node.store.disable_account("test", EMAIL, true).unwrap();
    assert!(!node.is_good(EMAIL, &node.made.password));
    assert!(!node.is_good("", &node.made.api_key));
    node.store.disable_account("test", EMAIL, false).unwrap();
    assert!(node.is_good(EMAIL, &node.made.password));
}

#[test]
fn an_account_with_a_second_factor_takes_a_key() {
    let node = Node::new();
    assert!(node.is_good(EMAIL, &node.made.password));
    node.store.add_second_factor("test", EMAIL).unwrap();
    assert!(!node.is_good(EMAIL, &node.made.password));
    assert!(node.is_good(EMAIL, &node.made.api_key));
}

#[test]
fn who_guesses_waits_and_who_is_known_does_not() {
    let node = Node::new();
    assert!(node.is_good(EMAIL, &node.made.password));
    let waits = (0..30).any(|n| matches!(node.ask(EMAIL, &format!("guess {n}")), Basic::Wait(seconds) if seconds > 0));
    assert!(waits, "thirty guesses without a pause");
    assert!(node.is_good(EMAIL, &node.made.password), "a guesser does not lock out who is in already");
    assert!(node.is_good("", &node.made.api_key), "nor a key");
    let afresh = Remembered::default();
    assert!(matches!(node.store.basic(&afresh, EMAIL, &node.made.password, FROM).unwrap(), Basic::Wait(_)));
}

#[test]
fn a_program_with_many_connections_is_one_that_logs_in() {
    let node = Node::new();
    let node = &node;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..20).map(|_| scope.spawn(move || node.is_good(EMAIL, &node.made.password))).collect();
        assert!(all.into_iter().all(|one| one.join().unwrap()), "none is sent away");
    });
}
