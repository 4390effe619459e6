//! Whether an agreement calls its data what the contract calls it. A field marked with a special category leaves
//! only under an agreement that names the category, and so was signed with law for it; nothing personal leaves
//! under one about nobody.

use crate::model::{Fault, Faults, Operation, Property};
use crate::policy::agreement::Agreement;
use crate::policy::particulars::{Description, Particulars};

/// The mark of criminal offences (UK GDPR Art 10), which are apart from special categories.
const OFFENCE: &str = "criminal_offence";

/// Faults of an agreement of format 2 against one operation of its contract. A mark on an object or list holds
/// for all below it, and a transform takes no mark away: a year of birth is still of that person.
pub fn against_operation(agreement: &Agreement, operation: &Operation) -> Faults {
    let mut faults = Faults::default();
    let Some(particulars) = &agreement.particulars else { return faults };
    for (path, property) in operation.answer.row().fields() {
        if !agreement.release.fields.iter().any(|(field, _)| field.is_within(&path)) {
            continue;
        }
        if let Some((message, help)) = unsaid(particulars, property) {
            let message = format!("`{path}` is released, and the contract marks it {message}");
            faults.push(Fault::new(&agreement.file, None, message).with_help(help));
        }
    }
    faults
}

/// What the contract says of a property and the agreement does not.
fn unsaid(particulars: &Particulars, property: &Property) -> Option<(String, &'static str)> {
    let personal = property.marks.personal || property.marks.special.is_some();
    if personal && !particulars.kind.is_personal() {
        let message = format!("as personal: an agreement of the kind `{}` is about nobody", particulars.kind);
        return Some((
            message,
            "withhold it, or make it an agreement about people, with law for every party",
        ));
    }
    let category =
        property.marks.special.as_deref().filter(|category| !names(&particulars.description, category))?;
    let help = if category == OFFENCE {
        "say `criminal_offence = true` in [data] and name the condition in [law], or withhold the field"
    } else {
        "name it in `special_categories` and its condition in [law], or withhold the field"
    };
    Some((format!("as `{category}`, which [data] does not name"), help))
}

fn names(description: &Description, category: &str) -> bool {
    if category == OFFENCE {
        return description.criminal_offence;
    }
    description.special.iter().any(|known| known.as_str() == category)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::samples;

    /// The sample releases `registered`, `status` and so on; its operation marks `case_notes` as health.
    fn said(text: &str) -> String {
        against_operation(&samples::load(text), &samples::operation()).to_string()
    }

    fn releasing_notes() -> String {
        samples::whole()
            .replace("{ field = \"start_date\"", "{ field = \"case_notes\"")
            .replace("\"case_notes\", \"siblings\"", "\"siblings\"")
    }

    #[test]
    fn a_marked_field_leaves_only_under_its_category() {
        assert_eq!(said(&releasing_notes()), "");
        let health = |text: String| {
            text.replace("special_categories = [\"health\"]", "special_categories = [\"religion\"]")
        };
        let found = said(&health(releasing_notes()));
        assert!(found.contains("`case_notes` is released, and the contract marks it as `health`"), "{found}");
        assert_eq!(said(&health(samples::whole())), "", "what is withheld needs no category");
        assert_eq!(
            said(&samples::trial().replace("release = [", "release = [\"x\", ")),
            "",
            "format 1 as it was"
        );
    }
}
