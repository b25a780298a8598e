//! Months: in English, as RFC 3164 has them, or as `journalctl` writes them in the language of the machine.

/// Names of the months in other languages, as `strftime("%b")` shortens them, in lower case and without the full stop
/// that some end with: German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Polish, Czech, Russian.
/// Common abbreviations, not taken from the locales of a C library. None stands for two months.
const ABROAD: [&[&str]; 12] = [
    &["jan", "j\u{e4}n", "janv", "ene", "gen", "sty", "led", "\u{44f}\u{43d}\u{432}"],
    &["feb", "f\u{e9}vr", "fev", "lut", "\u{fa}no", "\u{444}\u{435}\u{432}"],
    &["m\u{e4}r", "mars", "mar", "mrt", "b\u{159}e", "\u{43c}\u{430}\u{440}"],
    &["apr", "avril", "abr", "kwi", "dub", "\u{430}\u{43f}\u{440}"],
    &["mai", "may", "mag", "mei", "maj", "kv\u{11b}", "\u{43c}\u{430}\u{439}", "\u{43c}\u{430}\u{44f}"],
    &["jun", "juin", "giu", "cze", "\u{10d}en", "\u{438}\u{44e}\u{43d}"],
    &["jul", "juil", "lug", "lip", "\u{10d}ec", "\u{438}\u{44e}\u{43b}"],
    &["aug", "ao\u{fb}t", "ago", "sie", "srp", "\u{430}\u{432}\u{433}"],
    &["sep", "sept", "set", "wrz", "z\u{e1}\u{159}", "\u{441}\u{435}\u{43d}"],
    &["okt", "oct", "ott", "out", "pa\u{17a}", "\u{159}\u{ed}j", "\u{43e}\u{43a}\u{442}"],
    &["nov", "lis", "\u{43d}\u{43e}\u{44f}"],
    &["dez", "d\u{e9}c", "dic", "dec", "gru", "pro", "\u{434}\u{435}\u{43a}"],
];

/// Parses the name of a month at the start of a line, up to a blank; gives its number, from 1.
pub fn month(input: &[u8]) -> Option<(&[u8], u32)> {
    let (name, rest) = input.split_first_chunk::<3>()?;
    let number = match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return abroad(input),
    };
    match rest.first() {
        Some(b' ') => Some((rest, number)),
        _ => abroad(input),
    }
}

/// The longest name, in bytes, with its full stop.
const LONGEST: usize = 8;

fn abroad(input: &[u8]) -> Option<(&[u8], u32)> {
    let end = input.iter().take(LONGEST + 1).position(|byte| *byte == b' ')?;
    let (name, rest) = input.split_at(end);
    let name = name.strip_suffix(b".").unwrap_or(name);
    let lower = std::str::from_utf8(name).ok()?;
    // `to_lowercase` would allocate; only the first letter is ever large.
    let is_name = |known: &&str| {
        let (mut known, mut given) = (known.chars(), lower.chars());
        let (first, large) = (known.next(), given.next());
        let same = first.is_some() && first == large.and_then(|char| char.to_lowercase().next());
        same && known.eq(given)
    };
    let month = ABROAD.iter().position(|names| names.iter().any(&is_name))?;
    Some((rest, u32::try_from(month).ok()? + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_several_languages() {
        let check = |text: &str, want: Option<u32>| {
            assert_eq!(month(text.as_bytes()).map(|(_, month)| month), want, "{text}");
        };
        check("Dec 24", Some(12));
        check("Dez 24", Some(12));
        check("d\u{e9}c. 24", Some(12));
        check("mars 24", Some(3));
        check("\u{f3}ct 24", None);
        check("M\u{c4}R 24", None);
        check("\u{43e}\u{43a}\u{442} 24", Some(10));
        check("\u{17a}\u{17a}\u{17a}\u{17a}\u{17a} 24", None);
        check("December 24", None);
        check("Dec", None);
        check("\u{fffd}", None);
        check("", None);
    }

    #[test]
    fn no_name_stands_for_two_months() {
        let mut names: Vec<&str> = ABROAD.iter().flat_map(|names| names.iter().copied()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|name| name.len() < LONGEST));
    }
}
