//! The attributes at the end of a refusal:
//! `; from=<S> to=<R> proto=ESMTP helo=<H>` (smtpd, cleanup), `; from=<S>, to=<R>, proto=ESMTP, helo=<H>` (postscreen).
//!
//! Client text stands on both sides of the `;` that begins them: the refused address is repeated
//! before it, and both paths and the EHLO name come after it. So which `;` is the right one is decided by grammar:
//!
//! - smtpd replaces each of ` <>()\";@` in the EHLO name by `?` (smtpd.c, NEUTER_CHARACTERS, since 2.1), and
//!   paths are quoted. Attributes that are hidden in a path cannot be followed to the end of
//!   the line by that grammar, so the *last* `;` from which it reaches the end is the one.
//! - postscreen replaces nothing, but before its attributes there is only text of its own
//!   (postscreen_smtpd.c, psc_rcpt_cmd): the *first* `;` is the one, and the EHLO name extends to the end.
//! - If smtpd's rule fits nowhere (a release that logs paths without quotation marks, say), postscreen's is tried.

use super::atoms::{loose_path, path};
use crate::text::{Expected, Parsed};
use nom::Parser;
use nom::bytes::complete::{is_not, tag};
use nom::combinator::{opt, verify};
use nom::sequence::{delimited, preceded, terminated};

/// Who wrote the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// smtpd, and cleanup after it.
    Smtpd,
    /// Header and body checks of cleanup: like smtpd, with the text of the check behind.
    Check,
    /// postscreen: commas, and nothing replaced.
    Postscreen,
}

/// The attributes found; those that the line lacks are empty or `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    pub reverse_path: Option<&'a [u8]>,
    pub forward_path: Option<&'a [u8]>,
    pub helo: &'a [u8],
    pub account: Option<&'a [u8]>,
}

/// Splits the attributes off the end of `text`.
///
/// Returns what stands before their `;`, the attributes, and what stands behind them: the text
/// that a header check adds after `: `, else nothing. If there are no attributes, all is before.
pub fn split(dialect: Dialect, text: &[u8]) -> (&[u8], Attributes<'_>, &[u8]) {
    let with = |at: usize, (behind, attributes)| (&text[..at], attributes, behind);
    let strict = |at: usize| strict(dialect, &text[at + 1..]).ok().map(|found| with(at, found));
    let loose = |at: usize| loose(dialect, &text[at + 1..]).ok().map(|found| with(at, found));
    let neutered = match dialect {
        Dialect::Smtpd | Dialect::Check => memchr::memrchr_iter(b';', text).find_map(strict),
        Dialect::Postscreen => None,
    };
    neutered
        .or_else(|| memchr::memchr_iter(b';', text).find_map(loose))
        .unwrap_or_else(|| (text.strip_suffix(b";").unwrap_or(text), Attributes::default(), b""))
}

/// smtpd's rule: quoted paths, no special characters in the EHLO name, then the end of the line.
fn strict(dialect: Dialect, input: &[u8]) -> Parsed<'_, Attributes<'_>> {
    let word = |name| preceded(tag(name), is_not(" ;<>,"));
    let named = |name| preceded(tag(name), delimited(tag("<"), opt(is_not(" ;<>\"")), tag(">")));
    let from = opt(preceded(tag(" from="), path));
    let to = opt(preceded(tag(" to="), path));
    let account = || opt(named(" sasl_username="));
    let found = (from, to, opt(word(" proto=")), account(), opt(named(" helo=")), account());
    let found = verify(found, |(from, to, proto, _, helo, _)| {
        from.is_some() || to.is_some() || proto.is_some() || helo.is_some()
    });
    let (rest, (reverse_path, forward_path, _, before, helo, after)) =
        terminated(found, |rest| end(dialect, rest)).parse(input)?;
    let account = before.or(after).flatten();
    Ok((rest, Attributes { reverse_path, forward_path, helo: helo.flatten().unwrap_or_default(), account }))
}

