import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { startServer } from '../src/server.ts';
import { stopOnSignal } from '../src/signals.ts';
import { grant } from './apiserver/objects.ts';
import { openDashboard } from './dashboard/index.ts';
import { Dice, production, staging, startCluster } from './cluster/index.ts';
import { startKas, type Kas } from './kas/index.ts';
import { firstQuery, welcome } from './welcome.ts';

/** Enough history for the demo; it may run for days. */
const HISTORY_LIMIT = 20_000;
const SPEED = { slow: 1, fast: 10 };

const options = readOptions();
const port = options.port === '0' ? await freePort() : options.port;

await main();

/** KAS's stand-in with two living clusters, and Kascade on it. */
async function main(): Promise<void> {
  const seed = Number(options.seed);
  const agents = { 1: agentOptions('production', seed), 2: agentOptions('staging', seed + 1) };
  const kas = await startKas({ agents, tls: true });
  const clusters = bringToLife(kas, seed);
  const ada = kas.user('ada', { token: 'glpat-ada-sees-everything' });
  const eve = kas.user('eve', { token: 'glpat-eve-sees-the-shop' });

  const dashboard = await openDashboard(Number(port));
  const server = await serve(kas, ada.token, dashboard?.origins).catch(async (error: unknown) => {
    for (const cluster of clusters) cluster.stop();
    await dashboard?.close();
    await kas.close();
    process.exitCode = 1;
    process.stderr.write(`${explain(error)}\n`);
  });
  if (!server) return;

  dashboard?.configure({
    graphql: `${server.url}/graphql`,
    agents: [...kas.agents.values()].map(({ id, name }) => ({ id: String(id), name })),
    viewers: [
      { name: 'ada: sees everything', token: ada.token },
      { name: 'eve: only the shop', token: eve.token },
    ],
    namespace: 'shop',
  });
  process.stdout.write(welcome({ url: server.url, dashboard: dashboard?.url, kas, ada: ada.token, eve: eve.token }));
  stopOnSignal(async () => {
    for (const cluster of clusters) cluster.stop();
    await dashboard?.close();
    await server.stop();
    await kas.close();
  });
}

function agentOptions(name: string, seed: number) {
  return {
    name,
    clock: new Dice(seed).clock(),
    historyLimit: HISTORY_LIMIT,
    terminationMs: 3_000,
    connectWaitMs: 20_000,
  };
}

function bringToLife(kas: Kas, seed: number): { stop(): void }[] {
  const speed = options.fast ? SPEED.fast : SPEED.slow;
  const clusters = [
    startCluster(kas.agent(1).api, production(), { seed, speed }),
    startCluster(kas.agent(2).api, staging(), { seed: seed + 1, speed }),
  ];
  for (const { api } of kas.agents.values()) {
    grant(api.store, 'ada', '', ['*'], ['*', '*/log', '*/scale']);
    grant(api.store, 'eve', 'shop', ['*'], ['pods', 'pods/log', 'services', 'events', 'deployments.apps']);
  }
  return clusters;
}

function readOptions() {
  const config = {
    options: {
      fast: { type: 'boolean', default: false },
      slow: { type: 'boolean', default: false },
      port: { type: 'string', default: '4000' },
      seed: { type: 'string', default: '1' },
    },
  } as const;
  try {
    return parseArgs(config).values;
  } catch (error) {
    process.stderr.write(`${explain(error)}\nUsage: npm run demo -- [--fast | --slow] [--port 4000] [--seed 1]\n`);
    return process.exit(2);
  }
}

async function serve(kas: Kas, token: string, pageOrigins: readonly string[] = []) {
  const environment = {
    LOG_LEVEL: 'warn',
    DRAIN_SECONDS: '0',
    ...process.env,
    KAS_URL: kas.url,
    HOST: '127.0.0.1',
    PORT: port,
    // GraphiQL's own origin is named too: with a list, nothing else is let in.
    ALLOWED_ORIGINS: [...origins(port), ...pageOrigins, process.env['ALLOWED_ORIGINS']].filter(Boolean).join(),
  };
  const headers = { Authorization: `Bearer ${token}` };
  return startServer(readConfig(environment), {
    graphiqlDefaults: { headers: JSON.stringify(headers), query: firstQuery },
  });
}

/** Known beforehand, because it is part of GraphiQL's origin. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return String(port);
}

function origins(port: string): string[] {
  return [`http://127.0.0.1:${port}`, `http://localhost:${port}`].map((url) => new URL(url).origin);
}

/** One sentence that helps. */
function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `Port ${port} is taken: choose another with --port, for example npm run demo -- --port 4100.`;
  }
  return error instanceof Error ? error.message : String(error);
}
