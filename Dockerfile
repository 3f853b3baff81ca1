# kkcv with all that its service and its web page need. compose.yaml runs both.
FROM python:3.11-slim-bookworm

# For a gallery on Milvus: --build-arg EXTRAS=heic,milvus,web
ARG EXTRAS=heic,web
# A mirror of PyPI: docs/howto/china.md
ARG PIP_INDEX_URL=https://pypi.org/simple

# hadolint ignore=DL3013  # constraints.txt pins every version
RUN --mount=type=bind,target=/src,rw \
    PIP_CONSTRAINT=/src/constraints.txt pip install --no-cache-dir "/src[$EXTRAS]" \
    # what nothing here reads: tests, C headers, pyarrow's network and plan formats, pydeck's notebooks
    && find /usr/local/lib/python3.11/site-packages -depth \
        '(' -type d '(' -name tests -o -name include -o -name nbextension ')' \
        -o -name 'libarrow_flight*' -o -name 'libarrow_s3*' ')' -exec rm -r '{}' + \
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
