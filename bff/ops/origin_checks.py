"""Whether pages of an origin may call the JSON routes, with or without the session cookie, and what to set if not."""

from bff.errors import UpstreamFailed
from bff.ops.report import Check
from bff.settings.previews import LOCAL_ORIGINS, is_local, is_preview
from bff.settings.readers import origins
from bff.settings.settings import Settings
from bff.settings.sites import is_same_site
from bff.vendors.upstream import Call, Upstream

# What an operator is told besides where an address is no origin.
NOT_LED_BACK_TO = "; signing in leads back to it, outside of BASE_PATH, only when STOREFRONT_ORIGINS names it too"
REMEDY = "Give scheme, host and port as a browser writes them in Origin, such as https://shop.example.com."


async def check_origin(settings: Settings, upstream: Upstream, origin: str) -> list[Check]:
    """All there is to say of one origin."""
    try:
        is_origin = origins(origin) == (origin,)
    except ValueError:
        is_origin = False
    if not is_origin:
        return [Check("origin", "--origin", "fail", "is no origin", REMEDY)]
    may_call = _check_setting(settings, origin)
    checks = [may_call, _check_relation(settings, origin), _check_cookie(settings, origin)]
    return checks if may_call.verdict == "fail" else [*checks, await check_preflight(settings, upstream, origin)]


def _check_setting(settings: Settings, origin: str) -> Check:
    if (by := _admitted_by(settings, origin)) is not None:
        return Check("origin", "may call", "ok", by)
    detail = "is admitted by no setting: it can read what is public, and nothing of a member"
    remedy = f"Add {origin} to STOREFRONT_ORIGINS; previews are admitted by a pattern in PREVIEW_ORIGINS."
    return Check("origin", "may call", "fail", detail, remedy)


def _admitted_by(settings: Settings, origin: str) -> str | None:
    if origin == settings.origin:
        return "is the origin of PUBLIC_URL" + ("" if origin in settings.storefront_origins else NOT_LED_BACK_TO)
    if origin in settings.storefront_origins:
        return "is one of STOREFRONT_ORIGINS"
    for pattern in settings.preview_origins:
        if is_preview(pattern, origin):
            return f"is a preview by {pattern} of PREVIEW_ORIGINS"
    if not settings.production and is_local(origin):
        return f"is on this machine: development admits {', '.join(LOCAL_ORIGINS)}"
    return None


def _check_relation(settings: Settings, origin: str) -> Check:
    relation = "the same origin as" if origin == settings.origin else "the same site as"
    if not is_same_site(origin, settings.public_url):
        relation = "another site than"
    return Check("origin", "site", "note", f"{relation} PUBLIC_URL ({settings.origin})")


def _check_cookie(settings: Settings, origin: str) -> Check:
    """Which cookie its pages' requests carry, by the relation of the two sites (checklist A7)."""
    is_same, is_partitioned = is_same_site(origin, settings.public_url), settings.cross_site_mode is not None
    if is_same and not is_partitioned:
        return Check("origin", "cookie", "ok", "SameSite=Lax works: browsers send it with calls of the same site")
    if is_same:
        return Check("origin", "cookie", "ok", "partitioned works; SameSite=Lax would do for this origin")
    if is_partitioned:
        detail = "partitioned: a session for each storefront, in browsers that keep such cookies"
        remedy = "Serve both under one registrable domain if you can, or the service under a path of the storefront."
        return Check("origin", "cookie", "warn", detail, remedy)
    detail = "SameSite=Lax does not come with calls from another site: only CROSS_SITE_MODE=partitioned would work"
    return Check("origin", "cookie", "fail", detail, _remedy_for(settings, origin))


def _remedy_for(settings: Settings, origin: str) -> str:
    if is_local(origin) and is_local(settings.origin):
        return f"Open the storefront under the host name of {settings.origin}, or pass BASE_PATH through its server."
    return (
        "Serve both under one registrable domain, or the service under a path of the storefront (BASE_PATH), or set "
        "CROSS_SITE_MODE=partitioned."
    )


async def check_preflight(settings: Settings, upstream: Upstream, origin: str) -> Check:
    """The preflight request of a browser before the storefront's JavaScript may write (Fetch, CORS-preflight fetch)."""
    name = f"CORS for {origin}"
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-loyalty-csrf,idempotency-key",
    }
    url = f"{settings.base_url}/api/v1/me/redemptions"
    call = Call(vendor="ourselves", operation="preflight", method="OPTIONS", url=url, headers=headers)
    try:
        reply = await upstream.call(call)
    except UpstreamFailed:
        remedy = "Start the service, or ask from where PUBLIC_URL can be reached."
        return Check("storefront", name, "warn", "PUBLIC_URL does not answer from here", remedy)
    if reply.status == 204:
        return Check("storefront", name, "ok", "the service at PUBLIC_URL lets it call")
    remedy = "Deploy these settings there, and see whether something in front of it answers OPTIONS."
    return Check("storefront", name, "fail", f"PUBLIC_URL answers its preflight with {reply.status}", remedy)
