//! File systems of a test's own: ext4 in a file on a loop device, and a tmpfs of few bytes or names. They need root
//! and a kernel that has them; where that is not so a test says loudly that it was skipped. Unmounted when dropped,
//! also after a failure.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says past the capture of test output that something was not shown here, and why.
pub fn skipped(test: &str, why: &str) {
    let _told = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// A mounted file system.
pub struct Mounted(PathBuf);

impl Mounted {
    fn mount(options: &str, kind: &str, what: &Path, at: &Path) -> Result<Self, String> {
        let arguments = ["-t", kind, "-o", options].map(std::ffi::OsStr::new);
        run("mount", &[&arguments[..], &[what.as_os_str(), at.as_os_str()]].concat())?;
        Ok(Self(at.to_owned()))
    }

    /// A tmpfs that holds so many bytes and names.
    pub fn tmpfs(at: &Path, bytes: u64, names: u64) -> Result<Self, String> {
        let options = format!("size={bytes},nr_inodes={names},mode=700");
        Self::mount(&options, "tmpfs", Path::new("tolbooth-test"), at)
    }

    /// More bytes and names for the same tmpfs.
    pub fn grow(&self, bytes: u64, names: u64) {
        let options = format!("remount,size={bytes},nr_inodes={names}");
        let arguments = ["-o", &options].map(std::ffi::OsStr::new);
        run("mount", &[&arguments[..], &[self.0.as_os_str()]].concat()).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A process that was killed may hold it for a moment more.
        for _ in 0..200 {
            if run("umount", &[self.0.as_os_str()]).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _detached = run("umount", &["-l".as_ref(), self.0.as_os_str()]);
    }
}

/// A disk: ext4 in a file.
pub struct Image(PathBuf);

impl Image {
    /// A new one with a copy of a directory in it.
    pub fn holding(directory: &Path, file: PathBuf, bytes: u64) -> Result<Self, String> {
        std::fs::File::create(&file)
            .and_then(|made| made.set_len(bytes))
            .map_err(|error| error.to_string())?;
        let options = ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d"];
        let options = options.map(std::ffi::OsStr::new);
        run("mkfs.ext4", &[&options[..], &[directory.as_os_str(), file.as_os_str()]].concat())?;
        Ok(Self(file))
    }

    pub fn file(&self) -> &Path {
        &self.0
    }

    /// Mounting replays the file system's own journal, as after a power cut.
    pub fn mount(&self, at: &Path) -> Result<Mounted, String> {
        Mounted::mount("loop", "ext4", &self.0, at)
    }

    /// What the disk holds at this moment, as another disk. It is read until two readings agree: then nothing was
    /// written between them, and both are what one power cut would have left.
    pub fn copy(&self, to: PathBuf) -> Self {
        let mut before = std::fs::read(&self.0).unwrap();
        loop {
            let again = std::fs::read(&self.0).unwrap();
            if again == before {
                std::fs::write(&to, again).unwrap();
                return Self(to);
            }
            before = again;
        }
    }
}
