//! What a page asks of a person: a form. It owns that every field has a label, that each form
//! carries the proof of its session and a key of its own, and that it says what it will do.

use uuid::Uuid;

use crate::visit::Visit;

/// One of several.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), chosen: false }
    }

    /// Chosen, where it is this.
    pub(crate) fn if_is(mut self, value: &str) -> Self {
        self.chosen = self.value == value;
        self
    }
}

/// How a field is filled in.
pub(crate) enum Kind {
    /// A type of HTML's `input`.
    Line(&'static str),
    Lines,
    Choices(Vec<Choice>),
}

/// A field.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) required: bool,
    pub(crate) help: &'static str,
    /// What a browser may fill in by itself.
    pub(crate) autocomplete: &'static str,
    pub(crate) longest: u32,
}

impl Field {
    pub(crate) fn line(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: Kind::Line("text"),
            value: String::new(),
            required: true,
            help: "",
            autocomplete: "off",
            longest: 256,
        }
    }

    pub(crate) fn lines(name: &'static str, label: &'static str) -> Self {
        Self { kind: Kind::Lines, longest: 2_000, ..Self::line(name, label) }
    }

    pub(crate) fn choice(
        name: &'static str,
        label: &'static str,
        choices: impl IntoIterator<Item = Choice>,
    ) -> Self {
        let kind = Kind::Choices(choices.into_iter().collect());
        Self { kind, ..Self::line(name, label) }
    }

    pub(crate) fn kind(mut self, of: &'static str) -> Self {
        self.kind = Kind::Line(of);
        self
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    pub(crate) fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(crate) fn filled_by(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }
}

/// A form.
pub(crate) struct Question {
    pub(crate) heading: String,
    /// What it will do, before it does it.
    pub(crate) says: String,
    pub(crate) to: String,
    /// `post` to do something, `get` to look for something.
    pub(crate) method: &'static str,
    pub(crate) fields: Vec<Field>,
    pub(crate) button: &'static str,
    pub(crate) harsh: bool,
    pub(crate) hidden: Vec<(&'static str, String)>,
}

impl Question {
    /// Does something in the name of a session, once however often it is sent.
    pub(crate) fn new(
        visit: &Visit,
        heading: impl Into<String>,
        to: impl Into<String>,
        button: &'static str,
    ) -> Self {
        let hidden =
            vec![(crate::forgery::MEMBER, visit.proof()), ("key", Uuid::new_v4().to_string())];
        Self { hidden, ..Self::of_nobody(heading, to, button) }
    }

    /// Of who has no session.
    pub(crate) fn of_nobody(
        heading: impl Into<String>,
        to: impl Into<String>,
        button: &'static str,
    ) -> Self {
        Self {
            heading: heading.into(),
            says: String::new(),
            to: to.into(),
            method: "post",
            fields: Vec::new(),
            button,
            harsh: false,
            hidden: Vec::new(),
        }
    }

    /// Looks for something.
    pub(crate) fn search(heading: impl Into<String>, to: impl Into<String>) -> Self {
        Self { method: "get", ..Self::of_nobody(heading, to, "Search") }
    }

    pub(crate) fn says(mut self, says: impl Into<String>) -> Self {
        self.says = says.into();
        self
    }

    pub(crate) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    pub(crate) fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// Names a field in its page, where other forms may have fields of the same name.
    pub(crate) fn id(&self, field: &Field) -> String {
        let heading = self.heading.chars().filter(char::is_ascii_alphanumeric);
        format!("{}-{}", heading.collect::<String>().to_ascii_lowercase(), field.name)
    }

    /// Where it may be asked.
    pub(crate) fn when(self, may: bool) -> Option<Self> {
        may.then_some(self)
    }
}
