//! Columns in files: large state is read through the system's cache of files, which gives its memory back
//! when others need it.
//!
//! A file has no name: it is gone with the columns that are read from it, however the process ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use bytes::Bytes;
use pathway_types::{Column, DataError, ErrorKind};

use crate::context::{Context, Failure, Site};

/// Columns of fewer bytes stay in memory.
const WORTH_A_FILE: usize = 1 << 20;

/// A folder for columns.
#[derive(Clone)]
pub struct Folder(Arc<Shared>);

struct Shared {
    path: PathBuf,
    context: Context,
    /// A file could not be written: from then on columns stay in memory.
    full: AtomicBool,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Folder").field(&self.0.path).finish()
    }
}

impl Folder {
    /// The folder of a run for results that have to be repeated, if it has one. It is made if it is not there;
    /// if that fails, the run does.
    pub fn for_results(context: &Context, site: &Site) -> Option<Folder> {
        let path = context.results_folder()?;
        match std::fs::create_dir_all(path) {
            Ok(()) => Some(Folder::new(path, context)),
            Err(error) => {
                let message = format!("the folder {} for results of functions: {error}", path.display());
                let error = DataError::new(ErrorKind::Engine, message);
                context.fail(Failure::Data { site: site.clone(), error });
                None
            }
        }
    }

    /// A folder that is there.
    pub fn new(path: &Path, context: &Context) -> Folder {
        let shared = Shared { path: path.to_owned(), context: context.clone(), full: AtomicBool::new(false) };
        Folder(Arc::new(shared))
    }

    /// The same columns, in a file if they are large. If there is no place for a file they stay where they
    /// are, and the user is told once.
    pub fn hold(&self, columns: Vec<Column>) -> Vec<Column> {
        let size: usize = columns.iter().map(Column::memory_size).sum();
        if size < WORTH_A_FILE || self.0.full.load(Ordering::Relaxed) {
            return columns;
        }
        match self.written(&columns) {
            Ok(held) => held,
            Err(error) => {
                if !self.0.full.swap(true, Ordering::Relaxed) {
                    let path = self.0.path.display();
                    let text = format!("results of functions stay in memory from now on: {path}: {error}");
                    self.0.context.message(true, &text);
                }
                columns
            }
        }
    }

    fn written(&self, columns: &[Column]) -> Result<Vec<Column>, ArrowError> {
        let fields = columns.iter().enumerate();
        let fields = fields.map(|(i, c)| Field::new(i.to_string(), c.array().data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.iter().map(|column| column.array().clone()).collect();
        let rows = RecordBatch::try_new(schema.clone(), arrays)?;
        let mut writer =
            StreamWriter::try_new(BufWriter::new(tempfile::tempfile_in(&self.0.path)?), &schema)?;
        writer.write(&rows)?;
        writer.finish()?;
        let mut file = writer.into_inner()?;
        file.flush()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let rows = read(&file)?;
        let columns = columns.iter().zip(rows.columns()).map(|(column, array)| {
            let held = Column::with_errors(array.clone(), column.errors().cloned());
            held.with_pending(column.pending().cloned())
        });
        Ok(columns.collect())
    }
}

/// The one batch of a file, as views of the file.
fn read(file: &File) -> Result<RecordBatch, ArrowError> {
    // SAFETY: The file has no name and this process alone has it open, for the last time: nobody changes or
    // shortens it.
    let map = unsafe { memmap2::Mmap::map(file)? };
    let mut data = Buffer::from(Bytes::from_owner(map));
    // A copy would be what files are to avoid.
    let mut decoder = StreamDecoder::new().with_require_alignment(true);
    let cut_short = || ArrowError::IpcError("a file of columns ends early".to_owned());
    decoder.decode(&mut data)?.ok_or_else(cut_short)
}

#[cfg(test)]
mod tests;
