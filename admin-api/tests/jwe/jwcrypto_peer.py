"""A partner with jwcrypto: makes tokens for the platform's key, and opens the platform's tokens.

One JSON text comes in on standard input, one goes out on standard output.
"""

import base64
import importlib.metadata
import json
import sys

from jwcrypto import jwe, jwk

ALGORITHMS = ["RSA-OAEP-256", "RSA-OAEP", "A256GCM"]


def keys_of(platform):
    """The platform's key in each form in which it is published."""
    der = base64.b64decode(platform["publicKey"])
    text = base64.encodebytes(der).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n"
    forms = {
        "jwk": jwk.JWK(**platform["jwk"]),
        "pem": jwk.JWK.from_pem(platform["pem"].encode()),
        "publicKey": jwk.JWK.from_pem(pem.encode()),
    }
    return forms.items()


def make(key, alg, kid, payload):
    header = {"alg": alg, "enc": "A256GCM"}
    if kid is not None:
        header["kid"] = kid
    # A key that says which algorithm it is best used with is used with that one alone.
    public = json.loads(key.export_public())
    public.pop("alg", None)
    token = jwe.JWE(payload.encode(), json.dumps(header), algs=ALGORITHMS)
    token.add_recipient(jwk.JWK(**public))
    return token.serialize(compact=True)


def opened(key, text):
    token = jwe.JWE(algs=ALGORITHMS)
    token.deserialize(text, key)
    return token.payload.decode()


def main():
    call = json.load(sys.stdin)
    own = jwk.JWK(**call["partner"])
    made = [
        {"how": f"{form} {alg} {kid}", "payload": payload, "token": make(key, alg, kid, payload)}
        for form, key in keys_of(call["platform"])
        for alg in ALGORITHMS[:2]
        for kid in (None, call["platform"]["kid"])
        for payload in call["payloads"]
    ]
    answer = {
        "version": importlib.metadata.version("jwcrypto"),
        "made": made,
        "opened": [opened(own, token) for token in call["tokens"]],
        "public_key": base64.b64encode(own.export_to_pem()).decode(),
    }
    json.dump(answer, sys.stdout)


main()
