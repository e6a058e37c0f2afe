"""What is alive: the tables by which a request that was drawn gets identifiers, secrets and members
with which it can succeed. A new kind of identifier is a line of LIVE (and what makes it, a property
of Scene); an operation that needs more than identifiers is a line of BODIES or of STATES."""

from functools import cached_property

from people import CARD_PIN, COMPANY, CONTROL, CORPORATIONS, CUSTOMERS, HOOK, OPEN, OTHER_PIN
from people import OWN, PIN, PLATFORM, WEBHOOKS, WORLD, App, Operator, document, employees
from people import employees_plastic, fresh, fresh_bin, plastic

ME, SESSION = "/customers/me", "/customers/sessions/current"
# How many requests are about the same scene, where they leave it of use.
SHARED = 8


class Administrator:
    """Who is at the panel during the run: signed in when that is first needed."""

    @cached_property
    def token(self):
        return Operator(WORLD["operator"]).begins()


ADMINISTRATOR = Administrator()


class Asker:
    """Who asks for reloads of pools, which the administrator decides on: another one."""

    @cached_property
    def token(self):
        new = {"name": fresh("asker"), "role": "MANAGER"}
        return Operator(OPEN.post("/admin/operators", new, ADMINISTRATOR.token)).begins()

    def reload(self, pool):
        amount = {"value": "1.00", "currency": "EUR"}
        new = {"amount": amount, "reference": fresh("transfer")}
        return OPEN.post(f"/admin/pools/{pool}/reloads", new, self.token)["reloadId"]


ASKER = Asker()


class SetUp:
    """A partner and its programme that nothing else is about: they may be changed."""

    @cached_property
    def partner(self):
        new = {"name": fresh("set up")}
        return OPEN.post("/admin/partners", new, ADMINISTRATOR.token)["partnerId"]

    @cached_property
    def pool(self):
        new = {"partnerId": self.partner, "kind": "CREDIT", "currency": "EUR"}
        return OPEN.post("/admin/pools", new, ADMINISTRATOR.token)["poolId"]

    @cached_property
    def programme(self):
        new = self.wanted()
        return OPEN.post("/admin/programmes", new, ADMINISTRATOR.token)["programmeId"]

    def wanted(self):
        """A programme with numbers that no other has."""
        bin = fresh_bin()
        return {
            "partnerId": self.partner, "name": "Drawn", "currency": "EUR", "poolId": self.pool,
            "bins": {"low": bin, "high": bin, "panLength": 19},
        }


SET_UP = SetUp()


class Scene:
    """What a request is about. Each thing is made when it is first asked for, and for it alone."""

    def __init__(self, partner, state, path=""):
        self.partner, self.state, self.path = partner, state, path

    @cached_property
    def customer(self):
        customer = self.partner.customer()
        if self.state == "VERIFIED":
            self.partner.verify(customer)
        elif self.state == "PENDING":
            self.partner.begin(customer)
        return customer

    @cached_property
    def balance(self):
        return self.partner.balance(self.customer)

    @cached_property
    def corporation(self):
        return self.partner.corporation()

    @cached_property
    def document(self):
        return self.partner.document(self.corporation)

    @cached_property
    def approved(self):
        """The corporation, once it was approved by its document."""
        self.document
        decision = {"decision": "APPROVE", "note": "seen"}
        OPEN.post(f"/admin/corporations/{self.corporation}/kyb", decision, ADMINISTRATOR.token)
        return self.corporation

    @cached_property
    def corporate_balance(self):
        return self.partner.corporate_balance(self.approved)

    @cached_property
    def card(self):
        return self.partner.card(self.customer, self.balance)

    @cached_property
    def job(self):
        return self.partner.job(self.customer, self.balance)

    @cached_property
    def order(self):
        return self.partner.order(self.customer, self.balance)

    @cached_property
    def simulation(self):
        return self.partner.simulation(self.card)

    def control(self):
        """Of what the path names."""
        owner = f"/secure/customers/{self.customer}"
        if "{cardId}" in self.path:
            return self.partner.control(f"{owner}/cards/{self.card}/controls", "CARD")
        if "{balanceId}" in self.path:
            return self.partner.control(f"{owner}/balances/{self.balance}/controls", "BALANCE")
        programme = f"/secure/programmes/{self.partner.programme}/controls"
        return self.partner.control(programme, "PROGRAMME")

    @cached_property
    def webhook(self):
        return self.partner.webhook()

    def version(self, path):
        """Of what a path names, as it is now."""
        if path.startswith(("/admin/partners/", "/admin/programmes/")):
            one = path.replace("{partnerId}", str(SET_UP.partner))
            one = one.replace("{programmeId}", str(SET_UP.programme))
            return OPEN.ask("GET", one, token=ADMINISTRATOR.token).headers["ETag"]
        if "{poolId}" in path:
            alert = f"/admin/pools/{self.partner.pool}/alert"
            return OPEN.ask("GET", alert, token=ADMINISTRATOR.token).headers["ETag"]
        if "{webhookId}" in path:
            return self.partner.version(f"{WEBHOOKS}/{self.webhook}")
        return self.partner.version(f"{CUSTOMERS}/{self.customer}")

    def pairing_code(self):
        """Another one each time: one is used up."""
        return self.partner.pairing_code(self.customer)

    @cached_property
    def app(self):
        return App(self.pairing_code())

    @cached_property
    def session(self):
        return self.app.session()

    @cached_property
    def stepped_up(self):
        return self.app.session(stepped_up=True)

    @cached_property
    def operator(self):
        new = {"name": fresh("hook"), "role": "EMPLOYEE"}
        return Operator(OPEN.post("/admin/operators", new, ADMINISTRATOR.token))

    @cached_property
    def operators_session(self):
        return self.operator.signs_in()


