//! Where changes leave the dataflow: consolidated, without error cells, one time after another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::LargeBinaryArray;
use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBuffer;

use arrow_schema::ArrowError;
use pathway_io::{ConnectorError, Encoder, FailureClass, Writer};
use pathway_plan::program::OutputStep;
use pathway_types::view::CellView;
use pathway_types::{Batch, Column, DType, DataError, Timestamp};

use crate::context::{Context, Failure, Site};
use crate::driver::{Edge, connect};
use crate::kernels::consolidate::removals_first;
use crate::operators::net::net_changes;
use crate::operators::stateless::per_batch;
use crate::packet::Packet;
use crate::route::Route;
use crate::spill::Queue;
use crate::stats::{Meter, SinkMeter, Wiring, signs};
use crate::tally::Tally;
use crate::timely::OperatorBuilder;

/// Where a sink is, and what it is told.
pub struct Place {
    /// The operator and the user's line.
    pub site: Site,
    /// The name of the sink, for people.
    pub label: String,
    /// It is not told what there was before the run: changes of times 0 and 1.
    pub skips_start: bool,
}

/// Adds a sink to the dataflow. `writer` is there on worker 0, where all changes end up. Gives a stream
/// without rows that ends when everything is written.
pub fn sink<'scope>(
    input: Edge<'scope>,
    step: &OutputStep,
    dtypes: Vec<DType>,
    insert_only: bool,
    writer: Option<Box<dyn Writer>>,
    context: &Context,
    place: Place,
) -> Edge<'scope> {
    let Place { site, label, skips_start } = place;
    let mut stream = input;
    if !step.keep_errors {
        stream = complete(stream, "complete rows", context, &site);
    }
    let merges_equal = step.keep_errors;
    if !insert_only || merges_equal {
        stream = net_changes(stream, dtypes.clone(), merges_equal, context);
    }
    let encoder = step.sink.encoder().filter(|_| step.sort_by.is_none());
    let encoded = encoder.is_some();
    if let Some(encoder) = encoder {
        stream =
            per_batch(stream, "encode", context.clone(), move |time, batch| encode(&*encoder, batch, time));
    }
    let sort_by = step.sort_by.clone();
    let order = match sort_by {
        Some(columns) => Order::Sorted(columns),
        None if insert_only => Order::AsTheyCome,
        None => Order::RemovalsFirst,
    };
    let counts = writer.is_some().then(|| context.statistics().sink(site.operator));
    let tally = (!step.keep_errors).then(|| Tally::new(label));
    write(
        stream,
        Write {
            writer,
            order,
            dtypes,
            encoded,
            skips_start,
            tally,
            context: context.clone(),
            site,
            meter: None,
            counts,
        },
    )
}

/// The rows without error cells and pending cells.
pub(crate) fn complete<'scope>(
    input: Edge<'scope>,
    name: &str,
    context: &Context,
    site: &Site,
) -> Edge<'scope> {
    let (context, site) = (context.clone(), site.clone());
    per_batch(input, name, context.clone(), move |_, batch| complete_rows(batch, &context, &site))
}

/// Drops rows with error cells (reported) and with pending cells (they come again).
fn complete_rows(batch: Batch, context: &Context, site: &Site) -> Batch {
    let masked = batch.columns.iter().any(|c| c.errors().is_some() || c.pending().is_some());
    if !masked {
        return batch;
    }
    let error = DataError::skipped("output");
    let keep: BooleanBuffer = (0..batch.len())
        .map(|row| {
            let failed = batch.columns.iter().any(|c| c.is_error(row));
            if failed {
                context.data_error(site, &error);
            }
            !failed && !batch.columns.iter().any(|c| c.is_pending(row))
        })
        .collect();
    batch.filter(&keep)
}

