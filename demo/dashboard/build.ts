import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(ROOT, 'examples', 'dashboard');
const SOURCES = ['examples/dashboard/**/*', 'client/**/*.ts', 'package-lock.json'];

/** The built page, as a folder of static files under .cache/. Built when there is none of these sources yet. */
export async function buildDashboard(): Promise<string> {
  const folder = join(ROOT, '.cache', 'dashboard', fingerprint());
  if (existsSync(folder)) return folder;
  const { build } = await import('vite');
  const unfinished = `${folder}.${process.pid}`; // several may build at once; the first to finish wins
  mkdirSync(dirname(folder), { recursive: true });
  await build({ configFile: join(PAGE, 'vite.config.ts'), logLevel: 'warn', build: { outDir: unfinished } });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const file of globSync([...SOURCES], { cwd: ROOT, withFileTypes: true }).toSorted(byPath)) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    hash.update(path.slice(ROOT.length)).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

function byPath(left: { parentPath: string; name: string }, right: { parentPath: string; name: string }): number {
  return join(left.parentPath, left.name) < join(right.parentPath, right.name) ? -1 : 1;
}

if (import.meta.main) console.log(await buildDashboard());
