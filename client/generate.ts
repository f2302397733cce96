/**
 * node client/generate.ts            writes client/generated.ts from client/documents/*.graphql and the schema
 * node client/generate.ts --check    exits with 1 when that file is out of date
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, concatAST, parse } from 'graphql';
import { moduleOf } from './generator/module.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OUTPUT = join(HERE, 'generated.ts');

/** What client/generated.ts has to say. */
export function generated(): string {
  const schema = buildSchema(readFileSync(join(HERE, '..', 'schema', 'schema.graphql'), 'utf8'));
  const folder = join(HERE, 'documents');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  const documents = files.toSorted().map((name) => parse(readFileSync(join(folder, name), 'utf8')));
  return formatted(moduleOf(schema, concatAST(documents)));
}

export function written(): string {
  return readFileSync(OUTPUT, 'utf8');
}

/** As `npm run format` would leave it. */
function formatted(source: string): string {
  const oxfmt = fileURLToPath(new URL('bin/oxfmt', import.meta.resolve('oxfmt/package.json')));
  return execFileSync(process.execPath, [oxfmt, '--stdin-filepath', OUTPUT], {
    input: source,
    cwd: join(HERE, '..'),
    encoding: 'utf8',
  });
}

if (import.meta.main) {
  const source = generated();
  if (!process.argv.includes('--check')) {
    writeFileSync(OUTPUT, source);
  } else if (source !== written()) {
    console.error('client/generated.ts is out of date. Run `npm run client:documents` and commit the result.');
    process.exitCode = 1;
  }
}
