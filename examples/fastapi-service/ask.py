"""One question to Rusk and its answer, bounded in time and size. Knows neither tokens nor sessions."""
import json
import secrets
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

LARGEST = 1 << 20  # bytes: ten thousand ended sessions are a fourth of it
KINDS = {"http": HTTPConnection, "https": HTTPSConnection}
ADVICE = {
    401: ": is the service key one of RUSK_SERVICE_KEYS there?",
    404: ": is this where Rusk is, and has it RUSK_SERVICE_KEYS?",
}


def ask(url, seconds, query={}, headers={}):
    """
    The document (JSON). `seconds`: for all of the answer, where a socket's timeout begins anew with every byte.
    Nobody else is asked: no redirect is followed, and no proxy of the environment learns the headers.
    Raises OSError, whatever goes wrong.
    """
    at, until = urlsplit(url), time.monotonic() + seconds
    if at.scheme not in KINDS:
        raise OSError(f"GET {url}: write where Rusk is with http:// or https:// before it")
    connection = KINDS[at.scheme](at.netloc, timeout=seconds)
    # Some caches on the way keep answers whatever they are told: no two questions are alike.
    path = f"{at.path}?{urlencode({**query, 'once': secrets.token_hex(8)})}"
    try:
        connection.connect()
        end = threading.Timer(until - time.monotonic(), cut, [connection.sock])
        end.daemon = True
        end.start()
        try:
            connection.request("GET", path, headers={"Cache-Control": "no-cache", **headers})
            answer = connection.getresponse()
            text = answer.read(LARGEST + 1)
        finally:
            end.cancel()
        if answer.status != 200:
            raise ValueError(f"answered {answer.status}{ADVICE.get(answer.status, '')}")
        if len(text) > LARGEST:
            raise ValueError(f"answered 200 with {len(text)} bytes")
        return json.loads(text)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        what = error if time.monotonic() < until else "no answer in time"
        raise OSError(f"GET {url}: {what}") from error
    finally:
        connection.close()


def cut(connected):
    with suppress(OSError):  # it is over already
        connected.shutdown(socket.SHUT_RDWR)
