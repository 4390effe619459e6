//! A value of some KiB as the store keeps it, under a tag of ours; and numbers as they are written in it.
//!
//! The tag is what lets a miss be believed: whoever can write the store, but does not hold the key, cannot make
//! one that leaves a record out.

use super::term::IndexKey;
use super::{Batch, StoreError};

const TAG_BYTES: usize = 16;

/// Puts `body` into the batch under its tag. Gives how many bytes that is.
pub(super) fn put(batch: &mut Batch, key: &IndexKey, space: u8, name: &[u8], body: &[u8]) -> usize {
    let mut value = Vec::with_capacity(TAG_BYTES + body.len());
    value.extend(key.tag(&[&[space], name, body]).iter().take(TAG_BYTES));
    value.extend_from_slice(body);
    batch.put(space, name, &value);
    name.len() + value.len()
}

/// The body of a value that is what was put there.
pub(super) fn open<'v>(
    key: &IndexKey,
    space: u8,
    name: &[u8],
    value: &'v [u8],
) -> Result<&'v [u8], StoreError> {
    let (tag, body) = value.split_first_chunk::<TAG_BYTES>().ok_or(StoreError::Damaged)?;
    let made = key.tag(&[&[space], name, body]);
    if made.starts_with(tag) { Ok(body) } else { Err(StoreError::Damaged) }
}

/// Seven bits a byte, lowest first; the high bit says that more follow.
pub(super) fn push(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads what [`push`] wrote, and moves behind it.
pub(super) fn take(from: &mut &[u8]) -> Result<u64, StoreError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(from)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(StoreError::Damaged)
}

fn take_byte(from: &mut &[u8]) -> Result<u8, StoreError> {
    let (byte, rest) = from.split_first().ok_or(StoreError::Damaged)?;
    *from = rest;
    Ok(*byte)
}

/// The next bytes, and moves behind them.
pub(super) fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], StoreError> {
    let (array, rest) = from.split_first_chunk::<N>().ok_or(StoreError::Damaged)?;
    *from = rest;
    Ok(*array)
}

/// The next bytes, as long as is said, and moves behind them.
pub(super) fn take_bytes<'b>(from: &mut &'b [u8], count: u64) -> Result<&'b [u8], StoreError> {
    let count = usize::try_from(count).map_err(|_| StoreError::Damaged)?;
    let (bytes, rest) = from.split_at_checked(count).ok_or(StoreError::Damaged)?;
    *from = rest;
    Ok(bytes)
}
