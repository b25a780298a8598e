//! The mailbox in a header field (RFC 5322 section 3.4).

/// The address of a header From as logs give it: `a@example.org`, `<a@example.org>`, `Anna <a@example.org>`. Borrowed, without
/// angle brackets.
///
/// The name before it is free text and may hold another address, so only the last angle brackets count, and only at the end.
/// Empty where no single address can be told: several mailboxes, comments behind, a name alone.
pub fn address(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    let address = match field.strip_suffix(b">") {
        Some(open) => memchr::memrchr(b'<', open).map_or(b"".as_slice(), |start| &open[start + 1..]),
        None => field,
    };
    let is_free = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b'"' | b'\\' | b',' | b';' | b'(' | b')')
    };
    match memchr::memchr(b'@', address).is_some() && !address.iter().any(is_free) {
        true => address,
        false => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, want: &str) {
        assert_eq!(String::from_utf8_lossy(address(field.as_bytes())), want, "{field}");
    }

    #[test]
    fn addresses_of_header_fields() {
        check("a@example.org", "a@example.org");
        check(" <a@example.org> ", "a@example.org");
        check("Anna <a@example.org>", "a@example.org");
        check(r#"\"Anna, B.\" <a@example.org>"#, "a@example.org");
        check(r#""ceo@example.org" <x@evil.test>"#, "x@evil.test");
        check("<ceo@example.org> <x@evil.test>", "x@evil.test");
    }

    #[test]
    fn what_is_no_single_address() {
        for field in [
            "",
            "Anna",
            "a@example.org, b@example.org",
            "<a@example.org> (Anna)",
            "ceo@example.org x@evil.test",
            "a@example.org>",
            "x <a@example.org",
            "\"a b\"@example.org",
            "<>",
        ] {
            check(field, "");
        }
    }
}
