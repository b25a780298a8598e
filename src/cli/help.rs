//! What `--help` says below the options.

/// Of `merge`.
pub const MERGE_HELP: &str = "\
Ledgers of days and servers that were scanned each for themselves give the report that one scan
of all their logs gives. Ledgers that hold the same log, or an earlier state of it, are refused:
nothing counts twice.

Examples:
  relayaudit scan /var/log/mail.log.1 --quiet --ledger-out tuesday.ledger
  relayaudit merge monday.ledger tuesday.ledger -o week.ledger
  relayaudit report week.ledger

Exit status: 0, or 2 if a ledger cannot be used; then nothing is written.";

/// Of `report`.
pub const REPORT_HELP: &str = "\
What would the verdict be if that network were yours? A ledger knows nothing of what is yours: it
can be judged again and again.

Examples:
  relayaudit scan /var/log --ledger-out mail.ledger
  relayaudit report mail.ledger --trusted-net 192.0.2.0/24 --local-domain example.org
  relayaudit report mx1.ledger mx2.ledger --format json

Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 a ledger cannot be used or its scan was incomplete.";
