# Panal in production: `docker build -t panal .`, `docker run --env-file panal.env -p 8000:8000 panal`
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/panal
# Only what decides which packages there are: a change of the code does not install them again. Each is the one that was
# tested, to the hash; `make lock` writes the list.
COPY deploy/requirements.lock ./
RUN /opt/panal/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.12-slim-bookworm
ENV PATH=/opt/panal/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PANAL_PROFILE=production \
    PANAL_DATA_DIR=/app/data \
    PORT=8000
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin panal \
    && install -d -o panal -g panal /app/data
COPY --from=build /opt/panal /opt/panal
COPY server.py ./
COPY config config
COPY services services
COPY blueprints blueprints
COPY tools tools
# The user below may not write here, so the bytecode is made now: every worker starts faster.
RUN python -m compileall -q server.py config services blueprints tools
USER panal
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a database that is away is no reason to end a container that waits for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=45s --retries=3 CMD ["python", "-m", "tools.health"]
# `exec`: PID 1 is Sanic's main process, which stops everything in order on SIGTERM; a shell would swallow the signal.
CMD ["sh", "-c", "exec sanic server:app --host=0.0.0.0 --port=$PORT --fast"]
