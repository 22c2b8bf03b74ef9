/// A table of a page.
#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct Row {
    header: Vec<String>,
    cells: Vec<String>,
}

/// What stands in one place of a table, or in one column.
#[derive(Debug, Clone)]
pub struct Cell(String);

impl Table {
    /// Reads a table's lines; none where they are no table.
    pub(crate) fn read(lines: &[&str]) -> Option<Self> {
        let (header, rest) = lines.split_first()?;
        let header = cells(header);
        let (_, rows) = rest.split_first()?;
        let row = |line: &&str| Row {
            header: header.clone(),
            cells: cells(line),
        };
        Some(Self {
            rows: rows.iter().map(row).collect(),
            header: header.clone(),
        })
    }

    /// Whether it has a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// The rows below the header.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A whole column.
    pub fn column(&self, name: &str) -> Cell {
        let cells = self.rows.iter().map(|row| row.cell(name).0);
        Cell(cells.collect::<Vec<_>>().join(" "))
    }
}

impl Row {
    /// What stands in a column; nothing where the row is too short.
    pub fn cell(&self, column: &str) -> Cell {
        let at = self.header.iter().position(|name| name == column);
        Cell(
            at.and_then(|at| self.cells.get(at))
                .cloned()
                .unwrap_or_default(),
        )
    }
}

impl Cell {
    /// The words that are written as code.
    pub fn words(&self) -> Vec<String> {
        words(&self.0)
    }

    /// The numbers in it.
    pub fn numbers(&self) -> Vec<u16> {
        let parts = self.0.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The words of a text that are written as code.
pub fn words(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}
