//! HTTP/2 by hand (RFC 9113): frames as bytes, right or wrong, and what comes back. Header blocks are written as
//! literals that use no table (RFC 7541 section 6.2.2); of answers only the bodies are read.

use std::collections::BTreeMap;
use std::time::Duration;

use super::line::RawLine;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITISED: u8 = 32;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// What a client says first: the preface and settings (pairs of id and value).
pub fn opening(settings: &[(u16, u32)]) -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &pairs(settings))].concat()
}

pub fn pairs(settings: &[(u16, u32)]) -> Vec<u8> {
    settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect()
}

pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        text(&mut out, name.as_bytes());
        text(&mut out, value.as_bytes());
    }
    out
}

/// A string without Huffman's code, its length in seven bits and as many bytes more as it takes.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() < 127 {
        out.push(u8::try_from(bytes.len()).unwrap());
    } else {
        out.push(127);
        let mut left = bytes.len() - 127;
        while left >= 128 {
            out.push(u8::try_from(left % 128).unwrap() | 128);
            left /= 128;
        }
        out.push(u8::try_from(left).unwrap());
    }
    out.extend_from_slice(bytes);
}

/// What a gateway said on one connection.
#[derive(Debug, Default)]
pub struct Told {
    pub bodies: BTreeMap<u32, Vec<u8>>,
    pub answered: Vec<u32>,
    pub ended: Vec<u32>,
    pub reset: Vec<(u32, u32)>,
    pub goaway: Option<u32>,
    pub closed: bool,
    pub pings: usize,
}

impl Told {
    /// What became of a stream, as a row of a table says it.
    pub fn of(&self, stream: u32) -> String {
        if self.ended.contains(&stream) {
            let Some(body) = self.bodies.get(&stream).filter(|body| !body.is_empty()) else {
                return "bare".to_owned();
            };
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            return match body["code"].as_str() {
                Some(code) => format!("{} {code}", body["status"]),
                None => "200 answered".to_owned(),
            };
        }
        match (self.reset.iter().any(|(reset, _)| *reset == stream), self.goaway, self.closed) {
            (true, ..) => "reset".to_owned(),
            (false, Some(_), _) => "goaway".to_owned(),
            (false, None, true) => "closed".to_owned(),
            (false, None, false) => "nothing".to_owned(),
        }
    }
}

/// Reads frames until each of `streams` has ended, or the connection has, or nothing comes for `quiet`.
pub fn read(line: &mut RawLine, streams: &[u32], quiet: Duration) -> Told {
    let mut told = Told::default();
    let mut held: Vec<u8> = Vec::new();
    loop {
        while held.len() >= 9 {
            let length = usize::from(held[0]) << 16 | usize::from(held[1]) << 8 | usize::from(held[2]);
            if held.len() < 9 + length {
                break;
            }
            let rest = held.split_off(9 + length);
            note(&mut told, &held);
            held = rest;
        }
        let over =
            |stream: &u32| told.ended.contains(stream) || told.reset.iter().any(|(reset, _)| reset == stream);
        if told.goaway.is_some() || streams.iter().all(over) {
            return told;
        }
        match line.some_within(quiet) {
            Some(Some(more)) => held.extend(more),
            Some(None) => {
                told.closed = true;
                return told;
            }
            None => return told,
        }
    }
}

fn note(told: &mut Told, frame: &[u8]) {
    let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    let (kind, flags, stream) = (frame[3], frame[4], number(5));
    match kind {
        DATA => told.bodies.entry(stream).or_default().extend_from_slice(&frame[9..]),
        HEADERS => told.answered.push(stream),
        RST_STREAM => told.reset.push((stream, number(9))),
        GOAWAY => told.goaway = Some(number(13)),
        PING => told.pings += 1,
        _ => {}
    }
    if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
        told.ended.push(stream);
    }
}
