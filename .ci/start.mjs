// Starts the service as the image does, waits until it is healthy and ready, and ends it as an orchestrator would.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 30_000;

const service = spawn('node', ['src/server.ts'], {
  env: { ...process.env, NODE_ENV: 'production', PORT: '0', KAS_URL: 'http://127.0.0.1:9/k8s-proxy' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(service, 'exit');
const deadline = setTimeout(() => fail('The service did not start and stop in time.'), DEADLINE_MS);

const url = (await listeningUrl()) ?? fail('The service ended before it listened.');
for (const path of ['/healthz', '/readyz']) {
  const answer = await fetch(url + path);
  if (answer.status !== 200) fail(`${path} answered ${answer.status}.`);
}
service.kill('SIGTERM');
const [code] = await exited;
clearTimeout(deadline);
if (code !== 0) fail(`The service ended with ${code}.`);
console.log('Started, healthy, ready, stopped with 0.');

async function listeningUrl() {
  for await (const line of createInterface({ input: service.stdout })) {
    const { url } = JSON.parse(line);
    if (url) return url;
  }
  return undefined;
}

function fail(message) {
  console.error(message);
  service.kill('SIGKILL');
  process.exit(1);
}
