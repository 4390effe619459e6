//! Agreements as ODRL 2.2: what is written is judged here by somebody else. The documents are expanded as JSON-LD with
//! the context they carry, and held against the rules of the ODRL Information Model, each with its section, and the
//! terms of the ODRL Vocabulary as the W3C publishes them. Nothing of `desk/paper/odrl` is asked.
//!
//! `TOLBOOTH_WRITE_GOLDEN=1 cargo test --test odrl` writes `tests/golden/odrl` anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use support::judged::{entries, judged, whole};
use support::site::{Site, run};
use tolbooth::desk::paper::{Policies, Terms, odrl};
use tolbooth::model::{Effect, MemberId, OperationId};
use tolbooth::policy::Agreement;

const ODRL: &str = "http://www.w3.org/ns/odrl/2/";
/// Why an agreement that everybody signed is in no register.
const NOT_ANSWERED: &str = "of answers in a form that is not given yet";
const PROFILE: &str = "https://tolbooth.example/odrl/1#";

/// Of the ODRL Vocabulary 2.2, without what it calls deprecated.
const ACTIONS: [&str; 48] = [
    "acceptTracking",
    "aggregate",
    "annotate",
    "anonymize",
    "archive",
    "attribute",
    "compensate",
    "concurrentUse",
    "delete",
    "derive",
    "digitize",
    "display",
    "distribute",
    "ensureExclusivity",
    "execute",
    "extract",
    "give",
    "grantUse",
    "include",
    "index",
    "inform",
    "install",
    "modify",
    "move",
    "nextPolicy",
    "obtainConsent",
    "play",
    "present",
    "print",
    "read",
    "reproduce",
    "reviewPolicy",
    "sell",
    "stream",
    "synchronize",
    "textToSpeech",
    "transfer",
    "transform",
    "translate",
    "uninstall",
    "use",
    "watermark",
    "CommercialUse",
    "DerivativeWorks",
    "Distribution",
    "Notice",
    "Reproduction",
    "Sharing",
];
const OPERANDS: [&str; 29] = [
    "absolutePosition",
    "absoluteSpatialPosition",
    "absoluteTemporalPosition",
    "absoluteSize",
    "count",
    "dateTime",
    "delayPeriod",
    "deliveryChannel",
    "elapsedTime",
    "event",
    "fileFormat",
    "industry",
    "language",
    "media",
    "meteredTime",
    "payAmount",
    "percentage",
    "product",
    "purpose",
    "recipient",
    "relativePosition",
    "relativeSpatialPosition",
    "relativeTemporalPosition",
    "relativeSize",
    "resolution",
    "spatial",
    "spatialCoordinates",
    "systemDevice",
    "timeInterval",
];
const OPERATORS: [&str; 12] =
    ["eq", "gt", "gteq", "hasPart", "isA", "isAllOf", "isAnyOf", "isNoneOf", "isPartOf", "lt", "lteq", "neq"];
const OF_SETS: [&str; 3] = ["isAllOf", "isAnyOf", "isNoneOf"];
/// Of the Data Privacy Vocabulary 2.0, those purposes may be kinds of.
const DPV_PURPOSES: [&str; 12] = [
    "AcademicResearch",
    "FraudPreventionAndDetection",
    "IdentityVerification",
    "ImprovePublicServices",
    "LegalCompliance",
    "ProtectionOfPublicSecurity",
    "ProvideOfficialStatistics",
    "PublicBenefit",
    "PublicPolicyMaking",
    "ServiceProvision",
    "Verification",
    "Purpose",
];

// --- JSON-LD, as far as these documents go ---

/// A document with every term spelt out.
struct Expander<'c> {
    context: &'c Map<String, Value>,
    faults: Vec<String>,
}

