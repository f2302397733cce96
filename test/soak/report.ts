import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

const PAGE = new URL('../../docs/reliability.md', import.meta.url);

export function machine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${memory} GB, Node ${process.version}; load at the end ${load}`;
}

/** Puts the text in place of what stands between the marks of that name in docs/reliability.md. */
export function write(name: 'soak' | 'soak of replicas' | 'load', text: string): void {
  const [start, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/reliability.md has no place for "${name}".`);
  writeFileSync(PAGE, `${before}${start}\n\n${text}\n\n${end}${after}`);
}
