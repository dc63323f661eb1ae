"""What `make run` says once everything is up: addresses, personas, and what a storefront needs."""

from bff.devstack.servers import Server
from bff.settings.previews import LOCAL_ORIGINS, is_local
from bff.settings.published import PUBLISHED

PERSONAS = {
    "ella": "enrolled, 1,240 points",
    "penny": "not joined yet, 60 points waiting",
    "blake": "blocked by the merchant",
    "zoe": "enrolled, no points yet",
    "tara": "enrolled, in the top tier",
    "rami": "enrolled, reads Arabic",
}
STOREFRONT_API = "/api/2026-07/graphql.json"
ASK_FOR_TOKEN = """curl -s {sandbox}/_control/token -H 'Content-Type: application/json' -d '{{"persona": "ella"}}'"""


def print_addresses(programs: list[Server]) -> None:
    """Where everything is, and who may sign in."""
    print()
    for program in programs:
        print(f"{program.name:7}  {program.url and program.url + '/'}  (log: {program.log})")
    print("\nSign in as one of these:")
    for persona, state in PERSONAS.items():
        print(f"  {persona:6} {state}")
    print("\nCtrl-C stops everything.")


def print_for_storefronts(service: Server, sandbox: Server) -> None:
    """Which pages may call, how to sign in without Shopify's page, and with what a storefront's server comes."""
    named = [service.options["env"].get(name, "") for name in ("STOREFRONT_ORIGINS", "PREVIEW_ORIGINS")]
    others = [origin for origin in ",".join(named).split(",") if origin and not is_local(origin)]
    print(f"\nThe JSON is at {service.url}/api/v1/docs; pages of these origins may call it:")
    for origin in (*LOCAL_ORIGINS, *others):
        print(f"  {origin}")
    print("\nA customer token of ella (or another of them), to hand in with POST /api/v1/session:")
    print(f"  {ASK_FOR_TOKEN.format(sandbox=sandbox.url)}", flush=True)
    print("\nA storefront's server (examples/) needs nothing but these, where they are not the ones it begins with:")
    environ = service.options["env"]
    addresses = {"LOYALTY_URL": service.url, "SANDBOX_URL": sandbox.url}
    for name, value in (addresses | {"SHOPIFY_STOREFRONT_URL": sandbox.url + STOREFRONT_API}).items():
        print(f"  {name}={value}")
    for name in ("SESSION_TICKETS_TOKEN", "SHOPIFY_STOREFRONT_TOKEN"):
        if environ.get(name) in PUBLISHED:
            print(f"  {name}={environ[name]}", flush=True)
