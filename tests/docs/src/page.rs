use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Table;

/// The pages at the root of the project.
const AT_THE_ROOT: [&str; 4] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
];

/// One page, in Markdown.
#[derive(Debug, Clone)]
pub struct Page {
    path: PathBuf,
    text: String,
}

/// Where the project is.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../..")
}

/// The paths of all pages, from the root.
pub fn pages() -> io::Result<Vec<PathBuf>> {
    let mut pages: Vec<_> = AT_THE_ROOT.iter().map(PathBuf::from).collect();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder))? {
            let path = folder.join(entry?.file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

impl Page {
    /// The page at `path`, from the root.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let text = fs::read_to_string(root().join(&path))?;
        Ok(Self { path, text })
    }

    /// A page that is nowhere, of this text.
    pub fn of(text: &str) -> Self {
        Self {
            path: PathBuf::new(),
            text: text.to_owned(),
        }
    }

    /// The page as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The page's lines that are not in a code block.
    pub fn prose(&self) -> impl Iterator<Item = &str> {
        let mut in_block = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            in_block ^= fence;
            !in_block && !fence
        })
    }

    /// All tables.
    pub fn tables(&self) -> Vec<Table> {
        let lines: Vec<_> = self.prose().collect();
        let of_tables = lines.split(|line| !line.starts_with('|'));
        of_tables.filter_map(Table::read).collect()
    }

    /// The tables that have a column of this name.
    pub fn tables_with(&self, column: &str) -> Vec<Table> {
        let mut tables = self.tables();
        tables.retain(|table| table.has(column));
        tables
    }

    /// The first table that has a column of this name.
    ///
    /// # Panics
    /// Where there is none.
    pub fn table(&self, column: &str) -> Table {
        let table = self.tables_with(column).into_iter().next();
        table.unwrap_or_else(|| panic!("{} has no table of {column}", self.path.display()))
    }

    /// The names by which links can lead to the page's headings.
    pub fn headings(&self) -> Vec<String> {
        let titles = self.prose().filter(|line| line.starts_with('#'));
        titles
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect()
    }

    /// The links that lead to no file, or to no heading of one. Links to elsewhere are not looked
    /// at.
    pub fn dead_links(&self) -> Vec<String> {
        let mut links: Vec<_> = self.prose().flat_map(links).collect();
        links.retain(|link| !self.leads_somewhere(link));
        links
    }

    fn leads_somewhere(&self, link: &str) -> bool {
        if link.contains("://") || link.starts_with("mailto:") {
            return true;
        }
        let (path, heading) = match link.split_once('#') {
            Some((path, heading)) => (path, Some(heading)),
            None => (link, None),
        };
        let has = |page: &Self, heading| page.headings().iter().any(|it| it == heading);
        if path.is_empty() {
            return heading.is_none_or(|heading| has(self, heading));
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let target = folder.join(path);
        match heading {
            None => root().join(target).exists(),
            Some(heading) => Self::read(target).is_ok_and(|page| has(&page, heading)),
        }
    }
}

/// What a heading is called in links: its letters, digits, hyphens and underscores, with hyphens
/// for spaces.
fn anchor(title: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let title = title.to_lowercase();
    title
        .chars()
        .filter(|c| kept(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn links(line: &str) -> Vec<String> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .filter(|link| !link.contains(char::is_whitespace))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found_outside_of_code_blocks() {
        let page = Page::of(
            "# One\n[a](#one) [b](#two) [c](nowhere.md)\n```\n[d](gone.md)\n```\n[e](https://sluice.dev)\n",
        );
        assert_eq!(page.dead_links(), ["#two", "nowhere.md"]);
    }
}