class Bought(Scene):
    """A card with which something was bought before the run: by no request of the API."""

    def __init__(self):
        super().__init__(OWN, "VERIFIED")
        for name, value in WORLD["bought"].items():
            setattr(self, name, value)


class Due(Scene):
    """A card that is due to be renewed: made before the run, by command, and of use once."""

    def __init__(self):
        super().__init__(OWN, "VERIFIED")
        for name, value in WORLD["due"].pop().items():
            setattr(self, name, value)


# Of the names of parameters and of bodies' members: what stands there that is alive.
LIVE = {
    "customerId": lambda scene: scene.customer,
    "balanceId": lambda scene: scene.balance,
    "deviceId": lambda scene: scene.app.paired["deviceId"],
    "installationId": lambda scene: scene.app.proof["installationId"],
    "installationSecret": lambda scene: scene.app.proof["installationSecret"],
    "pairingCode": lambda scene: scene.pairing_code(),
    "operatorId": lambda scene: scene.operator.id,
    "partnerId": lambda scene: SET_UP.partner if set_up(scene) else scene.partner.id,
    "programmeId": lambda scene: (
        SET_UP.programme if set_up(scene) else scene.partner.programme
    ),
    "invoice": lambda scene: "2026-11.csv",
    "cardId": lambda scene: scene.card,
    "authorizationId": lambda scene: scene.authorization,
    "orderId": lambda scene: scene.order,
    "poolId": lambda scene: scene.partner.pool,
    "reloadId": lambda scene: ASKER.reload(scene.partner.pool),
    "jobId": lambda scene: scene.job,
    "simulationId": lambda scene: scene.simulation,
    "controlId": lambda scene: scene.control(),
    "webhookId": lambda scene: scene.webhook,
    "messageId": lambda scene: scene.partner.message(scene.webhook),
    "pin": lambda scene: PIN,
    "newPin": lambda scene: OTHER_PIN,
    "amount": lambda scene: {"value": "1.00", "currency": "EUR"},
    "standing": lambda scene: {"value": "1.00", "currency": "EUR"},
}

def set_up(scene):
    """Whether a request is about what operators set up, and may change."""
    changed = (
        "/admin/partners/{partnerId}", "/admin/programmes/{programmeId}",
        "/admin/programmes/{programmeId}/fees",
    )
    return scene.path in changed


def dc_corporation(scene):
    """A decision is about one with a document; what an account is opened for was approved."""
    if scene.path.endswith("/kyb"):
        scene.document
    return scene.approved if scene.path.startswith("/secure/") else scene.corporation


LIVE["dcCorporationId"] = dc_corporation
LIVE["documentId"] = lambda scene: scene.document

