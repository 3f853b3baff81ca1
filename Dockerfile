# kkcv with all that its service and its web page need. compose.yaml runs both.
FROM python:3.11-slim-bookworm

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY kkcv kkcv
# hadolint ignore=DL3013  # constraints.txt pins every version
RUN PIP_CONSTRAINT=constraints.txt pip install --no-cache-dir '.[heic,milvus,web]' \
    # the packages' own tests and C headers: some 100 MB that nothing reads
    && find /usr/local/lib/python3.11/site-packages -depth -type d \
        '(' -name tests -o -name include ')' -exec rm -r '{}' + \
    && useradd --uid 10001 --create-home kkcv \
    && install --directory --owner=kkcv /data

USER 10001
WORKDIR /data
ENV KKCV_CACHE=/data/cache KKCV_DATA=/data KKCV_SERVE_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=60s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
ENTRYPOINT ["kkcv"]
CMD ["serve", "photos.kkcv"]
