"""
Django REST framework: an authentication class over check.py, which stands in ../fastapi-service/. Bearer tokens only:
whom a cookie signs in, a proxy before this may ask (docs/services.md, forward auth).
"""
import os
from secrets import token_hex

from django.conf import settings

# A project of one file. In yours DEFAULT_AUTHENTICATION_CLASSES names RuskAuthentication, and no view does.
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY=token_hex(),
    ROOT_URLCONF=__name__,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
)

from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from check import Keys, Refused, Unreachable, check

RUSK = os.environ["RUSK_URL"]
KEYS = Keys(RUSK)  # where Rusk has JWT_SECRET_KEY: shared_key(os.environ["JWT_SECRET_KEY"])


class Undecided(APIException):
    status_code, default_detail = 503, "Who calls cannot be told now"


class Caller:
    is_authenticated = True

    def __init__(self, claims):
        self.id = claims["sub"]


class RuskAuthentication(BaseAuthentication):
    """Good until the token expires: whoever has signed out is heard of with follow.py, or by asking Rusk."""

    def authenticate(self, request):
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims, _ = check(token, KEYS, RUSK)
        except Refused as error:
            raise AuthenticationFailed from error
        except Unreachable as error:
            raise Undecided from error
        return Caller(claims), claims

    def authenticate_header(self, request):
        return "Bearer"


@api_view()
@authentication_classes([RuskAuthentication])
@permission_classes([IsAuthenticated])
def notes(request):
    return Response({"notes": [f"Hello {request.user.id}"]})


urlpatterns = [path("notes", notes)]
application = get_wsgi_application()
