//! The second screen of a terminal.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::crossterm::{execute, queue};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// Has the second screen of a terminal until it is dropped, whatever ends that. What is typed does not appear there.
pub(super) struct SecondScreen<'a> {
    terminal: &'a File,
    /// How the terminal was set, if that was changed.
    before: Option<Termios>,
}

impl<'a> SecondScreen<'a> {
    pub(super) fn enter(terminal: &'a File) -> io::Result<SecondScreen<'a>> {
        let screen =
            SecondScreen { terminal, before: in_front(terminal).then(|| tcgetattr(terminal).ok()).flatten() };
        execute!(BufWriter::new(terminal), EnterAlternateScreen)?;
        Ok(screen)
    }

    /// Begins with an empty screen, also after somebody else had the terminal.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if let Some(before) = &self.before
            && in_front(self.terminal)
        {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(self.terminal, OptionalActions::Now, &silent)?;
        }
        execute!(BufWriter::new(self.terminal), Hide, Clear(ClearType::All))
    }

    fn leave(&self) -> io::Result<()> {
        let mut out = BufWriter::new(self.terminal);
        queue!(out, LeaveAlternateScreen, Show)?;
        out.flush()?;
        if let Some(before) = &self.before
            && in_front(self.terminal)
        {
            tcsetattr(self.terminal, OptionalActions::Now, before)?;
        }
        Ok(())
    }
}

impl Drop for SecondScreen<'_> {
    fn drop(&mut self) {
        // A terminal that cannot be written to is gone, and there is nobody to be told.
        let _gone = self.leave();
    }
}

/// Whoever sets a terminal that another program has in front of it is stopped by the system.
fn in_front(terminal: &File) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}
