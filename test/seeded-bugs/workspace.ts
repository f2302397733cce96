import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plant, type Seed } from './seed.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NO_SOURCE: ReadonlySet<string> = new Set(['.git', '.cache', 'coverage', 'node_modules']);

/** A copy of the tree as it is now, in which one defect at a time can be planted. */
export class Workspace {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'kascade-seeded-'));
    cpSync(ROOT, this.root, { recursive: true, filter: (path) => !NO_SOURCE.has(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(this.root, 'node_modules'));
  }

  /** Plants the defect, lets something be done, and takes it out again. */
  async with<T>(seed: Seed, act: () => Promise<T>): Promise<T> {
    const file = join(this.root, seed.file);
    const source = readFileSync(file, 'utf8');
    writeFileSync(file, plant(seed, source));
    try {
      return await act();
    } finally {
      writeFileSync(file, source);
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
