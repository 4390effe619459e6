//! The built `tolbooth` itself, as a process: what only a process has (signals, an exit code, a log on
//! its standard error).

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use super::until;

pub const TOLBOOTH: &str = env!("CARGO_BIN_EXE_tolbooth");

pub struct Served {
    child: Child,
    log: Arc<Mutex<String>>,
    pub partners: SocketAddr,
    pub local: SocketAddr,
}

impl Served {
    /// Runs `tolbooth serve` and waits until it says where it listens, which it does at level info.
    pub fn start(configuration: &Path) -> Self {
        let text = std::fs::read_to_string(configuration).unwrap();
        std::fs::write(configuration, text.replace("level = \"warn\"", "level = \"info\"")).unwrap();
        let mut child = Command::new(TOLBOOTH)
            .args(["serve", "--config"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let read = Arc::clone(&log);
        let (partners, local) = until("the gateway serves", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", read.lock().unwrap());
            addresses(&read.lock().unwrap())
        });
        Self { child, log, partners, local }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap())
    }
}

/// From the line `serving partners=127.0.0.1:1 local=127.0.0.1:2`.
fn addresses(log: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line = log.lines().find(|line| line.contains("serving partners="))?;
    let value = |name: &str| line.split(name).nth(1)?.split_whitespace().next()?.parse().ok();
    Some((value("partners=")?, value("local=")?))
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}
