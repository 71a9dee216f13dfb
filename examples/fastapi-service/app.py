"""A chat service beside Rusk: a bearer token says who calls, and no cookie does. Keeps what was said in memory, by user."""
import asyncio
import os
import re
from collections import defaultdict, deque
from hmac import compare_digest

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, constr

from check import Keys, Refused, Unreachable, check, shared_key
from follow import Follow
from settings import read

settings = read(os.environ)
key_of = shared_key(settings.shared_key) if settings.shared_key else Keys(settings.reached_at)
follow = Follow(settings.reached_at, settings.service_key, issuer=settings.issuer)
history = defaultdict(lambda: deque(maxlen=100))

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=settings.origins,
    allow_credentials=True,
    allow_methods=["GET", "POST"],
    allow_headers=["Authorization", "Content-Type", "X-CSRFToken"],
)


def signed_out():
    return HTTPException(401, "Sign in first", {"WWW-Authenticate": "Bearer"})


def undecided():
    return HTTPException(503, "Who calls cannot be told now", {"Retry-After": "1"})


class Caller:
    """Whose call it is, or it is refused. Not async: `check` may have to wait for Rusk's keys."""

    def __init__(self, call: Request):
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise signed_out()
        try:
            self.claims, self._kid = check(token, key_of, settings.issuer, settings.audience)
        except Refused:
            raise signed_out()
        except Unreachable:
            raise undecided()
        refusal = self.refusal()
        if refusal:
            raise refusal

    def refusal(self):
        """Why this caller, who was one, is one no longer."""
        if follow.has_ended(self.claims, self._kid):
            return signed_out()
        return None if follow.is_heard() or settings.accepts_unheard else undecided()


def unforged(call: Request, caller: Caller = Depends()):
    """The double submit: the header is what the cookie is, and names the token's session."""
    header, cookie = call.headers.get("x-csrftoken", ""), call.cookies.get(settings.csrf_cookie, "")
    is_own = header.startswith(f"{caller.claims['sid']}.")
    if settings.csrf_cookie and not (is_own and compare_digest(header.encode(), cookie.encode())):
        raise HTTPException(403, "CSRF Failed")
    return caller


async def while_signed_in(events, caller):
    """The events until the caller is refused, which is looked at twice a second; the last one says so then."""
    coming = None
    try:
        while not caller.refusal():
            coming = coming or asyncio.ensure_future(events.__anext__())
            await asyncio.wait({coming}, timeout=0.5)
            if coming.done():
                event, coming = coming.result(), None
                yield event
        yield "event: end\ndata: not signed in any more\n\n"
    except StopAsyncIteration:
        pass  # all has been said
    finally:
        if coming:
            coming.cancel()


async def speak(answer):
    for word in re.split(r"(?<= )", answer):
        yield "".join(f"data: {line}\n" for line in re.split(r"\r\n|\r|\n", word)) + "\n"
        await asyncio.sleep(0.06)


class Said(BaseModel):
    message: constr(min_length=1, max_length=4000)


@app.get("/chat/history")
def tell_history(caller: Caller = Depends()):
    return list(history[caller.claims["sub"]])


@app.post("/chat/stream")
async def stream(said: Said, caller: Caller = Depends(unforged)):
    answer = f"You said “{said.message}”, and I heard every word of it."
    history[caller.claims["sub"]] += [{"by": "you", "text": said.message}, {"by": "chat", "text": answer}]
    # nginx would keep words back until it has a few kilobytes of them.
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return StreamingResponse(while_signed_in(speak(answer), caller), 200, headers, "text/event-stream")
