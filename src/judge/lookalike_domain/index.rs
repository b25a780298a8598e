//! The names of ours, looked up by what may imitate them: a few look-ups for each domain of a stranger, however many are ours.
//!
//! Names one edit apart share a spelling in which one letter of each is left out, or of one of them only ("symmetric
//! delete", Garbe 2012): the spellings of ours are kept, and those of a stranger's name looked up.

use super::name::{Name, letters, skeleton};
use crate::site::Site;
use foldhash::{HashMap, HashSet};

/// How a name imitates one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Other letters that look the same: `examp1e.org`, `xn--exmple-4nf.org`.
    Letters,
    /// Ours as the beginning of somebody else's: `example.org.evil.test`.
    Inside,
    /// A word or our own ending added: `example-mail.org`, `example-org.com`.
    Word,
    /// One letter more, less or other, or two exchanged: `exmaple.org`.
    Edit,
    /// The same under another ending: `example.com`.
    Suffix,
}

// Lengths of our label below which a likeness is chance. There are some 36^n names of n letters, but people take words: of five
// and six letters nearly all that are words or one letter away from one are taken, under many endings.
/// Other letters that look the same, ours inside another's, and a word added with a hyphen.
const SHORTEST: usize = 5;
/// Another ending, or a word added without a hyphen.
const SHORTEST_JOINED: usize = 6;
/// One edit under the same ending.
const SHORTEST_EDIT: usize = 7;
/// One edit under another ending.
const SHORTEST_EDIT_SUFFIX: usize = 10;
/// The longest label of the DNS (RFC 1035 section 2.3.4).
const LONGEST: usize = 63;
/// Names of ours kept for one spelling: more are a series (`shop01`, `shop02`), and one of it is as good as another.
const MOST: usize = 16;

/// Names for examples, all three of the IANA (RFC 2606 section 3): none of them imitates another.
const RESERVED: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Words that are added to a name to make it look like a service of its owner. In order, to be found quickly.
const WORDS: &[&str] = &[
    "account", "accounts", "admin", "alert", "alerts", "auth", "bank", "bill", "billing", "care", "cloud", "corp",
    "email", "finance", "group", "help", "helpdesk", "hr", "id", "inc", "info", "int", "invoice", "invoices", "it",
    "login", "logon", "mail", "mailer", "mails", "my", "net", "news", "notice", "office", "online", "pay", "payment",
    "payments", "payroll", "portal", "secure", "security", "service", "services", "sign", "signin", "smtp", "sso",
    "support", "team", "update", "updates", "verify", "vpn", "web", "webmail",
];
/// The lengths of these words.
const WORD_LENGTHS: std::ops::RangeInclusive<usize> = 2..=8;

/// A domain of ours.
struct Ours<'a> {
    name: Name<'a>,
    /// What its label looks like.
    skeleton: String,
    /// Letters of its label.
    length: usize,
}

/// Our domains.
pub struct Index<'a> {
    ours: Vec<Ours<'a>>,
    registered: HashSet<&'a str>,
    /// By what the label looks like.
    exact: HashMap<String, Vec<usize>>,
    /// By what it looks like with one letter left out, and as a whole.
    near: HashMap<String, Vec<usize>>,
    /// The lengths in bytes of what they look like, where one edit counts.
    lengths: HashSet<usize>,
    /// By label and ending without what stands between: `exampleorg`.
    joined: HashMap<String, usize>,
}