/// The end of the line, or `: ` taken off the text of a header check.
///
/// A text with `>` in it is refused: it could be the rest of a path in which attributes are hidden.
fn end(dialect: Dialect, input: &[u8]) -> Parsed<'_, ()> {
    match input {
        [] => Ok((input, ())),
        [b':', b' ', rest @ ..] if dialect == Dialect::Check && !rest.contains(&b'>') => Ok((rest, ())),
        _ => Err(nom::Err::Error(Expected { rest: input, what: "the end of the attributes" })),
    }
}

/// postscreen's rule: the EHLO name is whatever stands up to the last `>` of the line.
fn loose(dialect: Dialect, input: &[u8]) -> Parsed<'_, Attributes<'_>> {
    let followers: &[&[u8]] = match dialect {
        Dialect::Smtpd | Dialect::Check => &[b" to=<", b" proto=", b" sasl_username=<", b" helo=<"],
        Dialect::Postscreen => &[b", to=<", b", proto=", b", helo=<"],
    };
    let separator = || opt(tag(","));
    let logged = |input| logged_path(followers, input);
    let from = opt(delimited(tag(" from="), logged, separator()));
    let to = opt(delimited(tag(" to="), logged, separator()));
    let proto = opt(delimited(tag(" proto="), is_not(" ;<>,"), separator()));
    let account = opt(preceded(tag(" sasl_username="), logged));
    let helo = opt(preceded(tag(" helo="), |input| loose_path(&[], input)));
    let found = verify((from, to, proto, account, helo), |(from, to, proto, _, helo)| {
        from.is_some() || to.is_some() || proto.is_some() || helo.is_some()
    });
    let (rest, (reverse_path, forward_path, _, account, helo)) = terminated_by_nothing(found, input)?;
    Ok((rest, Attributes { reverse_path, forward_path, helo: helo.unwrap_or_default(), account }))
}

/// Runs a rule that must reach the end of the line, a space aside.
fn terminated_by_nothing<'a, T>(
    mut rule: impl Parser<&'a [u8], Output = T, Error = Expected<'a>>,
    input: &'a [u8],
) -> Parsed<'a, T> {
    let (rest, found) = rule.parse(input)?;
    if rest.trim_ascii().is_empty() {
        return Ok((b"", found));
    }
    Err(nom::Err::Error(Expected { rest, what: "the end of the attributes" }))
}

