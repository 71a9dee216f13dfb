"""What the environment says, read once. Whatever cannot be meant so is told at start, all at once, with what to write instead."""
import re
from types import SimpleNamespace

WAYS = {"refuse": False, "accept": True}


def read(env):
    """The settings; what is blank sets nothing. Raises SystemExit with a sentence for each mistake."""
    said = {name: value for name, value in env.items() if value.strip()}
    url, internal = (said.get(name, "").strip().rstrip("/") for name in ("RUSK_URL", "RUSK_INTERNAL_URL"))
    service_key, shared_key = said.get("RUSK_SERVICE_KEY", ""), said.get("JWT_SECRET_KEY")
    origins = [each.strip() for each in said.get("ALLOWED_ORIGINS", "").split(",") if each.strip()]
    way = said.get("WHEN_UNREACHABLE", "refuse")

    def wants(holds, sentence):
        if not holds:
            findings.append(f"- {sentence}")

    findings = []
    wants(is_url(url), "RUSK_URL: write what Rusk has as RUSK_URL, as https://auth.example.com")
    wants(not internal or is_url(internal), "RUSK_INTERNAL_URL: write where Rusk is reached, as http://rusk:8000")
    wants(
        internal or not is_url(url) or is_private(url),
        "RUSK_URL: over http, keys could be anybody's: use https, or say by RUSK_INTERNAL_URL which way to Rusk you trust",
    )
    wants(
        re.fullmatch("[!-+.-~-]{32,}", service_key),
        "RUSK_SERVICE_KEY: give one of Rusk's RUSK_SERVICE_KEYS, at least 32 letters, digits and signs; no blank, and no comma, which parts them there",
    )
    wants(
        shared_key is None or len(shared_key.encode()) >= 32,
        "JWT_SECRET_KEY: at least 32 bytes, the same as Rusk's; leave it out where Rusk has none",
    )
    wants(way in WAYS, f"WHEN_UNREACHABLE: refuse or accept, and not {way}")
    for each in origins:
        wants(
            re.fullmatch(r"https?://[^/*?#@\s]+", each),
            f"ALLOWED_ORIGINS: {each} is no origin: write it as browsers send it, as https://app.example.com",
        )
    if findings:
        raise SystemExit("\n".join(["The chat cannot start with these settings:", *findings]))
    return SimpleNamespace(
        issuer=url,
        reached_at=internal or url,
        service_key=service_key,
        audience=said.get("RUSK_AUDIENCE"),
        shared_key=shared_key,
        origins=origins,
        csrf_cookie=said.get("CSRF_COOKIE"),
        accepts_unheard=WAYS[way],
    )


def is_private(url):
    """Whether nobody on the way could answer in Rusk's place, or hear the service key."""
    return re.match(r"https:|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/|$)", url) is not None


def is_url(text):
    return re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", text) is not None
