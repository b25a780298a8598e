//! What imitates a domain of ours, and what only looks a little like it.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::site::Origin;

fn site(domains: &[&str]) -> Site {
    let mut site = Site::default();
    domains.iter().for_each(|domain| site.add_local_domain(domain, Origin::CommandLine));
    site
}

const OURS: [&str; 8] = [
    "norbrook.example",
    "mail.ashfield.co.uk",
    ".kundenhost.test",
    "acme.test",
    "stone.test",
    "shop01-kunden.test",
    "müller-bau.test",
    "hillcresthotels.example",
];

fn check(domain: &str, want: Option<(Likeness, &str)>) {
    let site = site(&OURS);
    let found = Index::of(&site).find(domain).map(|(likeness, ours)| (likeness, ours.to_owned()));
    assert_eq!(found, want.map(|(likeness, ours)| (likeness, ours.to_owned())), "{domain}");
}

#[test]
fn letters_that_look_the_same() {
    let norbrook = Some((Likeness::Letters, "norbrook.example"));
    for domain in [
        "n0rbrook.example",
        "norbr00k.example",
        "mail.n0rbrook.test",
        "norbr\u{43e}\u{43e}k.example",
        "xn--norbrk-0qfa.example",
        "nörbrook.example",
        "xn--nrbrook-90a.example",
    ] {
        check(domain, norbrook);
    }
    check("kundenh0st.test", Some((Likeness::Letters, "kundenhost.test")));
    check("ashfie1d.co.uk", Some((Likeness::Letters, "ashfield.co.uk")));
    check("hillcresth0teis.test", Some((Likeness::Letters, "hillcresthotels.example")));
    check("st0ne.test", Some((Likeness::Letters, "stone.test")));
    check("muller-bau.test", Some((Likeness::Letters, "müller-bau.test")));
    check("xn--mller-bau-q9a.example", Some((Likeness::Letters, "müller-bau.test")));
}

#[test]
fn ours_inside_a_strangers() {
    let norbrook = Some((Likeness::Inside, "norbrook.example"));
    for domain in ["norbrook.example.evil.test", "mail.norbrook.example.evil.test", "norbrook.example.a.b.co.uk"] {
        check(domain, norbrook);
    }
    check("ashfield.co.uk.evil.test", Some((Likeness::Inside, "ashfield.co.uk")));
    for domain in
        ["norbrook.evil.test", "example.norbrook.evil.test", "acme.test.evil.test", "xnorbrook.example.evil.test"]
    {
        check(domain, None);
    }
}

#[test]
fn words_added() {
    let norbrook = Some((Likeness::Word, "norbrook.example"));
    for domain in [
        "norbrook-mail.example",
        "mail-norbrook.test",
        "norbrookmail.test",
        "securenorbrook.test",
        "norbrook-example.test",
        "norbrookexample.test",
        "n0rbrook-billing.test",
        "x.norbrook-support.co.uk",
    ] {
        check(domain, norbrook);
    }
    check("stone-mail.test", Some((Likeness::Word, "stone.test")));
    for domain in [
        "stonemail.test",
        "acme-mail.test",
        "norbrook-gardens.test",
        "mail-online.test",
        "norbrooks-mail.test",
        "mail-.test",
        "-norbrook.test",
    ] {
        check(domain, None);
    }
}

#[test]
fn one_edit_away() {
    let norbrook = Some((Likeness::Edit, "norbrook.example"));
    for domain in ["norbroo.example", "norbrok.example", "norrbook.example", "nordbrook.example", "norbrock.example"] {
        check(domain, norbrook);
    }
    check("kundenhostt.test", Some((Likeness::Edit, "kundenhost.test")));
    // Ten letters and more: under another ending too.
    check("kundenhots.example", Some((Likeness::Edit, "kundenhost.test")));
    check("hillcrest-hotels.test", Some((Likeness::Edit, "hillcresthotels.example")));
    for domain in [
        // Shorter: only under the same ending.
        "norbrok.test",
        // Two edits.
        "nrbrok.example",
        // Short names.
        "acne.test",
        "acm.test",
        "stones.test",
        "store.test",
        // A series.
        "shop02-kunden.test",
    ] {
        check(domain, None);
    }
}

#[test]
fn the_same_under_another_ending() {
    for domain in ["norbrook.test", "mail.norbrook.co.uk"] {
        check(domain, Some((Likeness::Suffix, "norbrook.example")));
    }
    check("ashfield.test", Some((Likeness::Suffix, "ashfield.co.uk")));
    for domain in ["acme.example", "stone.example"] {
        check(domain, None);
    }
    let site = site(&["example.org"]);
    assert_eq!(Index::of(&site).find("mail.example.com"), None);
    assert_eq!(Index::of(&site).find("example.test"), Some((Likeness::Suffix, "example.org")));
    assert_eq!(Index::of(&site).find("examp1e.com"), Some((Likeness::Letters, "example.org")));
}

#[test]
fn ours_and_what_is_no_domain() {
    for domain in [
        "norbrook.example",
        "news.norbrook.example",
        "ashfield.co.uk",
        "a.b.kundenhost.test",
        "",
        "localhost",
        "norbrook",
        "[192.0.2.1]",
        "192.0.2.1",
        "other.test",
        "xn--.test",
    ] {
        check(domain, None);
    }
    check(&format!("{}.test", "a".repeat(255)), None);
}

#[test]
fn words_are_in_order() {
    assert!(WORDS.is_sorted());
    assert!(WORDS.iter().all(|word| WORD_LENGTHS.contains(&word.len())));
}

#[test]
fn many_names_of_ours_that_are_alike_cost_no_more() {
    let names: Vec<String> = (0..36u32.pow(2))
        .map(|n| {
            format!("aaaaaaaa{}{}.test", char::from_digit(n / 36, 36).unwrap(), char::from_digit(n % 36, 36).unwrap())
        })
        .collect();
    let site = site(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let index = Index::of(&site);
    assert!(index.near.values().all(|found| found.len() <= MOST));
    assert!(index.find("aaaaaaaa-z.test").is_some());
}
