import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sluice/testkit';
import { type Child, startChild } from '../measure/children.ts';

/** A process that answers on a port. */
export interface Peer {
  readonly port: number;
  readonly child: Child;
}

/** Sizes of the larger bodies the upstream has, by the end of the path. */
const BODY_BYTES = { '/100k': 100 * 1024, '/10m': 10 * 1024 * 1024 } as const;

/** 1,024 bytes of JSON. */
const BODY = JSON.stringify({ text: 'x'.repeat(1024 - 11) });

/** Started by root, nginx would work as a user who may not look into our folder. */
const USER = process.getuid?.() === 0 ? 'user root;' : '';

const nginxConfig = (folder: string, http: string): string => `
daemon off;
${USER}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${http}
}
`;

const startNginx = async (program: string, folder: string, http: (port: number) => string): Promise<Peer> => {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, nginxConfig(folder, http(port)));
  const args = ['-e', 'stderr', '-p', folder, '-c', file];
  const logFile = join(folder, 'nginx.log');
  return { port, child: await startChild({ command: program, args, logFile, port }) };
};

/** Answers every path with 1 KB of JSON, some with larger files, and takes spans under `/v1/traces`. */
export const startUpstream = async (program: string, folder: string): Promise<Peer> => {
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  for (const [path, size] of Object.entries(BODY_BYTES)) writeFileSync(join(files, path), 'x'.repeat(size));
  return startNginx(
    program,
    folder,
    (port) => `
  sendfile on;
  tcp_nodelay on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
    location / { default_type application/json; return 200 '${BODY}'; }
    location = /v1/traces { default_type application/x-protobuf; return 200 ''; }
    ${Object.keys(BODY_BYTES)
      .map((path) => `location ~ ${path}$ { default_type application/octet-stream; try_files ${path} =404; }`)
      .join('\n    ')}
  }`,
  );
};

export const startNginxProxy = (program: string, folder: string, upstreamPort: number): Promise<Peer> =>
  startNginx(
    program,
    folder,
    (port) => `
  upstream target {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      location ~ /sse$ {
        proxy_pass http://target;
        proxy_buffering off;
        proxy_read_timeout 600s;
      }
    }
  }`,
  );

const haproxyConfig = (port: number, upstreamPort: number): string => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  default_backend target
backend target
  server target 127.0.0.1:${upstreamPort} pool-max-conn 256
`;

export const startHaproxy = async (program: string, folder: string, upstreamPort: number): Promise<Peer> => {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, haproxyConfig(port, upstreamPort));
  const logFile = join(folder, 'haproxy.log');
  return { port, child: await startChild({ command: program, args: ['-db', '-f', file], logFile, port }) };
};

/** A gateway on Node: one of `node-peers.ts`, in a process of its own. */
export const startNodePeer = async (
  name: 'http-proxy-3' | '@fastify/http-proxy' | 'fast-gateway',
  { folder, upstreamPort, packages }: { folder: string; upstreamPort: number; packages?: string },
): Promise<Peer> => {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const args = [
    join(import.meta.dirname, 'node-peers.ts'),
    name,
    `${port}`,
    `${upstreamPort}`,
    packages ?? '',
  ];
  const logFile = join(folder, `${name.replace('/', '-')}.log`);
  const env = { NODE_ENV: 'production' };
  return { port, child: await startChild({ command: process.execPath, args, env, logFile, port }) };
};
