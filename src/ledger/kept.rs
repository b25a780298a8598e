//! What every book has in common as something that is kept: lines of evidence, and counts.
//!
//! Each `impl` names all fields of its type, so that the compiler asks for the one that is added later.

use super::campaigns::TemplateFacts;
use super::capped::{Capped, Spread, Weight};
use super::clients::{ClientFacts, Failures, HelloFacts};
use super::flow::{Flow, Hours};
use super::inputs::{Input, Unparsed};
use super::listings::Listing;
use super::log_ins::{First, LogInFacts};
use super::losses::Loss;
use super::places::{Again, DomainFacts, ServerFacts};
use super::sample::Smallest;
use super::senders::Sent;
use super::span::Evidence;
use super::{Book, Ledger};
use std::collections::BTreeMap;
use std::hash::Hash;

/// Facts of a book.
pub(super) trait Kept {
    /// Changes every line that is kept as evidence, whatever it proves.
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence));

    /// Names every count; a hash is none.
    fn counts(&self, count: &mut dyn FnMut(u64));
}

impl<const N: usize> Kept for Smallest<Evidence, N> {
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        self.change(change);
    }

    fn counts(&self, _: &mut dyn FnMut(u64)) {}
}

impl Kept for Hours {
    fn change_lines(&mut self, _: &mut dyn FnMut(&mut Evidence)) {}

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        self.iter().for_each(|(_, number)| count(number));
    }
}

impl Kept for u64 {
    fn change_lines(&mut self, _: &mut dyn FnMut(&mut Evidence)) {}

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        count(*self);
    }
}

impl<T: Kept> Kept for Box<T> {
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        (**self).change_lines(change);
    }

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        (**self).counts(count);
    }
}

impl<K: Ord, V: Kept> Kept for BTreeMap<K, V> {
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        self.values_mut().for_each(|facts| facts.change_lines(change));
    }

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        self.values().for_each(|facts| facts.counts(count));
    }
}

impl<K: Eq + Hash, V: Kept> Kept for Book<K, V> {
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        self.values_mut().for_each(|facts| facts.change_lines(change));
    }

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        self.values().for_each(|facts| facts.counts(count));
    }
}

impl<K: Spread, V, const N: usize> Kept for Capped<K, V, N>
where
    V: Kept + Default + Weight,
    V::Rest: Kept,
{
    fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
        self.values_mut().for_each(|facts| facts.change_lines(change));
    }

    fn counts(&self, count: &mut dyn FnMut(u64)) {
        let (entries, rest) = self.parts();
        entries.counts(count);
        rest.counts(count);
    }
}

/// Implements [`Kept`] by the fields that hold something of it; the others hold neither lines nor counts.
macro_rules! kept {
    ($type:ident: $($field:ident)*; not $($other:ident)*) => {
        impl Kept for $type {
            fn change_lines(&mut self, change: &mut dyn FnMut(&mut Evidence)) {
                let $type { $($field,)* $($other: _,)* } = self;
                $($field.change_lines(change);)*
            }

            fn counts(&self, count: &mut dyn FnMut(u64)) {
                let $type { $($field,)* $($other: _,)* } = self;
                $($field.counts(count);)*
            }
        }
    };
}

// Everything that a run learns.
kept!(Ledger: inputs flows clients accounts users hellos templates log_ins domains servers losses listings; not);

// The books.
kept!(Input: bytes lines records directives ignored unparsed; not path format span problems);
kept!(Unparsed: lines samples; not);
kept!(Flow: messages recipients bytes hours openings outcomes; not span last_attempt waiting);
kept!(ClientFacts: sessions failures failed_hours auth_evidence sent;
    not names span accounts_tried failed testers handed_in);
kept!(Failures: commands sessions services checkers log_ins; not);
kept!(Sent: messages; not reverse_paths);
kept!(HelloFacts: times evidence; not span);
kept!(TemplateFacts: messages recipients hours evidence; not sizes widths span clients accounts locals names);
kept!(LogInFacts: failures hours evidence entered; not span clients);
kept!(First: line; not span);
kept!(DomainFacts: delivered_here unknown_users gatewayed handed_on evidence; not next_hops clients);
kept!(ServerFacts: records sessions messages bytes openings evidence again;
    not span hours formats own_addresses handed_on);
kept!(Again: messages recipients bytes; not);
// A greatest total is counted: judges add those of servers and loggers.
kept!(Loss: lines total hours evidence; not);
kept!(Listing: replies deferred bounced evidence; not span receivers all_receivers);
