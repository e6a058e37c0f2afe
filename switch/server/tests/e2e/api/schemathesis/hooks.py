"""What schemathesis does not find out by itself: which identifiers are alive, whose they are, and
with which version and certificate an operation can succeed. It keeps what every call came to."""

import itertools
import json
import os

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

WORLD = json.load(open(os.environ["CARDSWITCH_TEST_API_WORLD"]))
URL, OPEN, ROOT = WORLD["url"], WORLD["open"], WORLD["root"]
CUSTOMERS = "/lifecycle/v1/customers"
WEBHOOKS = "/secure/webhooks"
HOOK = {"url": "https://localhost:1/hook", "events": ["webhook.test"]}
COUNT = itertools.count()
# Headers of encryption: what is drawn for them is hardly ever a key or an encrypted body.
ENCRYPTION = ("Encrypted-Request", "Encrypt-Response", "Public-Key")
KEYS = ("Idempotency-Key", "X-Idempotency-Key")


class Partner:
    """A partner, and what is made with its certificate."""

    def __init__(self, world):
        self.programme = world["programme"]
        self.kept = None
        self.cert = (world["certificate"], world["key"])
        self.session = requests.Session()
        self.session.cert, self.session.verify = self.cert, ROOT
        # What the environment says of roots is of other programs.
        self.session.trust_env = False

    def post(self, path, body):
        key = {"Idempotency-Key": f"hook-{next(COUNT)}"}
        answer = self.session.post(URL + path, json=body, headers=key)
        answer.raise_for_status()
        return answer.json()

    def customer(self, verified=True):
        person = {"givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10"}
        made = self.post(CUSTOMERS, {"reference": f"hook-{next(COUNT)}", "person": person})
        if verified:
            self.post(f"{CUSTOMERS}/{made['customerId']}/kyc", {"state": "VERIFIED"})
        return made["customerId"]

    def balance(self, customer):
        made = self.post(f"/secure/customers/{customer}/balances", {"programmeId": self.programme})
        return made["balanceId"]

    def device(self, customer):
        """Paired by the customer's app, at the other listener."""
        code = self.post(f"{CUSTOMERS}/{customer}/pairing-code", None)["pairingCode"]
        device = {"key": f"device-{next(COUNT):08}", "platform": "other", "model": "A telephone"}
        pairing = {"pairingCode": code, "pin": "271828", "device": device}
        answer = requests.post(OPEN + "/customers/devices", json=pairing, verify=ROOT)
        answer.raise_for_status()
        return answer.json()

    def webhook(self, fresh=False):
        """One that is kept, or one to be removed; where there is no room, one that was drawn goes."""
        if self.kept is None or fresh:
            made = self.session.post(URL + WEBHOOKS, json=HOOK)
            if made.status_code == 409:
                listed = self.session.get(URL + WEBHOOKS).json()["items"]
                drawn = next(one["webhookId"] for one in listed if one["webhookId"] != self.kept)
                self.session.delete(f"{URL}{WEBHOOKS}/{drawn}")
                made = self.session.post(URL + WEBHOOKS, json=HOOK)
            made.raise_for_status()
            if fresh:
                return made.json()["webhookId"]
            self.kept = made.json()["webhookId"]
        return self.kept

    def enabled(self):
        """The one that is kept, whatever was drawn for it before."""
        place = f"{URL}{WEBHOOKS}/{self.webhook()}"
        version = self.session.get(place).headers["ETag"]
        self.session.put(place, json=HOOK | {"state": "ENABLED"}, headers={"If-Match": version})
        return self.kept

    def version(self, path):
        return self.session.get(URL + path).headers["ETag"]


OWN, PLATFORM = Partner(WORLD["own"]), Partner(WORLD["platform"])


def is_good(case, location):
    """Whether that part of a case is as the document has it: then it may be made to fit."""
    part = case.meta.components.get(location)
    return part is None or part.mode == GenerationMode.POSITIVE


