//! What leaves, as it is written. Whatever stands side by side in the source as well is copied in one
//! piece: what was written last may still be only a range of the source.

use std::ops::Range;

use crate::json::Node;

pub(super) struct Written<'d> {
    out: Vec<u8>,
    /// The source's document, and where that begins.
    source: &'d [u8],
    base: usize,
    /// Comes after `out`, and is to be copied to it: a range of `source`.
    from: usize,
    to: usize,
}

impl<'d> Written<'d> {
    /// Nothing yet, to be copied from within `document`.
    pub fn new(document: Node<'d>) -> Self {
        let source = document.raw();
        Self { out: Vec::with_capacity(source.len()), source, base: document.range().start, from: 0, to: 0 }
    }

    /// Writes this text.
    #[inline]
    pub fn put(&mut self, text: &[u8]) {
        // Where the source goes on with the same bytes, they are copied from there.
        if self.source.get(self.to..).is_some_and(|rest| rest.starts_with(text)) {
            self.to += text.len();
        } else {
            self.plain().extend_from_slice(text);
        }
    }

    /// Writes this sign.
    #[inline]
    pub fn sign(&mut self, sign: u8) {
        if self.source.get(self.to) == Some(&sign) {
            self.to += 1;
        } else {
            self.plain().push(sign);
        }
    }

    /// Writes a value of the document as it is.
    #[inline]
    pub fn keep(&mut self, value: Node<'d>) {
        let Range { start, end } = value.range();
        self.keep_range(start - self.base, end - start);
    }

    /// Writes `,` unless this is the first, the `head` bytes that stand before `value` in the source, and the
    /// value itself if it is to stay `whole`.
    #[inline]
    pub fn keep_member(&mut self, head: usize, value: Node<'d>, first: bool, whole: bool) {
        let Range { start, end } = value.range();
        let at = (start - self.base).saturating_sub(head);
        let length = head + if whole { end - start } else { 0 };
        match at.checked_sub(1).filter(|comma| !first && self.source.get(*comma) == Some(&b',')) {
            Some(comma) => self.keep_range(comma, length + 1),
            None => {
                if !first {
                    self.sign(b',');
                }
                self.keep_range(at, length);
            }
        }
    }

    #[inline]
    fn keep_range(&mut self, at: usize, length: usize) {
        if at != self.to {
            self.copy();
            self.from = at;
        }
        self.to = at + length;
    }

    /// What is written, all copied, for those who write more.
    pub fn plain(&mut self) -> &mut Vec<u8> {
        self.copy();
        &mut self.out
    }

    fn copy(&mut self) {
        self.out.extend_from_slice(self.source.get(self.from..self.to).unwrap_or_default());
        self.from = self.to;
    }
}
