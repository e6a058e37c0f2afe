//! What every operation of a channel has in common, put into its document: headers that are taken
//! and given, who may call, and the form of an encrypted answer. It owns which operation has which;
//! the layers of `http` are what it tells of.

use utoipa::openapi::path::{
    HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, HeaderBuilder, OpenApi, Ref, RefOr, Required, Response,
};
use utoipa::{Modify, PartialSchema, ToSchema};

use crate::http::ProblemBody;

/// Who calls: each channel knows its callers otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Partners' systems.
    Certificate,
    /// Customers' apps.
    Session,
    /// Operators.
    Operator,
}

impl Channel {
    fn scheme(self) -> (&'static str, SecurityScheme) {
        let bearer = |what: &str| {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what));
            SecurityScheme::Http(scheme.build())
        };
        match self {
            Self::Certificate => (
                "clientCertificate",
                SecurityScheme::MutualTls {
                    description: Some("The certificate that the platform signed.".to_owned()),
                    deprecated: None,
                    extensions: None,
                },
            ),
            Self::Session => ("session", bearer("The token of a customer's session.")),
            Self::Operator => ("operator", bearer("The token of an operator's session.")),
        }
    }
}

const JSON: &str = "application/json";

/// The name of the schema of an encrypted body.
const ENCRYPTED: &str = "EncryptedBody";

/// The pass.
pub(super) struct Common(pub(super) Channel);

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let (name, scheme) = self.0.scheme();
        let mut components =
            document.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
        components.add_security_scheme(name, scheme);
        components.schemas.insert(ENCRYPTED.to_owned(), RefOr::T(encrypted_body()));
        // Answers name it, and no route does.
        components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
        document.components = Some(components);
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(name_of(&method, path));
                // One for callers who are nobody yet says so itself.
                operation.security.get_or_insert_with(|| {
                    vec![SecurityRequirement::new(name, Vec::<String>::new())]
                });
                takes(&method, operation);
                for (status, response) in &mut operation.responses.responses {
                    if let RefOr::T(response) = response {
                        gives(&method, status, response);
                    }
                }
            }
        }
    }
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
        (HttpMethod::Patch, patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
    .collect()
}

/// The name of an operation, which no other has: handlers' names are not apart.
fn name_of(method: &HttpMethod, path: &str) -> String {
    let mut name = verb(method).to_ascii_lowercase();
    for part in path.split(['/', '-']).filter(|part| !part.is_empty()) {
        let word = part.trim_start_matches('{').trim_end_matches('}');
        let mut letters = word.chars();
        name.extend(part.starts_with('{').then_some("By"));
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// A method as it is sent.
pub(super) const fn verb(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Put => "PUT",
        HttpMethod::Post => "POST",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Head => "HEAD",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Trace => "TRACE",
    }
}

fn header(name: &str, required: bool, schema: ObjectBuilder, words: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(if required { Required::True } else { Required::False })
        .description(Some(words))
        .schema(Some(schema))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The headers that an operation takes.
fn takes(method: &HttpMethod, operation: &mut Operation) {
    let flag = || text().enum_values(Some(["true", "false"]));
    let mut taken = Vec::new();
    if *method == HttpMethod::Post {
        // Blanks at the ends are no part of a header.
        let key = || {
            let key = text().min_length(Some(1)).max_length(Some(255));
            key.pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        };
        let words = "Names the request: sent again with the same name it is done once, and \
                     answered alike.";
        taken.push(header("Idempotency-Key", false, key(), words));
        let words = "The same by another name; not both.";
        taken.push(header("X-Idempotency-Key", false, key(), words));
    }
    if operation.responses.responses.contains_key("428") {
        let words = "The ETag of what is changed, as it was read.";
        taken.push(header("If-Match", true, text(), words));
    }
    let words = "`true`: the body is an EncryptedBody whose token holds what is described here, \
                 and the answer is one too.";
    taken.push(header("Encrypted-Request", false, flag(), words));
    let words = "`true`: the answer is an EncryptedBody.";
    taken.push(header("Encrypt-Response", false, flag(), words));
    let words = "The key that the answer is encrypted to: base64 of an RSA key's PEM or DER.";
    taken.push(header("Public-Key", false, text(), words));
    let kept = operation.parameters.take().unwrap_or_default().into_iter().filter(|known| {
        !matches!(known, RefOr::T(known) if taken.iter().any(|ours| ours.name == known.name))
    });
    let parameters: Vec<_> = kept.collect();
    operation.parameters =
        Some(parameters.into_iter().chain(taken.into_iter().map(RefOr::T)).collect());
}

/// The headers that an answer has, and its encrypted form.
fn gives(method: &HttpMethod, status: &str, response: &mut Response) {
    let mut give = |name: &str, kind: Type, words: &str| {
        let schema = ObjectBuilder::new().schema_type(kind);
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(words)).build();
        response.headers.insert(name.to_owned(), RefOr::T(header));
    };
    give("X-Request-Id", Type::String, "Names the request in our logs and in the audit.");
    if matches!(status, "429" | "503") {
        give("Retry-After", Type::Integer, "Seconds after which to try again.");
    }
    let kept = status.starts_with('2') || status == "409";
    if *method == HttpMethod::Post && kept {
        give("Idempotent-Replayed", Type::String, "`true`: the answer to the same request before.");
    }
    if !status.starts_with('2') {
        return;
    }
    // What is no JSON comes as JSON where it is encrypted.
    if response.content.keys().any(|form| form != JSON) {
        let encrypted = RefOr::Ref(Ref::from_schema_name(ENCRYPTED));
        let content = Content::builder().schema(Some(encrypted)).build();
        response.content.insert(JSON.to_owned(), RefOr::T(content));
        return;
    }
    for content in response.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(plain) = content.schema.take()
        {
            let encrypted = RefOr::Ref(Ref::from_schema_name(ENCRYPTED));
            let either = AnyOfBuilder::new().item(plain).item(encrypted).build();
            content.schema = Some(RefOr::T(Schema::AnyOf(either)));
        }
    }
}

fn encrypted_body() -> Schema {
    let token = text().description(Some("JWE in its compact form: RSA-OAEP-256, A256GCM."));
    let body = ObjectBuilder::new()
        .description(Some("An encrypted body, both ways."))
        .property("payload", token)
        .required("payload")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    Schema::Object(body.build())
}
