# To pin the base to the byte: --build-arg PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# What settings may name: traces, limits that are counted together, files in a bucket. Fewer make it smaller.
ARG EXTRAS=otel,redis,s3
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
COPY migrations migrations
# pip stays outside of what is copied on: the image cannot install anything.
RUN python -m venv --without-pip /opt/quickwin \
    && python -m pip --python /opt/quickwin/bin/python install --no-cache-dir --constraint requirements.lock ".${EXTRAS:+[$EXTRAS]}"

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/quickwin quickwin
COPY --from=build /opt/quickwin /opt/quickwin
ENV PATH=/opt/quickwin/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QUICKWIN_DATABASE_URL=sqlite:////var/lib/quickwin/quickwin.db \
    QUICKWIN_FILES_URL=/var/lib/quickwin/quickwin-files
USER 10001
WORKDIR /var/lib/quickwin
# Nothing else is written to, but files in passing to /tmp: --read-only --tmpfs /tmp
VOLUME /var/lib/quickwin
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["quickwin"]
CMD ["serve", "--host", "0.0.0.0"]
