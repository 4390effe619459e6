//! Asking for a password or passphrase: never an argument, because arguments are seen by everybody on the
//! machine and kept in the shell's history.

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::model::Secret;

/// More than any password.
const BYTES_MAX: u64 = 1024;

/// Why there is none.
#[derive(Debug)]
pub enum PassphraseFault {
    Unread {
        from: &'static str,
        error: io::Error,
    },
    /// What was typed twice differs.
    NotTheSame,
}

impl std::fmt::Display for PassphraseFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unread { from, error } => write!(f, "{from}: it could not be read: {error}"),
            Self::NotTheSame => f.write_str("what was typed the second time is not the same"),
        }
    }
}

impl std::error::Error for PassphraseFault {}

/// A new one, typed twice; or one there is, typed once; or, where nobody sits at a terminal, the first line of
/// standard input.
pub fn ask(question: &str, is_new: bool) -> Result<Secret, PassphraseFault> {
    if !io::stdin().is_terminal() {
        let mut input = io::BufReader::new(io::stdin().take(BYTES_MAX));
        let unread = |error| PassphraseFault::Unread { from: "standard input", error };
        return first_line(&mut input).map_err(unread);
    }
    let typed =
        |question| prompt(question).map_err(|error| PassphraseFault::Unread { from: "the prompt", error });
    let first = typed(question)?;
    if is_new && typed("The same again: ")?.reveal() != first.reveal() {
        return Err(PassphraseFault::NotTheSame);
    }
    Ok(first)
}

/// The first line of a file.
pub fn of_file(path: &std::path::Path) -> io::Result<Secret> {
    first_line(&mut io::BufReader::new(std::fs::File::open(path)?.take(BYTES_MAX)))
}

fn first_line(input: &mut dyn BufRead) -> io::Result<Secret> {
    let mut line = Zeroizing::new(String::new());
    input.read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Asks on the terminal without showing what is typed.
fn prompt(question: &str) -> io::Result<Secret> {
    let stdin = io::stdin();
    io::stderr().write_all(question.as_bytes())?;
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let typed = first_line(&mut stdin.lock());
    tcsetattr(&stdin, OptionalActions::Flush, &before)?;
    io::stderr().write_all(b"\n")?;
    typed
}
