//! Filters over metadata: JMESPath with the function `globmatch(pattern, path)`.

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, Expression, Rcvar, Runtime, Variable};

use crate::glob;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let globmatch = |arguments: &[Rcvar], _: &mut Context<'_>| {
        let text = |i: usize| arguments[i].as_string().map_or("", String::as_str);
        Ok(Rcvar::new(Variable::Bool(glob::matches(text(0), text(1)))))
    };
    let signature = Signature::new(vec![ArgumentType::String, ArgumentType::String], None);
    runtime.register_function("globmatch", Box::new(CustomFunction::new(signature, Box::new(globmatch))));
    runtime
});

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(Arc<str>);

impl FilterError {
    /// An error with this text.
    pub fn new(text: &str) -> Self {
        FilterError(Arc::from(text))
    }
}

/// The metadata of an item: JSON, read when a filter asks for it first.
#[derive(Debug)]
pub struct Metadata {
    text: Box<str>,
    parsed: OnceCell<Rcvar>,
}

impl Metadata {
    /// Metadata from its text.
    pub fn new(text: &str) -> Self {
        Metadata { text: Box::from(text), parsed: OnceCell::new() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn parsed(&self) -> Result<Rcvar, FilterError> {
        if let Some(parsed) = self.parsed.get() {
            return Ok(parsed.clone());
        }
        let parsed = Variable::from_json(&self.text)
            .map_err(|error| FilterError::new(&format!("the metadata is no JSON: {error}")))?;
        Ok(self.parsed.get_or_init(|| Rcvar::new(parsed)).clone())
    }
}

/// A compiled filter.
#[derive(Clone, Debug)]
pub struct Filter(Expression<'static>);

impl Filter {
    /// Reads a filter. A text in back quotes that is no JSON stands for itself.
    ///
    /// # Errors
    /// If it is no JMESPath expression.
    pub fn new(text: &str) -> Result<Self, FilterError> {
        let wrong = |error| FilterError::new(&format!("the metadata filter {text:?} is wrong: {error}"));
        RUNTIME.compile(&quoted_literals(text)).map(Filter).map_err(wrong)
    }

    /// True if the filter says `true` of the metadata; anything else is no.
    ///
    /// # Errors
    /// If it cannot be evaluated, as with an argument of a wrong type.
    pub fn accepts(&self, metadata: &Metadata) -> Result<bool, FilterError> {
        let wrong = |error| {
            FilterError::new(&format!(
                "the metadata filter {:?} cannot be applied to {}: {error}",
                self.0.as_str(),
                metadata.text()
            ))
        };
        let result = self.0.search(metadata.parsed()?).map_err(wrong)?;
        Ok(result.as_boolean() == Some(true))
    }
}

/// The expression with what stands in back quotes, and is no JSON, as a JSON string.
fn quoted_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['`', '\'', '"']) {
        let quote = rest.as_bytes()[start] as char;
        let inside = &rest[start + 1..];
        let Some(length) = closing(inside, quote) else { break };
        out.push_str(&rest[..=start]);
        let literal = &inside[..length];
        if quote == '`' && serde_json::from_str::<serde_json::Value>(&literal.replace("\\`", "`")).is_err() {
            let plain = literal.trim_start().replace("\\`", "`");
            out.push_str(&serde_json::Value::from(plain).to_string().replace('`', "\\`"));
        } else {
            out.push_str(literal);
        }
        out.push(quote);
        rest = &inside[length + 1..];
    }
    out.push_str(rest);
    out
}

/// Where the quote ends that has begun.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests;
