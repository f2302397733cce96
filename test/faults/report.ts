import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { nameOf } from './matrix/row.ts';
import type { Outcome } from './run-row.ts';

const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);
const BEGIN = '<!-- written by npm run faults -- --write -->';
const END = '<!-- end of what npm run faults has written -->';

/** One line on a terminal. */
export function lineOf(outcome: Outcome): string {
  const { row, seconds, problems, evidence, seed } = outcome;
  const bound = row.boundSeconds === undefined ? '' : ` (at most ${row.boundSeconds} s)`;
  const took = seconds === undefined ? '' : `${seconds.toFixed(2)} s${bound}`;
  const head = `${markOf(outcome).padEnd(7)} ${nameOf(row).padEnd(24)} ${took}`;
  if (problems.length === 0) return head;
  const details = [row.fault, ...problems, `seed ${seed}, evidence: ${evidence}`];
  return [head, ...details.map((detail) => `        ${detail.slice(0, 1_000)}`)].join('\n');
}

function markOf({ isSkipped, problems }: Outcome): string {
  if (isSkipped) return 'skipped';
  return problems.length === 0 ? 'ok' : 'FAILED';
}

const HEADINGS = [
  '| row | fault | what is expected | bound | took | result |',
  '| --- | --- | --- | --- | --- | --- |',
];

export function table(outcomes: readonly Outcome[]): string {
  return [...HEADINGS, ...outcomes.map(tableLine)].join('\n');
}

function tableLine(outcome: Outcome): string {
  const { row, seconds } = outcome;
  const bound = row.boundSeconds === undefined ? '–' : `${row.boundSeconds} s`;
  const took = seconds === undefined ? '–' : `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const cells = [nameOf(row), row.fault, row.expected, bound, took, markOf(outcome)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/**
 * Puts the table into docs/reliability.md in place of the one before; of some rows only, their lines. Throws when they
 * have no lines there.
 */
export function writeDocument(outcomes: readonly Outcome[], isWhole: boolean): void {
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '# Reliability\n';
  const [head = '', rest] = before.split(BEGIN);
  const [written, tail] = rest?.split(END) ?? [];
  if (!isWhole && written === undefined) throw new Error('docs/reliability.md has no table yet: run all rows');
  const lines = isWhole ? [...HEADINGS, ...outcomes.map(tableLine)] : replaced(tableLines(written ?? ''), outcomes);
  const section = [BEGIN, about(lines), lines.join('\n'), END].join('\n\n');
  const text = tail === undefined ? `${before.trimEnd()}\n\n## Fault matrix\n\n${section}\n` : head + section + tail;
  writeFileSync(DOCUMENT, text);
}

function replaced(lines: readonly string[], outcomes: readonly Outcome[]): string[] {
  const fresh = new Map(outcomes.map((outcome) => [nameOf(outcome.row), tableLine(outcome)]));
  const missing = [...fresh.keys()].filter((name) => !lines.some((line) => nameIn(line) === name));
  if (missing.length > 0) throw new Error(`docs/reliability.md has no line for ${missing.join(', ')}: run all rows`);
  return lines.map((line) => fresh.get(nameIn(line)) ?? line);
}

/** The row's name, from the first cell. */
function nameIn(line: string): string {
  return line.split(' | ')[0]?.replace('| ', '') ?? '';
}

function tableLines(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('|'));
}

function about(lines: readonly string[]): string {
  const rows = lines.slice(HEADINGS.length);
  const ok = rows.filter((line) => line.endsWith(' ok |')).length;
  const date = new Date().toISOString().slice(0, 10);
  return `${ok} of ${rows.length} as they should be, written on ${date}, ${machine()}.`;
}

function machine(): string {
  return `Node ${process.versions.node}, ${redisVersion()}, ${availableParallelism()} cores`;
}

function redisVersion(): string {
  const program = process.env['KASCADE_TEST_REDIS'] ?? 'redis-server';
  try {
    return `Redis ${/v=(\S+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'of unknown version'}`;
  } catch {
    return 'without Redis';
  }
}
