//! The scenario that starts processes of its own, with the program as it is built.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output};
use std::thread;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluice-load");

/// A floor that listens; it is killed when dropped.
struct Floor {
    child: Child,
    address: SocketAddr,
}

impl Floor {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new(PROGRAM)
            .args(["floor", "--listen", &address.to_string()])
            .spawn()
            .unwrap();
        while TcpStream::connect(address).is_err() {
            thread::yield_now();
        }
        Self { child, address }
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn hold(floor: &Floor, options: &str) -> Output {
    Command::new(PROGRAM)
        .args(["hold", "--target", &floor.address.to_string()])
        .args(["--server-pid", &floor.child.id().to_string()])
        .args(options.split_whitespace())
        .output()
        .unwrap()
}

#[test]
fn several_processes_hold_a_share_each_and_are_reported_as_one() {
    let floor = Floor::start();
    let output = hold(
        &floor,
        "--parts 2 --connections 44 --joins 3 --members 2 --rate 400 --seconds 1",
    );
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let metric = |name: &str| report["metrics"][name].as_f64();
    assert_eq!(metric("connections"), Some(44.0));
    assert_eq!(metric("rooms"), Some(66.0));
    assert_eq!(metric("lost_deliveries"), Some(0.0));
    assert!(metric("deliveries") > Some(0.0));
    assert!(metric("joins_per_second") > metric("accepts_per_second"));
    assert!(metric("server_0_kib") > Some(0.0));
}

#[test]
fn a_part_that_fails_ends_the_run_with_its_reason() {
    let floor = Floor::start();
    let output = hold(&floor, "--parts 2 --connections 20 --token no-such-file");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot read no-such-file"), "{said}");
    assert!(said.contains("a part of the generator has ended"), "{said}");
}
