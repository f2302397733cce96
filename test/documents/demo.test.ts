import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasCurl } from '../support/has-curl.ts';
import { Program } from '../support/program.ts';
import { blocksOf, commandsOf, read, ROOT } from './markdown.ts';

/** `npm run demo` as the README has it, on free ports, and what the README and the demo itself say to do with it. */

const WITHIN_MS = 60_000;
const CURL = hasCurl("the README's curl commands");
const DOCUMENTED = 'http://127.0.0.1:4000';

let demo: Program;
let page: string;
let graphql: string;
let token: string;

beforeAll(async () => {
  demo = new Program('npm run demo -- --port 0', { cwd: ROOT });
  const { output } = await demo.says(/Stop with Ctrl-C/, WITHIN_MS).then(() => demo);
  page = found(/^ +Open +(\S+)$/m, output);
  graphql = found(/^ +GraphiQL +(\S+)$/m, output);
  token = found(/^ +Tokens +ada, sees everything: +(\S+)$/m, output);
}, WITHIN_MS);

afterAll(() => demo[Symbol.asyncDispose]());

function found(pattern: RegExp, text: string): string {
  return pattern.exec(text)?.[1] ?? '';
}

const here = (text: string) => text.replaceAll(DOCUMENTED, new URL(graphql).origin);

async function ask(query: string): Promise<unknown> {
  const response = await fetch(graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

describe('npm run demo', () => {
  it('has a page that knows where Kascade is', async () => {
    expect(await (await fetch(page)).text()).toContain('<div id="root">');
    const config: unknown = await (await fetch(`${page}/config.json`)).json();
    expect(config).toMatchObject({ graphql, namespace: 'shop', agents: [{ id: '1' }, { id: '2' }] });
  });

  it('has GraphiQL, with a first query and a token in it', async () => {
    const answer = await fetch(graphql, { headers: { accept: 'text/html' } });
    expect(answer.headers.get('content-type')).toContain('text/html');
    const html = await answer.text();
    expect(html).toContain('k8sPods');
    expect(html).toContain(token);
  });

  it('shows pods of both clusters', async () => {
    const fields = '(namespace: "shop", agentId:';
    const answer = await ask(`{ one: k8sPods${fields} "1") { totalCount } two: k8sPods${fields} "2") { totalCount } }`);
    const some = { totalCount: expect.toSatisfy((count: number) => count > 0) as number };
    expect(answer).toMatchObject({ data: { one: some, two: some } });
  });

  it.skipIf(!CURL)('says a curl command that works', async () => {
    const command = found(/^ +(curl .*?)\n\n/ms, demo.output).replaceAll(/\\\n\s*/g, '');
    const curl = new Program(command, { cwd: ROOT });
    expect(await curl.exited).toBe(0);
    expect(JSON.parse(curl.output)).toMatchObject({
      data: { k8sPods: { nodes: expect.arrayContaining([]) as unknown } },
    });
  });
});

describe("the README's first steps", () => {
  const commands = commandsOf('README.md').filter(({ command }) => command.startsWith('curl '));

  it.skipIf(!CURL).each(commands)('work: $command', async ({ command }) => {
    await using curl = new Program(here(command), { cwd: ROOT });
    const [answer] = await curl.says(/\{"data":\{"k8sPods":.*\}\}/, WITHIN_MS);
    const { data } = JSON.parse(answer) as { data: { k8sPods: Record<string, unknown[]> } };
    expect((data.k8sPods['nodes'] ?? data.k8sPods['upserted'])?.length).toBeGreaterThan(0);
  });

  it('work: the client in TypeScript', async () => {
    const [program = ''] = blocksOf('README.md', 'ts');
    const show = 'setInterval(() => pods.size > 0 && console.log(`${pods.size} pods, ${typeof resume}`), 20);';
    mkdirSync(`${ROOT}.cache`, { recursive: true });
    writeFileSync(`${ROOT}.cache/readme-client.ts`, `${here(program.replaceAll('ws://', 'http://'))}\n${show}\n`);
    await using client = new Program(`"${process.execPath}" .cache/readme-client.ts`, { cwd: ROOT });
    await client.says(/^[1-9]\d* pods, string$/m, WITHIN_MS);
    expect(client.errors).toBe('');
  });
});

it('stops cleanly', async () => {
  await demo.interrupt(); // npm itself ends by the signal, whatever its script does
  for (const url of [page, graphql]) await expect(fetch(url)).rejects.toThrow('fetch failed');
});

it(
  'stops with 0, without npm between',
  async () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { demo: string } };
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
    await using fast = new Program(`exec ${scripts.demo} --fast --port 0`, { cwd: ROOT, env: { PATH } });
    await fast.says(/Stop with Ctrl-C/, WITHIN_MS);
    expect([await fast.interrupt(), fast.errors]).toEqual([0, '']);
  },
  WITHIN_MS,
);
