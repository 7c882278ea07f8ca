# The whole gateway in one container, with its own NATS and Redis:
#   docker build -t dcoder/gateway .
#   docker run -p 8000:8000 -p 8001:8001 -v sluice:/data dcoder/gateway
# The token of the Admin API is in /data/admin-token. For more than one machine: deploy/service.Dockerfile.

FROM node:26-bookworm-slim AS bundle
WORKDIR /src
COPY . .
RUN npm install --no-audit --no-fund --loglevel=error \
 && node tools/bundle-processes.ts /out/0000000000000000 \
 && mv /out/0000000000000000 /processes \
 && npm run sbom

FROM node:26-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nats-server redis-server \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir /data && chown node:node /data
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sluice" \
      org.opencontainers.image.description="API gateway for multi-tenant AI platforms: edge, auth, limits, quotas and Admin API" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    SLUICE_ROOT=/app \
    SLUICE_PROCESSES=/app/processes \
    NODE_COMPILE_CACHE=/data/compile-cache
WORKDIR /app
COPY --from=bundle /processes/ processes/
# What it is made of, and under which licences.
COPY --from=bundle /src/dist/sbom.cdx.json /src/LICENSE /licences/
COPY package.json LICENSE ./
COPY config/ config/
COPY plugins/ plugins/
USER node
# Configuration log, counters, quotas, last known good configuration, logs; everything else may be read-only.
VOLUME /data
EXPOSE 8000 8001 8443 8444
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "processes/cli/main.js", "health", "--data-dir", "/data"]
CMD ["node", "processes/cli/main.js", "up", "--host", "0.0.0.0", "--data-dir", "/data"]
