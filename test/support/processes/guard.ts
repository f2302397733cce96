import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * A process that outlives its parent by one moment: it kills what the parent has started and not seen end. Nothing
 * else helps against a parent that is killed itself, or children that are stopped.
 */
let parentsLine: ((line: string) => void) | undefined;

/** From now on this process dies with its parent. */
export function guard(pid: number): void {
  parentsLine ??= startGuard();
  parentsLine(`${pid}\n`);
}

/** It has ended by itself; its number may be somebody else's soon. */
export function release(pid: number): void {
  parentsLine?.(`-${pid}\n`);
}

function startGuard(): (line: string) => void {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true, // an interrupt from the keyboard is for the parent alone
  });
  child.unref();
  (child.stdin as Socket).unref();
  child.stdin.on('error', () => undefined);
  return (line) => child.stdin.write(line);
}

async function killAtTheEnd(): Promise<void> {
  const pids = new Set<number>();
  for await (const line of createInterface({ input: process.stdin })) {
    const pid = Number(line);
    if (pid > 0) pids.add(pid);
    else pids.delete(-pid);
  }
  for (const pid of pids) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it was faster
  }
}

if (import.meta.main) await killAtTheEnd();
