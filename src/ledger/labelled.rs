//! Small files of `name: value` lines under a title, with a sum at their end: a letter changed on paper or on
//! a disk is told from a wrong key or passphrase.

use zeroize::Zeroizing;

use crate::model::Digest;

/// A file is a few lines; more is not one of ours.
pub(super) const FILE_BYTES_MAX: usize = 4096;
const SUM: &str = "sum: ";

/// Writes the lines and their sum.
pub(super) fn write(title: &str, lines: &[(&str, &str)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("{title}\n"));
    for (name, value) in lines {
        for part in [*name, ": ", *value, "\n"] {
            text.push_str(part);
        }
    }
    let sum = Digest::of(text.as_bytes()).hex();
    text.push_str(SUM);
    text.push_str(&sum);
    text.push('\n');
    text
}

/// The values of just these names, in this order; `None` if anything is not as [`write`] wrote it.
pub(super) fn read<'t, const N: usize>(title: &str, names: [&str; N], text: &'t str) -> Option<[&'t str; N]> {
    let (body, sum) = text.rsplit_once(SUM)?;
    if text.len() > FILE_BYTES_MAX || Digest::of(body.as_bytes()).hex() != sum.trim_end() {
        return None;
    }
    let mut lines = body.strip_prefix(title)?.strip_prefix('\n')?.lines();
    let mut out = [""; N];
    for (to, name) in out.iter_mut().zip(names) {
        *to = lines.next()?.strip_prefix(name)?.strip_prefix(": ")?;
    }
    lines.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_as_they_were_written_and_not_otherwise() {
        let text = write("title v1", &[("one", "1"), ("two", "a b")]);
        assert_eq!(read("title v1", ["one", "two"], &text), Some(["1", "a b"]));
        assert_eq!(read("title v1", ["one"], &text), None);
        assert_eq!(read("title v1", ["one", "three"], &text), None);
        assert_eq!(read("title v2", ["one", "two"], &text), None);
        assert_eq!(read("title v1", ["one", "two"], &text.replace("a b", "a c")), None);
        assert_eq!(read("title v1", ["one", "two"], ""), None);
    }
}
