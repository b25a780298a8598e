//! What judging is given besides logs and site: read or asked before anything is judged.

use super::args::ConsultOptions;
use super::{Error, complain};
use crate::geoip::GeoIp;
use crate::judge::words::count;
use crate::judge::{self, Consulted};
use crate::ledger::{Ledger, Time};
use crate::site::Site;
use crate::spf::{self, Answers, Outcome, Resolver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Questions of SPF that are asked: those about the most recipients.
const QUESTIONS: usize = 200;
/// How long all of them may take.
const TIME: Duration = Duration::from_secs(60);

/// Reads what the options name. Call it before the logs are read: a wrong file must not cost a scan.
pub fn load(options: &ConsultOptions) -> Result<Consulted, Error> {
    if options.spf && name_servers(options).is_empty() {
        let what = "the system names no name server to ask; name one with --resolver ADDRESS".to_owned();
        return Err(Error::Option { option: "--spf", what });
    }
    Ok(Consulted { geo: Arc::new(GeoIp::load(&options.geoip)?), ..Consulted::default() })
}

fn name_servers(options: &ConsultOptions) -> Vec<SocketAddr> {
    options.resolver.map_or_else(spf::name_servers, |server| vec![server])
}

/// Asks DNS, if the user wants it; says what was not asked and what was not answered. Without `--spf` nothing is asked.
pub fn ask(options: &ConsultOptions, ledger: &Ledger, site: &Site) -> Answers {
    if !options.spf {
        return Answers::default();
    }
    let mut resolver = Resolver::new(name_servers(options), TIME);
    let mut answers = Answers { asked: Some(now()), ..Answers::default() };
    for (number, question) in judge::spf_questions(ledger, site).into_iter().enumerate() {
        if QUESTIONS <= number || resolver.is_over() {
            answers.left_out.insert(question);
        } else {
            let answer = spf::check(&question, &mut resolver);
            answers.given.insert(question, answer);
        }
    }
    tell(&answers);
    answers
}

fn tell(answers: &Answers) {
    let mut failed = answers.given.values().filter(|answer| answer.outcome == Outcome::TempError);
    if let Some(first) = failed.next() {
        let all = count(answers.given.len() as u64, "question", "questions");
        complain(&format!("--spf: {} of {all} had no answer: {}; judged without", 1 + failed.count(), first.why));
    }
    if !answers.left_out.is_empty() {
        let left = count(answers.left_out.len() as u64, "question was", "questions were");
        let named: Vec<String> = answers
            .left_out
            .iter()
            .take(3)
            .map(|question| format!("{} for {}", question.client, question.domain))
            .collect();
        complain(&format!(
            "--spf: {left} not asked ({QUESTIONS} are at most, within {} seconds), such as {}",
            TIME.as_secs(),
            named.join(", ")
        ));
    }
}

/// The time, for people: to the second.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_secs()).unwrap_or(0).saturating_mul(1_000_000))
}
