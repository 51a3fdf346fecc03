FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN python -m venv /opt/quickwin \
    && /opt/quickwin/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/quickwin quickwin
COPY --from=build /opt/quickwin /opt/quickwin
ENV PATH=/opt/quickwin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    QUICKWIN_DATABASE_URL=sqlite:////var/lib/quickwin/quickwin.db \
    QUICKWIN_FILES_URL=/var/lib/quickwin/quickwin-files
USER 10001
WORKDIR /var/lib/quickwin
VOLUME /var/lib/quickwin
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["quickwin"]
CMD ["serve", "--host", "0.0.0.0"]
