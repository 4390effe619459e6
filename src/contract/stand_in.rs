//! Values that are nobody's, by what a contract says of a field: kinds of identifiers, formats, and names
//! a field often has. Always the same for the same variant.

/// An identifier of a kind, of a range kept for tests or with a wrong check digit; `None` for kinds whose
/// form the contract alone knows.
pub(super) fn identifier(kind: &str, variant: usize) -> Option<String> {
    let serial = variant % 1000;
    match kind {
        // Begins with a birthday; the wrong check digit makes it nobody's.
        "chi" => {
            let first = format!("010190{serial:03}");
            let check = (check_digit(&first).unwrap_or(0) + 1) % 10;
            Some(format!("{first}{check}"))
        }
        // 999 is kept for tests, with right check digits; not every number has one.
        "nhs_number" => (serial..serial + 20).find_map(|serial| {
            let first = format!("999000{serial:03}");
            check_digit(&first).map(|check| format!("{first}{check}"))
        }),
        "name_dob" => Some(format!("Testperson, Example {serial}, 1990-01-01")),
        _ => None,
    }
}

/// Modulo 11 over nine digits with weights 10 to 2 (NHS number and CHI alike); `None` where it would be 10.
fn check_digit(nine: &str) -> Option<u32> {
    let sum: u32 = nine.chars().filter_map(|c| c.to_digit(10)).zip((2..=10).rev()).map(|(d, w)| d * w).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit),
    }
}

/// A value of a format, years apart, so that rows differ.
pub(super) fn of_format(format: &str, variant: usize) -> Option<String> {
    let turn = variant % 10;
    match format {
        "date" => Some(format!("20{:02}-0{}-14", 10 + turn, 1 + turn % 9)),
        "date-time" => Some(format!("20{:02}-0{}-14T09:30:00Z", 10 + turn, 1 + turn % 9)),
        "time" => Some(format!("0{turn}:30:00Z")),
        "email" => Some(format!("person{turn}@example.org")),
        "uri" => Some(format!("https://example.org/{turn}")),
        "uuid" => Some(format!("00000000-0000-4000-8000-00000000000{turn}")),
        _ => None,
    }
}

/// A text such as a field of this name holds.
pub(super) fn by_name(name: &str, variant: usize) -> String {
    const SURNAMES: [&str; 4] = ["MacExample", "O'Sample", "Testperson", "Nic an t-Sampaill"];
    const FORENAMES: [&str; 4] = ["Mòrag", "Example", "Iain", "Siobhán"];
    let of = |all: [&'static str; 4]| all.into_iter().cycle().nth(variant % 4).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["phone", "tel", "mobile"]) {
        format!("01632 9600{:02}", variant % 100)
    } else if has(&["postcode", "post_code"]) {
        format!("ZZ99 3{}A", char::from(b'A' + u8::try_from(variant % 8).unwrap_or(0)))
    } else if has(&["vrm", "registration_mark"]) {
        format!("QQ{:02} TST", variant % 100)
    } else if has(&["surname", "family", "last_name"]) {
        of(SURNAMES).to_owned()
    } else if has(&["forename", "given", "first_name"]) {
        of(FORENAMES).to_owned()
    } else if has(&["name"]) {
        format!("{} {}", of(FORENAMES), of(SURNAMES))
    } else if has(&["street", "address", "line"]) {
        format!("{} Nowhere Road", 1 + variant % 100)
    } else if has(&["town", "city"]) {
        "Nowhere".to_owned()
    } else {
        format!("Example {}", 1 + variant % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chi_is_nobodys_and_an_nhs_number_is_of_the_test_range() {
        for variant in 0..200 {
            let chi = identifier("chi", variant).unwrap();
            let (nine, last) = chi.split_at(9);
            assert_ne!(check_digit(nine).map(|digit| digit.to_string()).as_deref(), Some(last), "{chi}");
            let nhs = identifier("nhs_number", variant).unwrap();
            let (nine, last) = nhs.split_at(9);
            assert!(nhs.starts_with("999") && nhs.len() == 10);
            assert_eq!(check_digit(nine).map(|digit| digit.to_string()).as_deref(), Some(last), "{nhs}");
        }
        assert_eq!(check_digit("943476591"), Some(9), "the NHS's own example");
    }
}
