//! Reads the project's pages: their tables, links and headings.
//!
//! The tests beside it hold these to the lists that the programs themselves work by, in both
//! directions: what a list has and its page has not, and what a page has and its list has not.
//!
//! ```
//! let page = sluice_test_docs::Page::of("# A page\n\n| code | what |\n| --- | --- |\n| `a` `b` | both |\n");
//! let table = page.table("code");
//! assert_eq!(table.column("code").words(), ["a", "b"]);
//! assert_eq!(page.headings(), ["a-page"]);
//! ```

mod page;
mod table;

pub use page::{Page, pages, root};
pub use table::{Cell, Row, Table, words};
