use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn parse(text: &[u8]) -> Result<Document, JsonFault> {
    Document::parse(Bytes::copy_from_slice(text), 64)
}

fn fault(text: &[u8]) -> JsonFaultKind {
    parse(text).expect_err("refused").kind
}

#[test]
fn what_another_reader_might_read_otherwise_is_refused() {
    use JsonFaultKind::*;
    let cases: &[(&[u8], JsonFaultKind)] = &[
        (br#"{"a":1,"a":2}"#, DuplicateKey),
        (br#"{"a":1,"b":2,"c":3,"a":4}"#, DuplicateKey),
        (br#"{"a":1,"\u0061":2}"#, DuplicateKey),
        (br#"[{"x":{"a/b":1,"a\/b":2}}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2},{"a":1,"b":2,"a":3}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2},{"b":1,"a":2,"b":3}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2,"c":3},{"a":1,"c":2,"c":3}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2,"c":3},{"a":1,"c":2,"b":3,"c":4}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2},{"a":1,"\u0061":2,"b":3}]"#, DuplicateKey),
        (br#"[{"a":1,"\u0062":2},{"b":1,"a":2,"\u0062":3}]"#, DuplicateKey),
        (br#"[{"a":{"x":1,"y":2}},{"a":{"x":1,"y":2,"x":3}}]"#, DuplicateKey),
        (br#"[{"a":[{"x":1}]},{"a":[{"x":1},{"x":1,"x":2}]}]"#, DuplicateKey),
        (br#"[{"a":1,"b":2},{"a":1,"b"2}]"#, Syntax),
        (br#"[{"a":1,"b":2},{"a":1,"b":}]"#, Syntax),
        (br#"[{"a":1,"b":2},{"a":1,,"b":2}]"#, Syntax),
        (br#"[{"a":1,"b":2},{"a":1 "b":2}]"#, Syntax),
        (br#"[{"a":1,"b":2},{"a":1,"b":"#, Syntax),
        (b"\xef\xbb\xbf{}", Syntax),
        (b"\"\xff\"", Utf8),
        (b"\"\xed\xa0\x80\"", Utf8),
        (br#""\ud800""#, LoneSurrogate),
        (br#""\udc00\ud800""#, LoneSurrogate),
        (br#""\ud800\u0041""#, LoneSurrogate),
        (b"\"a\nb\"", Syntax),
        (b"\"0123456789\x00\"", Syntax),
        (b"01", Number),
        (b"-", Number),
        (b"1.", Number),
        (b"1e", Number),
        (b"1e400", Number),
        (b"{} {}", TrailingBytes),
        (b"1 2", TrailingBytes),
        (b"", Syntax),
        (b"{", Syntax),
        (b"[1,]", Syntax),
        (b"{\"a\":1,}", Syntax),
        (b"{\"a\"}", Syntax),
        (b"[1}", Syntax),
        (b"nul", Syntax),
        (b"+1", Syntax),
        (b".5", Syntax),
        (b"NaN", Syntax),
        (b"'a'", Syntax),
        (b"\"\\x\"", Syntax),
        (b"\"\\", Syntax),
        (b"\"\\u12", Syntax),
    ];
    for (text, kind) in cases {
        assert_eq!(fault(text), *kind, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn depth_is_bounded_and_never_uses_the_stack() {
    let deep = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(parse(deep(64).as_bytes()).is_ok());
    assert_eq!(fault(deep(65).as_bytes()), JsonFaultKind::TooDeep);
    assert_eq!(fault("[".repeat(1_000_000).as_bytes()), JsonFaultKind::TooDeep);
    assert!(Document::parse(Bytes::from_static(b"1"), 0).is_ok());
}

#[test]
fn many_names_are_told_apart_and_a_late_double_is_found() {
    let names: Vec<String> = (0..1_000).map(|n| format!("\"n{n}\":{n}")).collect();
    assert_eq!(parse(format!("{{{}}}", names.join(",")).as_bytes()).unwrap().root().len(), 1_000);
    let double = format!("{{{},\"n7\":0}}", names.join(","));
    assert_eq!(fault(double.as_bytes()), JsonFaultKind::DuplicateKey);
}

#[test]
fn numbers_keep_their_exact_text() {
    let document = parse(b"[1.10, 123456789012345678901234567890, -0, 1E2, 7]").unwrap();
    let raw: Vec<&str> = document.root().items().filter_map(|node| node.number_text()).collect();
    assert_eq!(raw, ["1.10", "123456789012345678901234567890", "-0", "1E2", "7"]);
    let whole: Vec<Option<i64>> = document.root().items().map(|node| node.integer()).collect();
    assert_eq!(whole, [None, None, Some(0), None, Some(7)]);
}

#[test]
fn a_pointer_follows_rfc_6901() {
    let document = parse(br#"{"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"\u006b":{"0":9}}"#).unwrap();
    let at = |pointer: &str| document.root().pointer(pointer).map(|node| node.raw());
    assert_eq!(at(""), Some(&document.bytes()[..]));
    assert_eq!(at("/foo/0"), Some(&b"\"bar\""[..]));
    assert_eq!(at("/"), Some(&b"0"[..]));
    assert_eq!(at("/a~1b"), Some(&b"1"[..]));
    assert_eq!(at("/m~0n"), Some(&b"8"[..]));
    assert_eq!(at("/k/0"), Some(&b"9"[..]));
    for nowhere in ["foo", "/foo/01", "/foo/2", "/foo/-", "/foo/+1", "/foo/", "/m~n", "/m~2n", "/a~1b/x"] {
        assert_eq!(at(nowhere), None, "{nowhere}");
    }
}

#[test]
fn objects_of_one_shape_have_the_same_names_written_alike_up_to_the_value() {
    let text = br#"[{"a":1,"b":2},{"a":3,"b":4},{"a":1},{"a":5,"b":6},{"a":1,"b": 2},{"b":1,"a":2},{"\u0061":1,"b":2}]"#;
    let document = parse(text).unwrap();
    let rows: Vec<Node<'_>> = document.root().items().collect();
    let like_the_first: Vec<bool> = rows.iter().map(|row| row.shape() == rows[0].shape()).collect();
    assert_eq!(like_the_first, [true, true, false, true, false, false, false]);
    assert_eq!(rows.iter().map(Node::len).collect::<Vec<_>>(), [2, 2, 1, 2, 2, 2, 2]);
    for (name, value) in rows.iter().flat_map(Node::named) {
        let before = &text[..value.range().start];
        let head = &before[before.iter().rposition(|b| matches!(b, b'{' | b',')).unwrap() + 1..];
        assert!(name.is_written(head), "{}", String::from_utf8_lossy(head));
    }
}

#[test]
fn nothing_prints_a_value() {
    let document = parse(br#"{"chi":"0101019999"}"#).unwrap();
    let printed = format!("{document:?} {:?}", document.root());
    assert_eq!(printed, "Document(20 bytes) Node(object)");
}

/// Whether a document holds a name twice, found the slow way: serde_json keeps the last of two, so
/// that its reading has fewer members than the text has names.
fn members_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members_of).sum(),
        Value::Object(members) => members.len() + members.values().map(members_of).sum::<usize>(),
        _ => 0,
    }
}

/// Counts every member in the text, doubles included, by a visitor that keeps nothing.
struct Names(usize);

impl<'de> serde::Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;
        impl<'de> serde::de::Visitor<'de> for Count {
            type Value = Names;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("json")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_str<E>(self, _: &str) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_unit<E>(self) -> Result<Names, E> {
                Ok(Names(0))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                let mut sum = 0;
                while let Some(Names(below)) = seq.next_element()? {
                    sum += below;
                }
                Ok(Names(sum))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut sum = 0;
                while let Some((_, Names(below))) = map.next_entry::<String, Names>()? {
                    sum += 1 + below;
                }
                Ok(Names(sum))
            }
        }
        deserializer.deserialize_any(Count)
    }
}

fn value_of(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Bool(node.boolean().unwrap()),
        Kind::Number => serde_json::from_slice(node.raw()).unwrap(),
        Kind::String => Value::String(node.text().unwrap().into_owned()),
        Kind::Array => Value::Array(node.items().map(value_of).collect()),
        Kind::Object => {
            Value::Object(node.members().map(|(name, value)| (name.into_owned(), value_of(value))).collect())
        }
    }
}

fn agrees_with_serde_json(text: &[u8]) {
    let theirs: Option<Value> = serde_json::from_slice(text).ok();
    let doubled = || {
        let Names(names) = serde_json::from_slice(text).unwrap();
        names != members_of(theirs.as_ref().unwrap())
    };
    match parse(text) {
        Ok(document) => {
            let theirs = theirs.as_ref().expect("serde_json reads it too");
            assert_eq!(value_of(document.root()), *theirs);
            assert!(!doubled(), "a name is there twice");
            assert_eq!(
                document.root().len(),
                theirs.as_array().map_or_else(|| theirs.as_object().map_or(0, |o| o.len()), |a| a.len())
            );
        }
        Err(JsonFault { kind: JsonFaultKind::DuplicateKey, .. }) => {
            assert!(theirs.is_none() || doubled(), "no name is there twice");
        }
        Err(fault) => assert!(theirs.is_none(), "{fault} in {}", String::from_utf8_lossy(text)),
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        "[ -~]{0,12}",
        "\\PC{0,8}",
        proptest::collection::vec(any::<char>(), 0..20).prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// A string as somebody might write it: some characters escaped that need not be.
fn spelt() -> impl Strategy<Value = String> {
    (any_text(), any::<u64>()).prop_map(|(text, dice)| {
        let mut out = String::from("\"");
        for (index, c) in text.chars().enumerate() {
            if dice >> (index % 64) & 1 == 1 {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            } else {
                let whole = serde_json::to_string(&c.to_string()).unwrap();
                out.push_str(whole.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap());
            }
        }
        out + "\""
    })
}

/// What the rows of a table have in common, and how one of them is written.
#[derive(Debug)]
enum Row {
    Leaf,
    Object(Vec<(String, Row)>),
    List(Box<Row>),
}

impl Row {
    fn any(depth: u32) -> BoxedStrategy<Row> {
        let leaf = Just(()).prop_map(|()| Row::Leaf).boxed();
        if depth == 0 {
            return leaf;
        }
        // Lengths around those that a word or two decide, and names that begin or end alike.
        let name = "a|b|ab|x{0,3}|n[ab]{3}|mmmmm[ab]|mmmmmmmm[ab]|[ab]mmmmmmmmmmmm|mmmmmmmm[ab]mmmmmmmm|é";
        let member = (name, Row::any(depth - 1));
        prop_oneof![
            2 => leaf,
            3 => proptest::collection::vec(member, 0..6).prop_map(Row::Object),
            1 => Row::any(depth - 1).prop_map(|row| Row::List(Box::new(row))),
        ]
        .boxed()
    }

    fn write(&self, rng: &mut dyn FnMut(usize) -> usize, out: &mut String) {
        match self {
            Row::Leaf => out.push_str(["1", "null", "\"\"", "[]", "{}", "\"\\\"\"", "{\"a\":0}"][rng(7)]),
            Row::List(row) => {
                let count = rng(4);
                Row::write_all(&vec![&**row; count], ['[', ']'], rng, out, |row, rng, out| {
                    row.write(rng, out)
                });
            }
            Row::Object(members) => {
                let mut members: Vec<(String, &Row)> =
                    members.iter().map(|(name, row)| (name.clone(), row)).collect();
                Row::spoil(&mut members, rng);
                Row::write_all(&members, ['{', '}'], rng, out, |(name, row), rng, out| {
                    out.push_str(&format!("\"{name}\":"));
                    out.push_str(["", "", "", " "][rng(4)]);
                    row.write(rng, out);
                });
            }
        }
    }

    /// Most rows are alike; in others a name is missing, doubled, added, moved, or spelt with an escape.
    fn spoil(members: &mut Vec<(String, &Row)>, rng: &mut dyn FnMut(usize) -> usize) {
        let (what, at) = (rng(12), rng(members.len().max(1)));
        let Some(name) = members.get(at).map(|(name, _)| name.clone()) else { return };
        match what {
            0 => drop(members.remove(at)),
            1 => members.insert(rng(members.len() + 1), (name, &Row::Leaf)),
            2 => members.insert(rng(members.len() + 1), ("new".to_owned(), &Row::Leaf)),
            3 => members.swap(at, 0),
            4 | 5 => {
                let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
                let to = rng(members.len() + 1);
                if what == 4 { members[at].0 = escaped } else { members.insert(to, (escaped, &Row::Leaf)) }
            }
            _ => {}
        }
    }

    fn write_all<T>(
        all: &[T],
        brackets: [char; 2],
        rng: &mut dyn FnMut(usize) -> usize,
        out: &mut String,
        write: impl Fn(&T, &mut dyn FnMut(usize) -> usize, &mut String),
    ) {
        out.push(brackets[0]);
        for (at, one) in all.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { [",", ",", ", "][rng(3)] });
            write(one, rng, out);
        }
        out.push(brackets[1]);
    }
}

fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
        spelt(),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let blank = "[ \t\n\r]{0,2}";
        prop_oneof![
            (proptest::collection::vec(inner.clone(), 0..6), blank)
                .prop_map(|(items, blank)| format!("[{blank}{}{blank}]", items.join(&format!("{blank},")))),
            (proptest::collection::vec((spelt(), inner), 0..6), blank).prop_map(|(members, blank)| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value)| format!("{name}{blank}:{blank}{value}"))
                    .collect();
                format!("{{{blank}{}{blank}}}", members.join(&format!("{blank},")))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_is_read_as_serde_json_reads_it(text in document()) {
        agrees_with_serde_json(text.as_bytes());
    }

    #[test]
    fn rows_that_are_nearly_alike_are_read_as_serde_json_reads_them(
        row in Row::any(3),
        seed in any::<u64>(),
        breaks in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut state = seed;
        let mut rng = |sides| {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (z >> 33) as usize % sides
        };
        let mut text = String::from("[");
        for at in 0..4 {
            text.push_str(if at == 0 { "" } else { "," });
            row.write(&mut rng, &mut text);
        }
        let mut bytes = (text + "]").into_bytes();
        if let Some((at, byte)) = breaks {
            let at = at.index(bytes.len());
            bytes[at] = b"{}[]\",:\\ab \n\x00\xc3"[usize::from(byte) % 14];
        }
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn a_broken_document_is_refused_where_serde_json_refuses_it(
        text in document(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte, what) in edits {
            let at = at.index(bytes.len() + 1);
            let sign = b"{}[]\",:\\u0eE+-. \n\x00\x7f\xc3\xed"[usize::from(byte) % 21];
            match what {
                0 => bytes.insert(at, sign),
                1 if at < bytes.len() => bytes[at] = sign,
                2 if at < bytes.len() => { bytes.remove(at); }
                _ => bytes.truncate(at.max(1)),
            }
        }
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn any_bytes_at_all_are_read_as_serde_json_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        agrees_with_serde_json(&bytes);
    }

    #[test]
    fn a_string_reads_back_as_it_was_written(text in any_text()) {
        let mut out = Vec::new();
        write_string(&mut out, &text);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        assert_eq!(parse(&out).unwrap().root().text().unwrap(), text);
    }
}