impl Expander<'_> {
    fn definition(&self, term: &str) -> Option<String> {
        let known = self.context.get(term)?;
        let iri = known.as_str().or_else(|| known["@id"].as_str())?;
        Some(if iri.starts_with('@') { iri.to_owned() } else { self.compact(iri) })
    }

    /// `prefix:rest` by the context; an absolute IRI as it is.
    fn compact(&self, text: &str) -> String {
        let split = text.split_once(':').filter(|(_, rest)| !rest.starts_with("//"));
        let prefix = split.and_then(|(prefix, rest)| Some((self.context.get(prefix)?.as_str()?, rest)));
        prefix.map_or_else(|| text.to_owned(), |(iri, rest)| format!("{iri}{rest}"))
    }

    fn iri(&mut self, text: &str, vocabulary: bool) -> String {
        let iri = match self.definition(text).filter(|_| vocabulary) {
            Some(iri) => iri,
            None => self.compact(text),
        };
        if !iri.contains(':') && !iri.starts_with('@') {
            self.faults.push(format!("`{text}` is no IRI, and no term of the context"));
        }
        iri
    }

    fn value(&mut self, value: &Value, coercion: &str) -> Value {
        match (value, coercion) {
            (Value::Array(items), _) => {
                Value::Array(items.iter().map(|item| self.value(item, coercion)).collect())
            }
            (Value::Object(node), _) => self.node(node),
            (Value::String(text), "@id") => json!({ "@id": self.iri(text, false) }),
            (Value::String(text), "@vocab") => json!({ "@id": self.iri(text, true) }),
            (other, _) => json!({ "@value": other }),
        }
    }

    fn node(&mut self, node: &Map<String, Value>) -> Value {
        let mut out = Map::new();
        for (key, value) in node {
            let name = match key.as_str() {
                keyword if keyword.starts_with('@') => keyword.to_owned(),
                term => self.iri(term, true),
            };
            let made = match name.as_str() {
                "@value" | "@language" => value.clone(),
                "@id" => json!(self.iri(value.as_str().unwrap(), false)),
                "@type" => json!(self.iri(value.as_str().unwrap(), true)),
                _ => {
                    let coercion =
                        self.context.get(key).and_then(|known| known["@type"].as_str()).unwrap_or("");
                    let coercion = coercion.to_owned();
                    let values = self.value(value, &coercion);
                    if values.is_array() { values } else { json!([values]) }
                }
            };
            out.insert(name, made);
        }
        Value::Object(out)
    }
}

/// The nodes of a document, all written out; or what keeps it from being read.
fn expanded(document: &Value) -> Result<Vec<Value>, Vec<String>> {
    let context =
        document["@context"].as_object().ok_or(vec!["the context is not written into it".to_owned()])?;
    let mut expander = Expander { context, faults: Vec::new() };
    let nodes: Vec<Value> = document["@graph"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| expander.node(node.as_object().unwrap()))
        .collect();
    if expander.faults.is_empty() { Ok(nodes) } else { Err(expander.faults) }
}

// --- the information model ---

struct Model {
    nodes: Vec<Value>,
}

fn all<'v>(node: &'v Value, property: &str) -> &'v [Value] {
    let full = if property.contains(':') { property.to_owned() } else { format!("{ODRL}{property}") };
    node.get(full).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn ids(node: &Value, property: &str) -> Vec<String> {
    all(node, property).iter().map(|one| one["@id"].as_str().unwrap_or_default().to_owned()).collect()
}

impl Model {
    fn of_type(&self, class: &str) -> Vec<&Value> {
        let class = format!("{ODRL}{class}");
        self.nodes.iter().filter(|node| node["@type"] == class.as_str()).collect()
    }

