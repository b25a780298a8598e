//! The envelopes that syslog daemons put around a line, and the daemons behind them.
