//! Changes of one time that wait until the time is complete.

use arrow_schema::ArrowError;
use pathway_types::Batch;

use super::run::{Run, RunWriter};
use super::scan::Scans;
use super::{Budget, sorted};
use crate::route::Route;

/// Changes of one time by input, in memory or in files.
#[derive(Debug)]
pub(crate) struct Waiting {
    routes: Vec<Route>,
    /// By input.
    memory: Vec<Vec<Batch>>,
    bytes: usize,
    runs: Vec<(usize, Run)>,
}

/// Changes to be applied together: the input and the rows.
pub(crate) type Group = Vec<(usize, Batch)>;

impl Waiting {
    /// Nothing, for inputs with these routes.
    pub(crate) fn new(routes: &[Route]) -> Waiting {
        let memory = vec![Vec::new(); routes.len()];
        Waiting { routes: routes.to_vec(), memory, bytes: 0, runs: Vec::new() }
    }

    /// The inputs that have changes here.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = usize> {
        let in_memory = self.memory.iter().enumerate().filter(|(_, batches)| !batches.is_empty());
        in_memory.map(|(input, _)| input).chain(self.runs.iter().map(|(input, _)| *input))
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes + self.runs.iter().map(|(_, run)| run.memory()).sum::<usize>()
    }

    /// Bytes in files.
    pub(crate) fn files(&self) -> usize {
        self.runs.iter().map(|(_, run)| run.bytes() as usize).sum()
    }

    /// Adds changes. If that takes too much memory they are written to files.
    ///
    /// # Errors
    /// If that fails; the changes are in memory then.
    pub(crate) fn push(&mut self, input: usize, batch: Batch, budget: &Budget) -> Result<(), ArrowError> {
        self.bytes += batch.memory_size();
        self.memory[input].push(batch);
        if self.bytes > budget.of_waiting() && !budget.is_full() { self.write(budget) } else { Ok(()) }
    }

    /// What is in memory goes to files if the rest is there already, so that all of it is in the order of keys.
    ///
    /// # Errors
    /// If that fails; the changes are in memory then.
    pub(crate) fn settle(&mut self, budget: &Budget) -> Result<(), ArrowError> {
        if self.runs.is_empty() || budget.is_full() { Ok(()) } else { self.write(budget) }
    }

    fn write(&mut self, budget: &Budget) -> Result<(), ArrowError> {
        for (input, route) in self.routes.iter().enumerate() {
            let batches = &mut self.memory[input];
            if batches.is_empty() {
                continue;
            }
            let (ranks, batch) = sorted(&Batch::concat(batches), *route);
            let mut writer = RunWriter::new(budget.folder(), *route)?;
            writer.append(ranks, batch)?;
            self.runs.extend(writer.finish()?.map(|run| (input, run)));
            let written = batches.iter().map(Batch::memory_size).sum::<usize>();
            batches.clear();
            self.bytes = self.bytes.saturating_sub(written);
        }
        Ok(())
    }

    /// The changes in groups.
    pub(crate) fn into_groups(self, budget: &Budget) -> Groups {
        let Waiting { routes, memory, runs, .. } = self;
        let (bytes, blocks) =
            runs.iter().fold((0, 0), |(b, n), (_, run)| (b + run.bytes(), n + run.blocks()));
        let of_block = bytes as usize / blocks.max(1) + 1;
        let blocks = budget.of_group() / of_block / runs.len().max(1);
        let held = runs.iter().map(|(_, run)| run.memory()).sum::<usize>();
        let (inputs, runs): (Vec<usize>, Vec<Run>) = runs.into_iter().unzip();
        let memory = Some(memory).filter(|memory| memory.iter().any(|batches| !batches.is_empty()));
        let scans = Scans::new(runs.into_iter());
        Groups { of_inputs: routes.len(), memory, inputs, scans, blocks, held, files: bytes as usize }
    }
}

/// The changes of a [`Waiting`] in groups: all changes of a key are in one group. If there is more than one group, each
/// has the keys that follow those of the one before. All changes are one group if some are in memory.
#[derive(Debug)]
pub(crate) struct Groups {
    /// How many inputs there are.
    of_inputs: usize,
    memory: Option<Vec<Vec<Batch>>>,
    /// The input of each run.
    inputs: Vec<usize>,
    scans: Scans<Run>,
    /// What a group is made of: about so many blocks of each run.
    blocks: usize,
    /// Bytes in memory of what is in files.
    held: usize,
    files: usize,
}

impl Groups {
    /// The next group.
    ///
    /// # Errors
    /// If files cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Group>, ArrowError> {
        let (mut by_input, boundary) = match self.memory.take() {
            Some(memory) => (memory, None),
            None if self.scans.is_done() => return Ok(None),
            None => (vec![Vec::new(); self.of_inputs], self.scans.boundary(self.blocks)),
        };
        for (input, batches) in self.inputs.iter().zip(self.scans.until(boundary)?) {
            by_input[*input].extend(batches);
        }
        let by_input = by_input.into_iter().enumerate().filter(|(_, batches)| !batches.is_empty());
        Ok(Some(by_input.map(|(input, batches)| (input, Batch::concat(&batches))).collect()))
    }

    /// Bytes in memory, without those of a group that is given.
    pub(crate) fn memory(&self) -> usize {
        let memory = self.memory.iter().flatten().flatten();
        self.held + memory.map(Batch::memory_size).sum::<usize>()
    }

    /// Bytes in files.
    pub(crate) fn files(&self) -> usize {
        self.files
    }
}
