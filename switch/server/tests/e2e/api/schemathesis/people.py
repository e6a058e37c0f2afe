"""Who calls, and what they make with what they have: a partner by its certificate, an app by a
session, an operator by a password and codes. Nothing here knows what is drawn."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time

import requests
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwcrypto import jwe, jwk

WORLD = json.load(open(os.environ["CARDSWITCH_TEST_API_WORLD"]))
CUSTOMERS = "/lifecycle/v1/customers"
WEBHOOKS = "/secure/webhooks"
CONTROL = {"name": "hook", "rule": "FORBID", "shadow": True}
CORPORATIONS = "/lifecycle/v1/corporations"
COMPANY = {
    "legalName": "Analytical Engines GmbH", "registrationNumber": "FN 123456a", "country": "AT",
    "street": "Hauptstrasse 1", "city": "Wien", "postalCode": "1010",
}
HOOK = {"url": "https://localhost:1/hook", "events": ["webhook.test"]}
PIN, OTHER_PIN = "271828", "161803"
CARD_PIN = "8264"
COUNT = itertools.count()


def fresh(kind):
    """A name that nothing else has."""
    return f"{kind}-{next(COUNT):08}"


def fresh_bin():
    """The beginning of numbers that no other programme has."""
    return f"{88000000 + next(COUNT):08}"


def plastic(balance):
    """What a card is ordered with."""
    delivery = {
        "way": "POST", "addressee": "Ada Lovelace", "street": "Hauptstrasse 1",
        "city": "Wien", "postalCode": "1010", "country": "AT",
    }
    return {"balanceId": balance, "holderName": "Ada Lovelace", "delivery": delivery}


def document():
    """A small PDF that nothing else is."""
    content = f"%PDF-1.4\n% {fresh('extract')}\n%%EOF\n".encode()
    coded = base64.b64encode(content).decode()
    return {"kind": "REGISTER", "fileName": "extract.pdf", "content": coded}


def employees(corporation, balance):
    """What a card of an employee is asked for with."""
    cardholder = {"name": "ADA LOVELACE", "reference": fresh("E")}
    return {"dcCorporationId": corporation, "balanceId": balance, "cardholder": cardholder}


def employees_plastic(corporation, balance):
    return employees(corporation, balance) | {"delivery": plastic(balance)["delivery"]}


def answered_sealed():
    """Headers that ask for an encrypted answer."""
    return {"Encrypt-Response": "true", "Public-Key": WORLD["publicKey"]}


def sealed(body):
    """A body encrypted to the platform; its answer comes encrypted to the same key."""
    key = jwk.JWK.from_pyca(load_der_public_key(base64.b64decode(WORLD["publicKey"])))
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    token = jwe.JWE(json.dumps(body), json.dumps(header), recipient=key)
    return {"payload": token.serialize(compact=True)}


class Caller:
    """Requests that have to succeed, over one connection."""

    def __init__(self, url, cert=None):
        self.url = url
        self.session = requests.Session()
        self.session.cert, self.session.verify = cert, WORLD["root"]
        # What the environment says of roots is of other programs.
        self.session.trust_env = False

    def ask(self, method, path, body=None, token=None, headers=()):
        headers = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = self.session.request(method, self.url + path, json=body, headers=headers)
        answer.raise_for_status()
        return answer

    def post(self, path, body=None, token=None):
        answer = self.ask("POST", path, body, token)
        return answer.json() if answer.content else None


OPEN = Caller(WORLD["open"])


class Partner:
    """A partner's own system."""

    def __init__(self, world):
        self.id, self.programme = world["partner"], world["programme"]
        self.cert = (world["certificate"], world["key"])
        self.caller = Caller(WORLD["secure"], self.cert)
        self.pool = self.caller.ask("GET", "/secure/pools").json()["items"][0]["poolId"]

    def customer(self):
        person = {"givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10"}
        made = self.caller.post(CUSTOMERS, {"reference": fresh("hook"), "person": person})
        return made["customerId"]

    def verify(self, customer):
        self.caller.post(f"{CUSTOMERS}/{customer}/kyc", {"state": "VERIFIED"})

    def begin(self, customer):
        """The platform's verification of a customer, which an operator decides."""
        self.caller.post(f"/secure/customers/{customer}/register")

    def balance(self, customer):
        new = {"programmeId": self.programme}
        return self.caller.post(f"/secure/customers/{customer}/balances", new)["balanceId"]

    def corporation(self):
        new = {"reference": fresh("hook"), "company": COMPANY}
        return self.caller.post(CORPORATIONS, new)["dcCorporationId"]

    def document(self, corporation):
        place = f"{CORPORATIONS}/{corporation}/documents"
        return self.caller.post(place, document())["documentId"]

    def corporate_balance(self, corporation):
        new = {"dcCorporationId": corporation, "programmeId": self.programme}
        return self.caller.post("/secure/balances", new)["balanceId"]

    def pairing_code(self, customer):
        return self.caller.post(f"{CUSTOMERS}/{customer}/pairing-code")["pairingCode"]

    def card(self, customer, balance):
        """Its number is not asked for: the answer is for somebody else's key."""
        place, sealed = f"/secure/customers/{customer}/cards/virtual", answered_sealed()
        made = self.caller.ask("POST", place, {"balanceId": balance}, headers=sealed)
        return made.headers["Location"].rsplit("/", 1)[1]

    def order(self, customer, balance):
        place = f"/secure/customers/{customer}/cards/physical"
        made = self.caller.ask("POST", place, plastic(balance), headers=answered_sealed())
        return made.headers["Location"].rsplit("/", 1)[1]

    def job(self, customer, balance):
        place = f"/secure/customers/{customer}/cards/virtual/async"
        return self.caller.post(place, {"balanceId": balance})["jobId"]

    def simulation(self, card):
        amount = {"value": "1.00", "currency": "EUR"}
        new = {"cardId": card, "amount": amount, "entryMode": "ECOMMERCE"}
        return self.caller.post("/secure/simulate/authorization", new)["simulationId"]

    def control(self, of, kind):
        """Where there is no room for another, one that was there goes."""
        listed = self.caller.ask("GET", of).json()["controls"]
        own = [one for one in listed if one["of"] == kind]
        if len(own) >= 8:
            self.caller.ask("DELETE", f"{of}/{own[0]['controlId']}")
        return self.caller.post(of, CONTROL)["controlId"]

    def webhook(self):
        """Where there is no room for another, one that was there goes."""
        listed = self.caller.ask("GET", WEBHOOKS).json()["items"]
        if len(listed) >= 5:
            self.caller.ask("DELETE", f"{WEBHOOKS}/{listed[0]['webhookId']}")
        return self.caller.post(WEBHOOKS, HOOK)["webhookId"]

    def message(self, webhook):
        return self.caller.post(f"{WEBHOOKS}/{webhook}/test")["messageId"]

    def version(self, path):
        return self.caller.ask("GET", path).headers["ETag"]


