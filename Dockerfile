# Ensemble as a service: `docker build -t ensemble .`
# The same image runs the web part (`ensemble serve`) and the workers (`ensemble work`).
FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/ensemble
COPY pyproject.toml README.md LICENSE /src/
COPY ensemble_core /src/ensemble_core
COPY plugins /src/plugins
# `--build-arg EXTRA="/src/plugins/ensemble-oemer"` adds further plugins.
ARG EXTRA=""
RUN /opt/ensemble/bin/pip install /src \
        /src/plugins/ensemble-sightread /src/plugins/ensemble-sharpen \
        /src/plugins/ensemble-pdf /src/plugins/ensemble-midi /src/plugins/ensemble-engrave \
        "/src/plugins/ensemble-server[cluster,traces]" ${EXTRA}

FROM python:3.12-slim-bookworm
COPY --from=build /opt/ensemble /opt/ensemble
# /data: database and files of a service that has no others; caches and model files of all.
RUN useradd --system --uid 10001 --home-dir /data --create-home ensemble \
    && chmod 700 /data
ENV PATH=/opt/ensemble/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    ENSEMBLE_SERVER__FOLDER=/data/service
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["ensemble", "serve", "--host", "0.0.0.0"]
