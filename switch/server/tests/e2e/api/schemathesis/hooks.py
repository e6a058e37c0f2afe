"""What schemathesis does not find out by itself: which identifiers are alive, whose they are, and
with which version, certificate or session an operation can succeed (`live.py` knows). It keeps what
every call came to."""

import itertools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

from live import BODIES, LIVE, SEALED_ANSWERS, SEALED_BODIES, WHOLE, scene_of, token_of
from people import WORLD, answered_sealed, sealed

COUNT = itertools.count()
# Headers of encryption: what is drawn for them is hardly ever a key or an encrypted body.
ENCRYPTION = ("Encrypted-Request", "Encrypt-Response", "Public-Key")
KEYS = ("Idempotency-Key", "X-Idempotency-Key")


def is_good(case, location):
    """Whether that part of a case is as the document has it: then it may be made to fit."""
    part = case.meta.components.get(location)
    return part is None or part.mode == GenerationMode.POSITIVE


def live(case, scene):
    """Gives a case what it needs to succeed, as far as it is not to fail."""
    names, query = case.path_parameters or {}, case.query or {}
    if is_good(case, ParameterLocation.PATH):
        names.update({name: LIVE[name](scene) for name in names if name in LIVE})
        if "If-Match" in (case.headers or {}) and is_good(case, ParameterLocation.HEADER):
            case.headers["If-Match"] = scene.version(case.path)
    if is_good(case, ParameterLocation.QUERY):
        query.update({name: LIVE[name](scene) for name in query if name in LIVE})
        if next(COUNT) % 2:
            query.pop("cursor", None)
        if case.path.endswith("/statement"):
            query.clear()
            query.update({"from": "2026-01-01", "to": "2026-12-31"})
        if case.path.endswith("/authorizations"):
            # Of two days that were drawn hardly ever is one soon after the other.
            query.pop("from", None), query.pop("to", None)
    if isinstance(case.body, dict) and is_good(case, ParameterLocation.BODY):
        fit(case, scene)


def fit(case, scene):
    """A body of things that there are. Every other one keeps what was drawn of a person."""
    body = case.body
    body.update({name: LIVE[name](scene) for name in body if name in LIVE})
    more = BODIES.get((case.method, case.path), lambda _: {})(scene)
    body.update({name: value for name, value in more.items() if body.get(name) is not None})
    if (case.method, case.path) in WHOLE and next(COUNT) % 2:
        body.clear()
        body.update(WHOLE[case.method, case.path](scene))
    person = body.get("person", body if case.method == "PUT" else None)
    if isinstance(person, dict) and next(COUNT) % 2:
        person.clear()
        person.update({"givenName": "Ada", "familyName": "King", "birthDate": "1990-12-10"})
    if case.path.endswith("/kyc") and "state" in body and next(COUNT) % 2:
        body["state"] = "VERIFIED"


def headers_of(case, number):
    """Headers as a program would have them, where they are not to be wrong."""
    headers = case.headers if case.headers is not None else {}
    if case.method.upper() != case.operation.method.upper():
        # What is wrong with an encryption is told before what is wrong with a method.
        for name in ENCRYPTION:
            headers.pop(name, None)
    if case.meta is None:
        return
    if not is_good(case, ParameterLocation.HEADER):
        # Blanks at the ends are no part of a header: a key that is wrong by them alone is not.
        for name in KEYS:
            key = headers.get(name)
            if isinstance(key, str) and key != key.strip():
                headers[name] = key.strip() + "\x80"
        return
    for name in ENCRYPTION:
        headers.pop(name, None)
    operation = (case.operation.method.upper(), case.path)
    if operation in SEALED_ANSWERS or number % 5 == 0:
        headers.update(answered_sealed())
    for name in KEYS:
        if headers.pop(name, None) is not None:
            headers[KEYS[number % 2]] = f"drawn-{number}"
    case.headers = headers


def behind_session(case):
    """Whether the document says that a session is needed."""
    return any(case.operation.definition.raw.get("security") or [])


def has_token(case):
    """Whether a session is not what is wrong with a case."""
    drawn = (case.headers or {}).get("Authorization")
    return is_good(case, ParameterLocation.HEADER) or str(drawn).startswith("Bearer ")


class Sealing:
    """Encrypts a request on its way: what was drawn stays what is judged. It stands where requests
    takes who signs them, who may change them last."""

    def __init__(self, body):
        self.body = body

    def __call__(self, request):
        request.body = json.dumps(sealed(self.body)).encode()
        request.headers.update(answered_sealed() | {"Encrypted-Request": "true"})
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(COUNT)
    headers_of(case, number)
    if case.meta is None:
        return
    operation = (case.operation.method.upper(), case.path)
    scene = scene_of(operation)
    # One in four goes as it was drawn: to what is not there.
    if number % 4:
        live(case, scene)
    if operation in SEALED_BODIES and case.meta.generation.mode == GenerationMode.POSITIVE:
        kwargs["auth"] = Sealing(SEALED_BODIES[operation](scene))
    if WORLD["channel"] == "secure":
        kwargs["cert"] = scene.partner.cert
    elif behind_session(case) and has_token(case) and number % 16:
        case.headers = case.headers if case.headers is not None else {}
        case.headers["Authorization"] = f"Bearer {token_of(operation, scene)}"
        # Drawn ones are known to be wrong; of this one its check is to try what happens without.
        case._has_explicit_auth = True


@schemathesis.hook
def after_call(context, case, response):
    with open(WORLD["seen"], "a") as seen:
        seen.write(f"{case.method} {case.path} {response.status_code}\n")
