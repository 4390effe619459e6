//! `[[authority]]` in `members.toml`: whose templates count. An authority is no member; it signs how far
//! agreements may go, and asks and answers nothing.

use super::members::Reader;
use crate::config::strict::Table;
use crate::merkle::note::VerifierKey;
use crate::model::AuthorityKey;

impl Reader<'_> {
    /// One key of an authority; one that has several is listed once for each.
    pub(super) fn authority(&mut self, table: &Table<'_>) -> Option<AuthorityKey> {
        let authority = table.required("name").and_then(|item| {
            let name = item.text()?;
            let spelt = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let legal = !name.is_empty() && name.len() <= 63 && name.bytes().all(spelt);
            if !legal {
                item.fault("wanted small letters, digits and `-`, at most 63, such as `digital-office`");
            }
            legal.then(|| name.to_owned())
        });
        let item = table.required("key");
        let key = item.as_ref().and_then(|item| item.parsed(VerifierKey::parse));
        let trial = match table.optional("trial") {
            Some(item) => item.boolean()?,
            None => false,
        };
        let (authority, item, verifier) = (authority?, item?, key?);
        let role = format!("the authority `{authority}`");
        let free = self.claim(verifier.public(), role, |message| item.fault(message));
        let (name, public) = (verifier.name().to_owned(), *verifier.public());
        free.then_some(AuthorityKey { authority, name, public, trial })
    }
}
