//! A gateway as a process of its own: the real binary, ended as the kernel ends processes.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::partner::Partner;
use super::site::{Site, tolbooth};

pub struct Served {
    child: Child,
    pub partners: SocketAddr,
    pub local: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    /// Starts a site's gateway and waits until it serves.
    pub fn start(site: &Site) -> Self {
        Self::start_with(site, &[]).unwrap_or_else(|log| panic!("it ended: {log:?}"))
    }

    /// As [`start`](Self::start), with these in its environment; its log if it ends instead.
    pub fn start_with(site: &Site, environment: &[(&str, PathBuf)]) -> Result<Self, Vec<Value>> {
        let mut served = Self::spawn(site, environment);
        let deadline = Instant::now() + Duration::from_secs(120);
        let serving = loop {
            assert!(Instant::now() < deadline, "it neither serves nor ends: {:?}", served.log());
            if let Some(line) = served.log().into_iter().find(|line| line["message"] == "serving") {
                break line;
            }
            if served.ended().is_some() {
                return Err(served.whole_log());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let address = |key: &str| serving[key].as_str().unwrap().parse().unwrap();
        (served.partners, served.local) = (address("partners"), address("local"));
        Ok(served)
    }

    /// Does not wait for anything.
    pub fn spawn(site: &Site, environment: &[(&str, PathBuf)]) -> Self {
        let mut command = tolbooth(&site.home);
        command.args(["serve", "--json"]).stdout(Stdio::null()).stderr(Stdio::piped());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let keeping = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                keeping.lock().unwrap().push(value);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { child, partners: nowhere, local: nowhere, log, reader: Some(reader) }
    }

    /// The exit code, if it has ended.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().unwrap().map(|status| status.code())
    }

    /// Its log to the end, once it has ended.
    pub fn whole_log(&mut self) -> Vec<Value> {
        self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.log()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines of its log so far.
    pub fn log(&self) -> Vec<Value> {
        self.log.lock().unwrap().clone()
    }

    /// The line of the log with this message, when it comes.
    pub fn wait_for_line(&mut self, message: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(line) = self.log().into_iter().find(|line| line["message"] == message) {
                return line;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn nhs(&self, site: &Site) -> Partner {
        Partner::new(&site.trial.ca, &site.trial.nhs, self.partners)
    }

    pub fn police(&self, site: &Site) -> Partner {
        Partner::new(&site.trial.ca, &site.trial.police, self.partners)
    }

    /// SIGKILL: no instruction of the process runs after it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
