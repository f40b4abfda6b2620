# The service alone. With ALFRED_DATABASE_URL it uses that PostgreSQL; without, its own in /var/lib/alfred: mount a volume.
FROM python:3.13.16-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/alfred
COPY pyproject.toml setup.cfg constraints.txt README.md ./
# Every file is checked by its hash, what builds the wheel too.
RUN awk '/^# --/ { on = $0 ~ /^# -- (service|building):/ } on' constraints.txt > pins.txt \
    && /opt/alfred/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r pins.txt
COPY alfred alfred
COPY sql sql
COPY migrations migrations
RUN /opt/alfred/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/alfred/bin/pip uninstall --yes setuptools

FROM python:3.13.16-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin alfred \
    && install -d -o alfred -g alfred -m 0700 /var/lib/alfred
COPY --from=build /opt/alfred /opt/alfred
ENV PATH=/opt/alfred/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ALFRED_HOST=0.0.0.0 \
    ALFRED_HOME=/var/lib/alfred
USER alfred
WORKDIR /var/lib/alfred
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen('http://127.0.0.1:' + (os.environ.get('ALFRED_PORT') or '8000') + '/health', timeout=3)"]
CMD ["python", "-m", "alfred", "serve"]
