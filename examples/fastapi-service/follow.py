"""Which sessions have ended: follows Rusk's feed in a thread of its own. Knows no framework, reads no token."""
import json
import logging
import threading
import time
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import Request, urlopen

log = logging.getLogger(__name__)


class Follow:
    """
    `url`: where Rusk is reached. `service_key`: one of its RUSK_SERVICE_KEYS. `within`: seconds, 3 or more:
    an end that is older is known here, or `is_heard` says no. Asks once before it returns.
    """

    def __init__(self, url, service_key, within=5):
        self._url, self._service_key = f"{url}/auth/revocations", service_key
        self._within, self._wait = within, within // 3
        self._cursor, self._heard, self._trouble = None, float("-inf"), None
        self._ended, self._not_before, self._keys, self._remember = {}, 0, [], 86400
        self._ask()
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def is_heard(self):
        """Whether what is known here is no older than `within`."""
        return time.monotonic() - self._heard <= self._within

    def has_ended(self, claims, kid):
        """
        Whether the token's session is known to have ended, or its key to have been given up, or the token is
        so old that nothing would be known of it.
        """
        too_old = claims["iat"] < max(self._not_before, time.time() - self._remember)
        given_up = bool(self._keys) and kid not in self._keys
        return claims["sid"] in self._ended or too_old or given_up

    def _follow(self):
        while True:
            self._ask()
            # However much there is to tell: four questions a second, not more.
            time.sleep(0.5 if self._trouble else 0.25)

    def _ask(self):
        query = {"after": self._cursor, "wait": self._wait} if self._cursor else {}
        question = Request(f"{self._url}?{urlencode(query)}")
        # Not sent along when somebody redirects: this key is for Rusk alone.
        question.add_unredirected_header("Authorization", f"Bearer {self._service_key}")
        # The answer is at least as new as the question. An answer that is slow counts as old, never as new.
        asked = time.monotonic()
        try:
            with urlopen(question, timeout=self._within - self._wait) as answer:
                self._take(json.load(answer))
            self._heard, self._trouble = asked, None
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            if self._trouble != str(error):
                log.warning("Rusk's feed of ended sessions cannot be had: %s", error)
            self._trouble = str(error)

    def _take(self, told):
        now, self._remember = time.monotonic(), told["remember"]
        ended = {session: until for session, until in self._ended.items() if until > now}
        ended.update((session, now + told["remember"]) for session in told["ended"])
        self._ended, self._not_before = ended, max(self._not_before, told["not_before"])
        self._keys, self._cursor = told["keys"], told["cursor"]
