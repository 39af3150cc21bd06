//! Runs a test that does not end in a process of its own: such a test has no verdict, and the harness keeps what it prints.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long somebody watches.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that does not outlive its test.
struct Watched(Child);

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The first line that the ignored test `name` of this program writes past the harness. The test is ended then.
pub(crate) fn first_line_of(name: &str) -> String {
    let mut hanging = Watched(
        Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", name])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let told = hanging.0.stderr.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(told).read_line(&mut line);
        // Nobody listens any more if it took too long.
        _ = sender.send(read.map(|_| line));
    });
    let line = match receiver.recv_timeout(PATIENCE) {
        Ok(line) => line.unwrap(),
        Err(_) => panic!("{name} said nothing for {PATIENCE:?}"),
    };
    assert!(!line.is_empty(), "{name} ended and said nothing");
    line
}
