//! The file source as the plan describes it.

use std::path::PathBuf;
use std::sync::Arc;

use pathway_io::{ConnectorError, ReadMode, Reader, Resume, Share, Source};
use pathway_types::{DType, Field, Schema};

use super::find::Finder;
use super::read::{OnceReader, Reading};
use super::watch::WatchReader;
use crate::formats::{FormatSpec, METADATA};

/// Reads the records of files.
#[derive(Clone, Debug)]
pub struct FileSource {
    finder: Finder,
    path: PathBuf,
    format: FormatSpec,
    mode: ReadMode,
    /// The columns of records.
    columns: Schema,
    /// All columns: `_metadata`, if asked for, then those of records.
    all: Schema,
    with_metadata: bool,
    /// Positions in `all` of the columns to read.
    projection: Vec<usize>,
    /// The columns to read.
    schema: Schema,
}

impl FileSource {
    /// A source over `path` (a file, a directory, a glob). `schema` is needed for csv and json and
    /// has no place in the other formats.
    ///
    /// # Errors
    /// If the settings do not fit together.
    pub fn new(
        path: impl Into<PathBuf>,
        format: FormatSpec,
        schema: Option<Schema>,
        mode: ReadMode,
    ) -> Result<Self, ConnectorError> {
        let path = path.into();
        let columns = format.columns(schema)?;
        let with_metadata = format == FormatSpec::OnlyMetadata;
        let source = FileSource {
            finder: Finder::new(path.clone(), "*")?,
            path,
            format,
            mode,
            columns,
            all: Schema::default(),
            with_metadata,
            projection: Vec::new(),
            schema: Schema::default(),
        };
        Ok(source.with_metadata(with_metadata))
    }

    /// The same source restricted to files whose names match a wildcard pattern.
    ///
    /// # Errors
    /// If the pattern is malformed.
    pub fn object_pattern(mut self, pattern: &str) -> Result<Self, ConnectorError> {
        self.finder = Finder::new(self.path.clone(), pattern)?;
        Ok(self)
    }

    /// The same source with column `_metadata` in front (which the format `only_metadata` always
    /// has). Reads all columns.
    pub fn with_metadata(mut self, with_metadata: bool) -> Self {
        self.with_metadata = with_metadata || self.format == FormatSpec::OnlyMetadata;
        let metadata = self.with_metadata.then(|| Field::new(METADATA, DType::Json));
        self.all = Schema::new(metadata.into_iter().chain(self.columns.fields.iter().cloned()));
        self.projection = (0..self.all.fields.len()).collect();
        self.schema = self.all.clone();
        self
    }

    /// What all readers share.
    pub(super) fn reading(&self) -> Reading {
        let offset = usize::from(self.with_metadata);
        let records = self.projection.iter().filter_map(|column| column.checked_sub(offset));
        Reading {
            name: self.description(),
            format: self.format.compile(&self.columns, &records.collect::<Vec<_>>()),
            metadata: self.projection.iter().position(|column| self.with_metadata && *column == 0),
            dtypes: self.schema.dtypes().into(),
        }
    }
}

impl Source for FileSource {
    fn description(&self) -> String {
        format!("{}({})", self.format.name(), self.path.display())
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn mode(&self) -> ReadMode {
        self.mode
    }

    fn insert_only(&self) -> bool {
        self.mode == ReadMode::Static
    }

    /// Files may change between runs.
    fn insert_only_for_good(&self) -> bool {
        false
    }

    fn has_positions(&self) -> bool {
        true
    }

    fn project(&self, columns: &[usize]) -> Arc<dyn Source> {
        let mut source = self.clone();
        source.projection = columns.iter().map(|column| self.projection[*column]).collect();
        source.schema = Schema::new(columns.iter().map(|column| self.schema.fields[*column].clone()));
        Arc::new(source)
    }

    fn open(
        &self,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        self.open_share(Share::ALL, parallelism, resume)
    }

    /// Each file is read by one process.
    fn open_share(
        &self,
        share: Share,
        parallelism: usize,
        resume: Option<Resume>,
    ) -> Result<Vec<Box<dyn Reader>>, ConnectorError> {
        self.finder.check()?;
        let reading = Arc::new(self.reading());
        match self.mode {
            ReadMode::Static => {
                let listing = self.finder.list();
                if let Some((path, error)) = listing.failed.first() {
                    return Err(super::os_error(
                        &reading.name,
                        "look into",
                        path,
                        &std::io::Error::other(error.clone()),
                    ));
                }
                if listing.files.is_empty() && share.number == 0 {
                    log::warn!("{}: there is no file to read", reading.name);
                }
                // What was read by an earlier run may have changed since.
                Ok(match &resume {
                    Some(_) => {
                        WatchReader::split(&reading, &self.finder, share, parallelism, resume.as_ref(), true)
                    }
                    None => OnceReader::split(&reading, listing.files, share, parallelism),
                })
            }
            ReadMode::Streaming => {
                Ok(WatchReader::split(&reading, &self.finder, share, parallelism, resume.as_ref(), false))
            }
        }
    }
}
