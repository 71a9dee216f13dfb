"""
Flask: who calls, told by check.py, which stands in ../fastapi-service/, or asked of Rusk at this moment. Bearer tokens only:
whom a cookie signs in, a proxy before this may ask (docs/services.md, forward auth).
"""
import json
import os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from flask import Flask, Response, abort, request

from check import Keys, Refused, Unreachable, check

RUSK = os.environ["RUSK_URL"]
KEYS = Keys(RUSK)  # where Rusk has JWT_SECRET_KEY: shared_key(os.environ["JWT_SECRET_KEY"])

app = Flask(__name__)


def refuse():
    abort(Response("Sign in first", 401, {"WWW-Authenticate": "Bearer"}))


def bearer():
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else refuse()


def caller():
    """Good until the token expires: whoever has signed out is heard of with follow.py, or by asking Rusk."""
    try:
        return check(bearer(), KEYS, RUSK)[0]
    except Refused:
        refuse()
    except Unreachable:
        abort(503)


def caller_now():
    """The claims, as Rusk has them at this moment (RFC 7662): a call of Rusk for each call, and no PyJWT."""
    question = Request(f"{RUSK}/auth/introspect", urlencode({"token": bearer()}).encode())
    question.add_unredirected_header("Authorization", f"Bearer {os.environ['RUSK_SERVICE_KEY']}")
    try:
        with urlopen(question, timeout=5) as answer:
            claims = json.load(answer)
    except (OSError, ValueError):
        abort(503)
    return claims if claims["active"] else refuse()


@app.get("/notes")
def notes():
    return {"notes": [f"Hello {caller()['sub']}"]}


@app.delete("/notes")
def forget():
    return {"notes": [f"Goodbye {caller_now()['sub']}"]}
