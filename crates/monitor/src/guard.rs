//! Who is answered, and what browsers may do with the answers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, no scripts and styles inside of the page.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

const NEEDS_TOKEN: &str = "a token is needed: send the header Authorization: Bearer TOKEN\n";
const STRANGE_NAME: &str = "this server is known by its address or as localhost; to be reached by another name, \
                            it needs a token (PATHWAY_MONITORING_HTTP_TOKEN)\n";

/// Who may ask.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Whoever knows it; without one, everybody who reaches the server.
    pub(crate) token: Option<Arc<str>>,
}

impl Guard {
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        match &self.token {
            Some(token) => {
                let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
                let given = given.and_then(|given| given.strip_prefix(b"Bearer "));
                let knows = given.is_some_and(|given| are_equal(given, token.as_bytes()));
                let bearer = [(WWW_AUTHENTICATE, "Bearer")];
                (!knows).then(|| (StatusCode::UNAUTHORIZED, bearer, NEEDS_TOKEN).into_response())
            }
            // A page of somebody else can give its own name the address of this server, and read what it answers.
            None => {
                (!names_an_address(headers)).then(|| (StatusCode::FORBIDDEN, STRANGE_NAME).into_response())
            }
        }
    }
}

/// As long for a token that is nearly right as for another one.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// The server was asked by an address, or as localhost. Who does not tell is no browser.
fn names_an_address(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _port)) => name,
        None => host.rsplit_once(':').map_or(host, |(name, _port)| name),
    };
    name.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

/// Answers only those who may ask.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(request.headers()) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

/// What browsers have to know of every answer.
pub(crate) async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_token_opens() {
        let guard = Guard { token: Some(Arc::from("open sesame")) };
        let status = |value| guard.refusal(&headers(AUTHORIZATION, value)).map(|refusal| refusal.status());
        assert_eq!(status("Bearer open sesame"), None);
        for wrong in ["Bearer open sesamE", "Bearer open", "Basic open sesame", "Bearer ", "open sesame"] {
            assert_eq!(status(wrong), Some(StatusCode::UNAUTHORIZED), "{wrong}");
        }
        assert!(guard.refusal(&HeaderMap::new()).is_some());
    }

    #[test]
    fn other_names_are_strange_without_a_token() {
        let guard = Guard { token: None };
        let refused = |value| guard.refusal(&headers(HOST, value)).is_some();
        for known in ["127.0.0.1:20000", "localhost:20000", "LocalHost", "[::1]:20000", "[::1]", "10.0.0.7"] {
            assert!(!refused(known), "{known}");
        }
        for strange in
            ["evil.example:20000", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:1", ""]
        {
            assert!(refused(strange), "{strange}");
        }
        assert!(guard.refusal(&HeaderMap::new()).is_none());
    }
}
