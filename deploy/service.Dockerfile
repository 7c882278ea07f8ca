# One file for the five services; run from the repository's root:
#   docker build -f deploy/service.Dockerfile --build-arg SERVICE=edge-proxy -t sluice/edge-proxy .
# SERVICE: edge-proxy | auth | ratelimit | quota-mirror | config-registry

FROM node:26-slim AS bundle
ARG SERVICE
WORKDIR /src
COPY . .
RUN npm install --no-audit --no-fund --loglevel=error \
 && npm run bundle --workspace "services/${SERVICE}" \
 && echo '{"type":"module"}' > "services/${SERVICE}/dist/package.json"

FROM node:26-slim
ARG SERVICE
ENV NODE_ENV=production \
    SERVICE=${SERVICE} \
    STATUS_HOST=0.0.0.0 \
    STATUS_PORT=8100 \
    DATA_DIR=/data
WORKDIR /app
# main.js, its chunks (their names hold hashes) and the source maps; no node_modules.
COPY --from=bundle /src/services/${SERVICE}/dist/ ./
RUN mkdir /data && chown node:node /data
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.STATUS_PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# In a container the process is always the same number, so replicas take their names from their hosts.
# `exec`: the signal to stop has to reach node itself.
CMD ["/bin/sh", "-c", "INSTANCE=\"${INSTANCE:-$SERVICE-$(hostname)}\" exec node --enable-source-maps main.js"]
