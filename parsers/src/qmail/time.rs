//! The times in front of multilog's lines: TAI64N labels, or what tai64nlocal made of them.

use crate::record::When;
use crate::syslog::time::iso;
use crate::text::{Expected, Parsed};

/// TAI64N counts from 2^62; TAI is taken to be 10 seconds ahead of UTC, as it was in 1970 (libtai, `taia_now`):
/// leap seconds are not counted, neither here nor by daemontools.
const EPOCH: i64 = (1 << 62) + 10;
const NANOS_PER_MICRO: u32 = 1000;
const MICROS: i64 = 1_000_000;

/// Parses `@400000004bdf95342c638c5c ` (multilog `t`, UTC) or `2011-02-16 19:10:05.522520500 ` (tai64nlocal).
pub fn stamp(input: &[u8]) -> Parsed<'_, When> {
    let wanted = Expected { rest: input, what: "a time: `@400000004bdf95342c638c5c`" };
    let (rest, when) = match input.split_first() {
        Some((b'@', label)) => tai64n(label).ok_or(nom::Err::Error(wanted))?,
        _ => iso(input)?,
    };
    let rest = rest.strip_prefix(b" ").ok_or(nom::Err::Error(wanted))?;
    Ok((rest, when))
}

fn tai64n(label: &[u8]) -> Option<(&[u8], When)> {
    let (seconds, rest) = label.split_first_chunk::<16>()?;
    let (nanos, rest) = rest.split_first_chunk::<8>()?;
    let seconds = hexadecimal(seconds)?.checked_sub(EPOCH)?;
    let micros = seconds.checked_mul(MICROS)?.checked_add(hexadecimal(nanos)? / i64::from(NANOS_PER_MICRO))?;
    Some((rest, When::Utc(micros)))
}

fn hexadecimal(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |sum, digit| {
        let value = char::from(*digit).to_digit(16)?;
        sum.checked_mul(16)?.checked_add(i64::from(value))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_and_local_times() {
        // The reply that Gmail gave in the same second names it: 1272943914.
        let (rest, when) = stamp(b"@400000004bdf95342c638c5c x").unwrap();
        assert_eq!((rest, when), (b"x".as_slice(), When::Utc(1_272_943_914_744_721)));
        let (rest, when) = stamp(b"2011-02-16 19:10:05.522520500 x").unwrap();
        assert_eq!((rest, when), (b"x".as_slice(), When::Local("2011-02-16T19:10:05.522520".parse().unwrap())));
        for bad in
            ["@4000", "@4000000g4bdf95342c638c5c x", "@400000004bdf95342c638c5c", "@ffffffffffffffffffffffff x", ""]
        {
            assert!(stamp(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
