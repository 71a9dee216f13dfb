"""Which sessions have ended: follows Rusk's feed in a thread of its own. Knows no framework, reads no token."""
import logging
import threading
import time

from ask import ask

log = logging.getLogger(__name__)


class Follow:
    """
    `url`: where Rusk is reached. `service_key`: one of its RUSK_SERVICE_KEYS. `within`: seconds, 3 or more:
    an end that is older is known here, or `is_heard` says no. `issuer`: as `check` has it, and whether Rusk is of
    the same mind is then looked at. Asks once before it returns.
    """

    def __init__(self, url, service_key, within=5, issuer=None):
        self._url, self._issuer = f"{url}/auth/revocations", issuer
        self._headers = {"Authorization": f"Bearer {service_key}"}
        self._within, self._wait = within, within // 3
        self._cursor, self._heard, self._trouble = None, (float("-inf"), float("-inf")), None
        self._ended, self._not_before, self._remember = {}, 0, 86400
        self._keys, self._given_up = set(), set()
        self._ask()
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def is_heard(self):
        """Whether what is known here is no older than `within`."""
        # One clock stands still while the machine sleeps, the other one may be set back.
        return max(now - heard for now, heard in zip(clocks(), self._heard)) <= self._within

    def has_ended(self, claims, kid):
        """
        Whether the token's session is known to have ended, or its key to have been given up, or the token is
        so old that nothing would be known of it.
        """
        too_old = claims["iat"] < max(self._not_before, time.time() - self._remember)
        # What was given up stays so. A key that was never told of may be new while Rusk is not heard.
        is_nobodys = bool(self._keys) and kid not in self._keys and self.is_heard()
        return claims["sid"] in self._ended or too_old or kid in self._given_up or is_nobodys

    def _follow(self):
        while True:
            self._ask()
            # However much there is to tell: four questions a second, not more.
            time.sleep(0.5 if self._trouble else 0.25)

    def _ask(self):
        # After trouble an answer is wanted at once, and a connection that is dead is given up while there is time
        # for another one.
        query = {"after": self._cursor, "wait": 0 if self._trouble else self._wait} if self._cursor else {}
        # The answer is at least as new as the question. An answer that is slow counts as old, never as new.
        asked = clocks()
        try:
            self._take(ask(self._url, (self._within + self._wait) / 2, query, self._headers))
            self._heard, self._trouble = asked, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            if self._trouble != str(error):
                log.warning("Rusk's feed of ended sessions cannot be had: %s", error)
            self._trouble = str(error)

    def _take(self, told):
        now, remember = time.monotonic(), told["remember"]
        forgotten_at, keys = now + remember, set(told["keys"])
        ended = {session: until for session, until in self._ended.items() if until > now}
        ended.update((session, forgotten_at) for session in told["ended"])
        self._not_before = max(self._not_before, told["not_before"])
        self._ended, self._remember = ended, remember
        self._given_up = (self._given_up | self._keys) - keys
        self._keys, self._cursor = keys, told["cursor"]
        its = told.get("issuer", self._issuer)
        if self._issuer and its != self._issuer:
            log.error(
                "Rusk's tokens name %s as their issuer, and %s is expected here, so that nobody is let in: "
                "have the service expect what Rusk has as RUSK_URL",
                its,
                self._issuer,
            )
            self._issuer = None  # said once


def clocks():
    return time.monotonic(), time.time()
