use pathway_plan::explanation::{Measured, VERSION};
use pathway_plan::{Explanation, PlanError};

use crate::{Stage, dot, json, svg, text};

mod programs;

fn all() -> Result<Vec<(&'static str, Explanation)>, PlanError> {
    Ok(vec![
        ("shares", programs::shares()?),
        ("outputs", programs::outputs()?),
        ("components", programs::components()?),
        ("hostile", programs::hostile()?),
        ("nothing", programs::nothing()?),
    ])
}

#[test]
fn texts() -> Result<(), PlanError> {
    for (name, explanation) in all()? {
        insta::assert_snapshot!(name, text(&explanation));
    }
    Ok(())
}

#[test]
fn graphs() -> Result<(), PlanError> {
    for (name, explanation) in all()? {
        insta::assert_snapshot!(format!("{name}_before"), dot(&explanation, Stage::Before));
    }
    insta::assert_snapshot!("components_after", dot(&programs::components()?, Stage::After));
    Ok(())
}

/// Whoever reads the JSON counts on its form.
#[test]
fn json_has_a_form_that_stays() -> Result<(), PlanError> {
    assert_eq!(VERSION, 1);
    for (_, explanation) in all()? {
        let read: Explanation = serde_json::from_str(&json(&explanation)).unwrap();
        assert_eq!(read, explanation);
    }
    insta::assert_snapshot!("form", json(&programs::outputs()?));
    Ok(())
}

#[test]
fn drawings_have_every_operator() -> Result<(), PlanError> {
    for (name, explanation) in all()? {
        for stage in [Stage::Before, Stage::After] {
            let drawing = svg(&explanation, stage);
            for operator in stage.of(&explanation) {
                let id = format!("<g id=\"{}\">", operator.id);
                assert_eq!(drawing.matches(&id).count(), 1, "{name} {}", operator.id);
            }
            let edges: usize = stage.of(&explanation).iter().map(|operator| operator.inputs.len()).sum();
            assert_eq!(drawing.matches("<path class=\"edge\"").count(), edges, "{name}");
            assert_eq!(drawing.matches("marker-end").count(), edges, "{name}");
            assert_eq!(drawing.matches("<g ").count(), drawing.matches("</g>").count());
            assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"), "{name}");
        }
    }
    Ok(())
}

#[test]
fn what_was_counted_in_loops_is_drawn() -> Result<(), PlanError> {
    let mut explanation = programs::components()?;
    explanation.loops[0].measured = Some(Measured { rows_in: 4, insertions: 3, ..Measured::default() });
    let rounds = "loop 1: at most 5 rounds";
    let drawing = svg(&explanation, Stage::After);
    assert_eq!(drawing.matches(rounds).count(), 1, "{drawing}");
    assert!(drawing.contains(">counted 4 in, +3 -0 out</text>"), "{drawing}");
    let graph = dot(&explanation, Stage::After);
    assert!(graph.contains(&format!("label=\"{rounds}\\lcounted 4 in, +3 -0 out\\l")), "{graph}");
    Ok(())
}

#[test]
fn what_users_write_is_escaped() -> Result<(), PlanError> {
    let explanation = programs::hostile()?;
    let drawing = svg(&explanation, Stage::Before);
    assert!(drawing.contains("&lt;b&gt;&amp;&quot;"), "{drawing}");
    assert!(!drawing.contains("<b>") && !drawing.contains('\u{1}'), "{drawing}");
    Ok(())
}

#[test]
fn each_operator_says_what_became_of_it() -> Result<(), PlanError> {
    for (name, explanation) in all()? {
        for part in &explanation.after {
            for id in &part.counterparts {
                let origin = explanation.before.iter().find(|operator| operator.id == *id);
                let origin = origin.unwrap_or_else(|| panic!("{name}: {id} is not there"));
                assert!(origin.counterparts.contains(&part.id), "{name}");
            }
        }
    }
    Ok(())
}
