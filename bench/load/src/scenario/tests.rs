//! Every scenario, small, against the floor: what is sent arrives, and what goes wrong is said.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use clap::Parser;

use crate::cli::{self, Cli};
use crate::report::Metrics;

fn parse(line: &str) -> Cli {
    Cli::parse_from(line.split_whitespace())
}

/// A floor that listens, for as long as the tests run.
fn floor() -> SocketAddr {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    thread::spawn(move || cli::run(parse(&format!("sluice-load floor --listen {address}"))));
    while TcpStream::connect(address).is_err() {
        thread::yield_now();
    }
    address
}

/// Runs a scenario against the server at `address`, with this process as the one to measure.
fn run(address: SocketAddr, scenario: &str) -> Result<Metrics, String> {
    let name = scenario.split_whitespace().next().unwrap_or_default();
    let file = std::env::temp_dir().join(format!("sluice-load-{}-{name}", address.port()));
    let pid = std::process::id();
    let options = format!(
        "--target {address} --server-pid {pid} --json {}",
        file.display()
    );
    let line = format!("sluice-load {scenario} --warm-up 0 {options}");
    cli::run(parse(&line)).map_err(|error| error.to_string())?;
    let report = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    Ok(serde_json::from_value(report["metrics"].clone()).unwrap())
}

#[test]
fn idle_connections_are_set_up_and_counted() {
    let metrics = run(
        floor(),
        "idle --connections 200 --rooms 10 --quiet-seconds 1",
    )
    .unwrap();
    assert!(metrics.get("accepts_per_second").unwrap() > 0.0);
    assert!(metrics.get("idle_cpu_percent").is_some());
}

#[test]
fn a_fan_out_reaches_its_members() {
    let metrics = run(floor(), "fan-out --members 50 --in-flight 4 --seconds 1").unwrap();
    assert!(metrics.get("deliveries_per_second").unwrap() > 0.0);
}

#[test]
fn an_open_loop_loses_nothing() {
    let line = "open-loop --rooms 5 --members 4 --rate 2000 --seconds 1";
    let metrics = run(floor(), line).unwrap();
    assert_eq!(metrics.get("lost_deliveries"), Some(0.0));
    assert!(metrics.get("delivery_max_ms").unwrap() > 0.0);
}

#[test]
fn requests_are_answered() {
    let metrics = run(floor(), "request --connections 20 --seconds 1").unwrap();
    assert!(metrics.get("replies_per_second").unwrap() > 0.0);
}

#[test]
fn the_others_go_on_while_connections_close() {
    let metrics = run(floor(), "close-all --connections 100 --seconds 1").unwrap();
    assert_eq!(metrics.get("lost_deliveries"), Some(0.0));
    assert!(metrics.get("during_max_ms").unwrap() > 0.0);
}

#[test]
fn churn_reads_memory_after_every_round() {
    let metrics = run(floor(), "churn --total 40 --round 20 --rest-seconds 0").unwrap();
    assert!(metrics.get("after_round_02_kib").is_some());
}

#[test]
fn members_that_do_not_read_cost_the_others_nothing() {
    let line = "slow-consumers --readers 3 --stalled 2 --rate 100 --seconds 1";
    let metrics = run(floor(), line).unwrap();
    assert_eq!(metrics.get("lost_deliveries"), Some(0.0));
    assert_eq!(metrics.get("stalled_ended_by_server"), Some(0.0));
}

#[test]
fn a_server_that_hangs_up_is_named_with_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    let error = run(address, "request --connections 1").unwrap_err();
    assert!(
        error.starts_with("connection 0 was not set up: "),
        "{error}"
    );
}
