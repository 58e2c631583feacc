//! Tables that fit the terminal: columns that matter least are left out first, long cells are cut
//! with `…`, and no line is ever longer than the terminal is wide.

use std::fmt::Write;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal::{DIM, visible};

/// Between two columns.
const GAP: usize = 2;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Columns with the highest number are left out first; those with 0 never are.
    pub spare: u8,
    /// It is not made narrower than this while another column may be left out; in cells of the
    /// terminal.
    pub least: usize,
    /// It is not made wider than this, whatever room there is.
    pub most: usize,
    /// Its numbers stand at its right edge.
    pub right: bool,
}

/// One cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell with a text of whatever origin: what would move the cursor is shown instead.
    pub fn new(text: &str) -> Self {
        Self {
            text: visible(text),
            style: Style::new(),
        }
    }

    /// The same in another style.
    #[must_use]
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

/// Rows under columns.
#[derive(Debug)]
pub struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub fn new(columns: [Column; N]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// The table as lines of at most `width` cells, the titles first, each ended by a line break.
    pub fn render(&self, width: usize) -> String {
        let widths = self.widths(width);
        let titles = self.columns.map(|column| Cell {
            text: column.title.to_owned(),
            style: DIM,
        });
        let mut text = String::new();
        for row in std::iter::once(&titles).chain(&self.rows) {
            self.line(row, &widths, &mut text);
        }
        text
    }

    /// The width of each column; 0 where it is left out.
    fn widths(&self, room: usize) -> [usize; N] {
        let mut natural = self.columns.map(|column| column.title.width());
        for row in &self.rows {
            for (widest, cell) in natural.iter_mut().zip(row) {
                *widest = cell.text.width().max(*widest);
            }
        }
        for (at, (widest, column)) in natural.iter_mut().zip(&self.columns).enumerate() {
            *widest = (*widest).min(column.most);
            // One in which nothing stands tells nothing.
            if column.spare > 0 && self.rows.iter().all(|row| row[at].text.is_empty()) {
                *widest = 0;
            }
        }
        let mut widths = natural;
        for (width, column) in widths.iter_mut().zip(&self.columns) {
            *width = (*width).min(column.least.max(column.title.width()));
        }
        while total(&widths) > room {
            let shown = (0..N).filter(|at| widths[*at] > 0 && self.columns[*at].spare > 0);
            let Some(spare) = shown.max_by_key(|at| self.columns[*at].spare) else {
                break;
            };
            widths[spare] = 0;
        }
        // What is left goes to the columns that matter most, from the left where they are equal.
        let mut order: Vec<usize> = (0..N).filter(|at| widths[*at] > 0).collect();
        order.sort_by_key(|at| self.columns[*at].spare);
        let mut left = room.saturating_sub(total(&widths));
        for at in order.iter().copied() {
            let more = (natural[at] - widths[at]).min(left);
            widths[at] += more;
            left -= more;
        }
        // A terminal too narrow for what is never left out: cut from the right.
        let mut over = total(&widths).saturating_sub(room);
        for width in widths.iter_mut().rev() {
            let cut = over.min(*width);
            *width -= cut;
            over -= cut;
            if *width == 0 && cut > 0 {
                over = over.saturating_sub(GAP);
            }
        }
        widths
    }

    fn line(&self, row: &[Cell; N], widths: &[usize; N], text: &mut String) {
        // Blanks are owed until something follows: at a line's end they wrap when a terminal shrinks.
        let mut owed = 0;
        for ((cell, width), column) in row.iter().zip(widths).zip(&self.columns) {
            if *width == 0 {
                continue;
            }
            let cut = cut(&cell.text, *width);
            let padding = width.saturating_sub(cut.width());
            let (before, behind) = if column.right {
                (padding, 0)
            } else {
                (0, padding)
            };
            owed += before;
            if !cut.is_empty() {
                let style = cell.style;
                // Writing to a String cannot fail.
                let _ = write!(text, "{:owed$}{style}{cut}{style:#}", "");
                owed = 0;
            }
            owed += behind + GAP;
        }
        text.push('\n');
    }
}

fn total(widths: &[usize]) -> usize {
    let shown = widths.iter().filter(|width| **width > 0).count();
    widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1)
}

/// The text in at most `width` cells, `…` standing for what is left out.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        short.push(c);
    }
    if width > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn column(title: &'static str, spare: u8, least: usize) -> Column {
        Column {
            title,
            spare,
            least,
            most: 40,
            right: false,
        }
    }

    fn table(rows: &[[&str; 3]]) -> Table<3> {
        let mut columns = [
            column("AGE", 0, 6),
            column("PID", 2, 5),
            column("WHAT", 0, 10),
        ];
        columns[1].right = true;
        let mut table = Table::new(columns);
        for row in rows {
            table.push(row.map(Cell::new));
        }
        table
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn what_matters_least_goes_first_and_the_rest_is_cut() {
        let table = table(&[
            ["2 h ago", "7", "a crash in a long name"],
            ["now", "12345", "x"],
        ]);
        let wide = "AGE        PID  WHAT\n\
                    2 h ago      7  a crash in a long name\n\
                    now      12345  x\n";
        assert_eq!(plain(&table.render(80)), wide);
        let narrow = "AGE      WHAT\n2 h ago  a crash i…\nnow      x\n";
        assert_eq!(plain(&table.render(19)), narrow);
        assert_eq!(plain(&table.render(4)), "AGE\n2 h…\nnow\n");
    }

    #[test]
    fn hostile_names_and_wide_characters_stay_in_their_cell() {
        let table = table(&[["\u{1b}[2J\n", "1", "日本語日本語日本語"]]);
        let shown = plain(&table.render(24));
        assert!(shown.contains("\\u{1b"), "{shown}");
        assert!(shown.lines().all(|line| line.width() <= 24), "{shown}");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long(
            rows in prop::collection::vec([".{0,50}", "[0-9]{0,9}", "\\PC{0,90}"], 0..6),
            width in 1_usize..130,
        ) {
            let mut columns = [column("AGE", 0, 6), column("PID", 2, 5), column("WHAT", 0, 10)];
            columns[1].right = true;
            let mut table = Table::new(columns);
            let lines = rows.len() + 1;
            for row in &rows {
                table.push([Cell::new(&row[0]), Cell::new(&row[1]), Cell::new(&row[2])]);
            }
            let text = plain(&table.render(width));
            prop_assert_eq!(text.lines().count(), lines);
            for line in text.lines() {
                prop_assert!(line.width() <= width, "{} in {}", line, width);
            }
        }
    }
}
