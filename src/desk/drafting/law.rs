//! What a party relies on, on one line: codes of the closed lists, powers in statute, and the policy document,
//! with semicolons between.

use crate::model::{
    Article9, Basis, Confidentiality, Controllership, Fault, MemberId, Regime, Schedule1, Schedule8,
    SharingKind, suggestion,
};
use crate::policy::{Conditions, Law, Power};

use super::sheet::{About, Sheet};
use super::steps::Step;
use super::words::wrong;

pub(super) const HELP: &str = "Write it with semicolons between, such as: art6_1_e; Children (Scotland) Act \
    1995, 22: to promote the welfare of children in need; art9_2_g; sch1_18; overriding_public_interest; \
    policy APD-014. A basis first (art6_1_..., or s35_... under Part 3); a power as `statute, section: how you \
    read it`; of special categories art9_2_... with its sch1_..., or sch8_... under Part 3; of criminal \
    offences `offence sch1_...`; of health, from the provider, why confidentiality is no bar; `policy` and the \
    reference of a policy document; `competent` and the statute, under Part 3, of those who are no police. \
    Your data protection officer knows which.";

/// Reads the line.
pub(super) fn parse(given: &str, member: &MemberId) -> Result<Law, Fault> {
    let mut law = Law {
        member: member.clone(),
        regime: Regime::UkGdpr,
        basis: None,
        powers: Vec::new(),
        conditions: Conditions::default(),
        line: 0,
    };
    for part in given.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        take(&mut law, part)?;
    }
    let basis =
        law.basis.ok_or_else(|| wrong("no basis is named").with_help("mostly `art6_1_e` or `art6_1_c`"))?;
    law.regime = basis.regime();
    Ok(law)
}

fn take(law: &mut Law, part: &str) -> Result<(), Fault> {
    let conditions = &mut law.conditions;
    if let Some(reference) = part.strip_prefix("policy ") {
        return once(&mut conditions.policy_document, reference.trim().to_owned(), part);
    }
    if let Some(statute) = part.strip_prefix("competent ") {
        return once(&mut conditions.competent_by, statute.trim().to_owned(), part);
    }
    if let Some(paragraph) = part.strip_prefix("offence ") {
        let paragraph = Schedule1::parse(paragraph.trim()).ok_or_else(|| unknown(part))?;
        return once(&mut conditions.offences, paragraph, part);
    }
    if let Some(basis) = Basis::parse(part) {
        return once(&mut law.basis, basis, part);
    }
    if let Some(article) = Article9::parse(part) {
        return once(&mut conditions.article9, article, part);
    }
    if let Some(condition) = Schedule8::parse(part) {
        return once(&mut conditions.schedule8, condition, part);
    }
    if let Some(why) = Confidentiality::parse(part) {
        return once(&mut conditions.confidentiality, why, part);
    }
    if let Some(paragraph) = Schedule1::parse(part) {
        conditions.schedule1.push(paragraph);
        return Ok(());
    }
    law.powers.push(power(part).ok_or_else(|| unknown(part))?);
    Ok(())
}

fn once<T>(held: &mut Option<T>, value: T, part: &str) -> Result<(), Fault> {
    match held.replace(value) {
        None => Ok(()),
        Some(_) => Err(wrong(format!("`{part}` is the second of its kind"))),
    }
}

/// `Children (Scotland) Act 1995, 22: to promote the welfare of children in need`.
fn power(part: &str) -> Option<Power> {
    let (of, reading) = part.split_once(':')?;
    let (statute, section) = of.rsplit_once(',')?;
    let [statute, section, reading] = [statute, section, reading].map(|text| text.trim().to_owned());
    Some(Power { statute, section, reading })
}

fn unknown(part: &str) -> Fault {
    let codes = Basis::ALL.iter().map(|code| code.as_str());
    let codes = codes.chain(Article9::ALL.iter().map(|code| code.as_str()));
    let codes = codes.chain(Schedule8::ALL.iter().map(|code| code.as_str()));
    let codes = codes.chain(Confidentiality::ALL.iter().map(|code| code.as_str()));
    let help = suggestion(part, codes);
    let help = help.unwrap_or_else(|| "a power is written `statute, section: how you read it`".to_owned());
    wrong(format!("`{part}` is neither a code nor a power")).with_help(help)
}

