# The server in a small image: `docker build -t pose-mdn .`, then `docker run --rm -p 127.0.0.1:8001:8001 pose-mdn`.
# Without a Docker engine: `make image` builds, runs and tries it (see deploy/build_and_run_image.sh).
# BASE needs python3 (3.11 or newer) with pip and venv, and nothing else.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
WORKDIR /source
RUN python3 -m venv /opt/pose-mdn
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pose_mdn/ pose_mdn/
COPY server/ server/
COPY export/ export/
RUN /opt/pose-mdn/bin/pip wheel -qq --no-cache-dir --no-deps --wheel-dir /wheels .
RUN /opt/pose-mdn/bin/pip install -qq --no-cache-dir --constraint constraints.txt /wheels/*.whl \
    && /opt/pose-mdn/bin/pip uninstall --yes --quiet pip setuptools

FROM ${BASE} AS runtime
LABEL org.opencontainers.image.title="pose-mdn" \
      org.opencontainers.image.description="2D human keypoints in, a calibrated distribution over 3D poses out, over gRPC" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/pose-mdn /opt/pose-mdn
ENV PATH=/opt/pose-mdn/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    POSE_MDN_ALLOW_INSECURE_PUBLIC=1
# A number needs no entry in /etc/passwd, so nothing has to be run in this stage, and Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8001 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-m", "pose_mdn_server.healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pose-mdn"]
# Inside a container, loopback would be reachable by nobody; who may reach the ports is the decision of whoever publishes
# them. Beyond this machine, publish them with TLS and tokens (docs/security.md).
CMD ["serve", "--host", "0.0.0.0", "--allow-insecure-public", "--http-host", "0.0.0.0"]
