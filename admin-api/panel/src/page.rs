//! What a page is made of, as data, and the one frame that all stand in. It owns that every page
//! has a title, a way back and the same navigation, and that what people or partners wrote is text
//! in it and nothing else; the templates escape it.

mod act;
mod cell;
mod frame;
mod input;

pub(crate) use act::Act;
pub(crate) use cell::{Cell, Tone, moment, spoken};
pub(crate) use frame::Framed;
pub(crate) use input::{Choice, Field, Question};

/// A table. Its columns have headings, its rows as many cells.
pub(crate) struct Table {
    pub(crate) heading: String,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What is said where there is no row.
    pub(crate) empty: &'static str,
    /// Where the next rows are.
    pub(crate) next: Option<String>,
    /// Where the same is as CSV.
    pub(crate) csv: Option<String>,
}

/// Facts of one thing: each with its name.
pub(crate) struct Facts {
    pub(crate) heading: String,
    pub(crate) items: Vec<(&'static str, Cell)>,
}

/// A part of a page.
pub(crate) enum Part {
    Warning(String),
    Said(String),
    Note(String),
    Facts(Facts),
    Table(Table),
    Acts(Vec<Act>),
    Question(Question),
    Back,
}

/// A page, without its frame.
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) parts: Vec<Part>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), parts: Vec::new() }
    }

    pub(crate) fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Something to heed.
    pub(crate) fn warning(self, text: impl Into<String>) -> Self {
        self.with(Part::Warning(text.into()))
    }

    /// What was just done, where anything was.
    pub(crate) fn said(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(Part::Said(text.to_owned())),
            None => self,
        }
    }

    /// A sentence; none where it is empty.
    pub(crate) fn note(self, text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { self } else { self.with(Part::Note(text)) }
    }

    pub(crate) fn facts(
        self,
        heading: impl Into<String>,
        items: Vec<(&'static str, Cell)>,
    ) -> Self {
        self.with(Part::Facts(Facts { heading: heading.into(), items }))
    }

    pub(crate) fn table(self, table: Table) -> Self {
        self.with(Part::Table(table))
    }

    /// What can be done here; nothing where nothing can.
    pub(crate) fn acts(self, acts: impl IntoIterator<Item = Option<Act>>) -> Self {
        let acts: Vec<Act> = acts.into_iter().flatten().collect();
        if acts.is_empty() { self } else { self.with(Part::Acts(acts)) }
    }

    pub(crate) fn question(self, question: Option<Question>) -> Self {
        match question {
            Some(question) => self.with(Part::Question(question)),
            None => self,
        }
    }

    /// A way back to where one came from.
    pub(crate) fn back(self) -> Self {
        self.with(Part::Back)
    }
}
