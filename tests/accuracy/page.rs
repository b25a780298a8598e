//! docs/ACCURACY.md.

use super::{Measured, Score};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Why a figure is not what the labels say: server program, rule, reason. The test fails where a difference has none.
const REASONS: [(&str, &str, &str); 4] = [
    (
        "opensmtpd",
        "exact counts",
        "the rest was accepted at an address literal of the server (`relaytest%example.org@[192.0.2.25]`) and refused by the server itself \
         later, which is no relaying",
    ),
    (
        "opensmtpd",
        "open-relay",
        "an outside address of the administrator's own network, which sends what its own servers send. OpenSMTPD logs names that it has not \
         looked up both ways, so that the name proves nothing. The finding is of severity `low`, and says which option settles it",
    ),
    (
        "opensmtpd",
        "spoofed-local-sender",
        "the same address: mail from our own domain, from outside, without a password",
    ),
    (
        "postfix",
        "relay-probe",
        "postscreen refused the client for talking too early, whatever it asked for; without a list of local domains the log does not tell that \
         the recipients were third parties",
    ),
];

pub fn page(stated: &Measured, inferred: &Measured) -> String {
    let mut page = format!(
        "# Accuracy\n\nWritten by `UPDATE_SNAPSHOTS=1 cargo test --test accuracy` from logs of real mail servers under scripted traffic, of \
         which every\ntransaction is known. {} scenarios. Found, missed and wrong are subjects (clients, accounts, users, servers). The same \
         logs served\nto make the rules: on other servers the figures will be lower.\n\nThe verdict names the right cause in all of them, with \
         the site stated and with the site inferred.\n\n## With the site stated\n\nLocal domains, trusted networks and the server's names and \
         addresses are given as the administrator meant them.\n\n| rule | server | found | missed | wrong | precision | recall |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
        stated.scenarios
    );
    let mut rows: Vec<_> =
        stated.scores.iter().map(|((server, rule), score)| (*rule, server.as_str(), *score)).collect();
    rows.sort_unstable_by_key(|(rule, server, _)| (*rule, *server));
    for (rule, server, score) in rows.iter().filter(|(_, _, score)| 0 < score.all()) {
        writeln!(page, "| {rule} | {server} | {} |", score.cells()).unwrap();
    }
    counts(&mut page, stated);
    differences(&mut page, stated);
    page.push_str(
        "\n## With the site inferred\n\nNothing is given but the logs: what is local and who may relay is concluded from them.\n\n\
         | rule | found | missed | wrong | precision | recall |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut sums = BTreeMap::<&str, Score>::new();
    for ((_, rule), score) in &inferred.scores {
        let sum = sums.entry(rule).or_default();
        *sum =
            Score { found: sum.found + score.found, missed: sum.missed + score.missed, wrong: sum.wrong + score.wrong };
    }
    for (rule, score) in sums {
        writeln!(page, "| {rule} | {} |", score.cells()).unwrap();
    }
    counts(&mut page, inferred);
    differences(&mut page, inferred);
    page
}

impl Score {
    fn all(self) -> usize {
        self.found + self.missed + self.wrong
    }

    fn cells(self) -> String {
        let ratio =
            |rest: usize| if self.found + rest == 0 { 1.0 } else { self.found as f64 / (self.found + rest) as f64 };
        let (precision, recall) = (ratio(self.wrong), ratio(self.missed));
        format!("{} | {} | {} | {precision:.3} | {recall:.3}", self.found, self.missed, self.wrong)
    }
}

fn counts(page: &mut String, measured: &Measured) {
    page.push_str("\nClients that relayed and whose accepted recipients were counted exactly:");
    let shares: Vec<_> =
        measured.exact.iter().map(|(server, (exact, all))| format!(" {server} {exact} of {all}")).collect();
    writeln!(page, "{}.", shares.join(",")).unwrap();
}

fn differences(page: &mut String, measured: &Measured) {
    if measured.differences.is_empty() {
        return;
    }
    page.push_str("\nWhat differs, and why:\n\n");
    for ((server, rule), what) in &measured.differences {
        let reason = REASONS.iter().find(|(of, about, _)| of == server && about == rule);
        let (_, _, reason) = reason.unwrap_or_else(|| panic!("{server}, {rule}: {what:?} has no reason in REASONS"));
        writeln!(page, "- `{rule}`, {server}: {}: {reason}.", what.join("; ")).unwrap();
    }
}
