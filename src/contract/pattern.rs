//! Texts that match a pattern, for examples: the shortest the pattern allows, or a little longer.
//! Which characters a class gives depends on the variant alone, so that the same contract always gives
//! the same examples.

use regex_syntax::hir::{Class, Hir, HirKind};

/// What one text may grow to; a pattern that wants more gets examples from the contract's author.
const CHARS_MAX: usize = 512;

/// A text meant to match `pattern`, with `more` repetitions than are needed. Whether it does match is the
/// caller's to check: look-arounds of words are not thought about here.
pub(super) fn text_of(pattern: &str, variant: usize, more: u32) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut writer = Writer { out: String::new(), chars: 0, variant, more };
    writer.write(&hir)?;
    Some(writer.out)
}

struct Writer {
    out: String,
    chars: usize,
    variant: usize,
    more: u32,
}

impl Writer {
    /// `None` where nothing matches, or the text would be too long.
    fn write(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(()),
            HirKind::Literal(literal) => {
                std::str::from_utf8(&literal.0).ok()?.chars().try_for_each(|c| self.put(c))
            }
            HirKind::Class(class) => {
                let picked = pick(class, self.variant + self.chars)?;
                self.put(picked)
            }
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part)),
            HirKind::Alternation(any) => {
                let chosen = any.iter().cycle().nth(self.variant % any.len().max(1))?;
                self.write(chosen)
            }
            HirKind::Repetition(repetition) => {
                let wanted = repetition.min.saturating_add(self.more);
                let times = repetition.max.map_or(wanted, |max| wanted.min(max));
                (0..times).try_for_each(|_| self.write(&repetition.sub))
            }
        }
    }

    fn put(&mut self, c: char) -> Option<()> {
        self.chars += 1;
        self.out.push(c);
        (self.chars <= CHARS_MAX).then_some(())
    }
}

/// One character of a class: a digit or capital where there is one, for people to read.
fn pick(class: &Class, turn: usize) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    const READABLE: [(u32, u32); 3] =
        [('0' as u32, '9' as u32), ('A' as u32, 'Z' as u32), ('a' as u32, 'z' as u32)];
    let within = |low: u32, high: u32| {
        ranges.iter().map(move |(from, to)| ((*from).max(low), (*to).min(high))).find(|(from, to)| from <= to)
    };
    let (from, to) = READABLE
        .iter()
        .find_map(|(low, high)| within(*low, *high))
        .or_else(|| within(0x20, 0x7e))
        .or_else(|| ranges.first().copied())?;
    let width = usize::try_from(to - from).ok()?.saturating_add(1);
    let step = u32::try_from(turn % width).ok()?;
    char::from_u32(from + step).or_else(|| char::from_u32(from))
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn what_is_made_matches() {
        for pattern in [
            "^[0-9]{10}$",
            "^TX-[0-9]{4}$",
            "^[A-Z]{1,2}[0-9][0-9A-Z]?( [0-9][A-Z]{2})?$",
            "^(valid|expired)$",
            "^[^a-z]+$",
            "\\d{3}-\\w+",
            "^(?:a|b){2,}x*$",
            "^[\\p{L}' -]{3,}$",
        ] {
            let wanted = regex::Regex::new(pattern).unwrap();
            for variant in 0..12 {
                for more in [0, 3] {
                    let text = text_of(pattern, variant, more).unwrap();
                    assert!(wanted.is_match(&text), "{pattern}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_without_bounds_worth_making_gives_nothing() {
        assert_eq!(text_of("^x{600}$", 0, 0), None);
        assert_eq!(text_of("[a&&b]", 0, 0), None);
    }
}
