//! What plots have in common: the picture around the drawing, its axes, and the style of a file of its own.

use maud::{Markup, PreEscaped, html};

use super::axis::{Axis, place};

/// The style of a drawing: in the page it comes after the page's own.
pub(super) const DRAWING: &str = include_str!("drawing.css");
/// The colours that the page has, for a file of its own.
const ALONE: &str = include_str!("alone.css");

/// Width of every plot, in units of the drawing.
pub(super) const WIDTH: f64 = 720.0;
/// Room for labels at the right of lines.
pub(super) const LABELS: f64 = 150.0;
/// Room for numbers at the left.
pub(super) const NUMBERS: f64 = 58.0;
/// Arms that have a colour of their own; those after them begin again, with other dashes.
const COLOURS: usize = 6;

/// A drawing with what it is called and what it shows, in words.
pub(super) struct Plot {
    /// A word for it, of letters alone.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// Its height, in units of the drawing.
    pub height: f64,
    /// The drawing.
    pub drawing: Markup,
}

impl Plot {
    /// As a part of a page that has the style.
    pub fn in_page(&self) -> Markup {
        self.svg(None, None)
    }

    fn svg(&self, xmlns: Option<&str>, style: Option<&Markup>) -> Markup {
        let (width, height) = (place(WIDTH), place(self.height));
        html! {
            svg.drawing xmlns=[xmlns] viewBox={ "0 0 " (width) " " (height) } width=[xmlns.map(|_| &width)] height=[xmlns.map(|_| &height)]
                role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (self.description) }
                @if let Some(style) = style { (style) }
                @if xmlns.is_some() { rect.ground width=(width) height=(height) {} }
                (self.drawing)
            }
        }
    }
}

/// As a file of its own.
pub(super) fn file(plot: &Plot) -> String {
    let style = html! { style { (PreEscaped(ALONE)) (PreEscaped(DRAWING)) } };
    let svg = plot.svg(Some("http://www.w3.org/2000/svg"), Some(&style));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n",
        svg.into_string()
    )
}

/// Lines across at each number of the upward axis, with the number at their left.
pub(super) fn upward(axis: &Axis, left: f64, right: f64) -> Markup {
    html! {
        @for tick in &axis.ticks {
            @let y = place(axis.at(*tick));
            line.grid x1=(place(left)) x2=(place(right)) y1=(y) y2=(y) {}
            text.number x=(place(left - 8.0)) y=(place(axis.at(*tick) + 4.0)) text-anchor="end" { (axis.percent(*tick)) }
        }
    }
}

/// Numbers below the drawing, and what they count.
pub(super) fn along(axis: &Axis, bottom: f64, what: &str, shown: impl Fn(f64) -> String) -> Markup {
    let middle = f64::midpoint(axis.from, axis.to);
    html! {
        line.base x1=(place(axis.from)) x2=(place(axis.to)) y1=(place(bottom)) y2=(place(bottom)) {}
        @for tick in &axis.ticks {
            @let x = place(axis.at(*tick));
            line.base x1=(x) x2=(x) y1=(place(bottom)) y2=(place(bottom + 4.0)) {}
            text.number x=(x) y=(place(bottom + 18.0)) text-anchor="middle" { (shown(*tick)) }
        }
        text.what x=(place(middle)) y=(place(bottom + 38.0)) text-anchor="middle" { (what) }
    }
}

/// The class by which an arm is told from others: its colour and its dashes.
pub(super) fn class(arm: usize) -> String {
    format!("arm c{} d{}", arm % COLOURS, arm / COLOURS % 3)
}

/// Labels at the ends of lines, moved apart so that none covers another: `ends` are the heights at which they should be.
pub(super) fn apart(ends: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    const LINE: f64 = 16.0;
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|&a, &b| ends[a].total_cmp(&ends[b]).then(a.cmp(&b)));
    let mut places = ends.to_vec();
    let mut least = top;
    for at in order.iter().copied() {
        places[at] = places[at].max(least);
        least = places[at] + LINE;
    }
    // What was pushed out at the bottom pushes back.
    let mut most = bottom;
    for at in order.into_iter().rev() {
        places[at] = places[at].min(most);
        most = places[at] - LINE;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_cover_each_other() {
        let places = apart(&[100.0, 100.0, 100.0, 20.0], 10.0, 110.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(
            sorted.windows(2).all(|pair| pair[1] - pair[0] >= 16.0),
            "{places:?}"
        );
        assert!(
            places.iter().all(|place| (10.0..=110.0).contains(place)),
            "{places:?}"
        );
        assert_eq!(places.get(3), Some(&20.0));
    }

    #[test]
    fn arms_differ_by_colour_or_dashes() {
        let classes: std::collections::BTreeSet<String> = (0..18).map(class).collect();
        assert_eq!(classes.len(), 18);
    }
}
