//! A site's gateway in this process, so that a test can also reach its parts.

use tolbooth::app::{self, Running};
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::ledger::Ledger;

use super::partner::Partner;
use super::site::Site;

pub struct Here {
    pub site: Site,
    running: Option<Running>,
}

impl Here {
    /// Not started yet.
    pub fn new(site: Site) -> Self {
        Self { site, running: None }
    }

    pub fn start(site: Site) -> Self {
        let mut here = Self::new(site);
        here.restart();
        here
    }

    /// Stops in good order, if it runs, and starts anew.
    pub fn restart(&mut self) {
        self.stop();
        let configuration = config::load(&self.site.trial.configuration).unwrap();
        self.running = Some(app::start(configuration, Clock::new().unwrap()).unwrap());
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.join();
        }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn ledger(&self) -> &Ledger {
        &self.running().app.ledger
    }

    pub fn nhs(&self) -> Partner {
        Partner::new(&self.site.trial.ca, &self.site.trial.nhs, self.running().partners)
    }

    pub fn police(&self) -> Partner {
        Partner::new(&self.site.trial.ca, &self.site.trial.police, self.running().partners)
    }

    /// The local listener's answer: status and body.
    pub fn local(&self, path: &str) -> (u16, String) {
        super::gateway::local(self.running().local, path)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.stop();
    }
}
