//! A hash that is the same on every machine and in every version, for what is kept: fingerprints and counts of
//! different values.

/// The 64-bit hash of some bytes: FNV-1a (Fowler, Noll and Vo), whose bits are then mixed as SplitMix64 does (Steele,
/// Lea and Flood, 2014), since the upper bits of FNV alone are not evenly spread.
///
/// It has no secret, and saved ledgers hold its values: it must never change.
pub fn stable(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(BASIS, fnv))
}

/// The hash of some texts one after the other. Texts that are split otherwise have another one: a byte that is in no UTF-8
/// follows each.
pub fn stable_texts(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.as_bytes().iter().chain(&[0xff]));
    mix(bytes.fold(BASIS, fnv))
}

/// The [`stable`] hashes of the beginnings of some bytes that have these lengths, which must ascend.
pub fn stable_beginnings(bytes: &[u8], lengths: &[usize]) -> Vec<u64> {
    let (mut hash, mut done) = (BASIS, 0);
    let beginnings = lengths.iter().map(|length| {
        let upto = (*length).clamp(done, bytes.len());
        hash = bytes[done..upto].iter().fold(hash, fnv);
        done = upto;
        mix(hash)
    });
    beginnings.collect()
}

/// What FNV-1a begins with.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, byte: &u8) -> u64 {
    (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_kept_in_ledgers() {
        let check = |text: &str, want: u64| assert_eq!(stable(text.as_bytes()), want, "{text:?}");
        check("", 0xf52a_15e9_a9b5_e89b);
        check("a", 0x02c0_bdbf_4814_20f8);
        check("/var/log/mail.log", 0x79bc_68ff_0a9c_ccc9);
        let lengths = [0, 1, 2, 2, 3, 9];
        let want: Vec<u64> = ["", "a", "ab", "ab", "abc", "abc"].map(|text| stable(text.as_bytes())).to_vec();
        assert_eq!(stable_beginnings(b"abc", &lengths), want);
    }

    #[test]
    fn texts_that_are_split_otherwise_are_others() {
        assert_eq!(stable_texts(&["a", "b"]), 0xb912_458b_53ec_5105);
        assert_eq!(stable_texts(&["ab", ""]), 0xb426_6e7e_880c_77d8);
    }
}
