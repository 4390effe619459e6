//! What the gateway works by, on the record: configuration, keys and certificates when they are taken into use,
//! and whatever was refused. Each with its digest before and now; of what is secret, a digest that gives
//! nothing of it away.
//!
//! Rulesets that come into force have entries of their own (`run.rs`), with every revocation list in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::crypto::MacKey;
use crate::desk::{Ruleset, read_bounded};
use crate::ledger::{Ledger, LedgerError, Opened, Record, Rules, RulesItem};
use crate::model::{Digest, Fault, Faults};

use super::App;
use super::keys::Keys;
use super::tokens::Tokens;
use super::watch::record;

pub(super) const RULESET: &str = "ruleset";
pub(super) const CERTIFICATE: &str = "server_certificate";
pub(super) const LIST: &str = "revocation_list";
pub(super) const CONFIGURATION: &str = "configuration";
pub(super) const TOKEN_KEYS: &str = "token_keys";
/// A file that was at fault, beside the ruleset it is of.
const FILE: &str = "file";
/// How files in `policies` end that a ruleset reads and keeps.
const KEPT: [&str; 4] = ["toml", "sig", "act", "cedar"];
const LEDGER_KEY: &str = "ledger_key";
const PSEUDONYM_KEY: &str = "pseudonym_key";
const SUBJECT_KEYS: &str = "subject_keys";

/// What the last record says is in use, by what it is.
#[derive(Debug)]
pub(super) struct InUse(Mutex<BTreeMap<String, Digest>>);

