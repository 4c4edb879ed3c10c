//! A view of a run on a terminal: tables of its sources and operators, and below them the last log records.
//!
//! While the run goes on the view takes the whole terminal, on its second screen; afterwards the terminal is as it was.
//! Nothing is read from the terminal, so that keys do what they always do. Where there is no terminal the same is told
//! in lines ([`Console::lines`]), or asked for ([`Console::text`]).

mod lines;
mod logs;
mod progress;
mod screen;
mod second;
mod table;

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pathway_dataflow::stats::Statistics;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

use crate::log_tail::{LogTail, Record};
use progress::Progress;
use second::SecondScreen;

/// How often the terminal is drawn.
const REFRESH: Duration = Duration::from_millis(250);
/// The size of a terminal that does not know its own.
const SIZE: (u16, u16) = (80, 24);
/// Nobody draws for so long, unless the program was stopped meanwhile.
const STOPPED: Duration = Duration::from_secs(2);
/// More records than lines that a terminal has.
const RECORDS: usize = 300;

/// A view of one run.
#[derive(Debug)]
pub struct Console {
    tail: Arc<LogTail>,
    /// A row for each operator, too.
    operators: bool,
    /// Levels of the log have colors.
    colored: bool,
    begin: Instant,
    statistics: OnceLock<Arc<Statistics>>,
}

/// Shows a view until it is dropped.
#[derive(Debug)]
pub struct Drawing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Drawing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What has panicked there was told by the panic itself.
            let _ended = thread.join();
        }
    }
}

impl Console {
    /// A view with these log records; with a row for each operator, or for input and output only.
    pub fn new(tail: Arc<LogTail>, operators: bool) -> Console {
        // Programs that add colors do not where the user has said so (no-color.org).
        let colored = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Console { tail, operators, colored, begin: Instant::now(), statistics: OnceLock::new() }
    }

    /// The run has begun.
    pub fn open(&self, statistics: Arc<Statistics>) {
        // A view has one run.
        let _ = self.statistics.set(statistics);
    }

    /// True if there is, or was, a run to show.
    pub fn has_begun(&self) -> bool {
        self.statistics.get().is_some()
    }

    /// Takes a terminal, and gives it back when that is dropped.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn draw(self: &Arc<Self>, terminal: File) -> io::Result<Drawing> {
        let console = self.clone();
        spawn(move |stop| {
            // A terminal that cannot be written to is gone, and there is nobody to be told.
            let _gone = console.drawing(&terminal, &stop);
        })
    }

    /// Tells in lines, every few seconds and at the end.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn lines(
        self: &Arc<Self>,
        every: Duration,
        tell: impl Fn(&str) + Send + 'static,
    ) -> io::Result<Drawing> {
        let console = self.clone();
        spawn(move |stop| {
            let tell_all = || lines::of(&console.progress()).iter().for_each(|line| tell(line));
            while waits(&stop, every) {
                tell_all();
            }
            tell_all();
        })
    }

    /// The whole of it as text of this width, with the last lines of the log or without it.
    pub fn text(&self, width: u16, logs: u16) -> String {
        let progress = self.progress();
        let records = (logs > 0).then(|| self.records());
        let area = Rect::new(0, 0, width, screen::whole(&progress, records.as_deref(), width, logs));
        let mut buffer = Buffer::empty(area);
        screen::draw(&progress, records.as_deref(), area, &mut buffer);
        let rows = (0..area.height).map(|y| {
            let mut row = String::new();
            let mut x = 0;
            while x < area.width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                // The cell after a wide character is a part of it.
                x += (unicode_width::UnicodeWidthStr::width(symbol) as u16).max(1);
            }
            row.truncate(row.trim_end().len());
            row
        });
        rows.collect::<Vec<String>>().join("\n")
    }

    /// Draws until it is to stop.
    fn drawing(&self, file: &File, stop: &Receiver<()>) -> io::Result<()> {
        let mut screen = SecondScreen::enter(file)?;
        loop {
            // A terminal of another size is begun anew. What the library has for that asks the terminal where its
            // cursor is, and takes the answer from what is typed.
            let area = size(file);
            screen.clear()?;
            let viewport = Viewport::Fixed(area);
            let backend = CrosstermBackend::new(BufWriter::new(file));
            let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
            let mut drawn = Instant::now();
            while size(file) == area && drawn.elapsed() < STOPPED {
                let (progress, records) = (self.progress(), self.records());
                terminal.draw(|frame| {
                    screen::draw(&progress, Some(&records), frame.area(), frame.buffer_mut());
                    if !self.colored {
                        frame.buffer_mut().content.iter_mut().for_each(|cell| cell.fg = Color::Reset);
                    }
                })?;
                drawn = Instant::now();
                if !waits(stop, REFRESH) {
                    return Ok(());
                }
            }
        }
    }

    fn progress(&self) -> Progress {
        let age = self.begin.elapsed();
        let known = self.statistics.get().and_then(|known| Some((known.outline()?, known.snapshot()?)));
        match known {
            Some((outline, snapshot)) => progress::progress(outline, &snapshot, self.operators, age),
            None => Progress::unknown(),
        }
    }

    fn records(&self) -> Vec<Arc<Record>> {
        self.tail.last(RECORDS)
    }
}

/// True unless it is time to stop.
fn waits(stop: &Receiver<()>, time: Duration) -> bool {
    stop.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

fn spawn(work: impl FnOnce(Receiver<()>) + Send + 'static) -> io::Result<Drawing> {
    let (stop, stopped) = channel();
    let thread = std::thread::Builder::new().name("pathway:console".to_owned());
    let thread = thread.spawn(move || work(stopped))?;
    Ok(Drawing { stop: Some(stop), thread: Some(thread) })
}

fn size(terminal: &File) -> Rect {
    let known = tcgetwinsize(terminal).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    let (width, height) = known.map_or(SIZE, |size| (size.ws_col, size.ws_row));
    Rect::new(0, 0, width, height)
}

#[cfg(test)]
mod tests;