class App:
    """A customer's app, on a device that it paired."""

    def __init__(self, pairing_code):
        device = {"key": fresh("device"), "platform": "other", "model": "A telephone"}
        pairing = {"pairingCode": pairing_code, "pin": PIN, "device": device}
        self.paired = OPEN.post("/customers/devices", pairing)
        self.proof = {
            name: self.paired[name] for name in ("installationId", "installationSecret")
        }

    def session(self, stepped_up=False):
        """Open; where what is sensitive is to come, with the PIN given again."""
        token = OPEN.post("/customers/sessions", {**self.proof, "pin": PIN})["token"]
        if stepped_up:
            OPEN.post("/customers/sessions/current/step-up", {"pin": PIN}, token)
        return token


class Operator:
    """Somebody at the panel, with what they were given."""

    def __init__(self, given):
        self.id = given.get("operatorId") or given["operator"]
        self.name = given["name"]
        self.password = given.get("oneTimePassword") or given["one_time_password"]
        uri = given.get("otpauthUri") or given["otpauth"]
        secret = uri.split("secret=")[1].split("&")[0]
        self.secret = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.step = 0

    def code(self):
        """Each once (RFC 6238): of this step, or of one that is taken beside it."""
        now = int(time.time()) // 30
        self.step = max(now - 1, self.step + 1)
        assert self.step <= now + 1, "no more codes are taken now"
        tag = hmac.new(self.secret, self.step.to_bytes(8, "big"), hashlib.sha1).digest()
        at = tag[19] & 15
        number = int.from_bytes(tag[at : at + 4], "big") & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"

    def credentials(self):
        return {"name": self.name, "password": self.password, "code": self.code()}

    def signs_in(self):
        """For the first time: with a session that serves to choose a password, or to end."""
        return OPEN.post("/admin/sessions", self.credentials())["token"]

    def begins(self):
        """And chooses a password; the token."""
        change = {"currentPassword": self.password, "newPassword": "correct horse 4711"}
        return OPEN.post("/admin/password", change, self.signs_in())["token"]


OWN, PLATFORM = Partner(WORLD["own"]), Partner(WORLD["platform"])
