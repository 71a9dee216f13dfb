# PyJWT as services in Python use it. Reads one question as JSON from stdin and answers it as JSON: the claims of a token,
# or the name of the error it was refused with; or a token of its own and the public key to check it by.
import json
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519


def by_set(url, token, algorithm, **expected):
    key = jwt.PyJWKClient(url).get_signing_key_from_jwt(token)
    return {"claims": jwt.decode(token, key.key, algorithms=[algorithm], **expected)}


def by_secret(token, key):
    return {"claims": jwt.decode(token, key, algorithms=["HS256"])}


def write(algorithm, claims, kid):
    key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": kid})
    return {"token": token, "key": public.decode()}


def write_shared(claims, key):
    return {"token": jwt.encode(claims, key, algorithm="HS256", headers={"typ": "at+jwt"})}


questions = {each.__name__: each for each in (by_set, by_secret, write, write_shared)}
asked = json.load(sys.stdin)
try:
    answer = questions[asked.pop("question")](**asked)
except jwt.PyJWTError as error:
    answer = {"refused": type(error).__name__}
json.dump(answer, sys.stdout)