    fn rules_of<'m>(&'m self, kind: &str) -> Vec<&'m Value> {
        self.of_type("Agreement").into_iter().flat_map(|policy| all(policy, kind)).collect()
    }

    fn rules(&self) -> Vec<&Value> {
        ["permission", "prohibition", "obligation"].into_iter().flat_map(|kind| self.rules_of(kind)).collect()
    }

    fn constraints(&self) -> Vec<&Value> {
        self.rules().into_iter().flat_map(|rule| all(rule, "constraint")).collect()
    }

    fn defines(&self, iri: &str, class: &str) -> bool {
        self.of_type(class).into_iter().any(|node| node["@id"] == iri)
    }
}

fn is_iri(value: &Value) -> bool {
    value.as_str().is_some_and(|iri| {
        iri.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
    })
}

fn of_odrl<'i>(iri: &'i str, known: &[&str]) -> Option<&'i str> {
    iri.strip_prefix(ODRL).filter(|term| known.contains(term))
}

/// One rule of the model: its section, what it says, and how often it is broken.
type Law = (&'static str, &'static str, fn(&Model) -> usize);

fn broken<'v>(nodes: impl IntoIterator<Item = &'v Value>, holds: impl Fn(&Value) -> bool) -> usize {
    nodes.into_iter().filter(|node| !holds(node)).count()
}

/// ODRL Information Model 2.2, W3C Recommendation of 15 February 2018.
const LAWS: [Law; 17] = [
    ("2.1", "a Policy MUST have one uid, an IRI", |model| {
        broken(model.of_type("Agreement"), |policy| is_iri(&policy["@id"]))
    }),
    ("2.1", "no two Policies have one uid", |model| {
        let uids: BTreeSet<String> =
            model.of_type("Agreement").iter().map(|policy| policy["@id"].to_string()).collect();
        model.of_type("Agreement").len() - uids.len()
    }),
    ("2.1", "a Policy MUST have at least one permission, prohibition or obligation", |model| {
        broken(model.of_type("Agreement"), |policy| {
            ["permission", "prohibition", "obligation"].iter().any(|kind| !all(policy, kind).is_empty())
        })
    }),
    ("2.1.3", "an Agreement MUST have one assigner and one assignee, the same in its rules", |model| {
        broken(model.of_type("Agreement"), |policy| {
            let rules = ["permission", "prohibition", "obligation"].iter().flat_map(|kind| all(policy, kind));
            let pairs: BTreeSet<_> =
                rules.map(|rule| (ids(rule, "assigner"), ids(rule, "assignee"))).collect();
            pairs.len() == 1 && pairs.iter().all(|(by, to)| by.len() == 1 && to.len() == 1)
        })
    }),
    ("2.2", "an Asset SHOULD have one uid, an IRI", |model| {
        broken(model.of_type("Asset"), |asset| is_iri(&asset["@id"]))
    }),
    ("2.3", "a Party SHOULD have one uid, an IRI, and who is named is there", |model| {
        broken(model.rules(), |rule| {
            ["assigner", "assignee", "informedParty"]
                .iter()
                .flat_map(|function| ids(rule, function))
                .all(|party| is_iri(&json!(party)) && model.defines(&party, "Party"))
        })
    }),
    (
        "2.4",
        "an Action is one of ODRL's, or MUST have one includedIn that leads to `use` or `transfer`",
        |model| {
            let included = broken(model.of_type("Action"), |action| {
                let within = ids(action, "includedIn");
                within.len() == 1 && of_odrl(&within[0], &ACTIONS).is_some()
            });
            included
                + broken(model.rules(), |rule| {
                    ids(rule, "action")
                        .iter()
                        .all(|iri| of_odrl(iri, &ACTIONS).is_some() || model.defines(iri, "Action"))
                })
        },
    ),
    ("2.5.1", "a Constraint MUST have one leftOperand, which is defined", |model| {
        broken(model.constraints(), |one| {
            let operand = ids(one, "leftOperand");
            operand.len() == 1
                && (of_odrl(&operand[0], &OPERANDS).is_some() || model.defines(&operand[0], "LeftOperand"))
        })
    }),
    ("2.5.1", "a Constraint MUST have one operator of ODRL", |model| {
        broken(model.constraints(), |one| {
            let operator = ids(one, "operator");
            operator.len() == 1 && of_odrl(&operator[0], &OPERATORS).is_some()
        })
    }),
    ("2.5.1", "a Constraint MUST have one rightOperand, or a list for an operator of sets", |model| {
        broken(model.constraints(), |one| {
            let of_set = ids(one, "operator").iter().any(|iri| of_odrl(iri, &OF_SETS).is_some());
            let operands = all(one, "rightOperand").len();
            if of_set { operands >= 1 } else { operands == 1 }
        })
    }),
    ("2.5.1", "what a purpose is compared with is defined, and a kind of purpose that DPV has", |model| {
        let purposes = model
            .constraints()
            .into_iter()
            .filter(|one| ids(one, "leftOperand") == [format!("{ODRL}purpose")]);
        broken(purposes, |one| {
            ids(one, "rightOperand").iter().all(|purpose| {
                let node = model.nodes.iter().find(|node| node["@id"] == purpose.as_str());
                let broader = node.map(|node| ids(node, "http://www.w3.org/2004/02/skos/core#broader"));
                broader.is_some_and(|broader| {
                    let is_known = |iri: &String| {
                        iri.strip_prefix("https://w3id.org/dpv#")
                            .is_some_and(|term| DPV_PURPOSES.contains(&term))
                    };
                    !broader.is_empty() && broader.iter().all(is_known)
                })
            })
        })
    }),
    ("2.6.1", "a Rule MUST have one action", |model| {
        broken(model.rules(), |rule| ids(rule, "action").len() == 1)
    }),
    ("2.6.2", "a Permission MUST have one target, which is there", |model| {
        broken(model.rules_of("permission"), |rule| {
            let target = ids(rule, "target");
            target.len() == 1 && model.defines(&target[0], "Asset")
        })
    }),
    ("2.6.3", "a Prohibition MUST have one target", |model| {
        broken(model.rules_of("prohibition"), |rule| ids(rule, "target").len() == 1)
    }),
    ("2.6.4", "a Duty MAY have none or one target", |model| {
        broken(model.rules_of("obligation"), |rule| ids(rule, "target").len() <= 1)
    }),
    ("2.10", "a Policy MAY have one conflict strategy of ODRL", |model| {
        broken(model.of_type("Agreement"), |policy| {
            ids(policy, "conflict").iter().all(|iri| of_odrl(iri, &["perm", "prohibit", "invalid"]).is_some())
        })
    }),
    ("3.2", "a Policy that conforms to a Profile MUST name it", |model| {
        broken(model.of_type("Agreement"), |policy| ids(policy, "profile") == [PROFILE])
    }),
];

