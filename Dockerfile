# The server with its drivers for SQLite, PostgreSQL and object stores.
#   docker build -t mainstem . && docker run -p 8181:8181 -v mainstem:/data mainstem
# Everything is set by environment variables: docs/configuration.md.
FROM python:3.12-slim

WORKDIR /source
COPY requirements/server.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY catalog catalog
COPY spark_conf spark_conf
RUN pip install --no-cache-dir --no-deps .

RUN useradd --system --uid 10001 mainstem && install --directory --owner mainstem /data
USER mainstem
WORKDIR /data
VOLUME /data
ENV MAINSTEM_DATA_DIR=/data PYTHONUNBUFFERED=1
EXPOSE 8181

HEALTHCHECK --interval=10s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8181/api/v1/health')"]
ENTRYPOINT ["mainstem"]
CMD ["serve", "--host", "0.0.0.0"]