/// What stands for the law of a party until it is said: complete, and open to everybody.
pub(super) fn stand_in(member: &MemberId, about: &About) -> Law {
    let special = !about.special.is_empty();
    Law {
        member: member.clone(),
        regime: Regime::UkGdpr,
        basis: Some(Basis::Art6d),
        powers: Vec::new(),
        conditions: Conditions {
            article9: special.then_some(Article9::C),
            offences: about.offence.then(|| Schedule1::parse("sch1_10")).flatten(),
            confidentiality: special.then_some(Confidentiality::PublicInterest),
            ..Conditions::default()
        },
        line: 0,
    }
}

impl Sheet<'_> {
    /// Whether the agreement wants law at all.
    pub(super) fn wants_law(&self) -> bool {
        self.is_live() && self.is_personal()
    }

    /// With what the parties relied on before, once everything is said that it depends on: where it does here,
    /// nobody is asked again.
    pub(super) fn settled(self) -> Self {
        let early = Step::ALL.iter().take_while(|step| **step != Step::ProviderLaw);
        let (true, true) = (self.wants_law(), early.filter_map(|step| self.question(*step)).next().is_none())
        else {
            return self;
        };
        let provider = self.provider_law.clone().or_else(|| {
            let own = &self.ground.own;
            let law = self.ground.law(Some(own), &own.member, self.purpose?)?;
            let tried = Self { provider_law: Some(law.clone()), ..self.clone() };
            tried.judged().is_ok().then_some(law)
        });
        let next = Self { provider_law: provider, ..self };
        let consumer = next.consumer_law.clone().or_else(|| {
            let partner = next.partner.as_ref()?;
            let law = next.ground.law(next.their_organisation().as_ref(), partner, next.purpose?)?;
            let tried = Self { consumer_law: Some(law.clone()), ..next.clone() };
            tried.judged().is_ok().then_some(law)
        });
        Self { consumer_law: consumer, ..next }
    }

    /// Under Part 3 facts are told from opinions (DPA 2018 s.38(2)).
    pub(super) fn is_of_part_3(&self) -> bool {
        self.laws().iter().any(|law| law.regime == Regime::DpaPart3)
    }
}

/// What a party is to data of this kind.
pub(super) fn controller_of(kind: SharingKind, provides: bool) -> Controllership {
    use SharingKind::{
        ControllerToController, ControllerToProcessor, JointControllers, NonPersonal, OpenData,
    };
    match (kind, provides) {
        (NonPersonal | OpenData, _) => Controllership::None,
        (ControllerToController, _) | (ControllerToProcessor, true) => Controllership::Sole,
        (JointControllers, _) => Controllership::Joint,
        (ControllerToProcessor, false) => Controllership::Processor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Law, Fault> {
        parse(line, &MemberId::new("glenmore").unwrap())
    }

    #[test]
    fn a_line_of_law_is_codes_powers_and_a_document() {
        let law = read(
            "art6_1_e; Children (Scotland) Act 1995, 22: to promote: welfare; art9_2_g; sch1_18; \
             overriding_public_interest; policy APD-014; offence sch1_10",
        )
        .unwrap();
        assert_eq!((law.regime, law.basis), (Regime::UkGdpr, Some(Basis::Art6e)));
        let power = &law.powers[0];
        assert_eq!(
            [&power.statute, &power.section, &power.reading],
            ["Children (Scotland) Act 1995", "22", "to promote: welfare"]
        );
        let conditions = &law.conditions;
        assert_eq!(
            (conditions.article9, conditions.confidentiality),
            (Some(Article9::G), Some(Confidentiality::PublicInterest))
        );
        assert_eq!(conditions.schedule1, [Schedule1::parse("sch1_18").unwrap()]);
        assert_eq!(conditions.offences, Schedule1::parse("sch1_10"));
        assert_eq!(conditions.policy_document.as_deref(), Some("APD-014"));
        assert_eq!(read("s35_necessary_for_task; sch8_4").unwrap().regime, Regime::DpaPart3);
    }

    #[test]
    fn what_is_neither_is_refused_and_nothing_is_said_twice() {
        for (line, wanted) in [
            ("", "no basis is named"),
            ("sch1_18", "no basis is named"),
            ("art6_1_e; art6_1_c", "is the second of its kind"),
            ("art6_1_e; the Act", "is neither a code nor a power"),
            ("art6_1_x", "is neither a code nor a power"),
            ("art6_1_e; offence sch1_5", "is neither a code nor a power"),
        ] {
            let fault = read(line).unwrap_err();
            assert!(fault.message.contains(wanted), "{line}: {fault}");
        }
    }
}