impl<'a> Index<'a> {
    /// Makes it of the local domains of a site.
    pub fn of(site: &'a Site) -> Index<'a> {
        let (ours, registered) = (Vec::new(), HashSet::default());
        let (exact, near, joined) = (HashMap::default(), HashMap::default(), HashMap::default());
        let mut index = Index { ours, registered, exact, near, lengths: HashSet::default(), joined };
        for entry in site.local_domains() {
            let name = Name::of(entry.value.trim_start_matches('.'));
            if let Some(name) = name.filter(|name| index.registered.insert(name.registered)) {
                index.add(name);
            }
        }
        index
    }

    fn add(&mut self, name: Name<'a>) {
        let (at, skeleton) = (self.ours.len(), skeleton(name.label));
        let length = letters(name.label).chars().count();
        if SHORTEST <= length {
            push(&mut self.exact, skeleton.clone(), at);
        }
        if SHORTEST_EDIT <= length {
            self.lengths.insert(skeleton.len());
            shorter(&skeleton, |spelling| push(&mut self.near, spelling.to_owned(), at));
        }
        if SHORTEST_JOINED <= length {
            self.joined.entry(format!("{}{}", name.label, name.suffix.replace('.', ""))).or_insert(at);
        }
        self.ours.push(Ours { name, skeleton, length });
    }

    /// Which domain of ours a stranger's imitates, and how: the plainest likeness counts. `None` for a domain that is ours
    /// or below one of ours, and for one like none.
    pub fn find(&self, domain: &str) -> Option<(Likeness, &'a str)> {
        let name = Name::of(domain).filter(|name| name.label.len() <= LONGEST)?;
        if self.registered.contains(name.registered) {
            return None;
        }
        if let Some(ours) = self.inside(&name) {
            return Some((Likeness::Inside, ours));
        }
        let alike = skeleton(name.label);
        let named = |(likeness, at): (Likeness, usize)| (likeness, self.ours[at].name.registered);
        let found =
            self.same_look(&name, &alike).or_else(|| self.with_word(&name)).or_else(|| self.edited(&name, &alike));
        found.map(named)
    }

    /// One of ours among what stands before what a stranger registered: a label and an ending of one or two labels.
    fn inside(&self, name: &Name<'_>) -> Option<&'a str> {
        let below = name.below;
        let starts = std::iter::once(0).chain(below.match_indices('.').map(|(dot, _)| dot + 1));
        let named = |start: usize| {
            let rest = &below[start..];
            let ends = rest.match_indices('.').map(|(dot, _)| dot).chain([rest.len()]).skip(1).take(2);
            ends.filter_map(|end| self.registered.get(&rest[..end]).copied()).next()
        };
        // A host may be named like a short or common name: `mail.de.example.net`.
        let tells = |ours: &&str| Name::of(ours).is_some_and(|n| SHORTEST <= n.label.len() && !is_word(n.label));
        starts.filter_map(named).find(tells)
    }

    /// The same label under another ending, or one that looks the same.
    fn same_look(&self, name: &Name<'_>, alike: &str) -> Option<(Likeness, usize)> {
        let found = self.exact.get(alike)?;
        let same = found.iter().find(|at| self.ours[**at].name.label == name.label);
        match same {
            Some(at) => {
                let ours = &self.ours[*at];
                let one_owner = RESERVED.contains(&name.registered) && RESERVED.contains(&ours.name.registered);
                (SHORTEST_JOINED <= ours.length && !one_owner).then_some((Likeness::Suffix, *at))
            }
            None => found.first().map(|at| (Likeness::Letters, *at)),
        }
    }

    /// One of ours with a word before or behind it.
    fn with_word(&self, name: &Name<'_>) -> Option<(Likeness, usize)> {
        let label = letters(name.label);
        if let Some(at) = self.joined.get(&*label).or_else(|| self.joined.get(&label.replace('-', ""))) {
            return Some((Likeness::Word, *at));
        }
        let cuts = WORD_LENGTHS.flat_map(|length| [Some(length), label.len().checked_sub(length)]).flatten();
        let parts = cuts.filter_map(|cut| label.split_at_checked(cut));
        parts.filter_map(|(head, tail)| self.part(head, tail)).next()
    }

    /// The one of ours that two parts are, the other being a word. A hyphen may stand between.
    fn part(&self, head: &str, tail: &str) -> Option<(Likeness, usize)> {
        let (bare_head, bare_tail) = (head.strip_suffix('-'), tail.strip_prefix('-'));
        let shortest = if bare_head.or(bare_tail).is_some() { SHORTEST } else { SHORTEST_JOINED };
        let (head, tail) = (bare_head.unwrap_or(head), bare_tail.unwrap_or(tail));
        let rest = match (is_word(head), is_word(tail)) {
            (true, false) => tail,
            (false, true) => head,
            _ => return None,
        };
        let found = self.exact.get(&skeleton(rest))?.iter().find(|at| shortest <= self.ours[**at].length);
        found.map(|at| (Likeness::Word, *at))
    }

    /// One of ours that is one edit away.
    fn edited(&self, name: &Name<'_>, alike: &str) -> Option<(Likeness, usize)> {
        // One edit changes the length by one letter at most, of four bytes at most.
        if !(alike.len().saturating_sub(4)..=alike.len() + 4).any(|length| self.lengths.contains(&length)) {
            return None;
        }
        let mut found = None;
        shorter(alike, |spelling| {
            let near = self.near.get(spelling).into_iter().flatten();
            found = near.copied().filter(|at| self.is_edit(*at, name, alike)).chain(found).min();
        });
        found.map(|at| (Likeness::Edit, at))
    }

    fn is_edit(&self, at: usize, name: &Name<'_>, alike: &str) -> bool {
        let ours = &self.ours[at];
        let long_enough = ours.name.suffix == name.suffix || SHORTEST_EDIT_SUFFIX <= ours.length;
        long_enough && strsim::osa_distance(&ours.skeleton, alike) == 1 && !is_series(ours.name.label, name.label)
    }
}

fn is_word(text: &str) -> bool {
    WORDS.binary_search(&text).is_ok()
}

/// Whether two labels have numbers and differ in them only: `shop01`, `shop02`.
fn is_series(one: &str, other: &str) -> bool {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let bare = |label: &str| label.replace(is_digit, "");
    one.contains(is_digit) && other.contains(is_digit) && bare(one) == bare(other)
}

fn push(book: &mut HashMap<String, Vec<usize>>, spelling: String, at: usize) {
    let found = book.entry(spelling).or_default();
    if found.len() < MOST && found.last() != Some(&at) {
        found.push(at);
    }
}

/// Gives a text as it is, and with each of its letters left out.
fn shorter(text: &str, mut take: impl FnMut(&str)) {
    take(text);
    let mut spelling = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        spelling.clear();
        spelling.push_str(&text[..at]);
        spelling.push_str(&text[at + letter.len_utf8()..]);
        take(&spelling);
    }
}

#[cfg(test)]
mod tests;
