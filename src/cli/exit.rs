//! How a command ends (design 6): the process exit code.

/// Documented codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Yes = 0,
    No = 1,
    Usage = 2,
    Undecided = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
