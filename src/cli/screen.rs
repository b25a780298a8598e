//! The terminal as a screen: an alternate one, without cursor, drawn in place; left as it was, whatever happens.

use crate::report::terminal::live::{Line, Size, styled};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The byte of Ctrl-C.
const CTRL_C: u8 = 3;

/// A screen that is drawn on.
pub struct Screen {
    /// What is on it.
    shown: Vec<String>,
    size: Size,
    colour: bool,
    /// Whether keys come one by one.
    raw: bool,
}

impl Screen {
    /// Takes the screen over. From then on `end` is set when the user wants to leave.
    pub fn open(colour: bool, end: &Arc<AtomicBool>) -> io::Result<Screen> {
        let raw = io::stdin().is_terminal() && enable_raw_mode().is_ok();
        let screen = Screen { shown: Vec::new(), size: Size { width: 0, height: 0 }, colour, raw };
        execute!(io::stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All))?;
        if raw {
            let end = Arc::clone(end);
            std::thread::spawn(move || keys(&end));
        }
        Ok(screen)
    }

    /// How it is left, in words.
    pub fn end(&self) -> &'static str {
        if self.raw { "q ends" } else { "Ctrl-C ends" }
    }

    /// The size of the terminal now.
    pub fn size(&self) -> Size {
        // Those of the VT100, where the terminal does not say.
        let (width, height) = size().ok().filter(|size| 0 < size.0 && 0 < size.1).unwrap_or((80, 24));
        Size { width: width.into(), height: height.into() }
    }

    /// Draws the lines, made for `size`, that are not there already.
    pub fn draw(&mut self, lines: &[Line], size: Size) -> io::Result<()> {
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate)?;
        if size != self.size {
            queue!(out, Clear(ClearType::All))?;
            self.shown.clear();
            self.size = size;
        }
        let lines: Vec<String> = lines.iter().map(|line| styled(line, self.colour)).collect();
        for (at, line) in lines.iter().enumerate() {
            if self.shown.get(at) != Some(line) {
                // Cleared first: behind a full line, the cursor is still on its last character.
                queue!(out, MoveTo(0, u16::try_from(at).unwrap_or(u16::MAX)), Clear(ClearType::UntilNewLine))?;
                out.write_all(line.as_bytes())?;
            }
        }
        self.shown = lines;
        queue!(out, EndSynchronizedUpdate)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing can be done where this fails: the terminal is gone.
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        if self.raw {
            let _ = disable_raw_mode();
        }
    }
}

/// Waits for a key that ends it.
fn keys(end: &AtomicBool) {
    for byte in io::stdin().lock().bytes() {
        match byte {
            Ok(b'q' | b'Q' | CTRL_C) => end.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
