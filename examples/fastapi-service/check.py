"""Whether a text is an access token of Rusk, and what it claims. Knows no framework, and no session's end."""
import threading
import time

import jwt

from ask import ask

TEXTS, TIMES = ["iss", "sub", "sid", "jti"], ["iat", "exp"]
SKEW = 60  # seconds that Rusk's clock may be ahead of this one
LONGEST = 86400  # seconds that a token may live
FRESH_FOR, USED_FOR, PAUSE = 300, 3600, 1  # seconds: keys, keys while Rusk is away, between two questions
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
    if claims["iss"] != issuer:  # some versions of PyJWT are content with a part of it
        raise Refused("another issuer")
    if claims["exp"] <= time.time():  # the end is not moved by SKEW
        raise Refused("expired")
    if claims["exp"] - claims["iat"] > LONGEST:
        raise Refused("good for too long")
    return claims, header.get("kid")


def shared_key(secret):
    """Where Rusk has JWT_SECRET_KEY: the same text."""
    return lambda kid: (secret, "HS256")


class Keys:
    """
    Rusk's key set, had at once. A known name is asked for again when it was had five minutes ago, and good for
    an hour while Rusk is away; an unknown one is asked for a second after the last answer, not sooner.
    """

    def __init__(self, url):
        self._url, self._asking = f"{url}/.well-known/jwks.json", threading.Lock()
        self._known, self._trouble = {}, None
        self._had = float("-inf")
        self._ask()
        self._answered = float("-inf")  # the first unknown name does not wait

    def __call__(self, kid):
        # One question at a time. Who comes meanwhile waits for that one, and while Rusk is away for none:
        # otherwise whoever makes names up would hold up everybody.
        if self._is_due(kid) and self._asking.acquire(blocking=not self._trouble):
            try:
                if self._is_due(kid):  # nobody has just had an answer
                    self._ask()
            finally:
                self._asking.release()
        is_usable = time.monotonic() - self._had < USED_FOR
        if is_usable and kid in self._known:
            return self._known[kid]
        if self._trouble or not is_usable:
            raise Unreachable("Rusk's keys cannot be had") from self._trouble
        raise jwt.InvalidKeyError("a key of nobody's")

    def _is_due(self, kid):
        now = time.monotonic()
        is_fresh = kid in self._known and now - self._had < FRESH_FOR
        return not is_fresh and now - self._answered >= PAUSE

    def _ask(self):
        asked = time.monotonic()
        try:
            keys = [(key, ALGORITHMS.get(key["kty"])) for key in ask(self._url, 2)["keys"]]
            self._known = {key["kid"]: (jwt.PyJWK(key, of).key, of) for key, of in keys if of}
            self._had, self._trouble = asked, None
        except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            self._trouble = error
        finally:
            self._answered = time.monotonic()
