//! Marks: the words by which a list is known, and how they are found in one pass.
//!
//! A mark begins where a word begins and ends where one ends. `%` stands for a digit, and a `*` at its end says that the word
//! may go on. Of all lists with a mark in a reply the first of the tables counts, so the tables go from the particular to
//! the general.

use super::List;
use super::{lists, providers, wording};

const TABLES: [&[List]; 3] = [lists::LISTS, providers::PROVIDERS, wording::WORDINGS];

/// How many marks there are.
const COUNT: usize = {
    let (mut table, mut count) = (0, 0);
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            count += TABLES[table][row].marks.len();
            row += 1;
        }
        table += 1;
    }
    count
};

/// A mark: table, row, and place in the row.
type Entry = (u8, u8, u8);

const fn mark((table, row, at): Entry) -> &'static [u8] {
    TABLES[table as usize][row as usize].marks[at as usize].as_bytes()
}

/// All marks in the order of the tables.
const LISTED: [Entry; COUNT] = {
    let mut listed = [(0, 0, 0); COUNT];
    let (mut table, mut next) = (0, 0);
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            let mut at = 0;
            while at < TABLES[table][row].marks.len() {
                listed[next] = (table as u8, row as u8, at as u8);
                next += 1;
                at += 1;
            }
            row += 1;
        }
        table += 1;
    }
    listed
};

/// Where the marks that begin with each byte start in [`SORTED`]; the last is where all end.
const STARTS: [u16; 257] = {
    let mut starts = [0u16; 257];
    let mut at = 0;
    while at < COUNT {
        starts[mark(LISTED[at])[0] as usize + 1] += 1;
        at += 1;
    }
    let mut byte = 0;
    while byte < 256 {
        starts[byte + 1] += starts[byte];
        byte += 1;
    }
    starts
};

/// All marks by their first byte, those of one byte in the order of the tables.
const SORTED: [Entry; COUNT] = {
    let mut sorted = [(0, 0, 0); COUNT];
    let mut next = STARTS;
    let mut at = 0;
    while at < COUNT {
        let byte = mark(LISTED[at])[0] as usize;
        sorted[next[byte] as usize] = LISTED[at];
        next[byte] += 1;
        at += 1;
    }
    sorted
};

/// Every list, in the order in which they count.
pub fn lists() -> impl Iterator<Item = &'static List> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The first list that has a mark in some words (of [`super::reply::Words`]); `None` without one, and if what the words are
/// about is another thing ([`wording::OTHERWISE`]).
pub fn first(words: &[u8]) -> Option<&'static List> {
    static MARKS: [Entry; COUNT] = SORTED;
    let mut best: Option<Entry> = None;
    let mut before = b' ';
    for (at, byte) in words.iter().enumerate() {
        let begins = !before.is_ascii_alphanumeric() || !byte.is_ascii_alphanumeric();
        before = *byte;
        let range = usize::from(STARTS[usize::from(*byte)])..usize::from(STARTS[usize::from(*byte) + 1]);
        if !begins || range.is_empty() {
            continue;
        }
        let better = |entry: &&Entry| best.is_none_or(|best| **entry < best);
        if let Some(found) = MARKS[range].iter().filter(better).find(|entry| stands(mark(**entry), &words[at..])) {
            best = Some(*found);
        }
    }
    let (table, row, _) = best?;
    let found = &TABLES[usize::from(table)][usize::from(row)];
    // Only words that name nobody may mean something else.
    let otherwise = || wording::OTHERWISE.iter().any(|other| memchr::memmem::find(words, other.as_bytes()).is_some());
    (usize::from(table) + 1 < TABLES.len() || !otherwise()).then_some(found)
}

/// Whether some words begin with a mark.
fn stands(mark: &[u8], words: &[u8]) -> bool {
    let (mark, goes_on) = match mark {
        [start @ .., b'*'] => (start, true),
        all => (all, false),
    };
    let Some(start) = words.get(..mark.len()) else { return false };
    let equal = mark.iter().zip(start).all(|(want, have)| want == have || *want == b'%' && have.is_ascii_digit());
    let ends = || {
        let last = mark.last().is_none_or(|last| !(last.is_ascii_alphanumeric() || *last == b'%'));
        last || words.get(mark.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
    };
    equal && (goes_on || ends())
}
