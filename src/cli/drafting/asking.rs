//! Putting one question after the other, at a terminal or to a pipe.

use std::io::{self, BufRead, Write};

use crate::desk::drafting::{QUESTIONS_MAX, Question, Sheet, Step};
use crate::model::{Fault, Faults};

/// More than any answer: a line that goes on is none.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;
const WIDTH: usize = 100;
/// What fits a screen or two; a federation may have hundreds of members.
const CHOICES_MAX: usize = 60;

const HEAD: &str = "\
Answer with words, or with the numbers of what is listed; an empty line takes what stands in brackets; `?` explains.
Nothing is written before the last answer, and Ctrl-C leaves everything as it is.";

/// Who answers.
pub(super) trait Answering {
    /// What is answered; `None` where there is no answer and the fault is kept.
    fn answer(&mut self, question: &Question, number: usize) -> Result<Option<String>, Faults>;

    /// What an answer does not allow. `Ok` asks again, or goes on without it where `answer` said `None`.
    fn refuse(&mut self, question: &Question, number: usize, faults: Vec<Fault>) -> Result<Again, Faults>;

    /// Whether something is wrong already, so that what follows from it need not be asked.
    fn has_faults(&self) -> bool;
}

/// What becomes of a question whose answer would not do.
pub(super) enum Again {
    Ask,
    GoOn,
}

/// The sheet with every answer, and how many questions there were.
pub(super) fn ask<'g>(
    mut sheet: Sheet<'g>,
    answering: &mut dyn Answering,
) -> Result<(Sheet<'g>, usize), Faults> {
    let mut number = 0;
    for step in Step::ALL {
        // What the law has to be hangs on every answer before.
        if step == Step::ProviderLaw && answering.has_faults() {
            break;
        }
        let Some(question) = sheet.question(step) else { continue };
        number += 1;
        if number > QUESTIONS_MAX {
            let message = format!("more than {QUESTIONS_MAX} questions: please report this");
            return Err(Fault::new(question.key, None, message).into());
        }
        while let Some(given) = answering.answer(&question, number)? {
            match sheet.answered(step, &given) {
                Ok(next) => {
                    sheet = next;
                    break;
                }
                Err(faults) => match answering.refuse(&question, number, faults)? {
                    Again::Ask => {}
                    Again::GoOn => break,
                },
            }
        }
    }
    Ok((sheet, number))
}

/// Lines of standard input: at a terminal a wrong one is asked for again, from a pipe it ends the command.
pub(super) struct Typed<'i> {
    input: &'i mut dyn BufRead,
    prompts: &'i mut dyn Write,
    terminal: bool,
}

impl<'i> Typed<'i> {
    pub(super) fn new(input: &'i mut dyn BufRead, prompts: &'i mut dyn Write, terminal: bool) -> Self {
        Self { input, prompts, terminal }
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let read = io::Read::take(&mut *self.input, ANSWER_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
        Ok(Some(text.trim().to_owned()))
    }

    fn show(&mut self, question: &Question, number: usize) -> io::Result<()> {
        if number == 1 {
            writeln!(self.prompts, "{HEAD}")?;
        }
        writeln!(self.prompts, "\nQuestion {number} of at most {QUESTIONS_MAX}: {}", question.asks)?;
        let (first, _) = question.help.split_once(". ").unwrap_or((question.help, ""));
        self.paragraph(&format!("{}.", first.trim_end_matches('.')))?;
        let width = question.choices.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (index, (name, words)) in question.choices.iter().take(CHOICES_MAX).enumerate() {
            writeln!(self.prompts, "  {:>3}  {name:width$}  {words}", index + 1)?;
        }
        if let Some(more) = question.choices.len().checked_sub(CHOICES_MAX).filter(|more| *more > 0) {
            writeln!(self.prompts, "       and {more} more")?;
        }
        Ok(())
    }

    fn paragraph(&mut self, text: &str) -> io::Result<()> {
        let mut line = String::from(" ");
        for word in text.split_whitespace() {
            if line.chars().count() + word.chars().count() >= WIDTH {
                writeln!(self.prompts, "{line}")?;
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(self.prompts, "{line}")
    }

    fn prompt(&mut self, question: &Question) -> io::Result<()> {
        match &question.default {
            Some(default) => write!(self.prompts, "[{default}] > ")?,
            None => write!(self.prompts, "> ")?,
        }
        self.prompts.flush()
    }

    fn asked(&mut self, question: &Question, number: usize) -> io::Result<Option<String>> {
        self.show(question, number)?;
        loop {
            self.prompt(question)?;
            let Some(line) = self.line()? else { return Ok(None) };
            match (line.as_str(), &question.default) {
                ("?", _) => self.paragraph(question.help)?,
                ("", Some(default)) => return Ok(Some(default.clone())),
                ("", None) if self.terminal => {
                    writeln!(self.prompts, "  an answer is needed here; `?` says more")?
                }
                _ => return Ok(Some(question.named(&line))),
            }
        }
    }
}

impl Answering for Typed<'_> {
    fn answer(&mut self, question: &Question, number: usize) -> Result<Option<String>, Faults> {
        let at = |why: String| Faults::from(Fault::new(place(question, number), None, why));
        match self.asked(question, number) {
            Ok(Some(answer)) => Ok(Some(answer)),
            Ok(None) => Err(at("the answers ended here, and nothing is written".to_owned())),
            Err(error) => Err(at(format!("the answer could not be read: {error}"))),
        }
    }

    fn refuse(&mut self, question: &Question, number: usize, faults: Vec<Fault>) -> Result<Again, Faults> {
        if !self.terminal {
            let faults =
                faults.into_iter().map(|fault| Fault { file: place(question, number), line: None, ..fault });
            return Err(Faults(faults.collect()));
        }
        for Fault { message, help, .. } in faults {
            // What a terminal does not take is its own end.
            let _ = writeln!(self.prompts, "  No: {message}");
            help.into_iter().for_each(|help| {
                let _ = writeln!(self.prompts, "      {help}");
            });
        }
        Ok(Again::Ask)
    }

    fn has_faults(&self) -> bool {
        false
    }
}

fn place(question: &Question, number: usize) -> String {
    format!("question {number} ({})", question.key)
}
