//! The graph of a run as the database of detailed metrics keeps it: nodes, edges, and groups of nodes by line and by
//! function of the user's program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pathway_dataflow::stats::{Node, Outline};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The graph of a run; in JSON, the form in which it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunGraph {
    nodes: Vec<GraphNode>,
    edges: Vec<Edge>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct GraphNode {
    id: String,
    /// The group of its line.
    parent: String,
    /// The group of its function.
    grand_parent: String,
    operator_type: String,
    level: u8,
    user_frame_function: String,
    user_frame_filename: String,
    /// The text of the line.
    user_frame_line: String,
    user_frame_line_number: u32,
    /// Of a source or sink, what people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Edge {
    source: String,
    target: String,
}

/// Nodes of one line (level 1), or of one function (level 2).
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    id: String,
    level: u8,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

impl GraphNode {
    fn kind(&self) -> &'static str {
        match self.operator_type.split('(').next() {
            Some("input") => "input",
            Some("output") => "output",
            _ => "operator",
        }
    }
}

/// Groups while they are found: each has a number.
#[derive(Default)]
struct Groups {
    all: Vec<Group>,
    known: BTreeMap<(u8, String, String), String>,
}

impl Groups {
    /// The group of a level with this name, in a file.
    fn get(&mut self, level: u8, file: &str, name: &str, parent: Option<&str>) -> String {
        let key = (level, file.to_owned(), name.to_owned());
        if let Some(id) = self.known.get(&key) {
            return id.clone();
        }
        let id = format!("g_{}", self.all.len());
        let (name, parent) = (name.to_owned(), parent.map(str::to_owned));
        self.all.push(Group { id: id.clone(), level, name, parent });
        self.known.insert(key, id.clone());
        id
    }
}

impl RunGraph {
    /// That of a run. Nodes whose lines are not known are not there; what they read is read by their readers.
    pub(crate) fn of(outline: &Outline) -> RunGraph {
        let mut groups = Groups::default();
        let mut nodes = Vec::new();
        // What stands for a node: itself, or the nodes that it reads.
        let mut stand_ins: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut edges = BTreeSet::new();
        for node in &outline.nodes {
            let inputs = node.inputs.iter().filter_map(|input| stand_ins.get(input)).flatten();
            let inputs: Vec<u32> = inputs.copied().collect();
            let Some(line) = &node.line else {
                stand_ins.insert(node.id, inputs);
                continue;
            };
            stand_ins.insert(node.id, vec![node.id]);
            let edge = |input: u32| Edge { source: input.to_string(), target: node.id.to_string() };
            edges.extend(inputs.into_iter().map(edge));
            let grand_parent = groups.get(2, &line.file, &line.function, None);
            let place = format!("{}:{}", line.file, line.line);
            let parent = groups.get(1, &line.file, &place, Some(&grand_parent));
            let Node { id, label, .. } = node;
            nodes.push(GraphNode {
                id: id.to_string(),
                parent,
                grand_parent,
                operator_type: label.clone(),
                level: 0,
                user_frame_function: line.function.clone(),
                user_frame_filename: line.file.clone(),
                user_frame_line: line.source.clone(),
                user_frame_line_number: line.line,
                name: node.name.clone(),
            });
        }
        RunGraph { nodes, edges: edges.into_iter().collect(), groups: groups.all }
    }

    /// What people call the program: the file where most outputs are.
    pub(crate) fn program(&self) -> String {
        let mut files: BTreeMap<&str, usize> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.kind() == "output") {
            *files.entry(&node.user_frame_filename).or_default() += 1;
        }
        let most = files.into_iter().max_by_key(|(_, count)| *count).map_or("Pathway", |(file, _)| file);
        Path::new(most)
            .file_name()
            .map_or_else(|| most.to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The sources (`input`) or sinks (`output`), and what people call them.
    pub(crate) fn labelled(&self, kind: &'static str) -> impl Iterator<Item = (i64, String)> {
        let nodes = self.nodes.iter().filter(move |node| node.kind() == kind);
        nodes.filter_map(|node| Some((node.id.parse().ok()?, node.name.clone().unwrap_or_default())))
    }

    /// The nodes as a run tells of them itself.
    pub(crate) fn outline(&self) -> Vec<Value> {
        let number = |id: &str| id.parse::<u32>().ok();
        let one = |(place, node): (usize, &GraphNode)| {
            let inputs = self.edges.iter().filter(|edge| edge.target == node.id);
            let inputs: Vec<u32> = inputs.filter_map(|edge| number(&edge.source)).collect();
            Some(json!({
                "id": number(&node.id)?,
                "step": place,
                "stage": null,
                "label": node.operator_type,
                "kind": node.kind(),
                "name": node.name,
                "inputs": inputs,
                "line": {
                    "function": node.user_frame_function,
                    "file": node.user_frame_filename,
                    "line": node.user_frame_line_number,
                    "source": node.user_frame_line,
                },
            }))
        };
        self.nodes.iter().enumerate().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use pathway_dataflow::stats::Line;
    use serde_json::json;

    use super::*;

    fn node(id: u32, label: &str, inputs: Vec<u32>, line: Option<u32>) -> Node {
        let (function, file) = ("main".to_owned(), "a.py".to_owned());
        let line = line.map(|line| Line { function, file, line, source: format!("line {line}") });
        let mut node = Node::new(id, label, inputs);
        node.line = line;
        node
    }

    #[test]
    fn nodes_are_grouped_by_line_and_function() {
        let nodes = vec![
            node(1, "input(csv)", vec![], Some(3)),
            node(2, "concat", vec![1], None),
            node(3, "_reduce", vec![2], Some(5)),
            node(4, "select", vec![3], Some(5)),
        ];
        let graph = serde_json::to_value(RunGraph::of(&Outline { nodes })).unwrap();
        let expected = json!({
            "id": "3", "parent": "g_2", "grand_parent": "g_0", "operator_type": "_reduce", "level": 0,
            "user_frame_function": "main", "user_frame_filename": "a.py", "user_frame_line": "line 5",
            "user_frame_line_number": 5,
        });
        assert_eq!(graph["nodes"][1], expected);
        assert_eq!(graph["nodes"].as_array().unwrap().len(), 3);
        let edges = json!([{"source": "1", "target": "3"}, {"source": "3", "target": "4"}]);
        assert_eq!(graph["edges"], edges);
        let groups = json!([
            {"id": "g_0", "level": 2, "name": "main"},
            {"id": "g_1", "level": 1, "name": "a.py:3", "parent": "g_0"},
            {"id": "g_2", "level": 1, "name": "a.py:5", "parent": "g_0"},
        ]);
        assert_eq!(graph["groups"], groups);
        let again: RunGraph = serde_json::from_value(graph).unwrap();
        let outline = again.outline();
        assert_eq!(outline[1]["inputs"], json!([1]));
        assert_eq!(
            outline[0]["line"],
            json!({"function": "main", "file": "a.py", "line": 3, "source": "line 3"})
        );
        assert_eq!(again.labelled("input").collect::<Vec<_>>(), [(1, String::new())]);
    }
}
