//! The log grammars of relayaudit: one module per format, nom, borrowed bytes out.
//!
//! A parser turns one line into one [`Line`]. It knows the syntax of its format and
//! nothing else: no other lines, no policy, no clock. What it finds is said in the words
//! of RFC 5321, defined in [`record`], so that nothing behind it needs to know the format.

pub mod address;
pub mod exchange2000;
pub mod exim;
pub mod iis_w3c;
pub mod opensmtpd;
pub mod paths;
pub mod postfix;
pub mod record;
pub mod registry;
pub mod sendmail;
pub mod syslog;
pub mod text;

pub use record::{Event, Line, Record};
