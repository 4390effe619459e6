use super::fixtures::{Folder, HEAD, build, id, list, shown, single};
use super::{OnUnlisted, load};
use crate::model::{Effect, Operation};

const HTTP: &str = "[source]\nkind = \"http\"\nurl = \"http://127.0.0.1:9000\"\n";

#[test]
fn a_dataset_file_reads() {
    let text = format!("{HEAD}synthetic = true\non_unlisted = \"refuse\"\n{HTTP}");
    let file = load("d.toml", &text).unwrap();
    assert_eq!(file.dataset.as_str(), "records");
    assert!(file.synthetic);
    assert_eq!(file.on_unlisted, OnUnlisted::Refuse);
    let plain = load("d.toml", &format!("{HEAD}{HTTP}")).unwrap();
    assert!(!plain.synthetic, "nothing is synthetic unless it says so");
    assert_eq!(plain.on_unlisted, OnUnlisted::Drop);
}

#[test]
fn all_faults_of_a_file_come_at_once() {
    let text = "dataset = \"Records\"\ncontract = \"c.json\"\nowner = \" \"\nopenness = \"open\"\nsynthetc = true\n\
        [source]\nkind = \"http\"\nurl = \"ftp://x\"\ntimeout_ms = 0\nheaders = [{ name = \"host\", file = \"s\" }]\n\
        forward_headers = [\"cookie\", \"x-forwarded-for\"]\n\
        [[operation]]\nid = \"check\"\nmethod = \"FETCH\"\npath = \"a//b\"\nbody = { a = 2026-12-01 }\n\
        no_match = [\"status 500\", \"status 429\", \"status 200\", \"nothing\"]\ndocument = \"clients\"\n\
        rename = { a = \"\", \"b c\" = \"/x\" }\nheaders = { \"x y\" = \"1\", transfer-encoding = \"chunked\" }\n";
    let shown = shown(load("d.toml", text));
    for wanted in [
        "d.toml:1: `dataset`",
        "d.toml:3: `owner`: is empty",
        "open datasets are not possible yet",
        "unknown key `synthetc`",
        "`source.url`",
        "`source.timeout_ms`",
        "the header `host` is set by the gateway alone",
        "the caller's `cookie` is never forwarded",
        "the caller's `x-forwarded-for` is never forwarded",
        "`FETCH` is not",
        "a path begins with `/`",
        "JSON has no dates",
        "500 never means no match",
        "429 is a fault of the exchange",
        "200 never means no match",
        "write `status 404`",
        "`clients` is not a JSON Pointer",
        "the empty pointer",
        "`b c` is not a field",
        "`x y` is not a header name",
        "the header `transfer-encoding`",
    ] {
        assert!(shown.contains(wanted), "{wanted}\nin\n{shown}");
    }
}

#[test]
fn a_fault_in_the_kind_brings_no_others() {
    let text = format!("{HEAD}[source]\nkind = \"database\"\nurl = \"x\"\n[[operation]]\nid = \"check\"\n");
    assert_eq!(
        shown(load("d.toml", &text)),
        "d.toml:6: `source.kind`: `database` is not known here\n    one of: http, csv"
    );
}

#[test]
fn a_mapping_is_checked_against_the_contract() {
    let base = Folder::new();
    let question = ["chi! string key", "area string", "deep! object"];
    let operations =
        || vec![single("check", &question, &["name! string"]), list("all", &[], &["name! string"])];
    let text = format!(
        "{HTTP}[[operation]]\nid = \"check\"\nmethod = \"POST\"\npath = \"/c/{{area}}\"\n\
         query = {{ a = \"{{nmae}}\" }}\nbody = {{ d = \"{{deep}}\", l = [\"{{area}}\"] }}\nrename = {{ dob = \"/x\" }}\n\
         [[operation]]\nid = \"chekc\"\nmethod = \"GET\"\npath = \"/c\"\n\
         [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/{{chi}}\"\n"
    );
    let shown = shown(build(&text, operations(), &base));
    for wanted in [
        "`area` has to be required, and not null, to be used here",
        "the contract's question has no field `nmae`",
        "`deep` is not a single value",
        "the key `chi` of the question is not used",
        "d.toml:14: the contract's answer has no field `dob` to rename",
        "the contract has no operation `chekc`\n    did you mean `check`?",
        "operation `check` is here twice",
        "operation `all` of the contract has no [[operation]]",
    ] {
        assert!(shown.contains(wanted), "{wanted}\nin\n{shown}");
    }
    assert_eq!(shown.matches("has to be required").count(), 2, "{shown}");
}

#[test]
fn what_changes_something_is_told_by_its_idempotency_key() {
    let base = Folder::new();
    let operation = || {
        let reads = single("check", &["chi! string key"], &["name! string"]);
        vec![Operation { effect: Effect::Changes, ..reads }]
    };
    let with = |forward: &str| {
        format!(
            "{HTTP}forward_headers = [{forward}]\n\
             [[operation]]\nid = \"check\"\nmethod = \"POST\"\npath = \"/c/{{chi}}\"\n"
        )
    };
    let shown = shown(build(&with("\"x-request-id\""), operation(), &base));
    assert!(
        shown.starts_with(
            "d.toml:9: `check` changes something, and `forward_headers` does not list `idempotency-key`"
        ),
        "{shown}"
    );
    build(&with("\"Idempotency-Key\""), operation(), &base).unwrap();
}

#[test]
fn the_semantic_part_of_a_mapping_has_no_addresses() {
    let base = Folder::new();
    base.write("secret", "Bearer abc\n");
    let text = format!(
        "{HTTP}headers = [{{ name = \"authorization\", file = \"secret\" }}]\n\
         [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/c/{{chi}}\"\ndocument = \"/r\"\n\
         no_match = [\"status 404\", \"empty document\", \"status 410\"]\nrename = {{ dob = \"/born\" }}\n"
    );
    let source = build(&text, vec![single("check", &["chi! string"], &["dob! string"])], &base).unwrap();
    let mapping = source.mapping(&id("check")).unwrap();
    assert_eq!(mapping.document, "/r");
    assert_eq!(mapping.no_match, ["an empty document", "status 404", "status 410"]);
    assert_eq!(mapping.renames.len(), 1);
    assert!(source.mapping(&id("other")).is_none());
}

#[test]
fn a_secret_is_one_line_from_a_file_that_is_there() {
    let base = Folder::new();
    let text = format!(
        "{HTTP}headers = [{{ name = \"authorization\", file = \"secret\" }}]\n\
         [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/c/{{chi}}\"\n"
    );
    let operations = || vec![single("check", &["chi! string"], &["dob! string"])];
    assert!(shown(build(&text, operations(), &base)).contains("`secret`"));
    for bad in ["", "\n", "two\nlines", "caf\u{e9}"] {
        base.write("secret", bad);
        let shown = shown(build(&text, operations(), &base));
        assert!(shown.contains("one line of visible ASCII"), "{shown}");
        assert!(bad.trim().is_empty() || !shown.contains(bad));
    }
}

#[test]
fn a_header_is_set_once() {
    let text = format!(
        "{HEAD}{HTTP}headers = [{{ name = \"x-a\", file = \"s\" }}]\nforward_headers = [\"x-b\", \"x-a\"]\n\
         [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/c\"\nheaders = {{ X-B = \"1\" }}\n"
    );
    let shown = shown(load("d.toml", &text));
    assert!(shown.contains("the header `x-a` is set twice"), "{shown}");
    assert!(shown.contains("the header `x-b` is set twice"), "{shown}");
}
