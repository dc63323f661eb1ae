"""Where traces, logs and errors go besides standard output: nowhere, unless their own settings say so."""

import contextlib
from collections.abc import Iterator
from importlib import import_module

from bff.errors import SettingsError
from bff.settings.settings import Settings
from bff.telemetry import logs, spans

# The package that each setting needs, and the list that has it.
NEEDED = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "requirements-otel.txt"),
    "SENTRY_DSN": ("sentry_sdk", "requirements-sentry.txt"),
}


def check_extras(settings: Settings) -> None:
    """Raises SettingsError for a setting whose packages are not installed."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": settings.otel_exporter_otlp_endpoint, "SENTRY_DSN": settings.sentry_dsn}
    for name, (package, packages) in NEEDED.items():
        if given[name] is not None and not _is_installed(package):
            raise SettingsError(name, f"needs packages that are not installed. Install {packages}, or leave it out.")


def _is_installed(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


@contextlib.contextmanager
def exporting(settings: Settings) -> Iterator[None]:
    """Export for as long as this is open, and what is left at its end."""
    with contextlib.ExitStack() as stack:
        if settings.otel_exporter_otlp_endpoint is not None:
            from bff.telemetry.otel import OpenTelemetry

            otel = OpenTelemetry(settings.otel_exporter_otlp_endpoint)
            stack.callback(otel.close)
            stack.enter_context(spans.recorded_by(otel))
            stack.enter_context(logs.copied_to(otel.take_line))
        if settings.sentry_dsn is not None:
            from bff.telemetry.sentry import Sentry

            sentry = Sentry(settings.sentry_dsn, settings.environment)
            stack.callback(sentry.close)
            stack.enter_context(logs.copied_to(sentry.take_line))
        yield