def live(case):
    """Gives a case what it needs to succeed, as far as it is not to fail; the partner it is for."""
    names = case.path_parameters or {}
    begins = case.path == "/secure/customers/{customerId}/register"
    partner = PLATFORM if begins else OWN
    if "customerId" in names and is_good(case, ParameterLocation.PATH):
        customer = partner.customer(verified=not begins and not case.path.endswith("/kyc"))
        names["customerId"] = customer
        if "balanceId" in names:
            names["balanceId"] = partner.balance(customer)
        for name in {"deviceId", "installationId"} & names.keys():
            names[name] = partner.device(customer)[name]
        if "If-Match" in (case.headers or {}) and is_good(case, ParameterLocation.HEADER):
            case.headers["If-Match"] = partner.version(f"{CUSTOMERS}/{customer}")
    if "webhookId" in names and is_good(case, ParameterLocation.PATH):
        removes = case.method == "DELETE"
        hook = names["webhookId"] = partner.webhook(fresh=True) if removes else partner.enabled()
        if "messageId" in names:
            names["messageId"] = partner.post(f"{WEBHOOKS}/{hook}/test", None)["messageId"]
        if "If-Match" in (case.headers or {}) and is_good(case, ParameterLocation.HEADER):
            case.headers["If-Match"] = partner.version(f"{WEBHOOKS}/{hook}")
    if case.path.endswith("/messages") and is_good(case, ParameterLocation.QUERY):
        (case.query or {}).pop("cursor", None)
    if isinstance(case.body, dict) and is_good(case, ParameterLocation.BODY):
        fit(case, partner)
    if (case.method, case.path) == ("GET", CUSTOMERS) and is_good(case, ParameterLocation.QUERY):
        if next(COUNT) % 2:
            (case.query or {}).pop("cursor", None)
    if case.path.endswith("/statement") and is_good(case, ParameterLocation.QUERY):
        case.query.clear()
        case.query.update({"from": "2026-01-01", "to": "2026-12-31"})
    return partner


def fit(case, partner):
    """A body of things that there are. Every other one keeps what was drawn of a person."""
    body = case.body
    if "url" in body and next(COUNT) % 2:
        body.update(HOOK)
    if "programmeId" in body:
        body["programmeId"] = partner.programme
    if "amount" in body:
        body["amount"] = {"value": "1.00", "currency": "EUR"}
    if body.get("reference") and case.path == CUSTOMERS:
        body["reference"] = f"drawn-{next(COUNT)}"
    person = body.get("person", body if case.method == "PUT" else None)
    if isinstance(person, dict) and next(COUNT) % 2:
        person.clear()
        person.update({"givenName": "Ada", "familyName": "King", "birthDate": "1990-12-10"})
    if case.path.endswith("/kyc") and next(COUNT) % 2:
        body["state"] = "VERIFIED"


@schemathesis.hook
def before_call(context, case, kwargs):
    number = next(COUNT)
    headers = case.headers if case.headers is not None else {}
    if case.method.upper() != case.operation.method.upper():
        # What is wrong with an encryption is told before what is wrong with a method.
        for name in ENCRYPTION:
            headers.pop(name, None)
    if case.meta is None:
        return
    if is_good(case, ParameterLocation.HEADER):
        for name in ENCRYPTION:
            headers.pop(name, None)
        if number % 5 == 0:
            headers["Encrypt-Response"], headers["Public-Key"] = "true", WORLD["publicKey"]
        for name in KEYS:
            if headers.pop(name, None) is not None:
                headers[KEYS[number % 2]] = f"drawn-{number}"
        case.headers = headers
    # One in four goes as it was drawn: to what is not there.
    if number % 4:
        kwargs["cert"] = live(case).cert


@schemathesis.hook
def after_call(context, case, response):
    with open(WORLD["seen"], "a") as seen:
        seen.write(f"{case.method} {case.path} {response.status_code}\n")
