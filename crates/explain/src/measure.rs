//! What a run has counted, put to the operators that it was counted of.

use std::collections::BTreeMap;

use pathway_dataflow::stats::{Outline, Snapshot};
use pathway_plan::Explanation;
use pathway_plan::explanation::Measured;

/// Notes in the program of an explanation what a run of it has counted, on all workers of this process. Of what is
/// inside of loops there are numbers for the whole of the outermost loop only.
pub fn measure(explanation: &mut Explanation, outline: &Outline, snapshot: &Snapshot) {
    let mut counts: BTreeMap<u32, Measured> = BTreeMap::new();
    for operator in &snapshot.operators {
        let sum = counts.entry(operator.id).or_default();
        sum.rows_in += operator.rows_in;
        sum.insertions += operator.insertions;
        sum.deletions += operator.deletions;
        sum.busy_seconds += operator.busy.as_secs_f64();
        sum.state_bytes += operator.memory as u64;
        sum.spilled_bytes += operator.files as u64;
    }
    for (id, errors) in &snapshot.errors {
        counts.entry(*id).or_default().errors = *errors;
    }
    for node in &outline.nodes {
        let Some(measured) = counts.get(&node.id) else { continue };
        let id = match node.stage {
            Some(stage) => format!("s{}.{stage}", node.step),
            None => format!("s{}", node.step),
        };
        if !node.is_loop() {
            let operator = explanation.after.iter_mut().find(|operator| operator.id == id);
            operator.into_iter().for_each(|operator| operator.measured = Some(measured.clone()));
            continue;
        }
        let of_step = format!("{id}.");
        let inside =
            explanation.after.iter().find(|operator| operator.id == id || operator.id.starts_with(&of_step));
        let mut looped = inside.and_then(|operator| operator.inside.clone());
        while let Some(name) = looped {
            let Some(found) = explanation.loops.iter_mut().find(|looped| looped.id == name) else { break };
            looped = found.inside.clone();
            if looped.is_none() {
                found.measured = Some(measured.clone());
            }
        }
    }
}
