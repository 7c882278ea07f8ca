# One file for the five services; run from the repository's root:
#   docker build -f deploy/service.Dockerfile --build-arg SERVICE=edge-proxy -t sluice/edge-proxy .
# SERVICE: edge-proxy | auth | ratelimit | quota-mirror | config-registry

FROM node:26-bookworm-slim AS bundle
ARG SERVICE
WORKDIR /src
COPY . .
RUN npm install --no-audit --no-fund --loglevel=error \
 && npm run bundle --workspace "services/${SERVICE}" \
 && node tools/warm-bundle.ts "services/${SERVICE}/dist" \
 && npm run sbom \
 && mkdir /data
# Node is linked with this library from version 25 on, and the base of the last stage lacks it.
RUN mkdir /libraries && cp "$(ldd /usr/local/bin/node | awk '/libatomic/ { print $3 }')" /libraries/

# A C library and certificates, no shell and no package manager: what is not there cannot be run.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG SERVICE
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sluice ${SERVICE}" \
      org.opencontainers.image.description="API gateway for multi-tenant AI platforms: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    STATUS_HOST=0.0.0.0 \
    STATUS_PORT=8100 \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=/app/compile-cache \
    NODE_COMPILE_CACHE_PORTABLE=1
COPY --from=bundle /libraries/ /usr/lib/
COPY --from=bundle /usr/local/bin/node /usr/local/bin/node
# What it is made of, and under which licences.
COPY --from=bundle /src/dist/sbom.cdx.json /src/LICENSE /licences/
# main.js, its chunks (their names hold hashes), their source maps, a package.json, and what V8 made of them; no
# node_modules. Maps are not read by default, which takes 0.2 s at the start: NODE_OPTIONS=--enable-source-maps.
COPY --from=bundle /src/services/${SERVICE}/dist/ /app/
COPY --from=bundle --chown=nonroot:nonroot /data /data
WORKDIR /app
USER nonroot
# Everything else of the file system may be read-only.
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=15s --retries=3 \
  CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.STATUS_PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["/usr/local/bin/node", "main.js"]
