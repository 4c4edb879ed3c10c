//! The files of the dashboard, which are part of the program.

/// A file of the dashboard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    /// Its path from the root of the server.
    pub(crate) path: &'static str,
    pub(crate) content: &'static [u8],
}

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(File { path: $path, content: include_bytes!(concat!("../static/", $path)) }),*]
    };
}

const FILES: &[File] = files![
    "api.js",
    "chart.js",
    "dom.js",
    "format.js",
    "graph/canvas.js",
    "graph/cards.js",
    "graph/groups.js",
    "graph/layout.js",
    "graph/plan.js",
    "graph/view.js",
    "graph/viewport.js",
    "icon.svg",
    "index.html",
    "main.js",
    "model.js",
    "pages/charts.js",
    "pages/connectors.js",
    "pages/errors.js",
    "pages/log.js",
    "pages/panel.js",
    "pages/pipeline.js",
    "pages/plan.js",
    "pages/ranking.js",
    "pages/rows.js",
    "pages/tree.js",
    "rows.html",
    "rows.js",
    "status.js",
    "style/graph.css",
    "style/page.css",
    "style/rows.css",
    "style/theme.css",
    "table.js",
    "theme.js",
    "timeline.js",
    "vendor/dagre.LICENSE.txt",
    "vendor/dagre.esm.js",
];

/// The page itself.
pub(crate) const PAGE: &str = "index.html";
/// The page that tells why rows are there.
pub(crate) const ROWS: &str = "rows.html";

impl File {
    /// The file at this path.
    pub(crate) fn at(path: &str) -> Option<File> {
        FILES.iter().find(|file| file.path == path).copied()
    }

    /// What browsers have to take it for.
    pub(crate) fn kind(self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn find(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                find(&path, found);
            } else {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn all_files_are_part_of_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
        let mut found = Vec::new();
        find(&root, &mut found);
        let mut found: Vec<&str> =
            found.iter().map(|path| &path[root.to_str().unwrap().len() + 1..]).collect();
        found.retain(|path| !path.ends_with("README.md"));
        found.sort_unstable();
        let known: Vec<&str> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(known, found);
    }

    #[test]
    fn files_have_kinds() {
        let kind = |path: &str| File::at(path).unwrap().kind();
        assert_eq!(kind(PAGE), "text/html; charset=utf-8");
        assert_eq!(kind("graph/view.js"), "text/javascript; charset=utf-8");
        assert_eq!(kind("icon.svg"), "image/svg+xml");
        assert!(File::at("../src/files.rs").is_none());
    }
}