/// Every rule of the model that a document breaks.
fn judge(document: &Value) -> Vec<String> {
    let nodes = match expanded(document) {
        Ok(nodes) => nodes,
        Err(faults) => return faults,
    };
    let model = Model { nodes };
    let found = LAWS.iter().map(|(section, says, breaks)| (section, says, breaks(&model)));
    found
        .filter(|(_, _, count)| *count > 0)
        .map(|(section, says, count)| format!("{section}, {says}: {count}"))
        .collect()
}

// --- what is written ---

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn exported(text: &str, all: bool) -> Policies {
    let effect = |_: &Agreement, _: &OperationId| Some(Effect::Reads);
    let names = |member: &MemberId| format!("Name of {member}");
    let terms = Terms { federation: "caledonia.example", names: &names, effect: &effect, all };
    odrl(&entries(vec![judged(text, true)]), &terms)
}

/// Every whole agreement that is shipped, and those of the scenarios as they are when their trials are over, by name.
fn agreements() -> BTreeMap<String, String> {
    let mut folders = vec![root("tests/golden/agreements")];
    for scenario in std::fs::read_dir(root("policies/scenarios")).unwrap() {
        folders.push(scenario.unwrap().path().join("policies/agreements"));
    }
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let files = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"));
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let live =
                std::fs::read_to_string(path).unwrap().replace("stage = \"trial\"", "stage = \"live\"");
            (name, live)
        })
        .collect()
}