# Members that are what they are in one operation alone.
BODIES = {
    ("POST", CORPORATIONS): lambda scene: {"reference": fresh("drawn")},
    ("POST", CORPORATIONS + "/{dcCorporationId}/documents"): lambda scene: document(),
    ("POST", "/secure/cards/virtual"): lambda scene: employees(
        scene.approved, scene.corporate_balance
    ),
    ("POST", "/secure/cards/physical"): lambda scene: employees_plastic(
        scene.approved, scene.corporate_balance
    ),
    ("POST", CUSTOMERS): lambda scene: {"reference": fresh("drawn")},
    ("POST", WEBHOOKS): lambda scene: HOOK,
    ("PUT", WEBHOOKS + "/{webhookId}"): lambda scene: HOOK,
    ("POST", "/admin/sessions"): lambda scene: scene.operator.credentials(),
    ("POST", "/admin/operators"): lambda scene: {"name": fresh("drawn")},
    ("POST", "/admin/password"): lambda scene: {
        "currentPassword": scene.operator.password,
        "newPassword": "incorrect horse 4711",
    },
}

# Bodies of which too much is drawn to be good: every other one is this.
WHOLE = {
    (method, f"/secure/{of}/controls{one}"): lambda scene: CONTROL
    for method, one in (("POST", ""), ("PUT", "/{controlId}"))
    for of in (
        "customers/{customerId}/cards/{cardId}",
        "customers/{customerId}/balances/{balanceId}",
        "programmes/{programmeId}",
    )
}
WHOLE["POST", CORPORATIONS] = lambda scene: {"reference": fresh("drawn"), "company": COMPANY}
WHOLE["POST", CORPORATIONS + "/{dcCorporationId}/documents"] = lambda scene: document()
WHOLE["POST", "/admin/corporations/{dcCorporationId}/kyb"] = lambda scene: {
    "decision": "HOLD", "note": "drawn"
}
WHOLE["POST", "/secure/balances"] = lambda scene: {
    "dcCorporationId": scene.approved, "programmeId": scene.partner.programme
}
for path in ("/secure/cards/virtual", "/secure/cards/physical"):
    WHOLE["POST", path] = BODIES["POST", path]
WHOLE["PUT", WEBHOOKS + "/{webhookId}"] = lambda scene: HOOK | {"state": "ENABLED"}
for path in (ME, "/secure/customers/{customerId}", "/admin/customers/{customerId}"):
    for end in ("/cards/virtual", "/cards/virtual/async"):
        WHOLE["POST", path + end] = lambda scene: {"balanceId": scene.balance}
    WHOLE["POST", path + "/cards/physical"] = lambda scene: plastic(scene.balance)
for path in (ME, "/secure/customers/{customerId}", "/admin"):
    WHOLE["POST", path + "/cards/{cardId}/replace"] = lambda scene: {}
    WHOLE["POST", path + "/cards/{cardId}/renew"] = lambda scene: {}

WHOLE["POST", "/admin/pools"] = lambda scene: {
    "partnerId": scene.partner.id, "kind": "CREDIT", "currency": "EUR",
}
WHOLE["POST", "/admin/pools/{poolId}/reloads"] = lambda scene: {
    "amount": {"value": "1.00", "currency": "EUR"}, "reference": "transfer",
}
WHOLE["PUT", "/admin/pools/{poolId}/alert"] = lambda scene: {
    "below": {"value": "1.00", "currency": "EUR"},
}
WHOLE["POST", "/admin/pools/{poolId}/reloads/{reloadId}/refuse"] = lambda scene: {"note": "drawn"}

WHOLE["POST", "/admin/partners"] = lambda scene: {"name": fresh("drawn")}
WHOLE["PUT", "/admin/partners/{partnerId}"] = lambda scene: {"name": fresh("drawn")}
WHOLE["POST", "/admin/programmes"] = lambda scene: SET_UP.wanted()
WHOLE["PUT", "/admin/programmes/{programmeId}"] = lambda scene: {"name": fresh("drawn")}
FEES = {
    "chargedBy": "PLATFORM",
    "rules": [{"event": "card_monthly", "fixed": "1.99", "taken": "AT_ONCE"}],
}
MONTHLY = {"events": ["card_monthly"], "form": "VIRTUAL"}
WHOLE["PUT", "/admin/programmes/{programmeId}/fees"] = lambda scene: FEES
WHOLE["POST", "/admin/programmes/{programmeId}/fees/preview"] = lambda scene: MONTHLY
WHOLE["POST", "/secure/fees/preview"] = lambda scene: {
    "programmeId": scene.partner.programme, "what": MONTHLY,
}
for method, one in (("POST", ""), ("PUT", "/{controlId}")):
    WHOLE[method, f"/admin/programmes/{{programmeId}}/controls{one}"] = lambda scene: CONTROL

