//! The engine's threads in Python code, and how they are called back out of it.
//!
//! Worker threads enter the interpreter only through [`attached`]. When a run is interrupted, the code
//! they are in gets a [`RunEnded`] as soon as it executes its next line, wherever that is: a loop in a
//! user's function does not outlive the run. Code that waits for something cannot be called back; it is
//! left to itself, and must do no harm when the interpreter shuts down under it.

use std::cell::Cell;
use std::ffi::c_long;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pathway_runtime::Context;
use pyo3::create_exception;
use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

create_exception!(
    pathway._engine,
    RunEnded,
    PyBaseException,
    "The run has ended: leaves the user's code that still runs for it."
);

/// Threads in Python code.
static INSIDE: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// A thread in Python code.
struct Entry {
    /// The number of the run that it works for.
    run: u64,
    /// How Python names it.
    ident: c_long,
    /// It was called back.
    called: bool,
}

/// Set before the interpreter starts to shut down: from then on no thread may enter it.
static SHUTTING_DOWN: AtomicBool = AtomicBool::new(false);
/// How long the interpreter waits for threads that are called back from Python code.
const FAREWELL: Duration = Duration::from_millis(200);

/// Lets [`shut_down`] be called before the interpreter shuts down.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let function = wrap_pyfunction!(shut_down, module)?;
    module.py().import("atexit")?.call_method1("register", (function,)).map(drop)
}

/// Keeps threads out of the interpreter, and calls back those that are in it.
#[pyfunction]
fn shut_down(py: Python<'_>) {
    SHUTTING_DOWN.store(true, Ordering::SeqCst);
    call_back(py, |_| true);
    let deadline = Instant::now() + FAREWELL;
    while !INSIDE.lock().is_empty() && Instant::now() < deadline {
        py.detach(|| std::thread::sleep(Duration::from_millis(1)));
    }
}

/// Runs code with the interpreter; `None` if there is none any more.
pub(crate) fn attached<T>(code: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    if SHUTTING_DOWN.load(Ordering::SeqCst) {
        return None;
    }
    Python::try_attach(|py| {
        let mut returns = Returns(false);
        let inside = Inside::enter(py);
        let result = code(py);
        drop(inside);
        returns.0 = true;
        result
    })
}

/// Notices when an interpreter that shuts down ends the thread, as it does with every thread that comes
/// back to it. That must not go on into the frames below, which would talk to the interpreter: the
/// thread waits for the end of the process instead.
struct Returns(bool);

impl Drop for Returns {
    fn drop(&mut self) {
        while !self.0 && !std::thread::panicking() {
            std::thread::park();
        }
    }
}

/// While it lives, the thread may be called out of Python code.
struct Inside(Option<(u64, c_long)>);

impl Inside {
    fn enter(py: Python<'_>) -> Self {
        // Only threads of a run are ever interrupted, and they enter once at a time.
        let entry = Context::run_of_this_thread().and_then(|run| Some((run, ident(py)?)));
        if let Some((run, ident)) = entry {
            INSIDE.lock().push(Entry { run, ident, called: false });
        }
        Inside(entry)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let Some(entry) = self.0 else { return };
        let called = {
            let mut inside = INSIDE.lock();
            let position = inside.iter().position(|other| (other.run, other.ident) == entry);
            position.is_some_and(|position| inside.swap_remove(position).called)
        };
        if called {
            // An exception that was asked for and has not been raised yet must not hit what comes next: it is
            // raised here. (Python can take it back, but then goes on looking for it at every line.)
            let _raised = Python::attach(|py| py.run(c"pass", None, None));
        }
    }
}

/// How Python names this thread.
fn ident(py: Python<'_>) -> Option<c_long> {
    thread_local!(static IDENT: Cell<Option<c_long>> = const { Cell::new(None) });
    IDENT.with(|known| {
        if known.get().is_none() {
            let module = py.import(intern!(py, "_thread"));
            let ident = module.and_then(|m| m.call_method0(intern!(py, "get_ident"))?.extract::<u64>());
            known.set(ident.ok().map(|ident| ident as c_long));
        }
        known.get()
    })
}

/// Calls the threads of a run out of the Python code they are in.
pub(crate) fn interrupt(py: Python<'_>, run: u64) {
    call_back(py, |other| other == run);
}

fn call_back(py: Python<'_>, which: impl Fn(u64) -> bool) {
    let exception = py.get_type::<RunEnded>();
    for thread in INSIDE.lock().iter_mut().filter(|thread| which(thread.run)) {
        thread.called = true;
        // SAFETY: the exception is a class and the interpreter lock is held. A thread that has left in
        // the meantime is unknown to Python; one that leaves lets it be raised first.
        unsafe { ffi::PyThreadState_SetAsyncExc(thread.ident, exception.as_ptr()) };
    }
}