#[test]
fn every_agreement_is_written_as_the_folder_has_it_and_fits_the_model() {
    let folder = root("tests/golden/odrl");
    let write = std::env::var_os("TOLBOOTH_WRITE_GOLDEN").is_some();
    let (mut made, mut unanswered) = (BTreeSet::new(), 0);
    for (name, text) in agreements() {
        let policies = exported(&text, true);
        if policies.document["@graph"].as_array().unwrap().iter().all(|node| node["@type"] != "Agreement") {
            // Signed, and of a form that is not answered: never in force.
            assert_eq!(policies.kept_out.keys().collect::<Vec<_>>(), [NOT_ANSWERED], "{name}");
            unanswered += 1;
            continue;
        }
        let document = format!("{:#}\n", policies.document);
        assert_eq!(document, format!("{:#}\n", exported(&text, true).document), "the same bytes every time");
        assert_eq!(judge(&policies.document), Vec::<String>::new(), "{name}");
        let path = folder.join(format!("{name}.jsonld"));
        if write {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &document).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == document, "{name} is not what is made now; TOLBOOTH_WRITE_GOLDEN=1 writes it anew");
        made.insert(path);
    }
    let kept: BTreeSet<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept, made, "a document for each, and no other");
    assert_eq!((made.len(), unanswered), (14, 3));
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let child = exported(&whole("child-protection"), false).document;
    let planted = |change: &dyn Fn(&mut Value)| {
        let mut document = child.clone();
        change(&mut document);
        judge(&document)
    };
    type Change = dyn Fn(&mut Value);
    let plants: [(&str, &Change); 12] = [
        ("2.1,", &|all| all["@graph"][0]["uid"] = json!("x:")),
        ("2.1,", &|all| {
            for kind in ["permission", "prohibition", "obligation"] {
                all["@graph"][0][kind] = json!([]);
            }
        }),
        ("2.1.3", &|all| all["@graph"][0]["permission"][0]["assignee"] = json!("spiffe://other.example")),
        ("2.3", &|all| {
            let graph = all["@graph"].as_array_mut().unwrap();
            graph.retain(|node| node["@type"] != "Party");
        }),
        ("2.4", &|all| all["@graph"][0]["permission"][0]["action"] = json!("tolbooth:look")),
        ("2.5.1", &|all| {
            all["@graph"][0]["permission"][0]["constraint"][0]["leftOperand"] = json!("tolbooth:mood")
        }),
        ("2.5.1", &|all| {
            all["@graph"][0]["permission"][0]["constraint"][0]["operator"] = json!("odrl:nearly")
        }),
        ("2.5.1", &|all| all["@graph"][0]["permission"][0]["constraint"][0]["rightOperand"] = json!([])),
        ("2.6.1", &|all| drop(all["@graph"][0]["prohibition"][0].as_object_mut().unwrap().remove("action"))),
        ("2.6.2", &|all| drop(all["@graph"][0]["permission"][0].as_object_mut().unwrap().remove("target"))),
        ("3.2", &|all| drop(all["@graph"][0].as_object_mut().unwrap().remove("profile"))),
        ("`unheard`", &|all| all["@graph"][0]["unheard"] = json!("of")),
    ];
    for (wanted, change) in plants {
        let found = planted(change);
        assert!(found.iter().any(|fault| fault.contains(wanted)), "{wanted}: {found:?}");
    }
}

