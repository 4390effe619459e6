//! Section 1.2.2 of the template: the law each party relies on.

use crate::policy::{Conditions, Law, Power};

use super::super::saying::Sayings;

pub(super) fn law(law: &Law, out: &mut Sayings<'_>) {
    let Law { member, regime, basis, powers, conditions, line: _ } = law;
    let name = (out.names)(member);
    out.inside("<party>", member.to_string(), |out| {
        out.of(name, |out| {
            out.word("law.<party>.regime", "Law it processes under", regime.as_str(), regime.words());
            if let Some(basis) = basis {
                out.word("law.<party>.basis", "Basis", basis.as_str(), basis.words());
            }
            for (at, Power { statute, section, reading }) in (1..).zip(powers) {
                out.inside("power[]", format!("power.{at}"), |out| {
                    out.text("law.<party>.power[].statute", &format!("Power {at}, statute"), statute);
                    out.text("law.<party>.power[].section", &format!("Power {at}, section"), section);
                    out.text("law.<party>.power[].reading", &format!("Power {at}, as read"), reading);
                });
            }
            beside(conditions, out);
        });
    });
}

fn beside(conditions: &Conditions, out: &mut Sayings<'_>) {
    let Conditions {
        article9,
        schedule1,
        offences,
        schedule8,
        confidentiality,
        policy_document,
        competent_by,
    } = conditions;
    if let Some(article) = article9 {
        out.word("law.<party>.art9", "Exception for special categories", article.as_str(), article.words());
    }
    if !schedule1.is_empty() {
        let paragraphs = schedule1.iter().map(|one| (one.to_string(), paragraph(one.paragraph())));
        out.set("law.<party>.sch1", "Conditions", paragraphs);
    }
    if let Some(one) = offences {
        let paragraph = [(one.to_string(), paragraph(one.paragraph()))];
        out.set("law.<party>.art10_sch1", "Condition for criminal offences", paragraph.into_iter());
    }
    if let Some(one) = schedule8 {
        out.word("law.<party>.sch8", "Sensitive processing", one.as_str(), one.words());
    }
    if let Some(one) = confidentiality {
        let label = "The duty of confidentiality is met by";
        out.word("law.<party>.confidentiality", label, one.as_str(), one.words());
    }
    out.text_if("law.<party>.policy_document", "Appropriate policy document", policy_document.as_ref());
    out.text_if("law.<party>.competent_by", "A competent authority by", competent_by.as_ref());
}

/// A condition as lawyers cite it.
pub(in crate::desk::paper) fn paragraph(number: u8) -> String {
    format!("DPA 2018 Sch 1 para {number}")
}
