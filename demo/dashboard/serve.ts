import { globSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

/** What the page finds in config.json: where Kascade is, and whom to offer. */
export interface DashboardConfig {
  readonly graphql: string;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  readonly viewers: readonly { readonly name: string; readonly token: string }[];
  readonly namespace: string;
}

export interface Dashboard {
  /** Where it is, without a slash at the end: also the origin for ALLOWED_ORIGINS. */
  readonly url: string;
  /** Under the names a browser may know it by. */
  readonly origins: readonly string[];
  /** Until this is called, the page waits for its configuration. */
  configure(config: DashboardConfig): void;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Serves the files of a folder, read once, and nothing else. */
export async function serveDashboard(folder: string, port: number): Promise<Dashboard> {
  const files = new Map(
    globSync('**/*', { cwd: folder })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [`/${name}`, readFileSync(join(folder, name))]),
  );
  let config: DashboardConfig | undefined;
  const server = createServer((request, response) => answer(request, response, files, config));
  const bound = await listen(server, port);
  const [url, ...others] = [`http://127.0.0.1:${bound}`, `http://localhost:${bound}`];
  return {
    url,
    origins: [url, ...others],
    configure: (given) => (config = given),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, Buffer>,
  config: DashboardConfig | undefined,
): void {
  const path = url.replace(/[?#].*$/s, '').replace(/\/$/, '/index.html');
  const body = path === '/config.json' && config ? Buffer.from(JSON.stringify(config)) : files.get(path);
  if (method !== 'GET' || body === undefined) {
    response.writeHead(method === 'GET' ? 404 : 405).end();
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(path)] ?? 'application/json',
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-store',
    'content-security-policy': policy(config),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** The page may speak to itself and to Kascade, and to nobody else. */
function policy(config: DashboardConfig | undefined): string {
  const kascade = config ? new URL(config.graphql).origin : '';
  const connect = `connect-src 'self' ${kascade} ${kascade.replace(/^http/, 'ws')}`;
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; ${connect.trim()}; base-uri 'none'; frame-ancestors 'none'`;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