/// A quoted path if an attribute or the end follows, else one without quotation marks.
fn logged_path<'a>(followers: &[&[u8]], input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    match path(input) {
        Ok((rest, inside)) if rest.is_empty() || followers.iter().any(|f| rest.starts_with(f)) => Ok((rest, inside)),
        _ => loose_path(followers, input),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Checks what is before, the reverse-path, the forward-path, the EHLO name and what is behind.
    fn check(dialect: Dialect, text: &str, want: [&str; 5]) {
        let (before, found, behind) = split(dialect, text.as_bytes());
        let fields =
            [before, found.reverse_path.unwrap_or(b"-"), found.forward_path.unwrap_or(b"-"), found.helo, behind];
        assert_eq!(fields.map(|field| std::str::from_utf8(field).unwrap()), want, "{text}");
    }

    #[test]
    fn attributes_of_smtpd() {
        let check = |text, want| check(Dialect::Smtpd, text, want);
        check("no; from=<a@b> to=<c@d> proto=ESMTP helo=<h>", ["no", "a@b", "c@d", "h", ""]);
        check("no; from=<> to=<c@d> proto=SMTP helo=<>", ["no", "", "c@d", "", ""]);
        check("no; from=<a@b> proto=ESMTP helo=<h>", ["no", "a@b", "-", "h", ""]);
        check("no; to=<c@d> proto=SMTP helo=<me>", ["no", "-", "c@d", "me", ""]);
        check("no; proto=SMTP", ["no", "-", "-", "", ""]);
        check("no; from=<a@b> to=<c@d>", ["no", "a@b", "c@d", "", ""]);
        check(
            "no; see http://x/?a;b; from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
            ["no; see http://x/?a;b", "a@b", "c@d", "h", ""],
        );
        check("no;", ["no", "-", "-", "", ""]);
        check("no; really", ["no; really", "-", "-", "", ""]);
    }

    #[test]
    fn accounts_before_or_after_the_ehlo_name() {
        for text in ["; proto=ESMTP sasl_username=<u> helo=<h>", "; proto=ESMTP helo=<h> sasl_username=<u>"] {
            assert_eq!(split(Dialect::Smtpd, text.as_bytes()).1.account, Some(b"u".as_slice()), "{text}");
        }
    }

    #[test]
    fn attributes_of_header_checks() {
        let check = |text, want| check(Dialect::Check, text, want);
        check(
            "x from h[192.0.2.1]; from=<a@b> to=<c@d> proto=SMTP helo=<h>: 5.7.1 spam",
            ["x from h[192.0.2.1]", "a@b", "c@d", "h", "5.7.1 spam"],
        );
        check(
            r#"x from h[192.0.2.1]; from=<"; from=<e> to=<f>: y"@b> to=<c@d> proto=SMTP helo=<h>: no"#,
            ["x from h[192.0.2.1]", r#""; from=<e> to=<f>: y"@b"#, "c@d", "h", "no"],
        );
    }

    #[test]
    fn clients_cannot_forge_attributes_of_smtpd() {
        let check = |text, want| check(Dialect::Smtpd, text, want);
        // In the refused address, which smtpd repeats before the attributes without quotation marks.
        check(
            r#"<x; from=<a> to=<b> proto=SMTP helo=<y@d>: no; from=<r@s> to=<"x; from=<a> to=<b> proto=SMTP helo=<y"@d> proto=ESMTP helo=<h>"#,
            [
                r#"<x; from=<a> to=<b> proto=SMTP helo=<y@d>: no"#,
                "r@s",
                r#""x; from=<a> to=<b> proto=SMTP helo=<y"@d"#,
                "h",
                "",
            ],
        );
        // In a quoted path, with escapes that could open a quoted string of their own.
        check(
            r#"no; from=<"; from=<a> to=<\""@s> to=<c@d> proto=ESMTP helo=<h>"#,
            ["no", r#""; from=<a> to=<\""@s"#, "c@d", "h", ""],
        );
        // Across two quoted paths, the end of one and the beginning of the other taken for a quoted string.
        check(
            r#"no; from=<"; to=<"@s> to=<"x> proto=SMTP helo=<"@d> proto=ESMTP helo=<h>"#,
            ["no", r#""; to=<"@s"#, r#""x> proto=SMTP helo=<"@d"#, "h", ""],
        );
        // As if a header check had added a text.
        check(
            r#"no; from=<"; proto=SMTP: x"@s> to=<c@d> proto=ESMTP helo=<h>"#,
            ["no", r#""; proto=SMTP: x"@s"#, "c@d", "h", ""],
        );
        // In the EHLO name, on a release that should not let it through.
        check(
            "no; from=<a@b> to=<c@d> proto=ESMTP helo=<x> proto=ESMTP helo=<y>",
            ["no", "a@b", "c@d", "x> proto=ESMTP helo=<y", ""],
        );
        // Paths without quotation marks: the first attribute that could follow ends them.
        check(r#"no; from=<a"b@s> to=<c>c@d> proto=ESMTP helo=<h>"#, ["no", r#"a"b@s"#, "c>c@d", "h", ""]);
    }

    #[test]
    fn clients_cannot_forge_attributes_of_postscreen() {
        let check = |text: &str, want: [&str; 5]| check(Dialect::Postscreen, text, want);
        check(
            "no; client [x] blocked; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<h>",
            ["no; client [x] blocked", "a@b", "c@d", "h", ""],
        );
        check("too many connections", ["too many connections", "-", "-", "", ""]);
        let helo = "x>; from=<e@e>, to=<f@f>, proto=SMTP, helo=<y";
        check(&format!("no; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<{helo}>"), ["no", "a@b", "c@d", helo, ""]);
        check(
            r#"no; from=<"q>, to=<f@f"@b>, to=<c@d>, proto=ESMTP, helo=<h>"#,
            ["no", r#""q>, to=<f@f"@b"#, "c@d", "h", ""],
        );
    }
}
