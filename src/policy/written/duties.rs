//! Sections 4 to 11 of the template: what the parties owe one another, and until when.

use crate::policy::agreement::Agreement;
use crate::policy::particulars::{Accuracy, Impact, Particulars, Publication, Rights, Security};

use super::lines::{Lines, inline, quoted};

pub(super) fn write(lines: &mut Lines, agreement: &Agreement) {
    let Some(said) = agreement.particulars.as_deref() else { return };
    if let Some(said) = &said.impact {
        impact(lines, said);
    }
    publication(lines, &said.publication);
    accuracy(lines, &said.accuracy);
    lines.heading("7 Retention and disposal");
    lines.table("[retention]");
    lines.text_of("consumer", said.keeping.consumer.as_deref().unwrap_or("not_stored"));
    lines.text_of("disposal", said.keeping.disposal);
    lines.key("audit_years", agreement.audit_years);
    if let Some(said) = &said.rights {
        rights(lines, said);
    }
    security(lines, &said.security);
    for processor in &said.processors {
        lines.table("[[processor]]");
        lines.text_of("name", &processor.name);
        lines.text_of("service", &processor.service);
        lines.text_of("contract", &processor.contract);
    }
    implementation(lines, agreement, said);
}

fn impact(lines: &mut Lines, impact: &Impact) {
    lines.heading("4 Impact assessments");
    if let Some(reference) = &impact.crwia {
        lines.table("[impact]");
        lines.text_of("crwia", reference);
    }
    let dpia = &impact.dpia;
    lines.table("[impact.dpia]");
    lines.text_of("status", dpia.status);
    lines.text_if("why", dpia.why.as_ref());
    lines.text_if("reference", dpia.reference.as_ref());
    dpia.date.iter().for_each(|date| lines.key("date", date));
    lines.text_if("residual_risk", dpia.residual_risk);
    dpia.next_review.iter().for_each(|date| lines.key("next_review", date));
}

fn publication(lines: &mut Lines, publication: &Publication) {
    lines.heading("5 Privacy information");
    lines.table("[publication]");
    lines.key("public", publication.public);
    lines.text_if("exemption", publication.exemption.as_ref());
}

fn accuracy(lines: &mut Lines, accuracy: &Accuracy) {
    lines.heading("6 Accuracy");
    lines.table("[accuracy]");
    lines.text_of("freshness", &accuracy.freshness);
    lines.text_if("known_limits", accuracy.known_limits.as_ref());
    lines.text_if("corrections", accuracy.corrections);
}

fn rights(lines: &mut Lines, rights: &Rights) {
    lines.heading("8 Rights");
    lines.table("[rights]");
    lines.text_of("sar_lead", &rights.sar_lead);
    lines.text_of("sar_disclosable", rights.sar_disclosable);
    lines.text_of("complaints", &rights.complaints);
    lines.text_of("automated_decisions", rights.automated_decisions.as_deref().unwrap_or("none"));
}

fn security(lines: &mut Lines, security: &Security) {
    lines.heading("9 Security and risk, 10 International transfers");
    lines.table("[security]");
    lines.text_of("classification", security.classification);
    lines.text_of("transport", security.transport);
    lines.text_of("location", &security.location);
    if !security.transfers.is_empty() {
        let transfers: Vec<String> = security
            .transfers
            .iter()
            .map(|one| inline(&[("country", quoted(&one.country)), ("mechanism", quoted(&one.mechanism))]))
            .collect();
        lines.list("transfer", &transfers);
    }
    lines.table("[breach]");
    lines.key("notify_hours", security.breach_hours);
}

fn implementation(lines: &mut Lines, agreement: &Agreement, said: &Particulars) {
    lines.heading("11 Implementation");
    lines.table("[dates]");
    lines.remark("The first and the last day in force, in London.");
    lines.key("from", agreement.dates.from);
    agreement.dates.until.iter().for_each(|until| lines.key("until", until));
    lines.key("review_due", said.review_due);
    let governance = &said.governance;
    lines.table("[governance]");
    lines.key("change_notice_days", governance.change_notice_days);
    lines.key("termination_days", governance.termination_days);
    lines.text_of("on_termination", &governance.on_termination);
}
