//! Schemas as they are written down, made into what reading needs.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::formats::lanes::write_json_string;

/// The name under which Debezium (and Kafka Connect after it) marks text that is JSON.
pub(super) const JSON_NAME: &str = "io.debezium.data.Json";

/// The schema that records were written with.
#[derive(Debug)]
pub(crate) struct WriterSchema {
    pub(super) nodes: Vec<Node>,
    pub(super) root: usize,
}

/// One type. Others are named by their places among the nodes, since types may hold themselves.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    /// `int` and `long`, which are written alike.
    Int,
    Float,
    Double,
    Bytes,
    Text,
    /// Text that is JSON.
    Json,
    Fixed(usize),
    /// The symbols as JSON strings.
    Enum(Vec<Box<[u8]>>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    /// The fields: `"name":` and the type.
    Record(Vec<(Box<[u8]>, usize)>),
    /// A number of days since the epoch.
    Date,
    /// A time of day, in units of so many nanoseconds.
    Time(i64),
    /// A moment, in units of so many nanoseconds.
    Moment {
        unit: i64,
        utc: bool,
    },
    /// An integer that is divided by so many powers of ten; of this size, unless it tells that itself.
    Decimal {
        scale: usize,
        size: Option<usize>,
    },
    /// Months, days and milliseconds.
    Span,
}

impl WriterSchema {
    /// Reads the last of these texts; the others have the types that later ones refer to.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, String> {
        let mut parser = Parser::default();
        let mut root = None;
        for text in texts {
            let value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
            root = Some(parser.node(&value, "", 0)?);
        }
        let root = root.ok_or("there is none")?;
        Ok(WriterSchema { nodes: parser.nodes, root })
    }
}

/// Types may be in types, but not without end.
const DEEPEST: usize = 100;

#[derive(Default)]
struct Parser {
    nodes: Vec<Node>,
    /// The places of named types.
    names: HashMap<String, usize>,
}

impl Parser {
    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn node(&mut self, value: &Value, namespace: &str, depth: usize) -> Result<usize, String> {
        if depth > DEEPEST {
            return Err("types are nested too deeply".to_owned());
        }
        match value {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches: Result<Vec<_>, _> =
                    branches.iter().map(|branch| self.node(branch, namespace, depth + 1)).collect();
                let branches = branches?;
                Ok(self.add(Node::Union(branches)))
            }
            Value::Object(object) => self.object(object, namespace, depth),
            other => Err(format!("{other} is no type")),
        }
    }

    /// A primitive type or one that has been given a name.
    fn named(&mut self, name: &str, namespace: &str) -> Result<usize, String> {
        let primitive = match name {
            "null" => Some(Node::Null),
            "boolean" => Some(Node::Boolean),
            "int" | "long" => Some(Node::Int),
            "float" => Some(Node::Float),
            "double" => Some(Node::Double),
            "bytes" => Some(Node::Bytes),
            "string" => Some(Node::Text),
            _ => None,
        };
        if let Some(node) = primitive {
            return Ok(self.add(node));
        }
        let known = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name));
        known.copied().ok_or_else(|| format!("there is no type {name:?}"))
    }

    fn object(
        &mut self,
        object: &Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<usize, String> {
        let Some(Value::String(kind)) = object.get("type") else {
            // A type in an object of its own.
            let inner = object.get("type").ok_or("a type is an object without \"type\"")?;
            return self.node(inner, namespace, depth + 1);
        };
        let logical = object.get("logicalType").and_then(Value::as_str).unwrap_or_default();
        let part = |name: &str| object.get(name).ok_or_else(|| format!("a type {kind:?} has no {name:?}"));
        let node = match (&**kind, logical) {
            ("record" | "error", _) => return self.record(object, namespace, depth),
            ("enum", _) => {
                let symbols = part("symbols")?.as_array().ok_or("symbols are no array")?;
                let symbols = symbols.iter().map(|symbol| {
                    let mut text = Vec::new();
                    write_json_string(symbol.as_str().unwrap_or_default(), &mut text);
                    text.into()
                });
                Node::Enum(symbols.collect())
            }
            ("array", _) => Node::Array(self.node(part("items")?, namespace, depth + 1)?),
            ("map", _) => Node::Map(self.node(part("values")?, namespace, depth + 1)?),
            ("fixed", logical) => {
                let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or("the size of a fixed type is no number")?;
                match logical {
                    "decimal" => Node::Decimal { scale: scale(object), size: Some(size) },
                    "duration" if size == 12 => Node::Span,
                    _ => Node::Fixed(size),
                }
            }
            ("bytes", "decimal") => Node::Decimal { scale: scale(object), size: None },
            ("int", "date") => Node::Date,
            ("int", "time-millis") => Node::Time(1_000_000),
            ("long", "time-micros") => Node::Time(1_000),
            ("long", "timestamp-millis") => Node::Moment { unit: 1_000_000, utc: true },
            ("long", "timestamp-micros") => Node::Moment { unit: 1_000, utc: true },
            ("long", "timestamp-nanos") => Node::Moment { unit: 1, utc: true },
            ("long", "local-timestamp-millis") => Node::Moment { unit: 1_000_000, utc: false },
            ("long", "local-timestamp-micros") => Node::Moment { unit: 1_000, utc: false },
            ("long", "local-timestamp-nanos") => Node::Moment { unit: 1, utc: false },
            ("string", _) if object.get("connect.name").is_some_and(|name| name == JSON_NAME) => Node::Json,
            _ => return self.named(kind, namespace),
        };
        let place = self.add(node);
        if let (Some(name), "enum" | "fixed") = (object.get("name").and_then(Value::as_str), &**kind) {
            self.names.insert(full_name(name, own_namespace(object, namespace)), place);
        }
        Ok(place)
    }

    fn record(
        &mut self,
        object: &Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<usize, String> {
        let name = object.get("name").and_then(Value::as_str).ok_or("a record has no name")?;
        let name = full_name(name, own_namespace(object, namespace));
        // Before its fields, which may hold it.
        let place = self.add(Node::Record(Vec::new()));
        let namespace = name.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        self.names.insert(name.clone(), place);
        let given = object.get("fields").and_then(Value::as_array);
        let given = given.ok_or_else(|| format!("the record {name:?} has no fields"))?;
        let mut fields = Vec::with_capacity(given.len());
        for field in given {
            let (Some(field_name), Some(kind)) =
                (field.get("name").and_then(Value::as_str), field.get("type"))
            else {
                return Err(format!("a field of the record {name:?} has no name or no type"));
            };
            let mut text = Vec::new();
            write_json_string(field_name, &mut text);
            text.push(b':');
            fields.push((text.into(), self.node(kind, &namespace, depth + 1)?));
        }
        self.nodes[place] = Node::Record(fields);
        Ok(place)
    }
}

fn scale(object: &Map<String, Value>) -> usize {
    object.get("scale").and_then(Value::as_u64).map_or(0, |scale| scale as usize)
}

fn own_namespace<'a>(object: &'a Map<String, Value>, outer: &'a str) -> &'a str {
    object.get("namespace").and_then(Value::as_str).unwrap_or(outer)
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}
