//! Rounding in decimal, exactly: the digits as they were written, never through binary fractions.

/// A positive step such as `0.05` or `1000`: `units` times ten to the minus `places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    units: u64,
    places: usize,
}

impl Step {
    /// `None` unless the number is above zero and has at most 19 digits.
    pub fn new(step: f64) -> Option<Self> {
        // Display writes the shortest decimal that reads back as the same number, without exponent.
        let text = step.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let units: u64 = [whole, fraction].concat().parse().ok()?;
        (step > 0.0 && units > 0).then_some(Self { units, places: fraction.len() })
    }

    /// Rounds a JSON number to a multiple of the step, halves away from zero.
    pub fn round(&self, number: &str) -> Option<String> {
        let (negative, text) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some("0".into());
        }
        // The value is `digits` times ten to this; what an exponent beyond i64 means has no `f64`,
        // but for a number of no size at all.
        let exponent: i64 = match exponent.parse() {
            Ok(exponent) => exponent,
            Err(_) if exponent.starts_with('-') => return Some("0".into()),
            Err(_) => return None,
        };
        let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let shift = power.checked_add(i64::try_from(self.places).ok()?)?;
        let multiple = self.multiple(digits, shift)?;
        Some(self.written(&multiple, negative))
    }

    /// How many steps `digits` times ten to `shift` is, rounded: long division.
    fn multiple(&self, digits: &str, shift: i64) -> Option<Vec<u8>> {
        /// An `f64` goes to 1e308 and a step to 1e-324.
        const ZEROS_MAX: i64 = 1_000;
        let units = u128::from(self.units);
        let (kept, lost) = if shift >= 0 {
            let zeros = usize::try_from(shift.min(ZEROS_MAX)).ok()?;
            (digits.to_owned() + &"0".repeat(zeros), "")
        } else {
            let lost = usize::try_from(shift.unsigned_abs()).ok()?;
            match digits.len().checked_sub(lost) {
                Some(kept) => {
                    let (kept, lost) = digits.split_at_checked(kept)?;
                    (kept.to_owned(), lost)
                }
                // Below a tenth of a unit: the first lost digit is a zero.
                None => (String::new(), ""),
            }
        };
        let mut quotient = Vec::with_capacity(kept.len());
        let mut rest: u128 = 0;
        for digit in kept.bytes() {
            rest = rest * 10 + u128::from(digit - b'0');
            quotient.push(u8::try_from(rest / units).ok()?);
            rest %= units;
        }
        // What was lost is a fraction of one unit, so it decides only where the rest is just short.
        let half = rest * 2 >= units
            || (rest * 2 + 1 == units && lost.bytes().next().is_some_and(|digit| digit >= b'5'));
        Some(if half { plus_one(quotient) } else { quotient })
    }

    /// `multiple` steps as a JSON number.
    fn written(&self, multiple: &[u8], negative: bool) -> String {
        let digits = times(multiple, self.units);
        let point = digits.len().saturating_sub(self.places);
        let (whole, fraction) = digits.split_at_checked(point).unwrap_or((&digits, ""));
        let fraction = format!("{fraction:0>places$}", places = self.places);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

/// Adds one to digits, the most significant first.
fn plus_one(mut digits: Vec<u8>) -> Vec<u8> {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return digits;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
    digits
}

/// Multiplies digits, the most significant first, and writes them.
fn times(digits: &[u8], by: u64) -> String {
    let mut out = Vec::with_capacity(digits.len() + 20);
    let mut carry: u128 = 0;
    for digit in digits.iter().rev() {
        carry += u128::from(*digit) * u128::from(by);
        out.push((carry % 10) as u8);
        carry /= 10;
    }
    while carry > 0 {
        out.push((carry % 10) as u8);
        carry /= 10;
    }
    out.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero_and_digits_are_exact() {
        let cases = [
            (5.0, "2.5", "5"),
            (5.0, "2.4999999999999999999999999999", "0"),
            (5.0, "-2.5", "-5"),
            (5.0, "-2.4", "0"),
            (1.0, "0.5", "1"),
            (1.0, "1.5", "2"),
            (1.0, "2.5", "3"),
            (0.1, "0.15", "0.2"),
            (0.1, "0.25", "0.3"),
            (0.1, "1", "1"),
            (0.05, "1.125", "1.15"),
            (0.05, "1.1249999999", "1.1"),
            (0.01, "1.005", "1.01"),
            (0.01, "0.0149", "0.01"),
            (0.001, "1e-3", "0.001"),
            (10.0, "4.999", "0"),
            (10.0, "9995", "10000"),
            (3.0, "1.5", "3"),
            (3.0, "1.4", "0"),
            (7.0, "3.49999", "0"),
            (7.0, "3.5", "7"),
            (7.0, "24.5", "28"),
            (1000.0, "123456789012345678901234567890", "123456789012345678901234568000"),
            (1.0, "12E2", "1200"),
            (1.0, "1e-999999999999999999999", "0"),
            (1.0, "0e999999999999999999999", "0"),
            (1.0, "-0", "0"),
            (1.0, "-0.4", "0"),
        ];
        for (step, number, rounded) in cases {
            assert_eq!(
                Step::new(step).unwrap().round(number).as_deref(),
                Some(rounded),
                "{number} to {step}"
            );
        }
    }

    #[test]
    fn a_step_is_above_zero_and_not_absurd() {
        assert_eq!(Step::new(0.0), None);
        assert_eq!(Step::new(-0.5), None);
        assert_eq!(Step::new(f64::NAN), None);
        assert_eq!(Step::new(f64::INFINITY), None);
        assert_eq!(Step::new(1e300), None);
    }
}