#[test]
fn what_an_agreement_holds_a_system_to_is_in_its_permission() {
    let document = exported(&whole("child-protection"), false).document;
    let nodes = expanded(&document).unwrap();
    let model = Model { nodes };
    let rule = model.rules_of("permission")[0];
    let constraint = |operand: &str| -> Vec<Value> {
        let is = |one: &&Value| ids(one, "leftOperand")[0].ends_with(operand);
        let found = all(rule, "constraint").iter().filter(is);
        found.flat_map(|one| all(one, "rightOperand").to_vec()).collect()
    };
    assert_eq!(ids(rule, "assigner"), ["spiffe://glenmore.caledonia.example"]);
    assert_eq!(
        constraint("systemDevice"),
        [json!({ "@id": "spiffe://nhs-lomond.caledonia.example/ed-trak" })]
    );
    assert_eq!(constraint("#questionsPerMinute"), [json!({ "@value": 30 })]);
    assert_eq!(constraint("#role"), [json!({ "@value": "ed_clinician" }), json!({ "@value": "ed_nurse" })]);
    let enough: Vec<Value> = ["certificate", "token", "signed"].map(|one| json!({ "@value": one })).into();
    assert_eq!(constraint("#assurance"), enough, "more is always enough");
    assert_eq!(constraint("dateTime").len(), 2);
    let view = model.of_type("Asset")[0];
    assert_eq!(all(view, &format!("{PROFILE}releases")).len(), 8);
    assert_eq!(all(view, &format!("{PROFILE}withholds")).len(), 8);
    let law = &all(model.of_type("Agreement")[0], &format!("{PROFILE}law"))[0];
    let bases = ids(law, "https://w3id.org/dpv#hasLegalBasis");
    let gdpr = "https://w3id.org/dpv/legal/eu/gdpr#";
    assert_eq!(bases, [format!("{gdpr}A6-1-e"), format!("{gdpr}A9-2-g")]);
    let prohibited: Vec<String> =
        model.rules_of("prohibition").iter().flat_map(|rule| ids(rule, "action")).collect();
    let ours = |code: &str| format!("{PROFILE}{code}");
    assert_eq!(
        prohibited,
        [format!("{ODRL}distribute"), ours("profiling"), ours("ai_training"), ours("bulk_copy")]
    );
}

#[test]
fn what_the_public_may_not_read_is_exported_only_where_all_is_said() {
    let secret = whole("premises").replace("public = true", "public = false\nexemption = \"FOISA s.31\"");
    let kept = exported(&secret, false);
    assert_eq!(kept.kept_out, [("FOISA s.31".to_owned(), 1)].into());
    assert!(!kept.document.to_string().contains("premises"), "{}", kept.document);
    let all = exported(&secret, true);
    assert!(all.kept_out.is_empty() && all.document.to_string().contains("premises"));
    // An agreement that nobody has signed is no agreement, whoever asks.
    let effect = |_: &Agreement, _: &OperationId| None;
    let names = |member: &MemberId| member.to_string();
    let terms = Terms { federation: "caledonia.example", names: &names, effect: &effect, all: true };
    let unsigned = odrl(&entries(vec![judged(&whole("premises"), false)]), &terms);
    assert_eq!(unsigned.kept_out, [("not sealed and signed".to_owned(), 1)].into());
    // Of an operation whose contract is not here nobody can say that it only reads.
    let unknown = odrl(&entries(vec![judged(&whole("premises"), true)]), &terms);
    assert_eq!(unknown.document["@graph"][0]["permission"][0]["action"], "use");
}

#[test]
fn the_command_writes_a_document_that_fetches_nothing() {
    let site = Site::new("odrl");
    let ran = run(&site.home, &["agreement", "register", "--format", "odrl"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("2 not in it: trials, which are about nobody"), "{ran:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(document["@context"].is_object() && !ran.out.contains("odrl.jsonld"), "{ran:?}");
    let usage = run(&site.home, &["agreement", "register", "--format", "dea", "--all"]);
    assert!(usage.code == Some(2) && usage.err.contains("--all is of --format odrl"), "{usage:?}");
}