/// The changes as one cell of bytes per sign; the key is how many changes they are.
fn encode(encoder: &dyn Encoder, batch: Batch, time: Timestamp) -> Batch {
    let (removals, additions) = removals_first(batch);
    let (mut blobs, mut counts, mut diffs) = (Vec::new(), Vec::new(), Vec::new());
    for (part, diff) in [(removals, -1), (additions, 1)] {
        if !part.is_empty() {
            let mut bytes = Vec::new();
            encoder.encode(&part, time, &mut bytes);
            blobs.push(bytes);
            counts.push(part.len() as u128);
            diffs.push(diff);
        }
    }
    let column = Column::new(Arc::new(LargeBinaryArray::from_iter_values(&blobs)));
    Batch::new(counts.into(), vec![column], diffs.into())
}

enum Order {
    /// Nothing is ever removed: rows are written as they come.
    AsTheyCome,
    RemovalsFirst,
    Sorted(Vec<usize>),
}

struct Write {
    writer: Option<Box<dyn Writer>>,
    order: Order,
    dtypes: Vec<DType>,
    encoded: bool,
    skips_start: bool,
    /// What is told about the sink's progress; nothing of sinks that only keep what comes.
    tally: Option<Tally>,
    context: Context,
    site: Site,
    meter: Option<Arc<Meter>>,
    /// What is counted of the sink, where it is written.
    counts: Option<Arc<SinkMeter>>,
}

/// Changes of one time that wait to be written.
#[derive(Default)]
struct Waiting {
    batches: Vec<Batch>,
    additions: Queue,
}

fn write(input: Edge<'_>, mut write: Write) -> Edge<'_> {
    let mut builder = OperatorBuilder::new("write".to_owned(), input.scope());
    let wiring = Wiring { node: builder.index(), sources: vec![input.name().node] };
    let context = write.context.clone();
    let meter = write.meter.insert(context.meter("write", wiring, None)).clone();
    meter.tracks();
    let mut reader = connect(&mut builder, input, Route::Worker(0), &context);
    let (_output, end) = builder.new_output::<Packet>();
    let board = context.completed();
    let is_writer = write.writer.is_some();
    let progress = is_writer.then(|| board.register(write.site.operator));
    builder.build_reschedule(move |_capabilities| {
        let mut waiting: BTreeMap<Timestamp, Waiting> = BTreeMap::new();
        move |frontiers: &[crate::timely::MutableAntichain<Timestamp>]| {
            let begin = Instant::now();
            reader(&mut |capability, batch| {
                meter.received(0, batch.len());
                if let Some(time) = capability.least()
                    && !(write.skips_start && *time < 2)
                {
                    waiting.entry(*time).or_default().batches.push(batch);
                }
            });
            let frontier = frontiers[0].frontier().first().copied();
            if context.is_stopped() {
                waiting.clear();
                return false;
            }
            if is_writer && let Err(error) = write.work_and_tell(&mut waiting, frontier) {
                context.fail(Failure::Connector { site: write.site.clone(), error });
                return false;
            }
            if let Some(progress) = &progress {
                board.advance(progress, frontier);
            }
            meter.reached(frontier);
            meter.worked(begin);
            false
        }
    });
    end
}

impl Write {
    fn work_and_tell(
        &mut self,
        waiting: &mut BTreeMap<Timestamp, Waiting>,
        frontier: Option<Timestamp>,
    ) -> Result<(), ConnectorError> {
        let ends = frontier.is_none() && self.writer.is_some();
        let begin = (ends || !waiting.is_empty()).then(Instant::now);
        self.work(waiting, frontier)?;
        if let (Some(counts), Some(begin)) = (&self.counts, begin) {
            counts.worked(begin.elapsed());
        }
        if let Some(tally) = &mut self.tally
            && let Some(text) = tally.written(begin, frontier, ends)
        {
            self.context.progress(false, tally.name(), &text);
        }
        Ok(())
    }

    fn work(
        &mut self,
        waiting: &mut BTreeMap<Timestamp, Waiting>,
        frontier: Option<Timestamp>,
    ) -> Result<(), ConnectorError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let budget = self.context.budget();
        let keep = |queue: &mut Queue, batch: Batch| {
            if let (Err(error), Some(budget)) = (queue.push(batch, budget.as_deref()), &budget) {
                budget.exhaust(&error, &self.context);
            }
        };
        while let Some(mut entry) = waiting.first_entry() {
            let time = *entry.key();
            if frontier.is_some_and(|f| f < time) {
                return Ok(());
            }
            let complete = frontier.is_none_or(|f| f > time);
            let changes = entry.get_mut();
            let mut put = |batch: &Batch| -> Result<(), ConnectorError> {
                let (inserted, deleted) = changes_in(batch, self.encoded);
                if let Some(tally) = &mut self.tally {
                    tally.entries += inserted + deleted;
                }
                self.counts.iter().for_each(|counts| counts.wrote(inserted + deleted));
                self.meter.iter().for_each(|meter| meter.emitted_signs((inserted, deleted)));
                if !self.encoded {
                    return writer.write(batch, time);
                }
                let blobs = batch.columns[0].array().as_binary::<i64>();
                blobs.iter().flatten().try_for_each(|bytes| writer.write_encoded(bytes, time))
            };
            let batches = std::mem::take(&mut changes.batches);
            match &self.order {
                Order::AsTheyCome => batches.iter().try_for_each(&mut put)?,
                Order::RemovalsFirst => {
                    for batch in batches {
                        let (removals, additions) = removals_first(batch);
                        if !removals.is_empty() {
                            put(&removals)?;
                        }
                        if !additions.is_empty() {
                            keep(&mut changes.additions, additions);
                        }
                    }
                }
                Order::Sorted(_) => {
                    batches.into_iter().for_each(|batch| keep(&mut changes.additions, batch));
                }
            }
            if !complete {
                return Ok(());
            }
            match &self.order {
                Order::Sorted(columns) => {
                    let mut all = Vec::new();
                    changes.additions.drain(|batch| -> Result<(), Unread> {
                        all.push(batch.clone());
                        Ok(())
                    })?;
                    if !all.is_empty() {
                        put(&sorted(&Batch::concat(&all), columns, &self.dtypes))?;
                    }
                }
                _ => changes.additions.drain(|batch| put(batch).map_err(Unread::Connector))?,
            }
            writer.end_time(time)?;
            entry.remove();
        }
        if frontier.is_none()
            && let Some(mut writer) = self.writer.take()
        {
            writer.end()?;
        }
        Ok(())
    }
}

