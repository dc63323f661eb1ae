# One image for all three processes: web by default, `python -m bff worker`, and `python -m bff migrate` before a deploy.
FROM python:3.13-slim-trixie AS packages
WORKDIR /build
COPY requirements.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt

FROM python:3.13-slim-trixie
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/loyalty
COPY --from=packages /opt/venv /opt/venv
COPY bff/ bff/
COPY locales/ locales/
COPY migrations/ migrations/
COPY static/ static/
COPY templates/ templates/
# Compiled once, here: the files belong to root, and whoever serves them may not write.
RUN python -m compileall -q bff migrations
# A number, because Kubernetes cannot see that a name is not root's (runAsNonRoot).
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz\", timeout=4)"]
CMD ["python", "-m", "bff", "serve"]
