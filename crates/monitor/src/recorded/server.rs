//! The web dashboard for the newest run that is recorded in a folder.
//!
//! It looks for the newest run each time it is asked: a new one is seen without a restart.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Path as Segment, Query, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pages::Recorded;
use super::store::{Store, newest};
use crate::api::Since;
use crate::files::{File, PAGE};
use crate::guard::with_headers;
use crate::http::{NotServed, file};
use crate::listener::Listener;

/// The server of the web dashboard, which listens.
#[derive(Debug)]
pub struct Archive {
    listener: Listener,
    folder: PathBuf,
}

impl Archive {
    /// Listens on an address, to tell of the runs that are recorded in a folder.
    ///
    /// # Errors
    /// If the port is taken or may not be used.
    pub fn listen(address: SocketAddr, folder: &Path) -> Result<Archive, NotServed> {
        Ok(Archive { listener: Listener::on(address)?, folder: folder.to_owned() })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// True if a run has been recorded in the folder.
    pub fn has_a_run(&self) -> bool {
        newest(&self.folder).is_some()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// If the system fails.
    pub fn serve(&self) -> Result<(), NotServed> {
        self.listener.serve(router(self.folder.clone()))
    }
}

type Folder = State<Arc<PathBuf>>;

pub(super) fn router(folder: PathBuf) -> Router {
    Router::new()
        .route("/graph", get(graph))
        .route("/metrics/latest", get(latest))
        .route("/metrics/available_range", get(available_range))
        .route("/metrics/at/{timestamp}", get(at))
        .route("/metrics/charts", get(charts))
        .route("/api/run", get(|folder: Folder| recorded(folder, |run| run.about())))
        .route("/api/now", get(|folder: Folder| recorded(folder, |run| run.of_the_moment())))
        .route("/api/times", get(times))
        .route("/api/moments", get(moments))
        .route("/api/past", get(past))
        .route("/api/history", get(history))
        .route("/api/errors", get(|folder: Folder| recorded(folder, |run| Ok(run.nothing("errors")))))
        .route(
            "/api/dead_letters",
            get(|folder: Folder| recorded(folder, |run| Ok(run.nothing("dead_letters")))),
        )
        .route("/api/log", get(|folder: Folder| recorded(folder, |run| Ok(run.nothing("lines")))))
        // The pages of Pathway's dashboard have paths; those of this one are in one page.
        .route("/", get(|| async { file(File::at(PAGE)) }))
        .route("/charts", get(|| async { file(File::at(PAGE)) }))
        .route("/connectors", get(|| async { file(File::at(PAGE)) }))
        .route("/{*path}", get(|Segment(path): Segment<String>| async move { file(File::at(&path)) }))
        .layer(map_response(for_all_origins))
        .layer(map_response(with_headers))
        .with_state(Arc::new(folder))
}

async fn for_all_origins(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn graph(State(folder): Folder) -> Response {
    answer(folder, |path| {
        let resources = Store::open(path)?.resources()?;
        Ok(resources.map(|(_, text)| ([(CONTENT_TYPE, "application/json")], text).into_response()))
    })
    .await
}

async fn latest(State(folder): Folder) -> Response {
    answer(folder, |path| Ok(Some(Json(Store::open(path)?.rows_before(i64::MAX)?).into_response()))).await
}

async fn at(State(folder): Folder, Segment(timestamp): Segment<i64>) -> Response {
    answer(folder, move |path| Ok(Some(Json(Store::open(path)?.rows_before(timestamp)?).into_response())))
        .await
}

async fn available_range(State(folder): Folder) -> Response {
    answer(folder, |path| Ok(Some(Json(Store::open(path)?.available_range()?).into_response()))).await
}

async fn charts(State(folder): Folder) -> Response {
    answer(folder, |path| Ok(Some(Json(Store::open(path)?.charts()?).into_response()))).await
}

#[derive(Deserialize)]
struct At {
    at: i64,
}

#[derive(Deserialize)]
struct Past {
    operator: i64,
    at: i64,
}

async fn times(folder: Folder, Query(since): Query<Since>) -> Response {
    let after = i64::try_from(since.after).unwrap_or(i64::MAX);
    recorded(folder, move |run| run.times(after)).await
}

async fn moments(folder: Folder, Query(At { at }): Query<At>) -> Response {
    recorded(folder, move |run| run.moments(at)).await
}

async fn past(folder: Folder, Query(Past { operator, at }): Query<Past>) -> Response {
    recorded(folder, move |run| run.past(operator, at)).await
}

async fn history(folder: Folder, Query(since): Query<Since>) -> Response {
    let after = i64::try_from(since.after).unwrap_or(i64::MAX);
    recorded(folder, move |run| run.history(after)).await
}

/// What is told of the newest run to the page.
async fn recorded(
    State(folder): Folder,
    read: impl FnOnce(&Recorded) -> rusqlite::Result<Value> + Send + 'static,
) -> Response {
    answer(folder, |path| {
        let run = Recorded::open(path)?;
        run.map(|run| Ok(Json(read(&run)?).into_response())).transpose()
    })
    .await
}

/// What is read of the newest run; there may be nothing yet.
async fn answer(
    folder: Arc<PathBuf>,
    read: impl FnOnce(&Path) -> rusqlite::Result<Option<Response>> + Send + 'static,
) -> Response {
    let failed = |error: &dyn std::fmt::Display| {
        (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "detail": error.to_string() }))).into_response()
    };
    let read = move || {
        let found = newest(&folder).map(|path| read(&path));
        (found, folder)
    };
    match tokio::task::spawn_blocking(read).await {
        Ok((Some(Ok(Some(response))), _)) => response,
        Ok((None | Some(Ok(None)), folder)) => {
            let detail = format!("no run has been recorded in {} yet", folder.display());
            (StatusCode::NOT_FOUND, Json(json!({ "detail": detail }))).into_response()
        }
        Ok((Some(Err(error)), _)) => failed(&error),
        Err(error) => failed(&error),
    }
}
