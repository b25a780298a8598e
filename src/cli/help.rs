//! What `--help` says below the options.

/// Of `merge`.
pub const MERGE_HELP: &str = "\
Ledgers of days and servers that were scanned each for themselves give the
report that one scan of all their logs gives. A ledger that holds the same logs
as another counts once; ledgers that share some of their logs, or hold an
earlier state of one, are refused: nothing counts twice.

Examples:
  relayaudit scan /var/log/mail.log.1 --quiet --ledger-out tuesday.ledger
  relayaudit merge monday.ledger tuesday.ledger -o week.ledger
  relayaudit report week.ledger

Exit status: 0, or 2 if a ledger cannot be used; then nothing is written.";

/// Of `report`.
pub const REPORT_HELP: &str = "\
What would the verdict be if that network were yours? A ledger knows nothing of
what is yours: it can be judged again and again.

Examples:
  relayaudit scan /var/log --ledger-out mail.ledger
  relayaudit report mail.ledger --trusted-net 192.0.2.0/24 --local-domain example.org
  relayaudit report mail.ledger --site other.toml --config /etc/postfix/main.cf
  relayaudit report mx1.ledger mx2.ledger --format json

Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 a ledger cannot be used or its scan was incomplete.";

/// Of `extract`.
pub const EXTRACT_HELP: &str = "\
Columns: server, format, session, queue_id, message_id, time, client,
client_name, helo, account, reverse_path, forward_path, original_forward_path,
reply_code, outcome, next_hop, size_bytes, verdict, path, line. Times are UTC.
An empty reverse_path is the null reverse-path; what the log does not say is
missing. Rows come as mail is decided on, not sorted.

Without --local-domain (or a site file) the logs are read twice: first to infer
the site, which standard input does not allow.

Examples:
  relayaudit extract /var/log/mail.log* --to parquet --out mail.parquet
  relayaudit extract /srv/logs --to parquet --partition --out mail/
  relayaudit extract mail.log --to ndjson | jq 'select(.verdict==\"relayed-unauthorised\")'

Exit status: 0, or 2 if the run failed or is incomplete.";
