"""Whether a text is an access token of Rusk, and what it claims. Knows no framework, and no session's end."""
import json
import threading
import time
from http.client import HTTPException
from urllib.request import Request, urlopen

import jwt

TEXTS, TIMES = ["iss", "sub", "sid", "jti"], ["iat", "exp"]
SKEW = 60  # seconds that Rusk's clock may be ahead of this one
ALGORITHMS = {"EC": "ES256", "OKP": "EdDSA"}


class Refused(Exception):
    """It is no access token of this issuer, or one that has expired."""


class Unreachable(Exception):
    """Rusk cannot be asked, and nobody else knows."""


def check(token, key_of, issuer, audience=None):
    """
    The claims of a good token, and the id of its key (None: it names none). `key_of`: `Keys(url)` or
    `shared_key(secret)`, which say what algorithm goes with the key; the token's header has no say in it.
    Raises Refused, Unreachable.
    """
    needs = {"require": TEXTS + TIMES}
    meant = {"issuer": issuer, "audience": audience}
    try:
        header = jwt.get_unverified_header(token)
        key, algorithm = key_of(header.get("kid"))
        claims = jwt.decode(token, key, algorithms=[algorithm], options=needs, leeway=SKEW, **meant)
    except (jwt.PyJWTError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        raise Refused(str(error)) from error
    if header.get("typ") != "at+jwt" or not set(header) <= {"alg", "typ", "kid"}:
        raise Refused("no access token")
    kinds = {str: TEXTS, int: TIMES}
    if any(type(claims[name]) is not kind for kind in kinds for name in kinds[kind]):
        raise Refused("claims of the wrong type")
    if claims["exp"] <= time.time():  # the end is not moved by SKEW
        raise Refused("expired")
    return claims, header.get("kid")


def shared_key(secret):
    """Where Rusk has JWT_SECRET_KEY: the same text."""
    return lambda kid: (secret, "HS256")


class Keys:
    """Rusk's key set, had at once and again after five minutes; for an unknown name at most once a second."""

    def __init__(self, url):
        self._url, self._turn = f"{url}/.well-known/jwks.json", threading.Lock()
        self._known, self._trouble = {}, None
        self._due = {"known": time.monotonic() + 300, "unknown": 0.0}
        self._ask()

    def __call__(self, kid):
        with self._turn:
            now, case = time.monotonic(), "known" if kid in self._known else "unknown"
            if now >= self._due[case]:
                self._due.update({"known": now + 300} if case == "known" else {"unknown": now + 1})
                self._ask()
            if kid not in self._known and self._trouble:
                raise Unreachable("Rusk's keys cannot be had") from self._trouble
            if kid not in self._known:
                raise jwt.InvalidKeyError("a key of nobody's")
            return self._known[kid]

    def _ask(self):
        try:
            # Caches on the way may keep the set for minutes, and this one has kept it long enough.
            question = Request(self._url, headers={"Cache-Control": "no-cache"})
            with urlopen(question, timeout=2) as answer:
                keys = [(key, ALGORITHMS.get(key["kty"])) for key in json.load(answer)["keys"]]
            self._known = {key["kid"]: (jwt.PyJWK(key, of).key, of) for key, of in keys if of}
            self._trouble = None
        except (OSError, HTTPException, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            self._trouble = error