impl InUse {
    /// Begins with what the log says.
    pub(super) fn new(opened: &Opened) -> Self {
        Self(Mutex::new(opened.in_use.clone()))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Digest>> {
        // Entries are put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn item(&self, what: &'static str, after: Option<Digest>) -> RulesItem {
        RulesItem { what, before: self.known().get(what).copied(), after }
    }
}

/// Puts on the record what a start has taken into use, changed or not.
pub(super) fn record_start(app: &App, tokens: &Tokens) -> Result<(), Faults> {
    let items = [
        (CONFIGURATION, Some(app.gateway.digest)),
        (LEDGER_KEY, Some(Digest::of(format!("{}\n", app.ledger.verifier()).as_bytes()))),
        (PSEUDONYM_KEY, Some(of_pseudonyms(&app.keys))),
        (SUBJECT_KEYS, Some(of_subjects(&app.ledger))),
        (TOKEN_KEYS, Some(of_tokens(tokens))),
        (CERTIFICATE, of_file(&app.gateway.partners.certificate)),
    ];
    take(app, &items).map_err(|error| Fault::new("ledger", None, error.to_string()).into())
}

/// Puts on the record what has changed of what is looked at with every reload. What is new of it is in use
/// only after this.
pub(super) fn record_changes(app: &App) -> Result<(), Faults> {
    let now = [
        (CERTIFICATE, of_file(&app.gateway.partners.certificate)),
        (SUBJECT_KEYS, Some(of_subjects(&app.ledger))),
    ];
    let changed: Vec<_> =
        now.into_iter().filter(|(what, now)| app.in_use.known().get(*what) != now.as_ref()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    take(app, &changed).map_err(|error| Fault::new("ledger", None, error.to_string()).into())
}

/// In the log, as well.
pub(super) fn warn_of_what_is_not_in_force(app: &App, ruleset: &Ruleset) {
    let today = app.clock.today();
    for entry in ruleset.register.all() {
        let reasons: Vec<String> = entry.standing.reasons(today).iter().map(ToString::to_string).collect();
        if !reasons.is_empty() {
            let agreement = entry.agreement.reference.to_string();
            tracing::warn!(agreement, why = reasons.join("; "), "an agreement is not in force");
        }
    }
}

/// Token keys that changed. They count by now: one that was taken away must not sign until a disk answers.
pub(super) fn record_tokens(app: &App, tokens: &Tokens) {
    if let Err(error) = take(app, &[(TOKEN_KEYS, Some(of_tokens(tokens)))]) {
        tracing::error!(%error, "changed keys of tokens are not on the record");
    }
}

fn take(app: &App, items: &[(&'static str, Option<Digest>)]) -> Result<(), LedgerError> {
    let rules = Rules {
        taken: true,
        items: items.iter().map(|(what, after)| app.in_use.item(what, *after)).collect(),
        detail: None,
    };
    app.ledger.append_blocking(Record::Rules(rules)).map_err(LedgerError::Unrecorded)?;
    let after = items.iter().filter_map(|(what, after)| Some(((*what).to_owned(), (*after)?)));
    app.in_use.known().extend(after);
    Ok(())
}

/// Something was refused: `after` is what, where its bytes are no secret and could be read, and `before` what
/// stays in use.
pub(super) fn record_refusal(
    app: &App,
    (what, before, after): (&'static str, Option<Digest>, Option<Digest>),
    fault: Option<&Fault>,
) {
    let before = before.or_else(|| app.in_use.item(what, None).before);
    record(app, Record::Rules(refusal((what, before, after), fault)));
}

/// A ruleset was refused: by its own digest, and by that of the first file at fault, which is what anybody can
/// hold in their hand and compute.
pub(super) fn record_refused_ruleset(app: &App, after: Option<Digest>, faults: &Faults) {
    let in_force = app.ruleset.load();
    let first = faults.0.first();
    let mut rules = refusal((RULESET, Some(in_force.digest), after), first);
    if let Some(fault) = first {
        let before = in_force.files.all().iter().find(|file| file.name == fault.file).map(|file| file.digest);
        // A file of another place may be a key: half a secret is one, and is named by nothing.
        let is_known = before.is_some() || is_of_rules(app, &fault.file);
        let after = if is_known { of_file(&app.gateway.home.join(&fault.file)) } else { None };
        rules.items.push(RulesItem { what: FILE, before, after });
    }
    record(app, Record::Rules(rules));
}

/// Whether a file is one of those whose bytes are evidence when they come into force. Keys lie in `policies` too,
/// beside grants.
fn is_of_rules(app: &App, name: &str) -> bool {
    let path = app.gateway.home.join(name);
    let is_kept = path.extension().is_some_and(|end| KEPT.iter().any(|kept| end == *kept));
    path == app.gateway.members || (is_kept && path.starts_with(&app.gateway.policies))
}

/// A start that is refused for its rules, told once: what restarts it again and again fills no log.
pub(super) fn record_refused_start(
    (ledger, opened): (&Ledger, &Opened),
    after: Option<Digest>,
    faults: &Faults,
) {
    let refusal = refusal((RULESET, opened.ruleset, after), faults.0.first());
    if opened.refused == Some((RULESET.to_owned(), after)) {
        return;
    }
    if let Err(fault) = ledger.append_blocking(Record::Rules(refusal)) {
        tracing::error!(%fault, "what was refused at the start could not be recorded");
    }
}

fn refusal(
    (what, before, after): (&'static str, Option<Digest>, Option<Digest>),
    fault: Option<&Fault>,
) -> Rules {
    let item = RulesItem { what, before, after };
    Rules { taken: false, items: vec![item], detail: fault.map(Fault::without_values) }
}

/// The bytes of a file, as `sha256sum` gives it.
pub(super) fn of_file(path: &Path) -> Option<Digest> {
    read_bounded(path).ok().map(|bytes| Digest::of(&bytes))
}

/// The public halves, as others fetch them.
fn of_tokens(tokens: &Tokens) -> Digest {
    Digest::of(tokens.mint.jwks().as_bytes())
}

/// The ids of all keys, one a line.
fn of_subjects(ledger: &Ledger) -> Digest {
    let ids: String = ledger.subject_key_ids().iter().map(|id| format!("{id}\n")).collect();
    Digest::of(ids.as_bytes())
}

/// A MAC under the key itself: 32 random bytes are not found from it.
fn of_pseudonyms(keys: &Keys) -> Digest {
    Digest(MacKey::new(keys.pseudonym.as_slice()).tag(&[b"tolbooth pseudonym key v1"]))
}
