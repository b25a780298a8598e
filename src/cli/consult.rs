//! What judging is given besides logs and site: read or asked before anything is judged.

use super::args::ConsultOptions;
use super::{Error, complain};
use crate::geoip::GeoIp;
use crate::judge::words::count;
use crate::judge::{self, Consulted};
use crate::ledger::{Ledger, Time};
use crate::site::Site;
use crate::spf::{self, Answers, Outcome, Question, Resolver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
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
    let answers = put(judge::spf_questions(ledger, site), name_servers(options));
    tell(&answers);
    answers
}

fn put(questions: Vec<Question>, servers: Vec<SocketAddr>) -> Answers {
    let mut resolver = Resolver::new(servers, TIME);
    let mut answers = Answers { asked: Some(now()), ..Answers::default() };
    for (number, question) in questions.into_iter().enumerate() {
        if QUESTIONS <= number || resolver.is_over() {
            answers.left_out.insert(question);
        } else {
            let answer = spf::check(&question, &mut resolver);
            answers.given.insert(question, answer);
        }
    }
    answers
}

/// Asks beside the judging, for those who judge again and again: what is not answered yet is answered by the next time.
#[derive(Default)]
pub struct Asking {
    answers: Answers,
    asked: Option<Receiver<Answers>>,
}

impl Asking {
    /// The answers that are there, and asks what was not asked yet. Without `--spf` nothing is asked.
    pub fn answers(&mut self, options: &ConsultOptions, ledger: &Ledger, site: &Site) -> Answers {
        if !options.spf {
            return Answers::default();
        }
        match self.asked.as_ref().map(Receiver::try_recv) {
            Some(Ok(answers)) => {
                self.answers.given.extend(answers.given);
                self.answers.asked = answers.asked;
                self.asked = None;
            }
            Some(Err(TryRecvError::Disconnected)) => self.asked = None,
            _ => {}
        }
        let mut questions = judge::spf_questions(ledger, site);
        questions.retain(|question| !self.answers.given.contains_key(question));
        if self.asked.is_none() && !questions.is_empty() {
            let (send, asked) = mpsc::channel();
            let servers = name_servers(options);
            std::thread::spawn(move || send.send(put(questions, servers)));
            self.asked = Some(asked);
        }
        self.answers.clone()
    }
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
