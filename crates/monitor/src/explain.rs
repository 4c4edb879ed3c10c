//! The plan of a run with what it has counted so far, at `/explain`.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use pathway_explain::{Stage, dot, json, svg, text};
use pathway_plan::Explanation;
use serde::Deserialize;

use crate::board::Board;

const NOT_YET: &str = "the plan is not known yet\n";
const NOT_DRAWN: &str = "the drawing has failed\n";

/// How it is written, and which plan a graph or drawing shows.
#[derive(Clone, Copy, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    format: Format,
    #[serde(default)]
    plan: Plan,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Text,
    Json,
    Dot,
    Svg,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Before,
    #[default]
    After,
}

pub(crate) async fn explain(State(board): State<Arc<Board>>, Query(asked): Query<Asked>) -> Response {
    let Some(explanation) = board.explanation() else {
        return (StatusCode::SERVICE_UNAVAILABLE, NOT_YET).into_response();
    };
    // Large plans take a while to be drawn; others are answered meanwhile.
    match tokio::task::spawn_blocking(move || written(&explanation, asked)).await {
        Ok((kind, body)) => ([(CONTENT_TYPE, kind)], body).into_response(),
        // What has panicked was told by the panic itself.
        Err(_panic) => (StatusCode::INTERNAL_SERVER_ERROR, NOT_DRAWN).into_response(),
    }
}

/// The content type, and the content.
fn written(explanation: &Explanation, asked: Asked) -> (&'static str, String) {
    let stage = match asked.plan {
        Plan::Before => Stage::Before,
        Plan::After => Stage::After,
    };
    match asked.format {
        Format::Text => ("text/plain; charset=utf-8", text(explanation)),
        Format::Json => ("application/json", json(explanation)),
        Format::Dot => ("text/vnd.graphviz; charset=utf-8", dot(explanation, stage)),
        Format::Svg => ("image/svg+xml", svg(explanation, stage)),
    }
}