# What is asked for in clear is refused: answers with card data in them.
SEALED_ANSWERS = {
    ("POST", ME + "/cards/virtual"),
    ("POST", "/secure/customers/{customerId}/cards/virtual"),
    ("POST", "/admin/customers/{customerId}/cards/virtual"),
    ("POST", "/secure/cards/virtual"),
    ("POST", "/secure/cards/physical"),
    ("POST", ME + "/cards/physical"),
    ("POST", "/secure/customers/{customerId}/cards/physical"),
    ("POST", "/admin/customers/{customerId}/cards/physical"),
    ("POST", ME + "/cards/{cardId}/replace"),
    ("POST", "/secure/customers/{customerId}/cards/{cardId}/replace"),
    ("POST", "/admin/cards/{cardId}/replace"),
    ("POST", ME + "/cards/{cardId}/renew"),
    ("POST", "/secure/customers/{customerId}/cards/{cardId}/renew"),
    ("POST", "/admin/cards/{cardId}/renew"),
    ("POST", ME + "/cards/{cardId}/cvv"),
    ("POST", "/admin/cards/{cardId}/cvv"),
    ("GET", ME + "/cards/{cardId}"),
    ("GET", "/secure/customers/{customerId}/cards/{cardId}"),
}
# With a PIN in them they are refused in clear: encrypted they are these.
SEALED_BODIES = {
    ("POST", ME + "/cards/{cardId}/pin"): lambda scene: {"pin": CARD_PIN},
    ("POST", ME + "/cards/physical_with_pin"): lambda scene: (
        plastic(scene.balance) | {"pin": CARD_PIN}
    ),
}
SEALED_BODIES["POST", "/secure/cards/physical_with_pin"] = lambda scene: (
    employees_plastic(scene.approved, scene.corporate_balance) | {"pin": CARD_PIN}
)
SEALED_BODIES["POST", "/secure/customers/{customerId}/cards/physical_with_pin"] = SEALED_BODIES[
    "POST", ME + "/cards/physical_with_pin"
]
# And with the user's PIN given again.
STEPPED_UP = {
    *(operation for operation in SEALED_BODIES if operation[1].startswith(ME)),
    ("DELETE", ME + "/devices/{deviceId}"),
    ("POST", ME + "/cards/{cardId}/cvv"),
    ("POST", ME + "/cards/{cardId}/renew"),
    ("GET", ME + "/cards/{cardId}"),
}

# Whose verification is about what the request is; of all others the customer is verified.
STATES = {
    ("POST", CUSTOMERS + "/{customerId}/kyc"): (OWN, "NOT_STARTED"),
    ("POST", "/secure/customers/{customerId}/register"): (PLATFORM, "NOT_STARTED"),
    ("POST", ME + "/register"): (PLATFORM, "NOT_STARTED"),
    ("POST", "/admin/customers/{customerId}/kyc"): (PLATFORM, "PENDING"),
}

# What ends the session that it is asked with: of an operator who is there for that.
ENDS_SESSION = {("DELETE", "/admin/sessions/current"), ("POST", "/admin/password")}

# Changes that leave their scene of use to others: to make an app anew is a matter of three hashes.
LEAVES = {
    ("POST", "/customers/devices"),
    ("POST", ME + "/balances"),
    ("POST", SESSION + "/step-up"),
}

_shared = {}
BOUGHT = Bought()


def scene_of(operation):
    """The scene of a request: a new one, but for what leaves it of use."""
    partner, state = STATES.get(operation, (OWN, "VERIFIED"))
    method, path = operation
    if path.endswith("/{authorizationId}"):
        return BOUGHT
    if path.endswith("/renew") and WORLD["due"]:
        return Due()
    if not (method == "GET" or operation in LEAVES or "{operatorId}" in path):
        return Scene(partner, state, path)
    used, scene = _shared.get("scene", (SHARED, None))
    if used >= SHARED:
        used, scene = 0, Scene(OWN, "VERIFIED")
    _shared["scene"] = (used + 1, scene)
    return scene


def token_of(operation, scene):
    """Who asks, where the operation is behind a session; the channel is the path's beginning."""
    if operation in ENDS_SESSION:
        return scene.operators_session
    if operation in STEPPED_UP:
        return scene.stepped_up
    return ADMINISTRATOR.token if operation[1].startswith("/admin/") else scene.session
