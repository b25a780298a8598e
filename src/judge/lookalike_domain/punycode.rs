//! Punycode: the letters of an internationalised label (RFC 3492 section 6.2).

use std::borrow::Cow;

/// What an encoded label begins with (RFC 5890 section 2.3.2.1).
const PREFIX: &str = "xn--";
/// The longest label of the DNS, in bytes (RFC 1035 section 2.3.4). Longer ones are no labels, and are not decoded.
const LONGEST: usize = 63;

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE: u32 = 128;

/// A label in its letters: `xn--exmple-cua` is `exämple`. As it stands if it is not encoded, or not rightly.
pub fn letters(label: &str) -> Cow<'_, str> {
    match label.strip_prefix(PREFIX).filter(|_| label.len() <= LONGEST).and_then(decode) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(label),
    }
}

/// Decodes what stands behind the prefix; `None` where RFC 3492 says to fail.
fn decode(input: &str) -> Option<String> {
    let (basic, extended) = input.rsplit_once('-').unwrap_or(("", input));
    let mut out: Vec<char> = basic.is_ascii().then(|| basic.chars().collect())?;
    let (mut code, mut at, mut bias) = (FIRST_CODE, 0u32, FIRST_BIAS);
    let mut digits = extended.bytes();
    while digits.len() != 0 {
        let before = at;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let digit = digit(digits.next()?)?;
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let length = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(at - before, length, before == 0);
        code = code.checked_add(at / length)?;
        at %= length;
        out.insert(usize::try_from(at).ok()?, char::from_u32(code)?);
        at += 1;
    }
    Some(out.into_iter().collect())
}

/// `a` to `z` are 0 to 25, `0` to `9` are 26 to 35.
fn digit(byte: u8) -> Option<u32> {
    match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => Some(u32::from(letter - b'a')),
        digit @ b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

/// The next bias (RFC 3492 section 6.1).
fn adapt(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = delta / if is_first { DAMP } else { 2 };
    delta += delta / length;
    let mut k = 0;
    while (BASE - T_MIN) * T_MAX / 2 < delta {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, want: &str) {
        assert_eq!(letters(label), want, "{label}");
    }

    #[test]
    fn labels_in_their_letters() {
        check("example", "example");
        check("xn--exmple-cua", "exämple");
        check("xn--mnchen-3ya", "münchen");
        check("xn--e1aa6ayf", "ерѕе");
        // RFC 3492 section 7.1: (I) Russian, (L) Japanese with ASCII, (S) ASCII that breaks the rules of host names.
        check("xn--b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски");
        check("xn--3b-ww4c5e180e575a65lsy2b", "3年b組金八先生");
        check("xn---> $1.00 <--", "-> $1.00 <-");
    }

    #[test]
    fn what_is_not_rightly_encoded_stays_as_it_is() {
        for label in ["xn--", "xn--é-9", "xn--a-!", "xn--99999999999", "xn--a-9", "xn--zzzzzzzzzzzz"] {
            assert_eq!(letters(label), if label == "xn--" { "" } else { label }, "{label}");
        }
        let long = format!("xn--{}", "a".repeat(1_000));
        assert_eq!(letters(&long), long);
    }
}