/// How many additions and removals a batch for the sink stands for.
fn changes_in(batch: &Batch, encoded: bool) -> (u64, u64) {
    if !encoded {
        return signs(&batch.diffs);
    }
    let counts = batch.keys.as_slice().iter().map(|count| *count as u64).zip(batch.diffs.iter());
    counts.fold((0, 0), |(inserted, deleted), (count, diff)| match diff {
        1.. => (inserted + count, deleted),
        _ => (inserted, deleted + count),
    })
}

/// Why what was kept for the end of a time was not written.
enum Unread {
    Connector(ConnectorError),
    File(ArrowError),
}

impl From<ArrowError> for Unread {
    fn from(error: ArrowError) -> Self {
        Unread::File(error)
    }
}

impl From<Unread> for ConnectorError {
    fn from(error: Unread) -> Self {
        match error {
            Unread::Connector(error) => error,
            Unread::File(error) => {
                let message = format!("changes in a temporary file cannot be read: {error}");
                ConnectorError::new("output", FailureClass::Os, message)
            }
        }
    }
}

/// The rows in ascending order of these columns; equal rows keep their order.
fn sorted(batch: &Batch, columns: &[usize], dtypes: &[DType]) -> Batch {
    let views: Vec<CellView<'_>> =
        columns.iter().map(|c| CellView::new(&batch.columns[*c], &dtypes[*c])).collect();
    let mut rows: Vec<u32> = (0..batch.len() as u32).collect();
    rows.sort_by(|a, b| {
        let orders = views.iter().map(|view| view.cmp(*a as usize, view, *b as usize));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    batch.take(&rows)
}
