//! Memory that is lost, as valgrind finds it.

use std::path::PathBuf;
use std::process::Command;

/// Takes half a minute and needs valgrind: `cargo test -p libvirt -- --ignored lost`. Set
/// `EXERCISE_URI` to run it against a daemon as well, `qemu+tcp://…/system` for example.
///
/// No suppressions are needed: what libvirt allocates once stays reachable.
#[test]
#[ignore = "needs valgrind and half a minute"]
fn nothing_is_lost() {
    let daemon = std::env::var("EXERCISE_URI").ok();
    for uri in ["test:///default"].into_iter().chain(daemon.as_deref()) {
        let (few, many) = (reachable(uri, 2), reachable(uri, 12));
        // What grows with every round but is still pointed to is lost all the same.
        assert!(many < few + 4096, "{uri}: {few} bytes became {many}");
    }
}

/// Bytes that are still reachable after some rounds of the exercise.
fn reachable(uri: &str, rounds: u32) -> u64 {
    // Examples are built with the tests, beside them.
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let exercise: PathBuf = target.join("examples/exercise");
    let output = Command::new("valgrind")
        .args(["--leak-check=full", "--errors-for-leak-kinds=definite"])
        .args(["--show-leak-kinds=definite", "--error-exitcode=9"])
        .arg(exercise)
        .args([uri, &rounds.to_string()])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{uri}: {report}");
    let line = report
        .lines()
        .find_map(|line| line.split_once("still reachable: "))
        .unwrap_or_else(|| panic!("no summary: {report}"));
    let number = line.1.split(' ').next().unwrap_or_default();
    number.replace(',', "").parse().unwrap()
}
